"""Refuse a run whose steps cannot be computed again exactly, and prove that they were."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

import torch

from gankit.core.contracts.prepared import PreparedDataset
from gankit.core.device import list_devices
from gankit.core.errors import GankitError
from gankit.core.run.settings import Run
from gankit.runs.log import read_rows
from gankit.training.run_folder.run_file import read_notes

NUMBERS = ("d_loss", "g_loss", "penalty", "d_real", "d_fake")  # columns of log.csv

Rows = dict[int, dict[str, str]]  # step -> its row in log.csv


def read_log_rows(run: Run) -> Rows:
    """The rows of a run's log. GankitError if it has none: nothing could prove the numbers."""
    rows = {int(row["step"]): row for row in read_rows(run.folder)}
    if not rows:
        cure = "train it for longer"
        raise GankitError(f"the log of {run.folder} has no step to compare with: {cure}")
    return rows


def require_repeatable(run: Run) -> None:
    """GankitError if it is certain that this computer cannot repeat the numbers of a run."""
    if run.compile == "yes":
        why = "its networks were compiled, and compiled code may round differently each time"
        raise GankitError(f"{run.folder} cannot be unfolded: {why}; train it with --compile no")
    if run.device not in list_devices():
        why = f"it was trained on {run.device}, which this computer does not have"
        raise GankitError(f"{run.folder} cannot be unfolded: {why}; unfold it where it was trained")


def require_same_pictures(run: Run, prepared: PreparedDataset) -> None:
    """GankitError if the pictures are not those that the run was trained on."""
    if run.fingerprint and prepared.fingerprint != run.fingerprint:
        why = "its pictures have changed since it began"
        raise GankitError(f"{run.folder} cannot be unfolded: {why}; give back the same pictures")


def require_same_numbers(run: Run, step: int, row: Mapping[str, str], new: dict[str, Any]) -> int:
    """Compare a step with its row in log.csv, to the last digit; returns how many numbers agree.

    GankitError names the first number that differs.
    """
    compared = 0
    for name in NUMBERS:
        logged = row.get(name, "")
        if not logged and (name not in new or name == "penalty"):  # which old logs have seldom
            continue
        if not logged or name not in new or float(logged) != new[name]:
            now = new.get(name, "absent")
            what = f"at step {step}, {name} is {now} now and {logged or 'absent'} in log.csv"
            raise GankitError(f"{run.folder} cannot be unfolded exactly: {what}; {_cause(run)}")
        compared += 1
    return compared


def _cause(run: Run) -> str:
    """What may have changed the numbers, and what to do."""
    versions = read_notes(run.folder).get("versions", {})
    current = {"torch": torch.__version__, "system": platform.platform()}
    differences = [
        f"{name} was {versions[name]} and is {now}"
        for name, now in current.items()
        if versions.get(name, now) != now
    ]
    if differences:
        return f"{' and '.join(differences)}: unfold it where it was trained"
    if run.device != "cpu":
        return f"a GPU ({run.device}) may round differently each time: train it with --device cpu"
    return (
        "the computer, a plugin's file, or --threads may have changed during the run, or several "
        "processes trained it: train it again, and unfold the new run"
    )
