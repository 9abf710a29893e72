"""`gankit lesson`: lists the lessons and walks through one."""

import os
import shutil
import textwrap
from typing import Any

import click

from gankit.cli.terminal.log import show_log
from gankit.cli.terminal.output import is_output_error
from gankit.core.errors import GankitError
from gankit_lessons import lesson as reading
from gankit_lessons import progress


@click.command()
@click.argument("which", required=False, metavar="[NUMBER]")
@click.option("--run", "as_script", is_flag=True, help="Run all cells without asking.")
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    metavar="N",
    help="Train for N steps only; 16 is enough to try a lesson out.",
)
def lesson(which: str | None, as_script: bool, steps: int | None) -> None:
    """Take lesson NUMBER, cell by cell; without NUMBER, list the lessons."""
    if which is None:
        if as_script:
            raise GankitError("--run needs the number of a lesson: gankit lesson 1 --run")
        print_list()
        return
    chosen = reading.find(which)
    if steps:
        os.environ[reading.STEPS] = str(steps)
    with show_log():
        if as_script:
            run_as_script(chosen)
            return
        from gankit_lessons.walk import LessonWalk  # imports rich

        raise SystemExit(LessonWalk(chosen).run())


def print_list() -> None:
    """Print one line for each lesson: number, title, minutes, your progress."""
    states = progress.load()
    lessons = reading.read_all()
    rows = [(item, progress.describe(_state_of(item, states), len(item.cells))) for item in lessons]
    terminal_width = shutil.get_terminal_size().columns
    title_width = max(len(item.title) for item in lessons)
    state_width = max(len(state) for _, state in rows)
    fits_on_a_line = terminal_width >= title_width + 16 + state_width
    for item, state in rows:
        if fits_on_a_line:
            columns = f"{item.number:3}  {item.title:{title_width}}  {item.minutes:>3} min  {state}"
            click.echo(columns.rstrip())
        else:
            facts = [item.title, f"{item.minutes} min"]
            if state:
                facts.append(state)
            number = f"{item.number:3}  "
            click.echo(textwrap.fill(", ".join(facts), terminal_width, initial_indent=number,
                                     subsequent_indent="     "))  # fmt: skip
    open_lessons = [item.number for item in lessons if not _state_of(item, states).get("done")]
    num_done = len(lessons) - len(open_lessons)
    next_lesson = open_lessons[0] if open_lessons else 1
    summary = f"{num_done} of {len(lessons)} done. Next: gankit lesson {next_lesson}"
    click.echo("\n" + textwrap.fill(summary, terminal_width))


def _state_of(item: reading.Lesson, states: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return states.get(str(item.number), {})


def run_as_script(chosen: reading.Lesson) -> None:
    """Run all cells, as `python lessons/...` does; print only what they print."""
    from gankit_lessons.session import INTERRUPTED, CellFailed, Session

    session = Session(chosen)
    try:
        for cell in chosen.cells:
            session.run(cell)
    except CellFailed as failed:
        if isinstance(failed.error, KeyboardInterrupt) or is_output_error(failed.error):
            raise failed.error from failed
        raise GankitError(str(failed), INTERRUPTED if failed.is_interrupted else 1) from failed
