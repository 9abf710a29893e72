"""SIGKILL at a random moment of a training, which is then resumed to its end."""

import os
import signal
import time

from outcome import Case, Kind, Outcome, Setup
from small_run import (
    Whole,
    check_ended,
    compare,
    new_run,
    start,
    start_over_or_resume,
    train_whole,
    wait,
)

JUDGED = (
    "The resumed run ends with exit code 0 and equals the run that nothing disturbed, bit for bit: "
    "weights, optimisers, the rows of log.csv except their seconds, and the grids."
)


def prepare(setup: Setup) -> Whole:
    return train_whole(setup.folder)


def try_case(case: Case) -> Outcome:
    whole: Whole = case.prepared
    out = case.folder / "run"
    seconds = case.rng.uniform(0, whole.seconds)
    what = "had finished"
    while what == "had finished":
        pid = start(new_run(out), case.folder / "killed.txt")
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
        if wait(pid, case.folder / "killed.txt").code == 0:
            seconds *= 0.7  # too late: the computer was faster this time
            continue
        what = "resumed at step 0"
        if any(out.glob("checkpoints/step-*")):
            what = "resumed from a checkpoint"
        elif not (out / "run.json").exists():
            what = "begun again"
    ended = start_over_or_resume(out, case.folder / "resumed.txt")
    left = [f"left behind: {path.name}" for path in out.rglob("*.writing")]
    return Outcome(what, (*check_ended(ended, 0), *compare(out, whole), *left))


KIND = Kind("kills", JUDGED, try_case, short=6, long=200, prepare=prepare, seconds=90)
