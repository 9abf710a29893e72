"""Type checkers see gankit as a stranger's code uses it: right code passes, mistakes do not."""

import re
import shutil
import subprocess
import sys

import pytest
from gankit_new.command import PARTS_OF, TEMPLATES, copy_template
from imports import HOME

EXAMPLE = HOME / "docs" / "examples" / "gankit-hinge"

RIGHT = """
from pathlib import Path

import gankit
from gankit import testing

run = gankit.compose(length="500 steps")
prepared = gankit.prepare(run)
folder: Path = gankit.train(run)
sampler = gankit.load(folder)
print(run.batch_size, sampler.step, len(prepared.holdout))
testing.check_trick("noisy-d", off="sigma=0", beside=("ema", "r1"))
for measured in gankit.evaluate(folder, ["kid"]):
    print(measured.value)
"""
WRONG = """
import gankit
from gankit import testing

run = gankit.compose(length="500 steps")
gankit.preparee(run)
testing.check_penalty("r1")
folder = gankit.train("500 steps")
print(gankit.load(folder).stepp)
"""
MISTAKES = {
    6: 'Module has no attribute "preparee"',
    7: 'Missing positional argument "expected"',
    8: 'Argument 1 to "train" has incompatible type "str"; expected "Run"',
    9: '"Sampler" has no attribute "stepp"',
}


@pytest.fixture(scope="module")
def errors(tmp_path_factory):
    """File -> [(line, message)], from one run of `mypy --strict` over all that is checked here."""
    folder = tmp_path_factory.mktemp("strangers")
    (folder / "right.py").write_text(RIGHT, encoding="utf-8")
    (folder / "wrong.py").write_text(WRONG, encoding="utf-8")
    shutil.copytree(EXAMPLE, folder / "gankit-hinge")
    for kind in PARTS_OF:
        for template in (TEMPLATES / "common", TEMPLATES / kind):
            copy_template(template, folder / f"my-{kind}", f"my-{kind}", f"my_{kind}")
    options = ["--strict", "--config-file=", f"--cache-dir={folder / 'cache'}"]
    command = [sys.executable, "-m", "mypy", *options, "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    checked = re.search(r"\(checked (\d+) source files\)", done.stdout)
    assert checked, done.stdout + done.stderr
    assert int(checked[1]) == len(list(folder.rglob("*.py")))
    found = {}
    for file, line, message in re.findall(r"(?m)^(\S+):(\d+): error: (.*)$", done.stdout):
        found.setdefault(file, []).append((int(line), message))
    return found


def test_four_mistakes_are_four_errors(errors):
    assert [line for line, _ in errors["wrong.py"]] == list(MISTAKES)
    for line, message in errors["wrong.py"]:
        assert MISTAKES[line] in message


def test_the_same_code_without_mistakes_the_example_and_new_plugins_have_none(errors):
    assert {file: found for file, found in errors.items() if file != "wrong.py"} == {}
