"""`gankit unfold RUN`: take chosen steps of a run again, and show all that happened in them."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gankit.cli.check_output import check_page
from gankit.cli.terminal.log import show_log
from gankit.cli.terminal.progress import progress_bar
from gankit.core.printable import printable
from gankit.training.run_folder.find_run import find_run


@click.command()
@click.argument("run", type=Path)
@click.option(
    "--at",
    default="",
    metavar="STEPS",
    help="Steps to show, as log.csv counts them, best or last: 0,50,500,last.  "
    "[default: the first, the first in the log, the middle and the last]",
)
@click.option(
    "--out",
    type=Path,
    metavar="FILE",
    help="Page to write (.html).  [default: the name of RUN, and -unfolded.html]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON, not a page.")
@click.pass_context
def unfold(ctx: click.Context, run: Path, at: str, out: Path | None, as_json: bool) -> None:
    """Show what happened in single steps of the run in the folder RUN.

    gankit takes the steps again, exactly as the run took them, and compares all numbers with
    log.csv. The page goes through a step in ten stops, with a question at each.
    """
    from gankit_unfold.unfolding import unfold as unfold_run  # imports torch

    run = find_run(run)
    if out or not as_json:
        out = check_page(out or Path(f"{run.resolve().name}-unfolded.html"))
    with show_log(), progress_bar("unfolding") as progress:
        unfolding = unfold_run(run, at, registry=ctx.obj, announce=_announce, progress=progress)
    if as_json:
        click.echo(json.dumps(unfolding.to_dict(), indent=2))
    if out:
        unfolding.write(out)
        click.echo(printable(str(out)), err=as_json)


def _announce(line: str) -> None:
    click.echo(f"gankit: {line}", err=True)
