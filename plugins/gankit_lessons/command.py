"""`gankit lesson`: what there is to learn, and a walk through it."""

import os
import shutil
import textwrap
from typing import Any

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
def lesson(which: str | None, straight: bool, steps: int | None) -> None:
    """List the lessons, or take lesson NUMBER, cell by cell."""
    if which is None:
        if straight:
            raise GankitError("say which lesson: gankit lesson 1")
        show_list()
        return
    chosen = reading.find(which)
    if steps:
        os.environ[reading.STEPS] = str(steps)
    if straight:
        run_straight(chosen)
        return
    from gankit_lessons.walk import Walk  # rich: only who takes a lesson waits for it

    raise SystemExit(Walk(chosen).go())


def show_list() -> None:
    """One line for each lesson: number, title, minutes, how far you have come."""
    states = progress.load()
    lessons = reading.lessons()
    rows = [(item, progress.words(_state(states, item), len(item.cells))) for item in lessons]
    terminal_width = shutil.get_terminal_size().columns
    title_width = max(len(item.title) for item in lessons)
    fits_on_a_line = terminal_width >= title_width + 16 + max(len(state) for _, state in rows)
    for item, state in rows:
        if fits_on_a_line:
            columns = f"{item.number:3}  {item.title:{title_width}}  {item.minutes:>3} min  {state}"
            click.echo(columns.rstrip())
        else:
            facts = ", ".join([f"{item.title}, {item.minutes} min", *([state] if state else [])])
            number = f"{item.number:3}  "
            click.echo(textwrap.fill(facts, terminal_width, initial_indent=number,
                                     subsequent_indent="     "))  # fmt: skip
    open_lessons = [item.number for item in lessons if not _state(states, item).get("done")]
    done = len(lessons) - len(open_lessons)
    next_lesson = open_lessons[0] if open_lessons else 1
    summary = f"{done} of {len(lessons)} done. Take one: gankit lesson {next_lesson}"
    click.echo("\n" + textwrap.fill(summary, terminal_width))


def _state(states: dict[str, dict[str, Any]], item: reading.Lesson) -> dict[str, Any]:
    return states.get(str(item.number), {})


def run_straight(chosen: reading.Lesson) -> None:
    """All cells, as `python lessons/...` would: what they print, and nothing else."""
    from gankit_lessons.session import CellFailed, Session

    session = Session(chosen)
    try:
        for cell in chosen.cells:
            session.run(cell)
    except CellFailed as failed:
        if isinstance(failed.error, KeyboardInterrupt):
            raise failed.error from failed
        raise GankitError(str(failed), 1) from failed
