"""A disk that is full at the n-th write of a training, for every n; and files of limited size."""

import builtins
import errno
import functools
import io
import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from outcome import Case, Kind, Outcome, Setup
from small_run import (
    Whole,
    check_ended,
    compare,
    new_run,
    run,
    start_over_or_resume,
    train_whole,
)

JUDGED = (
    "The run goes on and ends with exit code 0, equal to the undisturbed run, or it ends with one "
    "line that says why (exit code 1 or 2); with space again, it is resumed, or begun again, and "
    "equals the undisturbed run, bit for bit; no half file stays."
)
FOR_EVER = 10**9


class Disk:
    """Counts what takes space, in this process; some of it fails."""

    def __init__(self, first: int = 0, last: int = 0) -> None:
        self.first = first  # of the writes that fail, counted from 1
        self.last = last
        self.writes = 0

    def write(self) -> None:
        self.writes += 1
        if self.first <= self.writes <= self.last:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def install(self) -> None:
        """Count every file that is created or flushed, every folder, and every write."""
        really_open = io.open
        disk = self

        class Counted(io.FileIO):
            def write(self, data: Any) -> int | None:
                disk.write()
                return super().write(data)

        def open_counted(file: Any, mode: str = "r", buffering: int = -1, *a: Any, **o: Any) -> Any:
            if not set(mode) & set("wax+") or file == os.devnull:
                return really_open(file, mode, buffering, *a, **o)
            raw = Counted(file, mode.replace("b", "").replace("t", ""), o.get("closefd", True))
            disk.write()
            if buffering == 0:
                return raw
            both = "+" in mode
            buffered = io.BufferedRandom(raw) if both else io.BufferedWriter(raw)
            return buffered if "b" in mode else io.TextIOWrapper(buffered, *a, **_text(o))

        io.open = open_counted
        builtins.open = open_counted
        os.mkdir = self._counted(os.mkdir)
        os.fsync = self._counted(os.fsync)
        os.write = self._counted(os.write)

    def _counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def counted(*args: Any, **options: Any) -> Any:
            self.write()
            return function(*args, **options)

        return counted


def _text(options: dict[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in ("encoding", "errors", "newline") if name in options}


class Prepared(NamedTuple):
    whole: Whole
    writes: int  # of the whole run


def prepare(setup: Setup) -> Prepared:
    whole = train_whole(setup.folder)
    disk = Disk()
    count = setup.folder / "count.txt"
    words = new_run(setup.folder / "counted")
    ended = run(words, setup.folder / "counted.txt", lambda: _count(disk, count))
    assert ended.code == 0, ended.output
    return Prepared(whole, len(count.read_bytes()))


def _count(disk: Disk, path: Path) -> None:
    """Write one byte into a file for each write."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    really_write = os.write
    disk.install()
    disk.write = lambda: really_write(file, b".")  # type: ignore[method-assign, assignment]


def try_case(case: Case) -> Outcome:
    prepared: Prepared = case.prepared
    out = case.folder / "run"
    how = ("for ever", "once", "a file's size", "of the cache")[case.number % 4]
    write = 1 + case.number // 4 * 7 % prepared.writes  # each of them, in a mixed order
    if how == "a file's size":
        size = case.rng.choice((0, 1000, 20_000, 60_000, 100_000, 200_000))
        disturb = functools.partial(_limit_size, size + case.rng.randrange(5000))
    else:
        last = FOR_EVER if how == "for ever" else write
        disturb = Disk(write, last).install
    if how == "of the cache":
        os.environ["GANKIT_CACHE"] = str(case.folder / "cache")
        disturb = Disk(1 + case.number // 4 % 30, FOR_EVER).install
    ended = run(new_run(out), case.folder / "full.txt", disturb)
    complaints = check_ended(ended, 0, 1, 2)
    if ended.code == 0:
        complaints += compare(out, prepared.whole)
    elif not any(reason in ended.output for reason in ("space", "large")):
        complaints.append(f"no reason: {ended.output[-200:]!r}")
    again = start_over_or_resume(out, case.folder / "resumed.txt")
    complaints += [*check_ended(again, 0), *compare(out, prepared.whole)]
    left = [path.name for path in out.rglob("*.writing*")]
    complaints += [f"left behind: {left}"] if left else []
    os.environ["GANKIT_CACHE"] = str(prepared.whole.cache)
    return Outcome(f"{how}: code {ended.code}", tuple(f"{how}: {text}" for text in complaints))


def _limit_size(size: int) -> None:
    """No file may become larger; the system says "File too large"."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


KIND = Kind("full-disks", JUDGED, try_case, short=6, long=240, prepare=prepare, seconds=90)
