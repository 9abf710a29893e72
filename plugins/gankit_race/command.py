"""`gankit race` and `gankit compare`."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from gankit_metrics.command import data_option, samples_option
from gankit_metrics.measurement import DEFAULT_SAMPLES

from gankit.cli.check_output import check_output
from gankit.cli.run.command import read_options
from gankit.cli.stop_signals import stop_signals
from gankit.cli.terminal.log import show_log
from gankit.cli.terminal.progress import progress_bar
from gankit.core.clock import format_duration
from gankit.core.errors import GankitError
from gankit.core.printable import printable
from gankit.core.run.all_stages import count_pictures
from gankit.core.run.settings import gankit_with
from gankit.core.shell import join_command
from gankit_race.differences import warn_of_bases
from gankit_race.find_race import find_race
from gankit_race.recipes import RACES, apply_recipe
from gankit_race.variants import LENGTHS, Variant, VariedValue, make_variants, parse_vary

if TYPE_CHECKING:
    from gankit.core.parts.registry import Registry
    from gankit.core.progress import Progress
    from gankit.core.run.settings import Run
    from gankit.core.stop import Stop
    from gankit_race.plan import Plan

RESUME_OPTIONS = {"resume", "seeds", "metrics", "data", "dry_run"}  # may be given together

metric_option = click.option(
    "--metric", "metrics", multiple=True, help="Metric to measure; repeatable. Default: kid, swd."
)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[RUN_OPTION]...")
@click.option(
    "--vary", multiple=True, metavar="NAME=A,B",
    help="Option of gankit run and the values to compare; repeatable.",
)  # fmt: skip
@click.option("--seeds", type=int, help="Number of runs of each variant. Default: 3.")
@click.option(
    "--budget", default="", metavar="LENGTH", help="Length of each run: 5m, 40kimg, 500steps."
)
@click.option(
    "--data", multiple=True, metavar="PATH",
    help="Your pictures, as in gankit run; with --resume, where they are now.",
)  # fmt: skip
@metric_option
@samples_option
@click.option("--recipe", help="Name of a race (see --list), or a recipe of gankit run.")
@click.option("--out", type=Path, metavar="DIR", help="Folder for the race. Default: races/...")
@click.option("--resume", type=Path, metavar="DIR", help="Continue the race in this folder.")
@click.option("--list", "listed", is_flag=True, help="List the named races.")
@click.option("--dry-run", is_flag=True, help="Show the plan and how long it takes; do not train.")
@click.pass_context
def race(ctx: click.Context, /, options: tuple[str, ...], listed: bool, **given: Any) -> None:
    """Train variants of a run, one after the other, and compare them.

    RUN_OPTION is any option of `gankit run`; it applies to all variants. The first value of each
    --vary is the baseline: the other variants are compared with it.
    """
    if listed:
        _list_races()
        return
    if "TORCHELASTIC_RUN_ID" in os.environ:  # each process would train the whole race
        raise GankitError("gankit race runs in one process: omit torchrun")
    if given["resume"]:
        typed = {
            name for name in given if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
        }
        if options or typed - RESUME_OPTIONS:
            raise GankitError(
                "--resume continues a race as it was planned: combine it only with --seeds, "
                "--metric, --dry-run and, if its pictures were moved, --data"
            )
        given["resume"] = find_race(given["resume"])
    argv = list(options)
    for path in given["data"]:
        argv += ["--data", path]

    if not given["dry_run"]:
        check_output(given["resume"] or given["out"] or Path("races"))
    with show_log(), stop_signals() as stop, progress_bar("preparing") as progress:
        _race(ctx, argv, given, stop, stop.raise_on_stop(progress))


def _list_races() -> None:
    for recipe in RACES:
        click.echo(f"{recipe.name:14}{recipe.summary}")
        words = [join_command(recipe.options)]
        words += [f"--vary {name}={values}" for name, values in recipe.vary.items()]
        words.append(f"--seeds {recipe.seeds}")
        if recipe.budget:
            words.append(f"--budget {recipe.budget}")
        click.echo(f"{'':14}{' '.join(words)}")


def _race(
    ctx: click.Context,
    options: list[str],
    given: dict[str, Any],
    stop: Stop,
    progress: Progress,
) -> None:
    """Plan a race or read its plan, then train and measure what is missing."""
    from gankit.training.run_folder.folder_lock import RESUME_ADVICE, FolderLock
    from gankit_race.plan import read_plan
    from gankit_race.racing import claim_folder, extend_plan, refuse_used_folder, resume_plan

    folder = given["resume"]
    if folder and given["dry_run"]:
        plan = extend_plan(read_plan(folder), folder, given["seeds"], given["metrics"], ctx.obj)
        click.echo(_describe_plan(plan, folder))
        return
    if folder:
        with FolderLock(folder).acquire(RESUME_ADVICE):
            plan = resume_plan(folder, given["seeds"], given["metrics"], ctx.obj, given["data"])
            _run_plan(ctx, plan, folder, stop, progress)
        return
    if given["out"]:
        refuse_used_folder(given["out"])
    plan, names = _make_plan(ctx, options, given, progress)
    if given["dry_run"]:
        click.echo(_describe_plan(plan))
        return
    with claim_folder(plan, given["out"], names) as folder:
        _run_plan(ctx, plan, folder, stop, progress)


def _run_plan(ctx: click.Context, plan: Plan, folder: Path, stop: Stop, progress: Progress) -> None:
    from gankit_race.report.publish import print_report
    from gankit_race.runner import RaceRunner

    runner = RaceRunner(plan, folder, ctx.obj, stop=stop, progress=progress)
    print_report(runner.run_all())


def _make_plan(
    ctx: click.Context, options: list[str], given: dict[str, Any], progress: Progress
) -> tuple[Plan, list[str]]:
    """The plan, and the names of the options that it varies."""
    from gankit_race.plan import choose_metrics, make_plan

    argv, vary, seeds, budget = apply_recipe(
        given["recipe"], options, list(given["vary"]), given["seeds"], given["budget"]
    )
    root = ctx.find_root()
    assert isinstance(root.command, click.Group)
    _, run_command, _ = root.command.resolve_command(root, ["run"])
    assert run_command is not None
    varied = parse_vary(vary, run_command)
    _refuse_contradictions(varied, argv, budget, run_command)
    samples = given["samples"]
    plan = make_plan(
        _make_variants(varied, argv, budget, ctx.obj),
        seeds=seeds,
        budget=budget,
        registry=ctx.obj,
        progress=progress,
        metrics=choose_metrics(given["metrics"], ctx.obj),
        samples=samples,
        command=_command_line(ctx.obj, argv, vary, seeds, budget, samples, given["metrics"]),
    )
    return plan, list(varied)


def _refuse_contradictions(
    varied: Mapping[str, Sequence[VariedValue]],
    argv: Sequence[str],
    budget: str,
    run_command: click.Command,
) -> None:
    """An error if an option is both varied and given for all variants, or a run has two lengths."""
    given = {word.partition("=")[0] for word in argv}
    for parameter in run_command.params:
        name = next((name for name in varied if f"--{name}" in parameter.opts), None)
        if name and given & {*parameter.opts, *parameter.secondary_opts}:
            hint = "; to use several tricks in one variant, write ema+r1" if name == "trick" else ""
            raise GankitError(
                f"--{name} is given for all variants and also varied: give it only once{hint}"
            )
    names = {*varied, *(word.removeprefix("--") for word in given)}
    length = next((name for name in LENGTHS if name in names), None)
    if budget and length:
        raise GankitError(f"a run has only one length: omit --budget or --{length}")


def _make_variants(
    varied: Mapping[str, Sequence[VariedValue]],
    argv: list[str],
    budget: str,
    registry: Registry,
) -> list[Variant]:
    from gankit_race.plan import UNKNOWN_LENGTH

    length = ["--steps", UNKNOWN_LENGTH.split()[0]] if budget else []

    def build(settings: list[Any]) -> Run:
        varied_argv = list(itertools.chain(*settings))
        return read_options([*argv, *length, *varied_argv], registry)

    return make_variants(varied.values(), build)


def _command_line(
    registry: Registry,
    argv: Sequence[str],
    vary: Sequence[str],
    seeds: int,
    budget: str,
    samples: int,
    metrics: Sequence[str],
) -> str:
    """The command line that repeats the race."""
    words = [*gankit_with(registry.files), "race", *argv]
    for text in vary:
        words += ["--vary", text]
    words += ["--seeds", str(seeds)]
    if budget:
        words += ["--budget", budget]
    if samples != DEFAULT_SAMPLES:
        words += ["--samples", str(samples)]
    for name in metrics:
        words += ["--metric", name]
    return join_command(words)


def _describe_plan(plan: Plan, folder: Path | None = None) -> str:
    """The plan as lines of text: length and time of each variant, and of the race.

    folder: of a race that has begun; then the time is that of the runs which are not trained yet.
    """
    lines = [plan.command]
    left = _runs_to_train(plan, folder)
    width = max(len(variant.label) for variant in plan.variants) + 2
    for variant in plan.variants:
        run = variant.run
        seconds = run.steps * variant.step_seconds
        kimg = count_pictures(run, run.steps) / 1000
        lines.append(
            f"{variant.label:{width}}{run.steps:,} steps = {kimg:,.4g} kimg, "
            f"{format_duration(seconds)} each (measured: {1 / variant.step_seconds:.1f} steps/s)"
        )
    seeds = ", ".join(map(str, plan.seeds))
    runs = f"{len(plan.all_runs())} runs (seeds {seeds})"
    if folder:
        runs += f", {len(plan.all_runs()) - len(left)} of them trained"
    total = sum(variant.run.steps * variant.step_seconds for variant in left)
    lines.append(f"{runs}, about {format_duration(total)} of training{' left' if folder else ''}")
    metrics = ", ".join(plan.metrics) or "no metric, because none is installed"
    lines.append(f"metrics to measure: {metrics}")
    lines += warn_of_bases([(variant.label, variant.run) for variant in plan.variants])
    return "\n".join(map(printable, lines))


def _runs_to_train(plan: Plan, folder: Path | None) -> list[Variant]:
    """The variant of each run that is not trained yet."""
    from gankit_race.results import read_results

    rows = read_results(folder) if folder else []
    trained = {(row.variant, row.seed) for row in rows}
    return [variant for variant, seed in plan.all_runs() if (variant.label, seed) not in trained]


@click.command()
@click.argument("runs", nargs=-1, required=True, type=Path, metavar="RUN RUN...")
@metric_option
@samples_option
@data_option
@click.option(
    "--out", type=Path, metavar="DIR", help="Folder for the results. Default: races/compare-..."
)
@click.pass_context
def compare(
    ctx: click.Context,
    runs: tuple[Path, ...],
    metrics: tuple[str, ...],
    samples: int,
    data: tuple[str, ...],
    out: Path | None,
) -> None:
    """Compare trained runs. The folder of a race means all its runs.

    Runs that differ only in their seed are one variant. The variant of the first RUN is the
    baseline.
    """
    from gankit_race.comparing import compare_folders
    from gankit_race.report.publish import print_report

    check_output(out or Path("races"))
    with show_log(), progress_bar("measuring") as progress:
        report = compare_folders(runs, metrics, samples, out, ctx.obj, progress, data)
    print_report(report)
