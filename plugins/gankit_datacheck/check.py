"""`gankit data check`: finds problems of a data set before a GAN is trained on it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import click

from gankit.cli.check_output import check_output, require_folder
from gankit.cli.terminal.progress import progress_bar
from gankit.core.errors import GankitError, did_you_mean
from gankit.core.parts.registry import Registry, load_registry
from gankit.core.printable import printable
from gankit.core.run.image_size import ImageSize
from gankit.core.run.settings import Run
from gankit.data.datasets import picture_files
from gankit.training.settings.compose import compose
from gankit_datacheck.report import make_report
from gankit_datacheck.survey import SIDE, Defaults, Survey, examine

OTHER_PAGE = "give another --page"


@click.command(short_help="Find problems in your pictures.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH... | NAME")
@click.option(
    "--image-size",
    default="64",
    metavar="PX",
    show_default=True,
    help="Image size that you want to train with: 64, or WIDTHxHEIGHT such as 96x64.",
)
@click.option("--classes", multiple=True, metavar="A,B", help="Check only these class folders.")
@click.option(
    "--every",
    "stride",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Take every N-th frame of films and animations.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the whole report as JSON.")
@click.option("--page", type=Path, metavar="FILE", help="Also write the report as an HTML page.")
@click.pass_context
def check(
    ctx: click.Context,
    paths: tuple[str, ...],
    image_size: str,
    classes: tuple[str, ...],
    stride: int,
    as_json: bool,
    page: Path | None,
) -> None:
    """Check pictures before you train on them, and print what to do about each problem.

    PATH is a folder, an archive or a picture. NAME is a data set from `gankit list dataset`.
    """
    if page:
        check_output(page, OTHER_PAGE)
        require_folder(page)
    size = ImageSize.parse(image_size)
    class_names = tuple(name for text in classes for name in text.split(","))
    report, survey, pictures = _examine_and_report(paths, class_names, size, ctx.obj, stride)
    if page:
        from gankit_datacheck.page import write_page  # imports jinja2

        write_page(page, report, survey, pictures)
    if as_json:
        click.echo(json.dumps(report, indent=2))
    else:
        _print_report(report, page)


def check_data(
    *places: str | Path,
    image_size: int | str = 64,
    classes: Sequence[str] = (),
    registry: Registry | None = None,
    every: int = 0,
) -> dict[str, Any]:
    """The report of `gankit data check` as a dict, the same as its --json prints.

    `places` are folders, archives or pictures, or the name of one data set.
    `check_data("my-pictures")["findings"]` is a list, the worst first, of dicts with "level"
    ("problem", "advice" or "fine"), "what" was found, "mend" (what to do about it), and the
    "names" of the pictures. `every` takes every n-th frame of films and animations.
    """
    if not places:
        raise GankitError("check_data needs a folder or a data set: check_data('my-pictures')")
    registry = registry or load_registry()
    paths = [str(place) for place in places]
    size = ImageSize.parse(image_size)
    report, _, _ = _examine_and_report(paths, tuple(classes), size, registry, every)
    return report


def _examine_and_report(
    paths: Sequence[str], classes: tuple[str, ...], size: ImageSize, registry: Registry, stride: int
) -> tuple[dict[str, Any], Survey, Sequence[Any]]:
    """The report, the survey it was made from, and the pictures."""
    pictures, source_options = open_pictures(registry, paths, classes, size, stride)
    defaults = _find_defaults(registry, source_options)
    if stride:
        source_options += ["--dataset", f"folder:every={stride}"]
    if classes:
        source_options += ["--classes", ",".join(classes)]
    with progress_bar("checking pictures") as progress:
        facts = examine(pictures, progress)
    left_out = getattr(pictures, "left_out", ())
    notes = getattr(pictures, "notes", ())
    file_notes = getattr(pictures, "file_notes", ())
    survey = Survey(facts, size.setting, left_out, len(pictures), notes, defaults, file_notes)
    return make_report(survey, source_options), survey, pictures


def _find_defaults(registry: Registry, source_options: Sequence[str]) -> Defaults:
    """What `gankit run` does with the pictures that these options give it."""
    values = source_options[1::2]
    is_named = source_options[0] == "--dataset"
    run = compose(registry, **({"dataset": values[0]} if is_named else {"data": tuple(values)}))
    is_default = run.dataset.name == registry.default("dataset")
    recipe = "" if is_default else registry.default("recipe")
    return Defaults(recipe=recipe, batch_size=run.batch_size, flip=run.flip)


def _print_report(report: dict[str, Any], page: Path | None) -> None:
    from rich.text import Text

    from gankit.cli.terminal.rich_console import OutputConsole
    from gankit_datacheck.show import print_report

    console = OutputConsole()
    print_report(report, console)
    hint = "--page FILE.html shows the pictures, --json prints the whole report."
    if page:
        hint = printable(f"Page: {page}")
    console.print()
    console.print(Text(hint, style="" if page else "dim"), soft_wrap=True)


def open_pictures(
    registry: Registry,
    paths: Sequence[str],
    classes: tuple[str, ...],
    size: ImageSize,
    stride: int = 0,
) -> tuple[Sequence[Any], list[str]]:
    """The pictures at paths or of a named data set, and the options of gankit run for them."""
    first = paths[0]
    if len(paths) > 1 or os.path.lexists(os.path.expanduser(first)):  # noqa: PTH111 - never raise
        with progress_bar("unpacking") as progress:
            pictures = picture_files(tuple(paths), SIDE, classes, progress=progress, every=stride)
        return pictures, [word for path in paths for word in ("--data", path)]
    name = first.partition(":")[0]
    dataset_names = {spec.name for spec in registry.specs("dataset")}
    if name not in dataset_names:
        if any(sign in first for sign in ("*", "?", "[", "://", ",", ";")):
            picture_files(tuple(paths))  # raises, and says what is wrong with such a path
        hint = did_you_mean(name, dataset_names)
        raise GankitError(f"there is no folder, file or data set {first!r}.{hint}")
    if stride:
        raise GankitError(f"--every is for films and animations of your own: omit it for {first}")
    from gankit.data.prepare import open_dataset  # imports torch

    settings = SimpleNamespace(
        dataset=registry.check("dataset", first),
        data=(),
        classes=classes,
        class_labels=False,
        balance_classes=False,
        channels=0,
        background="white",
        size=size,
    )
    run = cast(Run, settings)  # a whole Run needs networks that draw this image size
    with progress_bar("downloading") as progress:
        return open_dataset(run, registry, SIDE, progress), ["--dataset", first]
