"""`gankit lesson`: what there is to learn, and a walk through it."""

import os
import shutil
import textwrap

import click

from gankit.core.errors import GankitError
from gankit_lessons import lesson as reading
from gankit_lessons import progress


@click.command()
@click.argument("which", required=False, metavar="[NUMBER]")
@click.option("--run", "straight", is_flag=True, help="Run it as a script, without asking.")
@click.option(
    "--steps", type=click.IntRange(min=1), help="Train so many steps; 16 only tries it out."
)
def lesson(which, straight, steps):
    """List the lessons, or take lesson NUMBER, cell by cell."""
    if which is None:
        if straight:
            raise GankitError("say which lesson: gankit lesson 1")
        show_list()
        return
    found = reading.find(which)
    if steps:
        os.environ[reading.STEPS] = str(steps)
    if straight:
        run_straight(found)
        return
    from gankit_lessons.walk import Walk  # rich: only who takes a lesson waits for it

    raise SystemExit(Walk(found).go())


def show_list():
    """One line for each lesson: number, title, minutes, how far you have come."""
    known, every = progress.load(), reading.lessons()
    rows = [(one, progress.words(_state(known, one), len(one.cells))) for one in every]
    wide, widest = shutil.get_terminal_size().columns, max(len(one.title) for one in every)
    beside = wide >= widest + 16 + max(len(state) for _, state in rows)
    for one, state in rows:
        if beside:
            line = f"{one.number:3}  {one.title:{widest}}  {one.minutes:>3} min  {state}".rstrip()
        else:
            told = ", ".join([f"{one.title}, {one.minutes} min", *([state] if state else [])])
            line = textwrap.fill(told, wide, initial_indent=f"{one.number:3}  ",
                                 subsequent_indent="     ")  # fmt: skip
        click.echo(line)
    left = [one.number for one in every if not _state(known, one).get("done")]
    told = f"{len(every) - len(left)} of {len(every)} done. Take one: gankit lesson "
    click.echo("\n" + textwrap.fill(f"{told}{(left or [1])[0]}", wide))


def _state(known, one):
    return known.get(str(one.number), {})


def run_straight(found):
    """All cells, as `python lessons/...` would: what they print, and nothing else."""
    from gankit_lessons.session import CellFailed, Session

    session = Session(found)
    try:
        for cell in found.cells:
            session.run(cell)
    except CellFailed as failed:
        if isinstance(failed.error, KeyboardInterrupt):
            raise failed.error from failed
        raise GankitError(str(failed), 1) from failed
