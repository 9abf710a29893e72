"""Type checkers see gankit as a stranger's code uses it: right code passes, mistakes do not."""

import re
import subprocess
import sys

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


def test_four_mistakes_are_four_errors_and_right_code_has_none(tmp_path):
    (tmp_path / "right.py").write_text(RIGHT, encoding="utf-8")
    (tmp_path / "wrong.py").write_text(WRONG, encoding="utf-8")
    options = ["--strict", "--config-file=", f"--cache-dir={tmp_path / 'cache'}"]
    command = [sys.executable, "-m", "mypy", *options, "right.py", "wrong.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    errors = re.findall(r"^(\w+\.py):(\d+): error: (.*)$", done.stdout, flags=re.MULTILINE)
    assert [(file, int(line)) for file, line, _ in errors] == [
        ("wrong.py", line) for line in MISTAKES
    ], done.stdout + done.stderr
    for (_, _, message), expected in zip(errors, MISTAKES.values(), strict=True):
        assert expected in message
