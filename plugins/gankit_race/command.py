"""`gankit race` and `gankit compare`."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from gankit.cli.progress import progress_bar
from gankit.cli.run import read_options
from gankit.cli.stop import stop_signals
from gankit.core.clock import format_duration
from gankit.core.errors import GankitError
from gankit_race import recipes
from gankit_race.vary import Variant, Way, cross, read_vary

if TYPE_CHECKING:
    from gankit.core.registry import Registry
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
def race(ctx: click.Context, options: tuple[str, ...], listed: bool, **given: Any) -> None:
    """Train variants of a run, one after the other, and compare them.

    OPTIONS are those of `gankit run`; they hold for every variant. The first value of each --vary
    is the baseline that the others are compared with.
    """
    if listed:
        for one in recipes.RACES:
            click.echo(f"{one.name:14}{one.summary}")
            varied = " ".join(f"--vary {name}={values}" for name, values in one.vary.items())
            length = f" --budget {one.budget}" if one.budget else ""
            click.echo(f"{'':14}{shlex.join(one.options)} {varied} --seeds {one.seeds}{length}")
        return
    if "TORCHELASTIC_RUN_ID" in os.environ:  # each process would write the whole race
        raise GankitError("gankit race is for one process: leave torchrun away")
    if given["resume"]:
        typed = {k for k in given if ctx.get_parameter_source(k) is ParameterSource.COMMANDLINE}
        if options or typed - FREE_ON_RESUME:
            raise GankitError(
                "--resume goes on with a race as it was planned; beside it there may be "
                "--seeds, to add some, and --metric"
            )

    with stop_signals() as stop, progress_bar("preparing") as progress:
        _do(ctx, list(options), given, stop, stop.ends(progress))


def _do(ctx: click.Context, options: list[str], given: dict[str, Any], stop: Any, progress: Any):
    from gankit_race.publish import show
    from gankit_race.racing import Race, begin, refuse_taken, resumed

    folder, registry = given["resume"], ctx.obj
    if folder:
        plan = resumed(folder, given["seeds"], given["metrics"], registry)
    else:
        if given["out"]:
            refuse_taken(given["out"])
        plan, names = _planned(ctx, options, given, progress)
        if given["dry_run"]:
            click.echo(_described(plan))
            return
        folder = begin(plan, given["out"], names)
    show(Race(plan, folder, registry, stop=stop, progress=progress).to_the_end())


def _planned(
    ctx: click.Context, options: list[str], given: dict[str, Any], progress: Any
) -> tuple[Plan, list[str]]:
    """The plan, and the names of what it varies."""
    from gankit_race.plan import choose_metrics, make_plan

    words, vary, seeds, budget = recipes.with_recipe(
        given["recipe"], options, list(given["vary"]), given["seeds"], given["budget"]
    )
    root = ctx.find_root()
    assert isinstance(root.command, click.Group)
    _, run, _ = root.command.resolve_command(root, ["run"])
    assert run is not None
    ways = read_vary(vary, run)
    _check(ways, words, budget, run)
    variants = _variants(ways, words, budget, ctx.obj)
    asked = {"seeds": seeds, "metrics": given["metrics"], "samples": given["samples"]}
    command = _command(words, vary, budget, asked)
    asked["metrics"] = choose_metrics(given["metrics"], ctx.obj)
    named = {"budget": budget, "command": command, "registry": ctx.obj, "progress": progress}
    plan = make_plan(variants, **named, **asked)
    return plan, list(ways)


def _check(ways: dict[str, list[Way]], words: Sequence[str], budget: str, run: click.Command):
    """What is varied is not said for all as well."""
    said = {word.partition("=")[0] for word in words}
    for parameter in run.params:
        name = next((n for n in ways if f"--{n}" in parameter.opts), None)
        if name and said & {*parameter.opts, *parameter.secondary_opts}:
            what = f"--{name} is given for all variants and varied"
            more = "; one variant takes several tricks as ema+r1" if name == "trick" else ""
            raise GankitError(f"{what}: say it once{more}")
    lengths = {"steps", "epochs", "kimg"}
    for length in lengths & ({*ways} | {word[2:] for word in said}) if budget else ():
        raise GankitError(f"a run has one length: --budget or {length}")


def _variants(
    ways: dict[str, list[Way]], words: list[str], budget: str, registry: Registry
) -> list[Variant]:
    from gankit_race.plan import LENGTH

    length = ["--steps", LENGTH.split()[0]] if budget else []

    def build(asked: list[Any]) -> Any:
        varied = [word for some in asked for word in some]
        return read_options([*words, *length, *varied], registry)

    return cross(ways.values(), build)


def _command(words: list[str], vary: list[str], budget: str, asked: dict[str, Any]) -> str:
    said = ["gankit", "race", *words, *(part for text in vary for part in ("--vary", text))]
    said += ["--seeds", str(asked["seeds"]), *(("--budget", budget) if budget else ())]
    said += ["--samples", str(asked["samples"])] if asked["samples"] != 1000 else []
    said += [part for name in asked["metrics"] for part in ("--metric", name)]
    return shlex.join(said)


def _described(plan: Plan) -> str:
    lines, total = [plan.command], 0.0
    width = max(len(variant.label) for variant in plan.variants) + 2
    for variant in plan.variants:
        run, seconds = variant.run, variant.run.steps * variant.step_seconds
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
    lines.append(f"then measures {', '.join(plan.metrics) or 'no metric, for none is there'}")
    return "\n".join(lines)


@click.command()
@click.argument("runs", nargs=-1, required=True, type=Path, metavar="RUN RUN...")
@click.option("--metric", "metrics", multiple=True, help="What to measure; kid and swd.")
@click.option("--samples", default=1000, show_default=True, help="Pictures drawn to measure.")
@click.option("--out", type=Path, metavar="DIR", help="Folder to write to; races/compare-...")
@click.pass_context
def compare(ctx, runs, metrics, samples, out):
    """Compare runs that exist; a race's folder stands for its runs.

    Runs that differ only in their seed are one variant; the first RUN's is the baseline.
    """
    from gankit_race.comparing import compared
    from gankit_race.publish import show

    with progress_bar("measuring") as progress:
        report = compared(runs, metrics, samples, out, ctx.obj, progress)
    show(report)
