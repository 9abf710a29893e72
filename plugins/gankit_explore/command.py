"""`gankit explore RUN`: the page of a run's generator, in your browser."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from gankit.cli.page.loopback import HOST
from gankit.cli.param_types import ALL, CheckpointName
from gankit.cli.terminal.log import show_log
from gankit.core.errors import GankitError
from gankit.core.printable import printable
from gankit.core.shell import quote_word
from gankit.training.run_folder.find_run import find_run

SECONDS_BETWEEN_LOOKS = 1.0  # for the first checkpoint of a run that has just begun


@click.command()
@click.argument("run", type=Path)
@click.option(
    "--checkpoint",
    type=CheckpointName(ALL),
    default=ALL,
    show_default=True,
    metavar="STEP",
    help="Show only the checkpoint of this step, best or last. With all, the page also gets those "
    "that a run that is still training will save.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="N",
    help="Port of the page.  [default: any free one]",
)
@click.option(
    "--host",
    default=HOST,
    show_default=True,
    metavar="ADDRESS",
    help="Address of this computer at which the page can be opened: with the default, only on "
    "this computer; with 0.0.0.0, in the whole network.",
)
@click.option("--no-open", is_flag=True, help="Do not open the page in a browser.")
@click.pass_context
def explore(
    ctx: click.Context, run: Path, checkpoint: Any, port: int, host: str, no_open: bool
) -> None:
    """Play with the generator of the run in the folder RUN, on a page in your browser.

    The page draws pictures itself, as fast as you move a slider, until Ctrl-C and after it.
    """
    run = find_run(run, " and --checkpoint {step}")
    with show_log():
        if checkpoint == ALL:
            _wait_for_checkpoint(run)
        from gankit.cli.page.serve import serve
        from gankit_explore.served_run import ServedRun

        served = ServedRun(run, ctx.obj, None if checkpoint == ALL else checkpoint)
        serve(served.answer, f"exploring {run}", port=port, host=host, opens=not no_open)


def _wait_for_checkpoint(run: Path) -> None:
    """Wait while a run trains that has no checkpoint yet. GankitError if it does not train."""
    from gankit.training.checkpoints.checkpoint import list_checkpoints
    from gankit.training.run_folder.folder_lock import is_running

    is_announced = False
    while True:
        is_training = is_running(run)  # asked first: it may end with a checkpoint
        if list_checkpoints(run / "checkpoints"):
            return
        if not is_training:
            cure = f"gankit run --resume {quote_word(str(run))} trains it"
            raise GankitError(f"{run} has no checkpoint, and is not training: {cure}")
        if not is_announced:
            click.echo(printable(f"waiting for the first checkpoint of {run} (Ctrl-C stops it)"))
            is_announced = True
        time.sleep(SECONDS_BETWEEN_LOOKS)
