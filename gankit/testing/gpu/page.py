"""The page that the checks are written to, in Markdown, with the pictures beside it."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image

from gankit.core.files.atomic_write import write_atomically
from gankit.core.version import __version__
from gankit.testing.gpu.result import Row

PAGE = "gpu.md"
MAX_SIDE = 522  # pixels of a picture on the page


def describe_device(device: str) -> str:
    """The device and the software, as one line."""
    kind = torch.device(device).type
    if kind == "mps":
        name = f"the Apple GPU of a {platform.machine()} computer, macOS {platform.mac_ver()[0]}"
    elif kind != "cuda":
        name = f"no GPU, but the {device} of a {platform.machine()} computer"
    else:
        about = torch.cuda.get_device_properties(device)
        memory = about.total_memory / 2**30
        name = f"{about.name}, {memory:.0f} GiB, one of {torch.cuda.device_count()}"
    software = f"torch {torch.__version__}, Python {platform.python_version()}"
    return f"{name}; {software}, gankit {__version__}"


def write_page(rows: Sequence[Row], device: str, minutes: float, folder: Path) -> Path:
    """Write gpu.md and small copies of the grids into `folder`; returns the page's path."""
    table = [" | ".join(("", row.what, row.verdict, _cell(row.result), "")).strip() for row in rows]
    pictures = [_picture(row, folder) for row in rows if row.picture]
    text = "\n".join(
        [
            "# On a GPU",
            "",
            f"Written by `python -m gankit.testing.gpu` on {datetime.date.today()}, in "
            f"{minutes:.1f} minutes.",
            f"Device: {describe_device(device)}.",
            "",
            "| what | verdict | result |",
            "| --- | --- | --- |",
            *table,
            "",
            *pictures,
        ]
    )
    path = folder / PAGE
    write_atomically(path, text.encode())
    return path


def _cell(text: str) -> str:
    """A text that does not end its cell of the table."""
    return text.replace("|", "\\|")


def _picture(row: Row, folder: Path) -> str:
    """The lines for a picture, of which a small copy is written beside the page."""
    path = Path(row.picture)
    name = f"gpu-{path.parent.parent.name}.webp"
    with Image.open(path) as grid:
        grid.thumbnail((MAX_SIDE, MAX_SIDE))
        grid.convert("RGB").save(folder / name, quality=70)
    return f"![{row.what}]({name})\n\n*{row.what}*\n"
