"""`gankit run`: trains a GAN from parts that you choose by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from gankit.cli.check_output import OTHER_OUT, check_output
from gankit.cli.grouped_command import GroupedCommand
from gankit.cli.run.from_options import (
    check_start,
    new_run,
    option_values,
    read_fields,
    resumed,
)
from gankit.cli.run.options import GROUPS, NOTE
from gankit.cli.terminal.log import show_log
from gankit.cli.terminal.progress import progress_bar
from gankit.core.errors import GankitError
from gankit.core.printable import printable
from gankit.training.settings.combine import check_single_process

if TYPE_CHECKING:
    from gankit.core.parts.registry import Registry
    from gankit.core.progress import Progress
    from gankit.core.run.settings import Run
    from gankit.training.budget.replan import Budget


@click.command(cls=GroupedCommand, groups=GROUPS, epilog=NOTE)
@click.pass_context
def run(ctx: click.Context, /, **_: Any) -> None:
    """Train a GAN. Without options, it learns to draw flowers, in minutes on any laptop."""
    values = option_values(ctx)
    config: Path | None = values.pop("config")
    resume: Path | None = values.pop("resume")
    budget: str | None = values.pop("budget")
    dry_run: bool = values.pop("dry_run")
    preview: Path | None = values.pop("preview")
    check_start(resume, config, values["recipe"])
    check_single_process({"--budget": budget, "--dry-run": dry_run, "--preview": preview})
    fields = read_fields(values, budget, resume)
    with show_log():
        if resume:
            run_to_train = resumed(resume, ctx.obj.files, **fields)
        else:
            run_to_train = new_run(ctx.obj, config, fields)
    if not dry_run and not preview:
        check_output(Path(run_to_train.out or "runs"), _cure(resume))
    with show_log(), progress_bar("preparing") as progress:
        clock = None
        if not resume:
            run_to_train, clock = _check_and_plan(run_to_train, ctx.obj, budget, progress)
        if dry_run:
            _describe(run_to_train, ctx.obj, progress, resume=bool(resume))
        elif preview:
            check_output(preview, "give another .png file")
            _preview(run_to_train, ctx.obj, preview, progress)
        else:
            _train(run_to_train, ctx.obj, progress, resume=bool(resume), budget=clock)


def _cure(resume: Path | None) -> str:
    return "a resumed run is saved there" if resume else OTHER_OUT


def read_options(argv: Sequence[str], registry: Registry) -> Run:
    """The run that these options of `gankit run` describe, for other commands that take them."""
    context = run.make_context("run", list(argv), obj=registry, auto_envvar_prefix="GANKIT_RUN")
    with context:
        values = option_values(context)
    for name in ("resume", "budget", "dry_run", "preview"):
        is_default = context.get_parameter_source(name) is ParameterSource.ENVIRONMENT
        if values.pop(name) and not is_default:
            raise GankitError(f"--{name.replace('_', '-')} works with gankit run only: omit it")
    config = values.pop("config")
    check_start(None, config, values["recipe"])
    return new_run(registry, config, read_fields(values, None, None))


def _check_and_plan(
    run: Run, registry: Registry, budget: str | None, progress: Progress
) -> tuple[Run, Budget | None]:
    """Try the parts that did not come with gankit, and set the length if there is a budget."""
    from gankit import testing
    from gankit.training.budget.plan_budget import fit_to_budget
    from gankit.training.out_of_memory import explain_out_of_memory

    with explain_out_of_memory(run, registry):
        testing.try_external_parts(run, registry, progress)
    return fit_to_budget(run, budget, registry, progress) if budget else (run, None)


def _describe(run: Run, registry: Registry, progress: Progress, *, resume: bool) -> None:
    from gankit.cli.run import plan

    click.echo(plan.describe_run(run, registry, progress, resume=resume))


def _preview(run: Run, registry: Registry, file: Path, progress: Progress) -> None:
    from gankit.cli.run.preview import write_preview

    click.echo(printable(write_preview(run, registry, file, progress)))


def _train(
    run: Run, registry: Registry, progress: Progress, *, resume: bool, budget: Budget | None
) -> None:
    from gankit.cli.stop_signals import stop_signals
    from gankit.core.progress import only_preparing
    from gankit.training.train import train

    with stop_signals() as stop:
        preparing = only_preparing(progress)
        train(run, registry, resume=resume, progress=preparing, stop=stop, budget=budget)
