"""Read a grid in a run's folder, which may come from somebody else."""

from pathlib import Path

from PIL import Image

from gankit.core.errors import GankitError


def read_grid(path: Path) -> Image.Image:
    """A grid of a run as RGB, read as a png and never as another format.

    (For some formats, Pillow starts other programs.) GankitError if it cannot be read.
    """
    try:
        with Image.open(path, formats=("PNG",)) as picture:
            return picture.convert("RGB")
    except Exception as error:  # Pillow raises SyntaxError, ValueError, DecompressionBombError, ...
        damaged = "it is damaged, too large, or not a png"
        reason = error.strerror if isinstance(error, OSError) and error.strerror else damaged
        raise GankitError(f"cannot read the grid {path}: {reason}") from error
