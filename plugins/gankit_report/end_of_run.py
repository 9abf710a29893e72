"""The end of a run: write its page, and name it in the last line that the run prints."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import click

from gankit.core.files.retried_write import describe_write_error
from gankit.core.printable import printable
from gankit.core.run.settings import command_about
from gankit_report.command import FILE

if TYPE_CHECKING:
    from gankit.core.run.settings import Run

log = logging.getLogger("gankit")


def write_at_end(run: Run, *, prints: bool) -> None:
    """Write report.html into the run's folder. If that fails, warn: the run itself is complete."""
    from gankit_report.page import write_report

    path = run.folder / FILE
    try:
        write_report([run.folder], path)
    except Exception as error:  # the page is drawn from files that anything may have changed
        later = f"write it later: {command_about(run, 'report', str(run.folder))}"
        log.warning("there is no new %s: %s; %s", path, describe_write_error(error), later)
        return
    if prints:
        click.echo(printable(f"report:   {path}"))
