"""`gankit show FILE`: where a picture or video of gankit comes from."""

from __future__ import annotations

import os
from pathlib import Path

import click

from gankit.cli.terminal.output import print_heading
from gankit.core.printable import printable

ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".mp4")


def names_a_file(name: str) -> bool:
    """Whether a name is that of a file, or of a picture that does not exist."""
    return Path(name).suffix.lower() in ENDINGS or os.path.isfile(name)  # noqa: PTH113 - no errors


def show_picture(path: Path) -> None:
    """Print what gankit wrote into a picture or video; one line if there is nothing of gankit."""
    from gankit.runs.provenance import read_provenance  # imports Pillow

    provenance = read_provenance(path)
    if provenance is None:
        click.echo(f"{path} does not say where it comes from: only files that gankit wrote do")
        return
    facts = {
        "made by": f"gankit {provenance.version}".strip(),
        "command": provenance.command,
        "trained by": provenance.run,
        "seed": provenance.seed,
        "step": provenance.step,
    }
    print_heading(str(path))
    for label, fact in facts.items():
        if fact not in ("", None):
            click.echo(printable(f"  {label:13} {fact}"))
