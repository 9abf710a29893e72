"""Where a run's folder lies."""

import dataclasses
import itertools
from pathlib import Path

from gankit.core.choice import Choice
from gankit.core.errors import GankitError
from gankit.core.settings import Run


def claim_folder(run: Run) -> Run:
    """The run with its folder, a new one in runs/ if it names none; not one that holds a run."""
    name = "-".join(Choice.parse(part).name for part in (run.dataset, run.model))
    numbered = (Path("runs", f"{name}-{number}") for number in itertools.count(1))
    folder = run.folder if run.out else next(path for path in numbered if _made(path))
    if (folder / "run.json").exists():
        raise GankitError(f"{folder} already holds a run: --resume it, or choose another --out")
    return dataclasses.replace(run, out=str(folder))


def _made(folder: Path) -> bool:
    """Make a folder; False if it is there, made by another run a moment ago perhaps."""
    try:
        folder.mkdir(parents=True)
    except OSError:
        return not folder.exists()  # if it cannot be made at all, writing to it will say why
    return True
