"""SIGKILL at a random moment while checkpoints are saved, one after another."""

import mmap
import os
import random
import signal
import time
from pathlib import Path

import torch
from outcome import Case, Kind, Outcome

from gankit.core.errors import GankitError
from gankit.core.files.atomic_write import remove_unfinished
from gankit.training.checkpoints import checkpoint
from gankit.training.checkpoints.checkpoint import Checkpoint

JUDGED = (
    "Each checkpoint that is listed loads and is exactly what was saved at its step; the newest is "
    "the last whose saving had returned, or the one after it; after a resume the next save works, "
    "and nothing half written is left."
)
KEEP = 2


def contents(step: int) -> Checkpoint:
    """A checkpoint whose contents follow from its step; some hold a megabyte."""
    rng = random.Random(step)
    size = rng.choice((10, 1000, 100_000))
    weights = {"weight": torch.full((size,), float(step)), "count": torch.tensor(step)}
    state = {"G": {"state": {0: {"exp_avg": torch.arange(size) + step}}, "text": str(step)}}
    return Checkpoint(step, {"G": weights, "D": {"bias": torch.ones(3) * step}}, state)


def is_equal(saved: Checkpoint, expected: Checkpoint) -> bool:
    """Whether a loaded checkpoint is the expected one, bit for bit."""
    one = checkpoint._serialize(saved)
    return one == checkpoint._serialize(expected)


def try_case(case: Case) -> Outcome:
    folder = case.folder / "checkpoints"
    saved_steps = mmap.mmap(-1, 8)  # the step whose saving has returned, shared with the child
    pid = os.fork()
    if not pid:
        _save_for_ever(folder, saved_steps)
    time.sleep(case.rng.uniform(0, 0.08))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    last = int.from_bytes(saved_steps[:], "big")
    complaints = _check(folder, last)
    newest = max([0, *map(checkpoint.step_of, checkpoint.list_checkpoints(folder))])
    remove_unfinished(folder)  # as when the run is resumed
    checkpoint.save(folder, contents(newest + 1), KEEP)
    complaints += _check(folder, newest + 1)
    names = {path.name for path in folder.iterdir()}
    kept = {path.name for path in checkpoint.list_checkpoints(folder)}
    if names != {"last", *kept}:
        complaints.append(f"left behind: {sorted(names - kept - {'last'})}")
    return Outcome("before the first" if last == 0 else "after some", tuple(complaints))


def _save_for_ever(folder: Path, saved_steps: mmap.mmap) -> None:
    try:
        step = 0
        while True:
            step += 1
            checkpoint.save(folder, contents(step), KEEP)
            saved_steps[:] = step.to_bytes(8, "big")
    finally:
        os._exit(1)


def _check(folder: Path, last: int) -> list[str]:
    complaints = []
    paths = checkpoint.list_checkpoints(folder)
    for path in paths:
        try:
            if not is_equal(checkpoint.load(path), contents(checkpoint.step_of(path))):
                complaints.append("a checkpoint differs from what was saved")
        except GankitError as error:
            complaints.append(f"a checkpoint does not load: {error}"[:200])
    newest = checkpoint.step_of(paths[0]) if paths else 0
    if newest not in (last, last + 1):
        complaints.append(f"the newest is {newest - last} steps after the last that was saved")
    return complaints


KIND = Kind("saves", JUDGED, try_case, short=30, long=500)
