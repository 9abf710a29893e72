"""`gankit evaluate RUN`: numbers for a trained run, in a table or for programs."""

import dataclasses
import json
from pathlib import Path

import click

from gankit.cli.progress import progress_bar
from gankit_metrics.measured import Measured


@click.command()
@click.argument("run", type=Path)
@click.option(
    "--metric", "metrics", multiple=True, metavar="NAME",
    help="NAME or NAME:option=value,...; repeatable; those that suit the run if none is given.",
)  # fmt: skip
@click.option("--checkpoint", type=int, metavar="STEP", help="Another than the newest.")
@click.option("--samples", default=1000, show_default=True, help="Pictures to draw and measure.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def evaluate(
    ctx: click.Context,
    run: Path,
    metrics: tuple[str, ...],
    checkpoint: int | None,
    samples: int,
    as_json: bool,
) -> None:
    """Measure how good the pictures of the run in folder RUN are."""
    from gankit_metrics import evaluate as heavy

    with progress_bar("measuring") as progress:
        found = heavy.evaluate(
            run, metrics or None, samples=samples, checkpoint=checkpoint, registry=ctx.obj,
            progress=progress,
        )  # fmt: skip
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(row) for row in found], indent=2))
    else:
        show(found, run)


def show(found: list[Measured], run: Path) -> None:
    """A table with a row for each metric, then what to know before trusting it."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    against = f"{found[0].samples:,} pictures drawn, {found[0].reference:,} of the"
    title = f"{run} at step {found[0].step}: {against} {found[0].against}"
    console.print(title, soft_wrap=True, markup=False, highlight=False)
    table = Table(box=None, pad_edge=False)
    for column in ("metric", "value", "95 % interval", "floor", "better", "features", "seconds"):
        left = column in ("metric", "better", "features")
        table.add_column(column, justify="left" if left else "right", overflow="fold")
    for row in found:
        table.add_row(
            row.metric, number(row.value), f"{number(row.low)} to {number(row.high)}",
            number(row.floor), row.better, row.features or "none", f"{row.seconds:.1f}",
        )  # fmt: skip
    console.print(table)
    for row in found:
        picture = f"shown in {row.picture}" if row.picture else ""
        if said := "; ".join(text for text in (row.note, picture) if text):
            told = f"{row.metric}: {said}"
            console.print(told, soft_wrap=True, markup=False, highlight=False)


def number(value: float) -> str:
    """Four digits that matter."""
    return f"{value:.3g}" if abs(value) < 1 else f"{value:.4g}"
