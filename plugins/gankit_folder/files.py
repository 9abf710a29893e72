"""Picture files in folders, found at any depth."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image, ImageOps

ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"}
MOST_PIXELS = 200_000_000  # a larger one is taken for a decompression bomb
Image.MAX_IMAGE_PIXELS = MOST_PIXELS  # Pillow's own limit warns of what phones make today


class Folder(Sequence):
    """Every picture file under the folders, sorted by path; hidden and `__MACOSX` ones left out."""

    def __init__(self, data: tuple[str, ...], image_size: int = 64) -> None:
        self.image_size = image_size
        self.paths = [path for place in data for path in _pictures(Path(place).expanduser())]
        self.names = [str(path) for path in self.paths]
        about = repr([(str(path), *_size_and_time(path)) for path in self.paths])
        self.fingerprint = hashlib.sha256(about.encode()).hexdigest()

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Image.Image:
        with Image.open(self.paths[index]) as image:
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(f"{image.width}x{image.height} is too large to be a picture")
            # JPEG decodes at a reduced scale for little work; twice the size keeps the quality.
            image.draft("RGB", (2 * self.image_size, 2 * self.image_size))
            image.load()
            return _on_white(ImageOps.exif_transpose(image))


def _size_and_time(path: Path) -> tuple[int, int]:
    try:
        about = path.stat()
    except OSError:  # a link to nowhere: reading it will say so
        return 0, 0
    return about.st_size, about.st_mtime_ns


def _on_white(image: Image.Image) -> Image.Image:
    """Transparent pictures are laid on white; 16-bit grey is brought to 8."""
    if image.mode.startswith("I;16"):
        return image.point(lambda value: value / 256).convert("L")
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image


def _pictures(folder: Path) -> Iterator[Path]:
    if not folder.exists():
        raise ValueError(f"{folder} does not exist; check the path given with --data")
    if not folder.is_dir():
        raise ValueError(f"{folder} is a file; --data takes a folder of pictures")
    found = 0
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f != "__MACOSX")
        for name in sorted(files):
            if Path(name).suffix.lower() in ENDINGS and not name.startswith("."):
                found += 1
                yield Path(place, name)
    if not found:
        kinds = ", ".join(sorted(ending[1:] for ending in ENDINGS))
        raise ValueError(f"no pictures in {folder}; gankit reads {kinds}")
