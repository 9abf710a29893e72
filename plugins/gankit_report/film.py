"""The grids of a run as small pictures for the page; of very many, some are left out."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from gankit.cli.page.render import encode_picture
from gankit.core.errors import GankitError
from gankit.runs.read_grid import read_grid

WEBP = {"quality": 68, "method": 2}  # takes half the time of the default method, and 5 % more
MAX_SIDE = 1100  # px; larger grids are reduced
SAMPLED = 5  # grids whose size says how many fit
MAX_LETTERS = 9_000_000  # of all grids of a page, in base64
MAX_REMEMBERED = 300  # grids, for a page that follows a run: about as many as it can hold


@dataclass(frozen=True)
class Frame:
    """One grid, as WebP in base64."""

    step: int
    width: int  # px
    height: int
    data: str

    @property
    def uri(self) -> str:
        return f"data:image/webp;base64,{self.data}"


@dataclass(frozen=True)
class Film:
    """The grids of a run, oldest first."""

    frames: Sequence[Frame]
    total: int  # grids in the run's folder


def make_film(grids: Sequence[tuple[int, Path]], max_letters: int = MAX_LETTERS) -> Film:
    """Encode the grids; if they are too large for a page, only each second, or third, and so on.

    The last one always stays. A grid that cannot be read is left out.
    """
    sampled = _encode_all(grids[:: -(-len(grids) // SAMPLED) or 1])
    encoded = {frame.step: frame for frame in sampled}
    mean = sum(len(frame.data) for frame in sampled) / (len(sampled) or 1)
    stride = max(1, -(-int(mean * len(grids)) // max_letters))
    chosen = grids[::-1][::stride][::-1]
    missing = _encode_all([grid for grid in chosen if grid[0] not in encoded])
    encoded |= {frame.step: frame for frame in missing}
    return Film([encoded[step] for step, _ in chosen if step in encoded], len(grids))


def _encode_all(grids: Sequence[tuple[int, Path]]) -> list[Frame]:
    with ThreadPoolExecutor() as threads:  # Pillow lets other threads work while it encodes
        frames = list(threads.map(lambda grid: encode(*grid), grids))
    return [frame for frame in frames if frame]


def encode(step: int, path: Path) -> Frame | None:
    """One grid for the page; None if it cannot be read."""
    try:
        status = path.stat()
    except OSError:
        return None
    return _encode(step, path, status.st_mtime_ns, status.st_size)


@functools.lru_cache(MAX_REMEMBERED)
def _encode(step: int, path: Path, changed: int, size: int) -> Frame | None:
    """`changed` (ns) and `size` (bytes) tell this file from another that replaces it."""
    try:
        return encode_frame(step, read_grid(path))
    except GankitError:
        return None


def encode_frame(step: int, grid: Image.Image) -> Frame:
    """A grid as the page holds it; a large one is reduced."""
    grid.thumbnail((MAX_SIDE, MAX_SIDE))
    return Frame(step, grid.width, grid.height, encode_picture(grid, "WEBP", **WEBP))
