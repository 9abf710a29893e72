"""A training that takes a second, run in forked children, and what it must end with."""

import contextlib
import csv
import hashlib
import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from workers import redirect_output

from gankit.cli.main import main
from gankit.training.checkpoints import checkpoint

STEPS = 40
OPTIONS = (
    "--dataset", "petals:count=64", "--model", "dcgan64:base_channels=4", "--image-size", "16",
    "--batch-size", "8", "--device", "cpu", "--precision", "32", "--threads", "1",
    "--convolutions", "plain", "--save-every", "5", "--draw-every", "10", "--log-every", "2",
    "--trick", "ema", "--trick", "noisy-d", "--trick", "flip-labels",
)  # fmt: skip
NUMBERS = ("step", "kimg", "d_loss", "g_loss", "penalty", "d_real", "d_fake", "ema", "noisy-d")


class Ended(NamedTuple):
    """How a command ended."""

    code: int  # negative: killed by this signal
    output: str


def new_run(out: Path, *options: str) -> list[str]:
    """The words of `gankit run` for the small run in this folder."""
    return ["run", *OPTIONS, "--steps", str(STEPS), *options, "--out", str(out)]


def start(words: Sequence[str], output: Path, first: Callable[[], object] = lambda: None) -> int:
    """Start a gankit command in a forked child, after `first`; returns its process id."""
    pid = os.fork()
    if pid:
        return pid
    code: Any = 99
    try:
        redirect_output(output)
        first()
        main(list(words))
    except SystemExit as error:
        code = error.code or 0
    except BaseException as error:
        print(f"Traceback: {type(error).__name__}: {error}", file=sys.stderr)
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


def wait(pid: int, output: Path) -> Ended:
    """Wait for a child that was started with this file for its output."""
    _, status = os.waitpid(pid, 0)
    text = output.read_text(errors="replace") if output.exists() else ""
    return Ended(os.waitstatus_to_exitcode(status), text)


def run(words: Sequence[str], output: Path, first: Callable[[], object] = lambda: None) -> Ended:
    """Run a gankit command in a forked child, to its end."""
    return wait(start(words, output, first), output)


def start_over_or_resume(out: Path, output: Path, *options: str) -> Ended:
    """What a user does with a run that ended: resume it, or begin again if it had not begun."""
    has_begun = (out / "run.json").exists()
    return run(["run", "--resume", str(out)] if has_begun else new_run(out, *options), output)


class Whole(NamedTuple):
    """The small run that nothing disturbed."""

    fingerprint: Any
    seconds: float
    cache: Path


def train_whole(folder: Path, *options: str) -> Whole:
    """Fill the cache, then train the small run in a child, undisturbed."""
    os.environ["GANKIT_CACHE"] = str(folder / "cache")
    torch.set_num_threads(1)
    output = folder / "whole.txt"
    modules = folder / "modules.txt"
    for name in ("first", "whole"):  # the first prepares the pictures, and finds what to import
        began = time.monotonic()
        ended = run(new_run(folder / name, *options), output, lambda: _list_modules(modules))
        seconds = time.monotonic() - began
        assert ended.code == 0, ended.output
        _import_all(modules.read_text().split())
    return Whole(fingerprint(folder / "whole"), seconds, folder / "cache")


def _list_modules(path: Path) -> None:
    """Write the names of all imported modules into a file when the training has ended."""
    really_exit = sys.exit

    def list_and_exit(code: Any = 0) -> None:
        path.write_text("\n".join(sys.modules))
        really_exit(code)

    sys.exit = list_and_exit  # type: ignore[assignment]


def _import_all(names: Sequence[str]) -> None:
    """Import modules that every training would import, so that forked children start at once."""
    for name in names:
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def fingerprint(folder: Path) -> Any:
    """What must be equal bit for bit: the last checkpoint, the log but for seconds, the grids."""
    last = checkpoint.list_checkpoints(folder / "checkpoints")[0]
    hashes = json.loads((last / "manifest.json").read_text())["sha256"]
    with (folder / "log.csv").open() as file:
        rows = [[row[name] for name in NUMBERS] for row in csv.DictReader(file)]
    grids = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.glob("samples/*")}
    return last.name, hashes, rows, grids


def compare(folder: Path, whole: Whole) -> list[str]:
    """What differs between a run and the undisturbed one."""
    try:
        parts = fingerprint(folder)
    except (OSError, IndexError, KeyError, ValueError) as error:
        return [f"the run cannot be read: {type(error).__name__}: {error}"]
    names = ("the last checkpoint's step", "the weights", "the log", "the grids")
    pairs = zip(names, parts, whole.fingerprint, strict=True)
    return [f"{name} differs from the undisturbed run" for name, a, b in pairs if a != b]


def check_ended(ended: Ended, *allowed: int) -> list[str]:
    """What is wrong with how a command ended: its code, or an error that is not one clear line."""
    complaints = []
    last = (ended.output.strip().splitlines() or [""])[-1]
    if ended.code not in allowed:
        complaints.append(f"ends with {ended.code}, not {allowed}: {last[:200]}")
    if "Traceback" in ended.output or "unexpected" in ended.output:
        complaints.append(f"an unexpected error: {last[:200]}")
    if ended.code in (1, 2) and not last.startswith("gankit: "):
        complaints.append(f"no line says why: {last[:200]!r}")
    return complaints
