"""mypy checks code that uses gankit: correct code passes, and mistakes are errors."""

import re
import shutil
import subprocess
import sys

import pytest
from gankit_new.command import KINDS, write_package
from imports import ROOT

EXAMPLE = ROOT / "docs" / "examples" / "gankit-hinge"

CORRECT = """
from pathlib import Path

import gankit
import numpy as np
import torch
from gankit import testing
from torch import nn

run = gankit.compose(steps=500, lr=2e-4, tricks=["ema", gankit.Trick, gankit.Trick()])
run = gankit.compose(budget="2min", dataset=np.zeros((9, 8, 8, 3), np.uint8), plugins=["mine.py"])
run = gankit.compose(dataset=torch.zeros(9, 3, 8, 8), model=(nn.Identity(), nn.Identity))
prepared = gankit.prepare(run)
folder: Path = gankit.train(run)
sampler = gankit.load(folder)
print(run.batch_size, sampler.step, len(prepared.holdout))
testing.check_trick("noisy-d", off="sigma=0", beside=("ema", "r1"))
for measured in gankit.evaluate(folder, ["kid"]) + gankit.evaluate(run, "swd", "kid"):
    print(measured.value)
"""
INCORRECT = """
import gankit
from gankit import testing

run = gankit.compose(length="500 steps")
gankit.preparee(run)
testing.check_penalty("r1")
folder = gankit.train(500)
print(gankit.load(folder).stepp)
gankit.compose(batchsize=8)
gankit.compose(seed="1")
"""
MISTAKES = {  # line of INCORRECT -> mypy's message
    6: 'Module has no attribute "preparee"',
    7: 'Missing positional argument "expected"',
    8: 'Argument 1 to "train" has incompatible type "int"; expected "Run | str | Path"',
    9: '"Sampler" has no attribute "stepp"',
    10: 'Argument "batchsize" to "compose" has incompatible type "int"',
    11: 'Argument "seed" to "compose" has incompatible type "str"; expected "int | None"',
}


@pytest.fixture(scope="module")
def errors(tmp_path_factory):
    """Run `mypy --strict` once for all tests of this file. Returns file -> [(line, message)]."""
    folder = tmp_path_factory.mktemp("user-code")
    (folder / "correct.py").write_text(CORRECT, encoding="utf-8")
    (folder / "incorrect.py").write_text(INCORRECT, encoding="utf-8")
    shutil.copytree(EXAMPLE, folder / "gankit-hinge")
    for kind in KINDS:
        write_package(folder / f"my-{kind}", [kind], f"my-{kind}", f"my_{kind}")
    write_package(folder / "my-parts", list(KINDS), "my-parts", "my_parts")
    options = ["--strict", "--config-file=", f"--cache-dir={folder / 'cache'}"]
    command = [sys.executable, "-m", "mypy", *options, "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    summary = re.search(r"\(checked (\d+) source files\)", done.stdout)
    assert summary, done.stdout + done.stderr
    assert int(summary[1]) == len(list(folder.rglob("*.py")))
    errors = {}
    for file, line, message in re.findall(r"(?m)^(\S+):(\d+): error: (.*)$", done.stdout):
        errors.setdefault(file, []).append((int(line), message))
    return errors


def test_every_mistake_is_an_error(errors):
    assert sorted({line for line, _ in errors["incorrect.py"]}) == list(MISTAKES)
    for line, message in errors["incorrect.py"]:
        assert MISTAKES[line] in message


def test_correct_code_the_example_and_new_plugins_have_no_errors(errors):
    assert errors.keys() <= {"incorrect.py"}
