"""Altered run.json files, read by every command that reads one."""

import contextlib
import io
import json
import shutil
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from outcome import Case, Kind, Outcome, Setup
from run_json_mutants import complaints, mutants
from small_run import train_whole

from gankit.cli.main import main
from gankit.training.loop import TrainingLoop

JUDGED = (
    "Each command reads the altered run.json as a run, or refuses it with one short line and exit "
    "code 2 (1 if a run had begun), within 120 s and 8 GB, and prints no control character."
)
COMMANDS = (
    ("run", "--config", "{run}/run.json", "--out", "{run}/new"),
    ("run", "--resume", "{run}", "--steps", "44"),
    ("sample", "{run}", "--count", "1", "--out", "{run}/a.png"),
    ("evaluate", "{run}", "--samples", "20", "--metric", "swd"),
)
UNALTERED = "nothing"


class Prepared(NamedTuple):
    run: Path
    mutants: list[tuple[str, Path]]  # what was altered, and the file


def prepare(setup: Setup) -> Prepared:
    train_whole(setup.folder)
    run = setup.folder / "whole"
    record = json.loads((run / "run.json").read_bytes())
    files = [(UNALTERED, run / "run.json")] * len(COMMANDS)  # first, to see that all can be read
    for number, (what, content) in enumerate(mutants(record, setup.seed, setup.count)):
        path = setup.folder / f"mutant-{number}.json"
        path.write_bytes(content)
        files.append((what, path))
    return Prepared(run, files)


def try_case(case: Case) -> Outcome:
    prepared: Prepared = case.prepared
    what, mutant = prepared.mutants[case.number % len(prepared.mutants)]
    run = case.folder / "run"
    shutil.copytree(prepared.run, run)
    shutil.copyfile(mutant, run / "run.json")
    words = [word.format(run=run) for word in COMMANDS[case.number % len(COMMANDS)]]
    output = io.StringIO()
    code = 0
    with (
        contextlib.redirect_stderr(output),
        contextlib.redirect_stdout(io.StringIO()),
        mock.patch.object(TrainingLoop, "run_to_end"),  # no steps
    ):
        try:
            main(words)
        except SystemExit as error:
            code = int(error.code or 0)
    found = complaints(code, output.getvalue())
    if code and what == UNALTERED:
        found.append(f"refused without an alteration: {output.getvalue()[-200:]!r}")
    label = f"{' '.join(words[:2])}, {what}: "
    return Outcome("refused" if code else "read", tuple(f"{label}{text}" for text in found))


KIND = Kind(
    "run.json", JUDGED, try_case, short=60, long=2000, prepare=prepare,
    seconds=120, megabytes=8000,  # a mutant may ask for pictures of 4,096 pixels
)  # fmt: skip
