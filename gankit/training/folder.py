"""Where a run's folder lies."""

import dataclasses
import itertools
from pathlib import Path

from gankit.core.errors import GankitError
from gankit.core.settings import Run


def claim_folder(run: Run) -> Run:
    """The run with its folder, a new one in runs/ if it names none; not one that holds a run."""
    folder = run.folder if run.out else _new_folder(f"{run.dataset.name}-{run.model.name}")
    if (folder / "run.json").exists():
        raise GankitError(f"{folder} already holds a run: --resume it, or choose another --out")
    return dataclasses.replace(run, out=str(folder))


def _new_folder(name: str) -> Path:
    """runs/<name>-1, or with the first number that nobody else has taken."""
    for number in itertools.count(1):
        folder = Path("runs", f"{name}-{number}")
        try:
            folder.mkdir(parents=True)
        except OSError:
            if folder.exists():  # made by another run, a moment ago perhaps
                continue
        return folder  # if it cannot be made at all, writing to it will say why
    raise AssertionError("numbers do not end")
