"""Choose and create the folder of a run."""

import dataclasses
import itertools
from pathlib import Path

from gankit.core.errors import GankitError
from gankit.core.settings import Run
from gankit.core.shell import quote_word


def claim_folder(run: Run) -> Run:
    """The run with its folder in `out`: a new one in runs/ if `out` is empty.

    GankitError if the folder already contains a run.
    """
    folder = run.folder
    if not run.out:
        folder = make_numbered_folder("runs", f"{run.dataset.name}-{run.model.name}")
    if (folder / "run.json").exists():
        resume = f"--resume {quote_word(str(folder))}"
        raise GankitError(f"{folder} already holds a run: {resume}, or choose another --out")
    return dataclasses.replace(run, out=str(folder))


def make_numbered_folder(parent: str, name: str) -> Path:
    """Make the folder PARENT/NAME-1, or the first of NAME-2, NAME-3, ... that does not exist."""
    for number in itertools.count(1):
        folder = Path(parent, f"{name}-{number}")
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            if folder.exists():  # perhaps made by another run just now
                continue
            why = f"{error.strerror}: choose another --out"
            raise GankitError(f"cannot create {folder}: {why}") from error
        return folder
    raise AssertionError("unreachable")
