"""Tries the cases of a kind in a forked worker, which may hang, die or fill the memory."""

import contextlib
import os
import re
import resource
import shutil
import signal
import sys
import traceback
from collections import deque
from collections.abc import Iterable, Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from outcome import Kind, Outcome, Setup, make_case

OUTPUT = "output.txt"  # what the worker prints
MB = 1 << 20


class Tried(NamedTuple):
    """A case that was tried, and what came of it."""

    number: int
    outcome: Outcome
    folder: Path  # its files, until the next case is taken


def try_cases(kind: Kind, seed: int, numbers: Iterable[int], folder: Path) -> Iterator[Tried]:
    """Try these cases of a kind, in a worker that is started again when a case ends it."""
    pending = deque(numbers)
    inputs = folder / "prepared"
    inputs.mkdir(parents=True)
    prepared = kind.prepare(Setup(inputs, seed, len(pending)))
    while pending:
        with _worker(kind, seed, list(pending), folder, prepared) as (pid, results):
            while pending:
                number = pending.popleft()
                case_folder = folder / f"{kind.name}-{number}"
                outcome, is_alive = _receive(results, pid, kind.seconds)
                yield Tried(number, outcome, case_folder)
                shutil.rmtree(case_folder, ignore_errors=True)
                if not is_alive:
                    break


def _receive(results: Connection, pid: int, seconds: float) -> tuple[Outcome, bool]:
    """The outcome of the worker's next case, and whether the worker goes on."""
    try:
        if results.poll(seconds):
            outcome: Outcome = results.recv()
            return outcome, outcome.what != "memory"
        return Outcome("hangs", (f"hangs: takes more than {seconds:.0f} s",)), False
    except EOFError:
        _, status = os.waitpid(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        return Outcome("dies", (f"ends the process with {code}",)), False


@contextlib.contextmanager
def _worker(
    kind: Kind, seed: int, numbers: list[int], folder: Path, prepared: Any
) -> Iterator[tuple[int, Connection]]:
    """A forked process that sends the outcome of each case; it and its children end at the end."""
    ours, its = Pipe(duplex=False)
    sys.stdout.flush()
    pid = os.fork()
    if not pid:
        ours.close()
        _work(kind, seed, numbers, folder, prepared, its)
    its.close()
    try:
        yield pid, ours
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
        ours.close()


def _work(
    kind: Kind, seed: int, numbers: list[int], folder: Path, prepared: Any, results: Connection
) -> None:
    """Try all cases and end the process."""
    try:
        os.setsid()
        redirect_output(folder / OUTPUT)
        limit_memory(4 * kind.megabytes)
        for number in numbers:
            results.send(_try_case(kind, seed, number, folder, prepared))
    finally:
        os._exit(0)


def redirect_output(path: Path) -> None:
    """Let this process and what it starts print into a file, which is emptied."""
    sys.stdout.flush()
    sys.stderr.flush()
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.close(file)


def limit_memory(megabytes: int) -> None:
    """Let requests for more than this fail, so that no case takes all of the computer's memory."""
    size = _status("VmSize") + megabytes
    resource.setrlimit(resource.RLIMIT_AS, (size * MB, size * MB))


def _status(name: str) -> int:
    """A number of /proc/self/status, in MB."""
    match = re.search(rf"{name}:\s*(\d+) kB", Path("/proc/self/status").read_text())
    assert match
    return int(match[1]) // 1024


def _try_case(kind: Kind, seed: int, number: int, folder: Path, prepared: Any) -> Outcome:
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of earlier cases
    before = _status("VmRSS")
    case = make_case(kind, seed, number, folder, prepared)
    try:
        outcome = kind.try_case(case)
    except BaseException as error:  # also SystemExit: nothing may come out of a case
        where = traceback.extract_tb(error.__traceback__)[-1]
        text = " ".join(str(error).split())[:200]
        what = f"raises {type(error).__name__} in {Path(where.filename).name}: {text}"
        return Outcome("unexpected", (what,))
    grown = _status("VmHWM") - before
    if grown > kind.megabytes:
        return Outcome("memory", (f"takes {grown} MB of memory",))
    printed = _take_output(folder / OUTPUT) if kind.is_silent else ""
    if printed:
        return Outcome(outcome.what, (*outcome.complaints, f"prints {printed[:200]!r}"))
    return outcome


def _take_output(path: Path) -> str:
    """What was printed since the last call."""
    sys.stdout.flush()
    sys.stderr.flush()
    if not path.stat().st_size:
        return ""
    text = path.read_text(errors="replace")
    os.truncate(path, 0)
    return text
