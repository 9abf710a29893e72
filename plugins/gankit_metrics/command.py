"""`gankit evaluate RUN`: numbers for a trained run, as a table or as JSON."""

import dataclasses
import functools
import json
from pathlib import Path
from typing import Any

import click

from gankit.cli.param_types import CheckpointName
from gankit.cli.terminal.log import show_log
from gankit.cli.terminal.progress import progress_bar
from gankit.core.errors import GankitError
from gankit.core.printable import printable
from gankit.training.run_folder.find_run import find_run
from gankit_metrics.measurement import DEFAULT_SAMPLES, Measurement, format_number

samples_option = click.option(
    "--samples",
    default=DEFAULT_SAMPLES,
    show_default=True,
    help="Number of pictures to generate and measure.",
)

data_option = click.option(
    "--data",
    multiple=True,
    metavar="PATH",
    help="Where the run's pictures are now, if they were moved; repeatable.",
)


@click.command()
@click.argument("run", type=Path)
@click.option(
    "--metric", "metrics", multiple=True, metavar="NAME",
    help="NAME or NAME:option=value,...; repeatable. Default: the metrics that suit the run.",
)  # fmt: skip
@click.option(
    "--checkpoint",
    type=CheckpointName(),
    metavar="STEP",
    help="Measure the checkpoint of this step, or best. Default: last, the newest.",
)
@samples_option
@data_option
@click.option(
    "--class",
    "classes",
    multiple=True,
    metavar="NAME",
    help="Measure only pictures of this class, of a run with --class-labels; repeatable.",
)
@click.option("--each-class", is_flag=True, help="Measure the pictures of each class on their own.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.pass_context
def evaluate(
    ctx: click.Context,
    run: Path,
    metrics: tuple[str, ...],
    checkpoint: Any,
    samples: int,
    data: tuple[str, ...],
    classes: tuple[str, ...],
    each_class: bool,
    as_json: bool,
) -> None:
    """Measure how good the pictures of the run in folder RUN are."""
    from gankit_metrics import evaluate as evaluation  # imports torch

    if classes and each_class:
        raise GankitError("--each-class measures all classes: omit it, or omit --class")
    run = find_run(run, " and --checkpoint {step}")
    with show_log(), progress_bar("measuring") as progress:
        measure = functools.partial(
            evaluation.evaluate,
            metrics=metrics or None,
            samples=samples,
            checkpoint=checkpoint,
            registry=ctx.obj,
            progress=progress,
            data=data,
        )
        if classes or each_class:
            of_classes = _measure_classes(run, classes, measure)
        else:
            measurements = measure(run)
    if classes or each_class:
        _print_classes(of_classes, run, as_json=as_json)
        return
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(row) for row in measurements], indent=2))
    else:
        print_table(measurements, run, samples)


def _measure_classes(run: Path, names: tuple[str, ...], measure: Any) -> Any:
    """What was measured of each class; see `measure_classes`."""
    from gankit.training.run_folder.run_file import recorded_run
    from gankit_metrics.by_class import measure_classes

    return measure_classes(
        recorded_run(run).class_names, names, lambda name: measure(run, label=name)
    )


def _print_classes(of_classes: Any, run: Path, *, as_json: bool) -> None:
    from gankit_metrics.by_class import print_classes

    if as_json:
        click.echo(json.dumps([row for each in of_classes for row in each.rows()], indent=2))
        return
    steps = [row.step for each in of_classes for row in each.measurements]
    at_step = f" at step {steps[0]}" if steps else ""
    print_classes(of_classes, f"{run}{at_step}: each class compared with its own real pictures")


def print_table(measurements: list[Measurement], run: Path, samples: int) -> None:
    """A table with a row for each metric, then the metrics' notes.

    `samples`: the number of pictures that should be measured, if there are as many real ones.
    """
    from rich.table import Table
    from rich.text import Text

    from gankit.cli.terminal.rich_console import OutputConsole

    console = OutputConsole()
    if not console.is_terminal:
        console = OutputConsole(width=120)
    headline = _headline(measurements[0], run, samples)
    console.print(Text(printable(headline)), soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    for column in ("metric", "value", "95 % interval", "floor", "better", "features", "seconds"):
        left = column in ("metric", "better", "features")
        table.add_column(column, justify="left" if left else "right", overflow="fold")
    for row in measurements:
        table.add_row(
            Text(printable(row.metric)),
            format_number(row.value),
            f"{format_number(row.low)} to {format_number(row.high)}",
            format_number(row.floor),
            Text(printable(row.better)),
            Text(printable(row.features or "none")),
            f"{row.seconds:.1f}",
        )
    console.print(table)
    for row in measurements:
        notes = [row.note] if row.note else []
        if row.picture:
            notes.append(f"see {row.picture}")
        if notes:
            line = f"{row.metric}: {'; '.join(notes)}"
            console.print(Text(printable(line)), soft_wrap=True)


def _headline(first: Measurement, run: Path, samples: int) -> str:
    fewer = " (as many as there are training pictures)" if first.samples < samples else ""
    return (
        f"{run} at step {first.step}: {first.samples:,} generated pictures{fewer}, compared with "
        f"{first.reference:,} of the {first.against}"
    )
