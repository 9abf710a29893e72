"""found.png and found.json: what was found, and the way there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gankit.data.alpha import on_checkerboard
from gankit.runs.figures import sheet
from gankit.runs.images import Frame, arrange, from_uint8, resize, save_picture, to_pictures
from gankit.runs.provenance import Provenance
from gankit.runs.walk_file import Walk, write_walk
from gankit_explore.find.finder import Found

SIDE = 256  # px of each of the three pictures, at least
BRIGHTER = 2  # times, of the difference
SECONDS_PER_PICTURE = 0.5  # of a film of the way


def draw_found(result: Found) -> Image.Image:
    """The target, G's closest picture and their difference in a row, and the way there below."""
    target = _on_board(to_pictures(from_uint8(result.target[None]))[0])
    frames = result.sampler.frames(result.way)
    closest = _on_board(result.sampler.frames(result.z[None])[0])
    difference = np.abs(target.astype(int) - closest).mean(axis=2) * BRIGHTER
    row = sheet(
        {
            "your picture, as G's pictures are": _enlarge(target),
            f"G's closest one, distance {result.distance:.2f}": _enlarge(closest),
            "difference: black where there is none": _enlarge(difference.clip(0, 255)),
        }
    )
    strip = arrange(frames, columns=len(frames))
    width = row.width - 24
    size = (width, round(strip.height * width / strip.width))
    way = sheet(
        {"the way there, from the best random z": strip.resize(size, Image.Resampling.LANCZOS)}
    )
    picture = Image.new("RGB", (row.width, row.height + way.height), "white")
    picture.paste(row, (0, 0))
    picture.paste(way, (0, row.height))
    return picture


def write_found(result: Found, path: Path, provenance: Provenance) -> Path:
    """Write the picture, and the z of the way beside it; returns the path of the z. OSError."""
    save_picture(draw_found(result), path, provenance)
    directions = path.with_suffix(".json")
    shares = None if result.shares is None else result.shares.expand(len(result.way), -1)
    walk = Walk(result.way, SECONDS_PER_PICTURE, is_closed=False, shares=shares)
    write_walk(directions, walk)
    return directions


def _on_board(frame: Frame) -> Frame:
    """A frame (H, W, 3); a transparent one, (H, W, 4), is laid on a checkerboard."""
    return np.asarray(on_checkerboard(Image.fromarray(frame)))


def _enlarge(frame: NDArray[Any]) -> Image.Image:
    picture = Image.fromarray(frame.astype(np.uint8))
    return resize(picture, max(SIDE, *picture.size))
