"""Where a run keeps the grids that it draws during training: samples/000500.png and so on."""

import os
import re
from contextlib import suppress
from pathlib import Path

_NAME = re.compile(r"[0-9]{6,15}\.png")


def grid_path(folder: Path, step: int) -> Path:
    """The file of the grid that the run in `folder` draws after `step` steps."""
    return folder / "samples" / f"{step:06d}.png"


def list_grids(folder: Path) -> list[tuple[int, Path]]:
    """The grids of the run in `folder` as (step, path), sorted by step; empty if there are none.

    Only regular files with names as of `grid_path`: in a run from somebody else, a link may lead to
    another picture of yours, and reading a pipe may never end.
    """
    try:
        with os.scandir(folder / "samples") as entries:
            names = {entry.name for entry in entries if entry.is_file(follow_symlinks=False)}
    except OSError:
        return []
    steps = sorted({int(name.removesuffix(".png")) for name in names if _NAME.fullmatch(name)})
    paths = [(step, grid_path(folder, step)) for step in steps]
    return [(step, path) for step, path in paths if path.name in names]  # not 0000500.png


def forget_grids_after(folder: Path, step: int) -> None:
    """Delete the grids after a step that a resumed run takes again."""
    for later, path in list_grids(folder):
        if later > step:
            with suppress(OSError):
                path.unlink()
