"""Choose and create the folder of a run."""

import dataclasses
import itertools
from pathlib import Path

from gankit.core.errors import GankitError
from gankit.core.settings import Run


def claim_folder(run: Run) -> Run:
    """The run with its folder in `out`: a new one in runs/ if `out` is empty.

    GankitError if the folder already contains a run.
    """
    folder = run.folder if run.out else _new_folder(f"{run.dataset.name}-{run.model.name}")
    if (folder / "run.json").exists():
        raise GankitError(
            f"{folder} already holds a run: --resume {folder}, or choose another --out"
        )
    return dataclasses.replace(run, out=str(folder))


def _new_folder(name: str) -> Path:
    """Create runs/<name>-1, or the same with the first number that is free."""
    for number in itertools.count(1):
        folder = Path("runs", f"{name}-{number}")
        try:
            folder.mkdir(parents=True)
        except OSError:
            if folder.exists():  # perhaps created by another run just now
                continue
        return folder  # if it could not be created, write_run will say why
    raise AssertionError("numbers do not end")
