"""`gankit_doctor.examine`: the diagnosis of a run that was trained, from its folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gankit.core.errors import GankitError
from gankit.core.files.read_json import read_json_object
from gankit.core.parts.registry import Registry, registry_of
from gankit.core.progress import Progress, no_progress
from gankit.core.run.settings import Run
from gankit.training.run_folder.find_run import find_run
from gankit.training.run_folder.run_file import load_run
from gankit_doctor.build_rules import build_rules
from gankit_doctor.deep import measure_deeply
from gankit_doctor.diagnosis import Diagnosis, diagnose
from gankit_doctor.engine import replay
from gankit_doctor.history import read_history
from gankit_doctor.observer import FILE
from gankit_doctor.old_runs import look_at_old_run


def examine(
    run: str | Path | Run,
    deep: bool = False,
    registry: Registry | None = None,
    progress: Progress = no_progress,
    rules: str | Iterable[str] = (),
) -> Diagnosis:
    """What is wrong with a run, or with the run in a folder. GankitError if it is not a run.

    With `deep`, copies of its networks are trained for some minutes to measure more. `rules` give
    rules other thresholds: `d-dominates:auc=0.95`.
    """
    if not isinstance(run, Run):
        run = load_run(find_run(run))
    registry = registry_of(run, registry)
    history = read_history(run)
    failure = read_failure(run)
    looked_now = not history.looks
    if looked_now:
        look_at_old_run(run, registry, history)
    measures = measure_deeply(run, registry, progress) if deep else {}
    if measures:
        history.add({"step": max(history.looks, default=run.steps), **measures})
    chosen = (rules,) if isinstance(rules, str) else rules
    engine = replay(run, history, build_rules(registry, chosen), failure)
    return diagnose(engine, run, history, registry, failure, measures, looked_now=looked_now)


def read_failure(run: Run) -> str:
    """Why the run failed, as doctor.json says; empty if there is no such file, or no failure."""
    path = run.folder / FILE
    if not path.exists():
        return ""
    try:
        record = read_json_object(path, "a diagnosis of gankit doctor", {"failure": str})
    except GankitError:  # only a note of the run's end is read from it
        return ""
    return str(record.get("failure", ""))[:300]
