"""Run the checks one by one, print a table, and write it as a page."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click
import torch
from rich.console import Console
from rich.table import Table

from gankit.core.device import find_fault, list_devices
from gankit.core.errors import GankitError, describe_error
from gankit.testing.gpu import numbers, pictures, speed
from gankit.testing.gpu.page import describe_device, write_page
from gankit.testing.gpu.result import FAULT, Row, from_output, to_line

Check = Callable[[str, Path], list[Row]]
MAX_SECONDS = 120  # of a check, besides the seconds of a run with pictures
# Without it, torch's deterministic algorithms refuse products of matrices on CUDA.
ENVIRONMENT = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}


def checks(seconds: int, data: str) -> dict[str, Check]:
    """All checks: name -> function. `seconds`: of each run with pictures, on those in `data`."""
    runs = {
        name: partial(pictures.run_for, name=name, seconds=seconds, data=data)
        for name in pictures.RUNS
    }
    return {
        "losses": numbers.same_losses,
        "layout": numbers.layout,
        "resumed": numbers.resumed,
        "two processes": numbers.two_processes,
        "times": speed.times,
        **runs,
    }


def run_check(name: str, device: str, folder: Path, seconds: int, data: str) -> list[Row]:
    """Run a check in a process of its own. One that fails, or takes too long, is a fault.

    `folder`: where its runs are written.
    """
    command = [sys.executable, "-m", "gankit.testing.gpu", "--check", name, "--device", device]
    command += ["--seconds", str(seconds), "--data", data, "--out", str(folder)]
    limit = MAX_SECONDS + (seconds if name in pictures.RUNS else 0)
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=limit,
            env={**os.environ, **ENVIRONMENT},
        )
    except subprocess.TimeoutExpired:
        return [Row(name, FAULT, f"it took longer than {limit} seconds, and was stopped")]
    rows = from_output(done.stdout)
    if rows is None:
        lines = done.stderr.strip().splitlines() or [f"it ended with exit code {done.returncode}"]
        rows = [Row(name, FAULT, lines[-1])]
    return rows


def require_gpu(device: str) -> str:
    """The device, or the first GPU; a click.UsageError if there is none that can compute."""
    chosen = device or next((name for name in list_devices() if name != "cpu"), "")
    if not chosen:
        raise click.UsageError(
            "torch finds no GPU here; --device cpu tries the checks themselves on the CPU"
        )
    if chosen not in list_devices():
        raise click.UsageError(f"--device {chosen} is none of {', '.join(list_devices())}")
    fault = find_fault(torch.device(chosen))
    if fault:
        raise click.UsageError(f"{chosen} {fault}")
    return chosen


def print_rows(rows: list[Row], console: Console) -> None:
    """Print the table."""
    table = Table("what", "verdict", "result")
    for row in rows:
        table.add_row(row.what, row.verdict, row.result)
    console.print(table)


@click.command()
@click.option("--device", default="", help="Such as cuda:1, mps or cpu.  [default: the first GPU]")
@click.option("--seconds", default=120, show_default=True, help="Of each of the three runs.")
@click.option("--data", default="", help="A folder of pictures for the runs.  [default: petals]")
@click.option("--only", multiple=True, metavar="CHECK", help="One of the checks; repeatable.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default="gpu-check",
    show_default=True,
    help="The folder for the page and its pictures.",
)
@click.option("--check", hidden=True, default="", help="Run this check here, and print its rows.")
def main(
    device: str, seconds: int, data: str, only: tuple[str, ...], out: Path, check: str
) -> None:
    """Try gankit on a GPU: the same numbers as on a CPU, times, memory, pictures."""
    device = require_gpu(device)
    names = list(checks(seconds, data))
    for name in (*only, *([check] if check else [])):
        if name not in names:
            raise click.UsageError(f"there is no check {name!r}; choose from: {', '.join(names)}")
    if check:
        _print_check(checks(seconds, data)[check], check, device, out)
        return
    out.mkdir(parents=True, exist_ok=True)
    click.echo(describe_device(device))
    start = time.monotonic()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in only or names:
            click.echo(f"{name} ...")
            rows += run_check(name, device, Path(folder), seconds, data)
            page = write_page(rows, device, (time.monotonic() - start) / 60, out)
    print_rows(rows, Console())
    click.echo(str(page))
    sys.exit(1 if any(row.verdict == FAULT for row in rows) else 0)


def _print_check(function: Check, name: str, device: str, folder: Path) -> None:
    """Run a check in this process, and print its rows as the process that started it reads them."""
    try:
        rows = function(device, folder)
    except GankitError as error:
        rows = [Row(name, FAULT, str(error))]
    except Exception as error:
        rows = [Row(name, FAULT, describe_error(error, with_place=True))]
    click.echo(to_line(rows))


if __name__ == "__main__":
    main()
