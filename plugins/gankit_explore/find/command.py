"""`gankit find RUN PICTURE`: can G draw this picture, and from which z?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from gankit_metrics.command import data_option

from gankit.cli.check_output import OTHER_OUT, check_output, require_folder, write_error
from gankit.cli.param_types import CheckpointName
from gankit.cli.terminal.log import show_log
from gankit.cli.terminal.progress import progress_bar
from gankit.core.errors import GankitError, Interrupted
from gankit.core.files.portable_path import path_from_here
from gankit.core.printable import printable
from gankit.training.run_folder.find_run import find_run
from gankit.training.run_folder.links import WRITTEN, refuse_links_out

if TYPE_CHECKING:
    from gankit.runs.provenance import Provenance
    from gankit_explore.find.finder import Found

FILE = "found.png"  # in the run's folder
ENDINGS = (".png", ".jpg", ".webp")
# Names that gankit gives to other files: those of a run, and what the page of the explorer saves.
OTHER_FILES = frozenset({*WRITTEN, "directions.json"})


@click.command()
@click.argument("run", type=Path)
@click.argument("picture", type=Path)
@click.option(
    "--out",
    type=Path,
    metavar="FILE",
    help="Picture to write (.png .jpg .webp); the z are written beside it, as .json.  "
    f"[default: {FILE} in the folder of RUN]",
)
@click.option(
    "--starts",
    type=click.IntRange(1, 256),
    default=8,
    show_default=True,
    metavar="N",
    help="Random z from which the search starts.",
)
@click.option(
    "--steps",
    type=click.IntRange(1, 100_000),
    default=200,
    show_default=True,
    metavar="N",
    help="Steps of the search. More come a little closer.",
)
@click.option(
    "--checkpoint",
    type=CheckpointName(),
    metavar="STEP",
    help="Use the checkpoint of this step, or best.  [default: last]",
)
@click.option(
    "--class", "label", metavar="NAME", help="The class to search in, of a run with --class-labels."
)
@data_option
@click.pass_context
def find(
    ctx: click.Context,
    run: Path,
    picture: Path,
    out: Path | None,
    starts: int,
    steps: int,
    checkpoint: Any,
    label: str | None,
    data: tuple[str, ...],
) -> None:
    """Find the z whose picture comes closest to PICTURE, for the run in the folder RUN.

    PICTURE is any picture file; it is fitted like the pictures that the run was trained on. Ctrl-C
    ends the search early and keeps the best z so far.
    """
    run = find_run(run, " and --checkpoint {step}")
    out = _check_out(out, run)
    from gankit_explore.find.finder import find as search

    with show_log(), progress_bar("searching") as progress:
        result = search(
            run,
            picture,
            starts=starts,
            steps=steps,
            checkpoint=checkpoint,
            registry=ctx.obj,
            progress=progress,
            data=data,
            label=label,
        )
    _write(result, out, _provenance(result, picture, starts, steps, label))
    if not result.is_complete:
        raise Interrupted("interrupted: these are the best z so far")


def _check_out(out: Path | None, run: Path) -> Path:
    """The picture to write. GankitError if it or the .json beside it cannot be written."""
    if out is None:
        out = run / FILE
        refuse_links_out(run, (*WRITTEN, out.name, out.with_suffix(".json").name))
    if out.suffix.lower() not in ENDINGS:
        raise GankitError(f"--out is {str(out)!r}; it must end in .png, .jpg or .webp")
    require_folder(out)
    directions = out.with_suffix(".json")
    _check_directions(directions)
    for path in (out, directions):
        check_output(path)
    return out


def _check_directions(path: Path) -> None:
    """GankitError if the z must not be written there. Imports torch if the file exists."""
    if path.name.casefold() in OTHER_FILES:
        raise GankitError(
            f"cannot write the z as {path}: gankit gives the name {path.name} to another file; "
            f"{OTHER_OUT}"
        )
    if path.exists():
        from gankit.runs.walk_file import is_walk_file

        if not is_walk_file(path):
            raise GankitError(
                f"cannot write the z as {path}: this file exists, and is not a walk of gankit; "
                f"{OTHER_OUT}"
            )


def _provenance(
    result: Found, picture: Path, starts: int, steps: int, label: str | None
) -> Provenance:
    from gankit.core.run.settings import command_about
    from gankit.runs.provenance import of_run

    run = result.sampler.run
    paths = [path_from_here(path) for path in (run.folder, picture)]
    options: tuple[str, ...] = ("--starts", str(starts), "--steps", str(steps))
    options += ("--class", label) if label else ()
    words = ("find", *paths, *options, "--checkpoint", str(result.sampler.step))
    return of_run(run.folder, result.sampler.step, command_about(run, *words))


def _write(result: Found, out: Path, provenance: Provenance) -> None:
    """Write both files, and print what was found."""
    from gankit_explore.find.sheet import write_found

    try:
        directions = write_found(result, out, provenance)
    except (OSError, ValueError) as error:
        raise write_error(out, error) from error
    for sentence in result.describe():
        click.echo(sentence)
    click.echo(printable(f"{out}, and its z in {directions.name}"))
