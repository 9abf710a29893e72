"""Processes that do the same at once: prepare pictures, or train into one folder."""

import json
import os
import signal
import time
from pathlib import Path

from outcome import Case, Kind, Outcome, Setup
from small_run import (
    Ended,
    Whole,
    check_ended,
    compare,
    new_run,
    run,
    start,
    train_whole,
    wait,
)

PREPARING = (
    "Of four processes that prepare the same pictures at once, of which one may be killed, all "
    "others end with exit code 0 and the same pictures; after the next preparation nothing "
    "unfinished is left in the cache."
)
TRAINING = (
    "Exactly one of two processes trains, and its run equals the undisturbed one, bit for bit; the "
    "other ends with exit code 2 and one line, and has changed nothing."
)
PROCESSES = 4
LONGER = ("--steps", "200")  # so that a second command finds the first one at work


def prepare(setup: Setup) -> Whole:
    return train_whole(setup.folder)


def prepare_longer(setup: Setup) -> Whole:
    return train_whole(setup.folder, *LONGER)


def try_preparing(case: Case) -> Outcome:
    whole: Whole = case.prepared
    os.environ["GANKIT_CACHE"] = str(case.folder / "cache")
    outputs = [case.folder / f"{n}.txt" for n in range(PROCESSES)]
    folders = [case.folder / f"run-{n}" for n in range(PROCESSES)]
    one_step = ("--steps", "1", "--dataset", "petals:count=300")
    pids = []
    for output, folder in zip(outputs, folders, strict=True):
        pids.append(start([*new_run(folder), *one_step], output))
        time.sleep(case.rng.uniform(0, 0.05))
    killed = case.rng.choice((None, *range(PROCESSES)))
    if killed is not None:
        time.sleep(case.rng.uniform(0, 0.4))
        os.kill(pids[killed], signal.SIGKILL)
    ended = [wait(pid, output) for pid, output in zip(pids, outputs, strict=True)]
    complaints = []
    prints = set()
    for n in range(PROCESSES):
        if n != killed:
            complaints += check_ended(ended[n], 0)
            prints.add(_fingerprint(folders[n]))
    if len(prints) != 1:
        complaints.append(f"{len(prints)} different sets of pictures")
    again = run([*new_run(case.folder / "again"), "--steps", "1"], case.folder / "again.txt")
    complaints += check_ended(again, 0)
    left = [path.name for path in (case.folder / "cache" / "pictures").glob("preparing-*")]
    complaints += [f"left behind: {left}"] if left else []
    os.environ["GANKIT_CACHE"] = str(whole.cache)
    return Outcome("four at once" if killed is None else "one killed", tuple(complaints))


def _fingerprint(folder: Path) -> str:
    try:
        return str(json.loads((folder / "run.json").read_text())["fingerprint"])
    except (OSError, ValueError):
        return "none"


def try_training(case: Case) -> Outcome:
    whole: Whole = case.prepared
    out = case.folder / "run"
    is_resume = case.number % 2 == 1
    first = start(new_run(out, *LONGER), case.folder / "first.txt")
    if is_resume:  # while the first is training
        until = time.monotonic() + 30
        while not any(out.glob("checkpoints/step-*")) and time.monotonic() < until:
            time.sleep(0.005)
        second = start(["run", "--resume", str(out)], case.folder / "second.txt")
    else:
        time.sleep(case.rng.choice((0, case.rng.uniform(0, 0.3))))
        second = start(new_run(out, *LONGER), case.folder / "second.txt")
    ended = [wait(first, case.folder / "first.txt"), wait(second, case.folder / "second.txt")]
    what = "resumed while it trains" if is_resume else "begun twice"
    complaints = [*_check_two(ended), *compare(out, whole)]
    return Outcome(what, tuple(f"{what}: {text}" for text in complaints))


def _check_two(ended: list[Ended]) -> list[str]:
    codes = sorted(end.code for end in ended)
    complaints = [text for end in ended for text in check_ended(end, 0, 2)]
    if codes != [0, 2]:
        complaints.append(f"the two end with {codes}, not [0, 2]")
    return complaints


PREPARING_KIND = Kind(
    "preparing", PREPARING, try_preparing, short=2, long=40, prepare=prepare, seconds=90
)
TRAINING_KIND = Kind(
    "two-runs", TRAINING, try_training, short=2, long=24, prepare=prepare_longer, seconds=90
)
