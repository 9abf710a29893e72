"""Signals at every phase of a training, once and twice."""

import functools
import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from outcome import Case, Kind, Outcome, Setup
from small_run import (
    Ended,
    Whole,
    check_ended,
    compare,
    new_run,
    run,
    start_over_or_resume,
    train_whole,
)

JUDGED = (
    "The command ends with 128 and the signal's number (130 after a second signal, 0 if the run "
    "had ended already), without a traceback; then the run is resumed, or begun again, and equals "
    "the run that nothing disturbed, bit for bit."
)
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Moment(NamedTuple):
    """A function during which the signal comes."""

    module: str
    function: str  # `name` or `Class.name`
    most: int  # calls of it in the small run


PHASES: dict[str, Moment | None] = {
    "import": None,
    "preparing": Moment("gankit.data.store.prepared_pictures", "_Writer.add", 60),
    "step": Moment("gankit.training.assemble", "Trainer.step", 40),
    "inside a step": Moment("gankit.core.gan", "Gan.judge", 120),
    "saving": Moment("gankit.training.checkpoints.checkpoint", "write_atomically", 40),
    "logging": Moment("gankit.runs.log", "append_rows", 20),
    "drawing": Moment("gankit.core.gan", "Gan.sample", 5),
    "finishing": Moment("gankit.runs.run_writer", "RunWriter.run_finished", 1),
    "film": Moment("gankit.runs.video", "write_video", 1),
}


def prepare(setup: Setup) -> Whole:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it would stay ignored
    return train_whole(setup.folder)


def try_case(case: Case) -> Outcome:
    whole: Whole = case.prepared
    phase = list(PHASES)[case.number % len(PHASES)]
    number = SIGNALS[case.number // len(PHASES) % len(SIGNALS)]
    times = 1 + case.number // len(PHASES) // len(SIGNALS) % 2
    out = case.folder / "run"
    moment = PHASES[phase]
    if phase == "preparing":
        os.environ["GANKIT_CACHE"] = str(case.folder / "cache")
    if moment is None:
        ended = _signal_a_new_process(case, number, times)
    else:
        call = case.rng.randint(1, moment.most)
        disturb = functools.partial(_send_at, moment, call, number, times)
        ended = run(new_run(out), case.folder / "signal.txt", disturb)
    complaints = _check(ended, phase, number, times)
    if ended.code == 0:
        complaints += compare(out, whole)
    again = start_over_or_resume(out, case.folder / "resumed.txt")
    complaints += [*check_ended(again, 0), *compare(out, whole)]
    os.environ["GANKIT_CACHE"] = str(whole.cache)
    where = f"{phase}, {signal.Signals(number).name}, {times} times: "
    return Outcome(f"code {ended.code}", tuple(where + text for text in complaints))


def _check(ended: Ended, phase: str, number: int, times: int) -> list[str]:
    allowed = {0, 128 + number}
    if times == 2:
        allowed |= {130}
    if phase == "import":  # before gankit handles signals, Python ends as it always does
        allowed |= {-number, 130}
        if ended.code == -number:
            return []
    return check_ended(ended, *sorted(allowed))


def _send_at(moment: Moment, call: int, number: int, times: int) -> None:
    """Let the function send signals to its own process when it is called for this time."""
    owner: Any = importlib.import_module(moment.module)
    *holder, name = moment.function.split(".")
    if holder:
        owner = getattr(owner, holder[0])
    function: Callable[..., Any] = getattr(owner, name)
    calls = 0

    @functools.wraps(function)
    def disturbed(*args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call:
            os.kill(os.getpid(), number)
        if times == 2 and calls == call + 1:
            os.kill(os.getpid(), number)
        result = function(*args, **options)
        if times == 2 and calls == call == moment.most:
            os.kill(os.getpid(), number)
        return result

    for attribute in ("hookimpl", "gankit_impl"):  # pluggy's marks are attributes of the function
        if hasattr(function, attribute):
            setattr(disturbed, attribute, getattr(function, attribute))
    setattr(owner, name, disturbed)


def _signal_a_new_process(case: Case, number: int, times: int) -> Ended:
    """Start Python and gankit, and send signals while they import and prepare."""
    words = [sys.executable, "-m", "gankit", *new_run(case.folder / "run")]
    output = case.folder / "signal.txt"
    with output.open("wb") as file:
        process = subprocess.Popen(words, stdout=file, stderr=file)
        for _ in range(times):
            time.sleep(case.rng.uniform(0, 1.0))
            process.send_signal(number)
        code = process.wait(60)
    return Ended(code, output.read_text(errors="replace"))


KIND = Kind("signals", JUDGED, try_case, short=6, long=162, prepare=prepare, seconds=90)
