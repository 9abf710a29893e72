"""Tries a set of files with `gankit data check` and `gankit run`, and judges what happens."""

import csv
import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from kinds import EITHER, NAMED, TAKEN
from odd_sets import OddSet

from gankit.data.datasets import picture_files

Gankit = Callable[..., Any]  # gankit("data", "check", path) -> (code, out, err)
TRAINING = ("--steps", 3, "--image-size", 16, "--model", "dcgan64:base_channels=4",
            "--device", "cpu", "--precision", "32")  # fmt: skip


class Seen(NamedTuple):
    """What `gankit data check` says of a source."""

    taken: Counter[str]  # the names of the pictures that can be read
    listed: list[str]  # "name: reason" of every other file that it names
    pixels: list[bytes]  # of each picture that can be read


def look(gankit: Gankit, *sources: str) -> Seen | None:
    """What `gankit data check` says; None if it refuses the sources, in one line."""
    answer = gankit("data", "check", *sources, "--json")
    if answer.code:
        check_refusal(answer)
        return None
    report = json.loads(answer.out, parse_constant=_refuse_number)
    broken = Counter(file["name"] for file in report["broken"])
    files = picture_files(tuple(sources), 64)
    taken = Counter(files.names)
    assert not broken - taken, "a broken file that was not found"
    listed = [f"{file['name']}: {file['why']}" for file in report["broken"]]
    assert report["pictures"] == len(files)
    assert all(line.isprintable() for line in (*files.names, *listed, *report["left_out"]))
    return Seen(taken - broken, [*listed, *report["left_out"]], _pixels(files))


def _refuse_number(text: str) -> None:
    raise AssertionError(f"{text} in a report")


def _pixels(files: Sequence[Any]) -> list[bytes]:
    pixels = []
    for index in range(len(files)):
        try:
            pixels.append(files[index].tobytes())
        except ValueError:
            pixels.append(b"")
    return pixels


def check_refusal(answer: Any) -> None:
    """A refusal is one line that is no surprise to gankit itself."""
    line = answer.err.strip().splitlines()[-1]
    assert line.startswith("gankit: "), answer
    assert "unexpected" not in line.partition(": ")[2].partition(" in ")[0], line
    assert line.isprintable(), line
    assert answer.code in (1, 2), answer


def judge(odd_set: OddSet, seen: Seen) -> None:
    """Each file is taken, or named, or need not be named."""
    for name, outcomes in odd_set.outcomes().items():
        taken = seen.taken[name]
        listed = sum(line.startswith(f"{name}: ") for line in seen.listed)
        must_be_taken = outcomes.count(TAKEN)
        may_be_taken = must_be_taken + outcomes.count(EITHER)
        must_be_known = may_be_taken + outcomes.count(NAMED)
        assert taken >= must_be_taken, f"not taken: {name!r}, {seen.listed}"
        assert taken <= may_be_taken, f"taken: {name!r}"
        assert taken + listed >= must_be_known, f"neither taken nor named: {name!r}"


def judge_archive(odd_set: OddSet, seen: Seen) -> None:
    """In an archive, odd names may be changed, so here files are only counted."""
    outcomes = [file.outcome for file in odd_set.files]
    known = sum(outcome in (TAKEN, EITHER, NAMED) for outcome in outcomes)
    may_be_taken = sum(outcome in (TAKEN, EITHER) for outcome in outcomes)
    taken = seen.taken.total()
    assert taken <= may_be_taken, seen
    assert taken + len(seen.listed) >= known, f"{known} files, but {seen.taken}, {seen.listed}"


def check_training(gankit: Gankit, source: str, out: Path, options: Sequence[Any]) -> int:
    """Three steps of training; returns the exit code."""
    answer = gankit("run", "--data", source, *TRAINING, *options, "--out", out)
    if answer.code:
        check_refusal(answer)
        return answer.code
    with (out / "log.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows
    for row in rows:
        assert all(math.isfinite(float(row[name])) for name in ("d_loss", "g_loss", "d_real")), row
    return 0
