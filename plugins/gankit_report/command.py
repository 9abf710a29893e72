"""`gankit report RUN [OTHER]`: a run, or two runs side by side, as one HTML page."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import click

from gankit.cli.check_output import check_page
from gankit.cli.param_types import CheckpointName
from gankit.cli.terminal.log import show_log
from gankit.core.errors import GankitError
from gankit.core.parts.registry import Registry
from gankit.core.printable import printable
from gankit.training.checkpoints.named_checkpoint import checkpoint_word
from gankit.training.run_folder.find_run import find_run
from gankit.training.run_folder.links import refuse_links_out

FILE = "report.html"  # in the folder of the first run
DIGEST = 6  # letters that tell folders of the same name from each other


@click.command()
@click.argument("run", type=Path)
@click.argument("other", type=Path, required=False)
@click.option(
    "--out",
    type=Path,
    metavar="FILE",
    help=f"File to write (.html).  [default: {FILE} in the folder of RUN; of two runs, "
    "report-and-OTHER.html; with --checkpoint, such as report-step-500.html]",
)
@click.option(
    "--checkpoint",
    type=CheckpointName(),
    metavar="STEP",
    help="Open the page at the checkpoint of this step, or best, with its pictures.  "
    "[default: at the end of the run]",
)
@click.option(
    "--follow", is_flag=True, help="Show the page of a run while it trains, until Ctrl-C."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="N",
    help="With --follow: the port of the page.  [default: any free one]",
)
@click.option("--no-open", is_flag=True, help="With --follow: do not open the page in a browser.")
@click.pass_context
def report(
    ctx: click.Context,
    run: Path,
    other: Path | None,
    out: Path | None,
    checkpoint: Any,
    follow: bool,
    port: int,
    no_open: bool,
) -> None:
    """Show the run in the folder RUN, or two runs side by side, as one HTML page.

    The page holds everything that it shows, so it opens without a network, and you can mail it.
    """
    folders = [find_run(folder) for folder in (run, other) if folder is not None]
    if checkpoint is not None and (other or follow):
        what = "--follow shows the newest step" if follow else "it is of one run"
        raise GankitError(f"--checkpoint works with one run that has ended, as {what}: omit it")
    if follow and out:
        raise GankitError("--follow writes no file: omit --out")
    if not follow and (port or no_open):
        raise GankitError(f"{'--port' if port else '--no-open'} works with --follow only: omit it")
    if follow:
        _follow(folders, ctx.obj, port, opens=not no_open)
    else:
        _write(folders, ctx.obj, out, checkpoint)


def _write(folders: list[Path], registry: Registry, out: Path | None, checkpoint: Any) -> None:
    from gankit_report.page import write_report

    for folder in folders:
        refuse_links_out(folder)
    if out is None:
        out = folders[0] / _file_name(folders, checkpoint)
        refuse_links_out(folders[0], [out.name])
    check_page(out)
    with show_log():
        write_report(folders, out, registry, examine=True, checkpoint=checkpoint)
    click.echo(printable(str(out)))


def _file_name(folders: list[Path], checkpoint: Any) -> str:
    """The page without --out; only that of a run alone, at its end, is the run's own page."""
    if len(folders) > 1:
        return f"report-and-{_name_beside(*folders)}.html"
    return FILE if checkpoint is None else f"report-{checkpoint_word(checkpoint)}.html"


def _name_beside(run: Path, other: Path) -> str:
    """The name of the other run's folder; with a digest if it is not in the same folder as `run`.

    Elsewhere, several folders may have this name.
    """
    folder = other.resolve()
    if folder.parent == run.resolve().parent:
        return folder.name
    digest = hashlib.sha256(os.fsencode(folder.parent)).hexdigest()[:DIGEST]
    return f"{folder.name}-{digest}"


def _follow(folders: list[Path], registry: Registry, port: int, *, opens: bool) -> None:
    """Serve the page of runs to this computer until Ctrl-C."""
    from gankit.cli.page.serve import serve
    from gankit_report.follow import FollowedRuns

    with show_log():
        names = " and ".join(map(str, folders))
        serve(FollowedRuns(folders, registry).answer, f"following {names}", port=port, opens=opens)
