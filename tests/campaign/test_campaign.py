"""The short form of the campaign of faults, and the worker that tries its cases.

The long form is a command: `python tests/campaign/run.py --long --write docs/reliability.md`.
"""

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs fork and /proc")

FOLDER = Path(__file__).parent
PAGE = FOLDER.parents[1] / "docs" / "reliability.md"
NAMES = (
    "kills", "saves", "signals", "full-disks", "checkpoints", "pictures", "archives", "downloads",
    "preparing", "two-runs", "torchrun",
)  # fmt: skip


@pytest.fixture(scope="module")
def printed():
    """What the campaign prints, in a process of its own: pytest's has threads, and cannot fork."""
    command = [sys.executable, str(FOLDER / "run.py"), *NAMES]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1500)
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_no_outcome_is_wrong(name, printed):
    assert re.search(rf"(?m)^{name}: [\d,]+ tried, 0 not right", printed), printed


# ---------------------------------------------------------------- the worker


def disturb(case):
    """Cases that hang, die, raise and complain, by their number."""
    from outcome import Outcome

    if case.number == 1:
        time.sleep(60)
    if case.number == 2:
        os.kill(os.getpid(), signal.SIGSEGV)
    if case.number == 3:
        raise SystemExit(0)
    if case.number == 4:
        return Outcome("memory", (f"{len(bytes(range(256)) * (1 << 20))} bytes",))
    if case.number == 5:
        os.write(2, b"a line")
    if case.number == 6:
        (case.folder / "input").write_text("kept")
        return Outcome("wrong", ("a complaint",))
    return Outcome("right")


WRONG = {1: "hangs", 2: "-11", 3: "SystemExit", 4: "memory", 5: "a line", 6: "a complaint"}
TRY_ALL = """
import pathlib, sys
sys.path.insert(0, {folder!r})
from outcome import Kind
from test_campaign import disturb
from workers import try_cases
kind = Kind("disturbed", "", disturb, 8, 8, seconds=1, megabytes=100)
for tried in try_cases(kind, 0, range(8), pathlib.Path({scratch!r})):
    print(tried.number, tried.outcome.complaints, (tried.folder / "input").exists())
"""


def test_a_case_that_hangs_dies_or_raises_is_a_complaint(tmp_path):
    code = TRY_ALL.format(folder=str(FOLDER), scratch=str(tmp_path / "new"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 8
    for number, line in enumerate(lines):
        assert line.startswith(f"{number} ")
        assert WRONG.get(number, "()") in line
    assert [line.split()[-1] for line in lines].count("True") == 1


def test_a_case_can_be_repeated_by_its_seed_and_number(tmp_path):
    from outcome import Kind, make_case

    kind = Kind("some", "", disturb, 1, 1)
    numbers = [make_case(kind, 3, 7, tmp_path / name, None).rng.random() for name in "ab"]
    other = make_case(kind, 4, 7, tmp_path / "c", None).rng.random()
    assert numbers[0] == numbers[1] != other


def test_altered_bytes_and_json_differ_from_what_was_given():
    from mutate import alter_bytes, alter_json

    data = bytes(range(256)) * 4
    altered = [alter_bytes(data, random.Random(seed)) for seed in range(200)]
    assert sum(mutant != data for mutant in altered) > 190
    assert {len(mutant) < len(data) for mutant in altered} == {True, False}
    text = b'{"a": [1, {"b": "c"}]}'
    mutants = {alter_json(text, random.Random(seed)) for seed in range(200)}
    assert len(mutants) > 50


# ---------------------------------------------------------------- the page


def test_the_page_describes_every_kind_and_counts_what_was_not_right():
    page = PAGE.read_text(encoding="utf-8")
    table = page.partition("<!-- campaign: begin -->")[2].partition("<!-- campaign: end -->")[0]
    for name in NAMES:
        assert f"**{name}**" in page
        row = re.search(rf"^\| {name} \| ([\d,]+) \| ([\d,]+) \|", table, re.MULTILINE)
        assert row, name
        assert int(row[1].replace(",", "")) > 0
    assert "not right" in table
    assert not re.search(r"/home|/work|/tmp|localhost", table)
