"""`gankit import FILE`: a run of a generator's weights that were saved elsewhere."""

from __future__ import annotations

from pathlib import Path

import click

from gankit.cli.check_output import check_output
from gankit.cli.terminal.log import show_log
from gankit.core.errors import GankitError
from gankit.core.parts.registry import Registry
from gankit.core.printable import printable
from gankit.core.run.settings import command_about


@click.command("import", context_settings={"ignore_unknown_options": True})
@click.argument("file", type=Path)
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[OPTIONS OF gankit run]")
@click.option(
    "--out",
    default="",
    metavar="RUN",
    help="Folder of the run to make.  [default: a new one in runs/]",
)
@click.option(
    "--generator",
    default="",
    metavar="NAME",
    help="The generator that has these weights, and its options.  "
    "[default: found by the names and shapes of the weights]",
)
@click.pass_obj
def import_weights(
    registry: Registry, file: Path, options: tuple[str, ...], out: str, generator: str
) -> None:
    """Make a run of a generator's weights in FILE (.pth, .pt or .safetensors).

    FILE holds the state dict of PyTorch's DCGAN tutorial, for pictures of 16 px and more, or of
    another generator of gankit; also inside a whole checkpoint, or with names that begin with
    module. It may be the folder of `gankit export RUN --format torch`, too. The run draws what that
    network draws.

    Options of `gankit run` set how `gankit run --resume RUN` trains it further: --data, --steps,
    --batch-size and all others.
    """
    from gankit_export.imported_run import import_run
    from gankit_export.torch_files import WEIGHTS

    if str(file).startswith("-"):
        raise GankitError(f"give FILE first, before {file}")
    if file.is_dir() and (file / WEIGHTS).exists():
        file = file / WEIGHTS
    check_output(Path(out or "runs"))
    with show_log():
        run = import_run(registry, file, out, options, generator)
    colours = {1: "grey", 3: "colour", 4: "colour with transparency"}[run.channels]
    what = f"{run.generator}, {run.image_size} px, {colours}, z of {run.latent_dim} numbers"
    click.echo(printable(f"gankit: {file} holds a generator {what}"), err=True)
    click.echo(printable(f"gankit: draw: {command_about(run, 'sample', run.out)}"), err=True)
    click.echo(printable(run.out))
