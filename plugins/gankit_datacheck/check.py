"""`gankit data check`: a doctor for data sets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import click

from gankit.cli.progress import progress_bar
from gankit.core.errors import GankitError, did_you_mean
from gankit.core.registry import Registry, load_registry
from gankit.core.settings import Run
from gankit.data.read.files import PictureFiles
from gankit_datacheck.report import report
from gankit_datacheck.survey import SIDE, Survey, examine


@click.command()
@click.argument("places", nargs=-1, required=True, metavar="PATH... | NAME")
@click.option(
    "--image-size", type=click.IntRange(1), default=64, show_default=True, help="In px, for what."
)
@click.option("--classes", multiple=True, metavar="A,B", help="Only these class folders.")
@click.option("--json", "as_json", is_flag=True, help="For programs: everything, in full.")
@click.option("--page", type=Path, metavar="FILE", help="Write a page to look at, as .html.")
@click.pass_context
def check(
    ctx: click.Context,
    places: tuple[str, ...],
    image_size: int,
    classes: tuple[str, ...],
    as_json: bool,
    page: Path | None,
) -> None:
    """Look at pictures before a GAN does: what is there, what is wrong, what mends it.

    PATH is a folder, an archive or a picture; NAME is a data set of gankit list.
    """
    kinds = tuple(name for text in classes for name in text.split(","))
    found, survey, pictures = _looked_at(places, kinds, image_size, ctx.obj)
    if page:
        from gankit_datacheck.page import write_page  # most checks write none

        write_page(page, found, survey, pictures)
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        _tell(found, page)


def check_data(
    *places: str | Path,
    image_size: int = 64,
    classes: Sequence[str] = (),
    registry: Registry | None = None,
) -> dict[str, Any]:
    """What `gankit data check` finds, as a dict: the one that its --json prints.

    `check_data("my-pictures")["findings"]` is a list of what to know, the worst first, each with
    its "level", "what", "mend" and the "names" of the pictures it is about.
    """
    if not places:
        raise GankitError("say what to look at: check_data('my-pictures')")
    registry = registry or load_registry()
    return _looked_at([str(place) for place in places], tuple(classes), image_size, registry)[0]


def _looked_at(
    places: Sequence[str], classes: tuple[str, ...], image_size: int, registry: Registry
) -> tuple[dict[str, Any], Survey, Sequence[Any]]:
    """The report, what it was made from, and the pictures."""
    pictures, source = opened(registry, places, classes, image_size)
    source += [word for name in classes for word in ("--classes", name)]
    with progress_bar("looking at pictures") as progress:
        facts = examine(pictures, progress)
    survey = Survey(facts, image_size, getattr(pictures, "left_out", ()), len(pictures))
    return report(survey, source), survey, pictures


def _tell(found: dict[str, Any], page: Path | None) -> None:
    from rich.console import Console
    from rich.text import Text

    from gankit_datacheck.show import show

    console = Console()
    show(found, console)
    hint = f"Page {page}" if page else "--page FILE.html shows the pictures, --json lists all."
    console.print()
    console.print(Text(hint, style="" if page else "dim"), soft_wrap=True)


def opened(
    registry: Registry, places: Sequence[str], classes: tuple[str, ...], image_size: int
) -> tuple[Sequence[Any], list[str]]:
    """The pictures in places, or of a named data set, and how gankit run is given them."""
    there = [Path(place).expanduser().exists() for place in places]
    if len(places) > 1 or there[0]:
        with progress_bar("unpacking") as progress:
            pictures = PictureFiles(tuple(places), SIDE, classes, progress=progress)
        return pictures, [word for place in places for word in ("--data", place)]
    name = places[0].partition(":")[0]
    known = {spec.name for spec in registry.specs("dataset")}
    if name not in known:
        hint = did_you_mean(name, known)
        raise GankitError(f"there is no folder, file or data set {places[0]!r}.{hint}")
    from gankit.data.prepare import open_dataset as of_set  # takes torch

    settings = SimpleNamespace(
        dataset=registry.check("dataset", places[0]),
        data=(),
        classes=classes,
        channels=0,
        background="white",
        image_size=image_size,
    )
    run = cast(Run, settings)  # a whole one would need networks that draw this size
    with progress_bar("downloading") as progress:
        return of_set(run, registry, SIDE, progress), ["--dataset", places[0]]
