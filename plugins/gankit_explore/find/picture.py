"""Read the picture that should be found, fitted like the pictures of the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image

from gankit.core.contracts.prepared import Pixels
from gankit.core.errors import GankitError, quote_value
from gankit.core.run.settings import Run
from gankit.data.alpha import ALPHA
from gankit.data.read.decode import decode
from gankit.data.read.fit import FIT_METHODS, fit


def read_picture(given: Any, run: Run) -> Pixels:
    """A picture as uint8 (H, W, C) of the run's size: a path, a PIL image or an array of uint8.

    GankitError if it is not a picture, or cannot be read.
    """
    method = run.fit.name if run.fit.name in FIT_METHODS else "crop"  # a patch is a part
    name = str(given) if isinstance(given, str | Path) else "the picture"
    picture = given
    try:
        if isinstance(given, str | Path):
            min_size = 0 if run.resample == "nearest" else run.size.longer
            background = None if run.channels == ALPHA else run.background
            picture = decode(Path(given).expanduser(), min_size, background)
        elif not isinstance(given, Image.Image) and getattr(given, "dtype", None) != "uint8":
            raise ValueError(
                f"is {quote_value(given)}: give a path, a PIL image or uint8 (H, W, C)"
            )
        return fit(picture, run.size, run.channels or 3, method, run.background, run.resample)
    except ValueError as error:
        raise GankitError(f"{name} {error}") from error
