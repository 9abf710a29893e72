"""Train a patient, or the run of a cure, without a word about its settings."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from gankit_doctor import Doctor

from gankit.cli.stop_signals import stop_signals
from gankit.cli.terminal.progress import progress_bar
from gankit.core.control import Control
from gankit.core.errors import GankitError, RunStopped
from gankit.core.parts.hookspecs import hookimpl
from gankit.core.parts.registry import Registry
from gankit.core.run.settings import Run
from gankit.runs.log import read_rows
from gankit.training.run_folder.find_run import RUN_FILE
from gankit.training.run_folder.run_file import load_run
from gankit.training.settings.compose import compose
from gankit.training.train import train
from gankit_lessons.patients.patients import SEED, Patient


class SilentDoctor(Doctor):
    """Writes the numbers of its looks into log.csv, and tells nothing: no line and no file."""

    @hookimpl
    def step_done(self, run: Run, step: int, scalars: dict[str, Any], control: Control) -> None:
        """Ask no rule."""

    @hookimpl
    def run_finished(self, outcome: dict[str, Any], control: Control) -> None:
        self.watch = None


def make_patient(patient: Patient, folder: Path, registry: Registry) -> Run:
    """The broken run of a patient, from its folder; trained now if it is not there.

    An unfinished one is made again. GankitError if another run is in its place.
    """
    out = folder / "run"
    run = compose(registry, **patient.case.settings, seed=SEED, out=str(out))
    if out.exists():
        made = _load(out)
        if made is None or not _is_same(made, run, patient):
            raise GankitError(f"{out} is not patient {patient.number}: move it away, or give --out")
        if _is_finished(made):
            return made
    return train_anew(run, registry, f"patient {patient.number}")


def train_anew(run: Run, registry: Registry, label: str) -> Run:
    """Train a run into its folder, which is emptied first; returns it as it was trained."""
    shutil.rmtree(run.folder, ignore_errors=True)
    with progress_bar(f"training {label}") as show, stop_signals() as stop:
        try:
            train(run, silent(registry), progress=show, stop=stop)
        except RunStopped as error:
            message = f"{label} was stopped at step {error.step or 0:,}; the next start begins anew"
            raise RunStopped(message, error.exit_code) from error
    return load_run(run.folder)


def silent(registry: Registry) -> Registry:
    """A copy of the registry without a view, and with a doctor that tells nothing."""
    copy = Registry()
    copy.plugins = [p for p in registry.plugins if p.name not in ("console", "doctor")]
    doctor = next((p for p in registry.plugins if p.name == "doctor"), None)
    if doctor:
        copy.load("doctor", SilentDoctor(), doctor.distribution)
    return copy


def _load(folder: Path) -> Run | None:
    return load_run(folder) if (folder / RUN_FILE).exists() else None


def _is_same(made: Run, run: Run, patient: Patient) -> bool:
    """Whether a run that was made has the settings of the patient."""
    names = [name for name in patient.case.settings if name != "steps"]
    is_equal = all(getattr(made, name) == getattr(run, name) for name in [*names, "seed"])
    return is_equal and made.steps == patient.steps


def _is_finished(run: Run) -> bool:
    rows = read_rows(run.folder, missing_ok=True)
    return bool(rows) and int(rows[-1]["step"]) == run.steps
