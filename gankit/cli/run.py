"""`gankit run`: choose parts by name and train."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from gankit.cli.grouped import GroupedCommand
from gankit.cli.log import log_shown
from gankit.cli.options import GROUPS, NOTE
from gankit.cli.progress import progress_bar
from gankit.cli.run_from_options import (
    check_single_process,
    check_start,
    new_run,
    read_fields,
    resumed,
)
from gankit.core.errors import GankitError

if TYPE_CHECKING:
    from gankit.core.registry import Registry
    from gankit.core.settings import Run
    from gankit.core.stop import Progress


@click.command(cls=GroupedCommand, groups=GROUPS, epilog=NOTE)
@click.pass_context
def run(
    ctx: click.Context,
    /,
    config: Path | None,
    resume: Path | None,
    budget: str | None,
    dry_run: bool,
    preview: Path | None,
    **values: Any,
) -> None:
    """Train a GAN. Without options: flowers, on any laptop, in minutes."""
    check_start(resume, config, values["recipe"])
    check_single_process({"--budget": budget, "--dry-run": dry_run, "--preview": preview})
    if resume:
        values = _typed_values(ctx, values)
    fields = read_fields(values, budget, resume)
    chosen = resumed(resume, **fields) if resume else new_run(ctx.obj, config, fields)
    with log_shown(), progress_bar("preparing") as progress:
        if not resume:
            chosen = _prepare(chosen, ctx.obj, budget, progress)
        if dry_run:
            _describe(chosen, ctx.obj, progress)
        elif preview:
            _preview(chosen, ctx.obj, preview, progress)
        else:
            _train(chosen, ctx.obj, progress, resume=bool(resume))


def read_options(argv: Sequence[str], registry: Registry) -> Run:
    """The run that options of `gankit run` ask for, for commands that take them too."""
    context = run.make_context("run", list(argv), obj=registry, auto_envvar_prefix="GANKIT_RUN")
    with context:
        values = dict(context.params)
    for name in ("resume", "budget", "dry_run", "preview"):
        if values.pop(name):
            raise GankitError(f"--{name.replace('_', '-')} is for gankit run itself")
    config = values.pop("config")
    check_start(None, config, values["recipe"])
    return new_run(registry, config, read_fields(values, None, None))


def _typed_values(ctx: click.Context, values: dict[str, Any]) -> dict[str, Any]:
    """The options on the command line; those in the environment are defaults of new runs."""
    return {
        name: value
        for name, value in values.items()
        if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }


def _prepare(chosen: Run, registry: Registry, budget: str | None, progress: Progress) -> Run:
    """Try the parts that did not come with gankit, and plan the length if there is a budget."""
    from gankit import testing
    from gankit.cli import plan

    testing.try_external_parts(chosen, registry, progress)
    return plan.within(chosen, budget, registry, progress) if budget else chosen


def _describe(chosen: Run, registry: Registry, progress: Progress) -> None:
    from gankit.cli import plan

    click.echo(plan.describe(chosen, registry, progress))


def _preview(chosen: Run, registry: Registry, file: Path, progress: Progress) -> None:
    from gankit.cli.preview import preview

    click.echo(preview(chosen, registry, file, progress))


def _train(chosen: Run, registry: Registry, progress: Progress, *, resume: bool) -> None:
    from gankit.cli import out_of_memory
    from gankit.cli.stop import stop_signals
    from gankit.training.loop import train

    with stop_signals() as stop, out_of_memory.explained(chosen, registry):
        train(chosen, registry, resume=resume, progress=progress, stop=stop)
