"""Find the race that you mean, and say what a path is that is not a race."""

from __future__ import annotations

import os
from pathlib import Path

from gankit.core.errors import GankitError
from gankit.core.files.portable_path import shorten_path
from gankit.core.shell import quote_word
from gankit.training.run_folder.find_run import RUN_FILE

RACE_FILE = "race.json"


def race_folder(given: str | Path) -> Path | None:
    """The folder of a race, from that folder or its race.json; None for anything else."""
    path = Path(os.path.expanduser(given))  # noqa: PTH111 - Path's raises without a home
    if path.name == RACE_FILE and path.is_file():
        return path.parent
    is_race = (path / RACE_FILE).exists() and not (path / RUN_FILE).exists()
    return path if is_race else None


def find_race(given: str | Path) -> Path:
    """The folder of a race, from that folder or its race.json.

    GankitError for anything else: it says what the path is, and what to give.
    """
    folder = race_folder(given)
    if folder is not None:
        return folder
    path = Path(given)
    above = next((race for race in path.absolute().parents if race_folder(race)), None)
    if above:
        shown = shorten_path(str(above))
        raise GankitError(f"{path} belongs to the race {shown}: give {shown}")
    if (path / RUN_FILE).exists():
        resume = f"gankit run --resume {quote_word(str(path))}"
        raise GankitError(f"{path} is a run, not a race: continue it with {resume}")
    if not path.exists():
        raise GankitError(f"there is no race in {path}: No such file or directory")
    races = sorted(file.parent for file in path.glob(f"*/{RACE_FILE}"))
    such_as = f", such as {races[0]}" if races else ""
    raise GankitError(
        f"there is no race in {path}: give the folder of a race, which holds {RACE_FILE}{such_as}"
    )
