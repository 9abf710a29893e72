"""`gankit race` and `gankit compare`."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from gankit.cli.log import log_shown
from gankit.cli.progress import progress_bar
from gankit.cli.run import read_options
from gankit.cli.stop import stop_signals
from gankit.core.clock import format_duration
from gankit.core.errors import GankitError
from gankit_race import recipes
from gankit_race.vary import Variant, VariedValue, cross, read_vary

if TYPE_CHECKING:
    from gankit.core.registry import Registry
    from gankit.core.settings import Run
    from gankit.core.stop import Progress, Stop
    from gankit_race.plan import Plan

FREE_ON_RESUME = {"resume", "seeds", "metrics"}


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
@click.option("--vary", multiple=True, metavar="NAME=A,B", help="An option of gankit run, varied.")
@click.option("--seeds", type=int, help="Runs of each variant, with seeds one after another; 3.")
@click.option("--budget", default="", metavar="LENGTH", help="Of each run: 5m, 40kimg, 500steps.")
@click.option("--metric", "metrics", multiple=True, help="What to measure; kid and swd.")
@click.option("--samples", default=1000, show_default=True, help="Pictures drawn to measure.")
@click.option("--recipe", help="A race by name, or a recipe of gankit run.")
@click.option("--out", type=Path, metavar="DIR", help="Folder of the race; races/... if not given.")
@click.option("--resume", type=Path, metavar="DIR", help="Go on with a race.")
@click.option("--list", "listed", is_flag=True, help="List the races that have a name.")
@click.option("--dry-run", is_flag=True, help="Show the plan and how long it takes.")
@click.pass_context
def race(ctx: click.Context, /, options: tuple[str, ...], listed: bool, **given: Any) -> None:
    """Train variants of a run, one after the other, and compare them.

    OPTIONS are those of `gankit run`; they hold for every variant. The first value of each --vary
    is the baseline that the others are compared with.
    """
    if listed:
        _list()
        return
    if "TORCHELASTIC_RUN_ID" in os.environ:  # each process would write the whole race
        raise GankitError("gankit race runs in one process: omit torchrun")
    if given["resume"]:
        typed = {k for k in given if ctx.get_parameter_source(k) is ParameterSource.COMMANDLINE}
        if options or typed - FREE_ON_RESUME:
            raise GankitError(
                "--resume continues a race as it was planned; of the other options it takes "
                "only --seeds, to add some, and --metric"
            )

    with log_shown(), stop_signals() as stop, progress_bar("preparing") as progress:
        _race(ctx, list(options), given, stop, stop.raise_on_stop(progress))


def _list() -> None:
    for recipe in recipes.RACES:
        click.echo(f"{recipe.name:14}{recipe.summary}")
        words = [shlex.join(recipe.options)]
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
    """Plan the race or read its plan, then run what is missing and print the tables."""
    from gankit_race.publish import show
    from gankit_race.racing import Race, begin, refuse_taken, resumed

    folder = given["resume"]
    if folder:
        plan = resumed(folder, given["seeds"], given["metrics"], ctx.obj)
    else:
        if given["out"]:
            refuse_taken(given["out"])
        plan, names = _planned(ctx, options, given, progress)
        if given["dry_run"]:
            click.echo(_described(plan))
            return
        folder = begin(plan, given["out"], names)
    show(Race(plan, folder, ctx.obj, stop=stop, progress=progress).run_all())


def _planned(
    ctx: click.Context, options: list[str], given: dict[str, Any], progress: Progress
) -> tuple[Plan, list[str]]:
    """The plan, and the names of what it varies."""
    from gankit_race.plan import choose_metrics, make_plan

    argv, vary, seeds, budget = recipes.with_recipe(
        given["recipe"], options, list(given["vary"]), given["seeds"], given["budget"]
    )
    root = ctx.find_root()
    assert isinstance(root.command, click.Group)
    _, run, _ = root.command.resolve_command(root, ["run"])
    assert run is not None
    varied = read_vary(vary, run)
    _refuse_contradictions(varied, argv, budget, run)
    samples = given["samples"]
    plan = make_plan(
        _variants(varied, argv, budget, ctx.obj),
        seeds=seeds,
        budget=budget,
        registry=ctx.obj,
        progress=progress,
        metrics=choose_metrics(given["metrics"], ctx.obj),
        samples=samples,
        command=_command(argv, vary, seeds, budget, samples, given["metrics"]),
    )
    return plan, list(varied)


def _refuse_contradictions(
    varied: Mapping[str, Sequence[VariedValue]],
    argv: Sequence[str],
    budget: str,
    run: click.Command,
) -> None:
    """An error if what is varied is given for all variants too, or a run has two lengths."""
    given = {word.partition("=")[0] for word in argv}
    for parameter in run.params:
        name = next((name for name in varied if f"--{name}" in parameter.opts), None)
        if name and given & {*parameter.opts, *parameter.secondary_opts}:
            what = f"--{name} is given for all variants and varied"
            more = "; one variant takes several tricks as ema+r1" if name == "trick" else ""
            raise GankitError(f"{what}: say it once{more}")
    names = {*varied, *(word.removeprefix("--") for word in given)}
    length = next((name for name in ("steps", "epochs", "kimg") if name in names), None)
    if budget and length:
        raise GankitError(f"a run has one length: --budget or {length}")


def _variants(
    varied: Mapping[str, Sequence[VariedValue]],
    argv: list[str],
    budget: str,
    registry: Registry,
) -> list[Variant]:
    from gankit_race.plan import LENGTH

    length = ["--steps", LENGTH.split()[0]] if budget else []

    def build(settings: list[Any]) -> Run:
        own = [word for words in settings for word in words]
        return read_options([*argv, *length, *own], registry)

    return cross(varied.values(), build)


def _command(
    argv: Sequence[str],
    vary: Sequence[str],
    seeds: int,
    budget: str,
    samples: int,
    metrics: Sequence[str],
) -> str:
    """The command line that repeats the race."""
    words = ["gankit", "race", *argv]
    for text in vary:
        words += ["--vary", text]
    words += ["--seeds", str(seeds)]
    if budget:
        words += ["--budget", budget]
    if samples != 1000:
        words += ["--samples", str(samples)]
    for name in metrics:
        words += ["--metric", name]
    return shlex.join(words)


def _described(plan: Plan) -> str:
    """The plan as lines of text: every variant's length and time, and what follows."""
    lines = [plan.command]
    total = 0.0
    width = max(len(variant.label) for variant in plan.variants) + 2
    for variant in plan.variants:
        run = variant.run
        seconds = run.steps * variant.step_seconds
        total += seconds * len(plan.seeds)
        kimg = run.steps * run.batch_size * run.d_steps / 1000
        lines.append(
            f"{variant.label:{width}}{run.steps:,} steps = {kimg:,.4g} kimg, "
            f"{format_duration(seconds)} each (measured: {1 / variant.step_seconds:.1f} steps/s)"
        )
    seeds = ", ".join(map(str, plan.seeds))
    lines.append(
        f"{len(plan.starts())} runs (seeds {seeds}), about {format_duration(total)} of training"
    )
    metrics = ", ".join(plan.metrics) or "no metric, because none is installed"
    lines.append(f"then measures {metrics}")
    return "\n".join(lines)


@click.command()
@click.argument("runs", nargs=-1, required=True, type=Path, metavar="RUN RUN...")
@click.option("--metric", "metrics", multiple=True, help="What to measure; kid and swd.")
@click.option("--samples", default=1000, show_default=True, help="Pictures drawn to measure.")
@click.option("--out", type=Path, metavar="DIR", help="Folder to write to; races/compare-...")
@click.pass_context
def compare(
    ctx: click.Context,
    runs: tuple[Path, ...],
    metrics: tuple[str, ...],
    samples: int,
    out: Path | None,
) -> None:
    """Compare runs that exist; a race's folder stands for its runs.

    Runs that differ only in their seed are one variant; the first RUN's is the baseline.
    """
    from gankit_race.comparing import compared
    from gankit_race.publish import show

    with progress_bar("measuring") as progress:
        report = compared(runs, metrics, samples, out, ctx.obj, progress)
    show(report)
