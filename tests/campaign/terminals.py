"""Odd terminals, pipes and outputs: each case runs a command and says what was wrong."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

LIST = ("list",)
RUN = (
    *("run", "--dataset", "petals:count=64", "--model", "dcgan64:base_channels=4"),
    *("--image-size", "16", "--batch-size", "8", "--device", "cpu", "--precision", "32"),
    *("--steps", "20", "--log-every", "1", "--out", "run"),
)
OWN = re.compile(rb"\x1b\[[\d;?]*[A-Za-z]|\r|\n|\t")  # what gankit and rich send themselves
CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Case:
    """A command and where its output goes: `stdout` and `stderr` are names of SINKS."""

    name: str
    argv: tuple[str, ...]
    stdout: str = "file"
    stderr: str = "file"
    environment: dict[str, str] = field(default_factory=dict)
    code: int = 0
    columns: int = 80
    close_after: float = 0.0  # seconds after which the terminal's window is closed


def cases() -> Iterator[Case]:
    """All cases, the quick ones first."""
    yield from _lost_outputs()
    yield from _odd_terminals()
    yield from _runs()


def _lost_outputs() -> Iterator[Case]:
    for sink, code in (("full", 1), ("closed", 0), ("ended pipe", 141)):
        for argv in (("list",), ("--help",), ("show", "dcgan64"), ("run", "--help"), ("lesson",)):
            yield Case(f"{' '.join(argv)}, stdout {sink}", argv, stdout=sink, code=code)
        yield Case(f"list, stderr {sink}", LIST, stderr=sink)
        yield Case(f"a mistake, stderr {sink}", ("no-such-command",), stderr=sink, code=2)
    yield Case("both closed", LIST, stdout="closed", stderr="closed")


def _odd_terminals() -> Iterator[Case]:
    for term in ("", "dumb", "unknown", "vt100", "xterm-256color", "no-such-terminal"):
        yield Case(f"TERM={term}", LIST, stdout="pty", environment={"TERM": term})
    for columns in (1, 2, 10, 39, 40, 80, 200, 400):
        yield Case(f"{columns} columns", ("show", "r1"), stdout="pty", columns=columns)
    for encoding in ("ascii", "cp1252", "latin-1", "utf-16", "utf-8"):
        yield Case(f"in {encoding}", LIST, environment={"PYTHONIOENCODING": encoding})
    for name in ("NO_COLOR", "FORCE_COLOR"):
        yield Case(name, LIST, stdout="pty", environment={name: "1"})


def _runs() -> Iterator[Case]:
    for sink, code in (("full", 0), ("closed", 0), ("ended pipe", 141)):
        yield Case(f"run, stdout {sink}", RUN, stdout=sink, code=code)
        yield Case(f"run, stderr {sink}", RUN, stderr=sink)
    for columns in (1, 20, 80, 400):
        yield Case(f"run, {columns} columns", RUN, "pty", "pty", columns=columns)
    endless = ("1000000" if word == "20" else word for word in RUN)
    yield Case("run, the window is closed", tuple(endless), "pty", "pty", code=129, close_after=8)


def run_case(case: Case, folder: Path) -> list[str]:
    """Run a case in an empty folder; returns complaints, none if everything is right."""
    code, out, err = _call(case, folder)
    complaints = []
    if code != case.code:
        complaints.append(f"exit code {code} instead of {case.code}: {err[-300:]!r}")
    for text in (out, err):
        if b"Traceback" in text or b"unexpected" in text or b"Exception ignored" in text:
            complaints.append(f"an unexpected error: {text[-500:]!r}")
    foreign = CONTROL.search(OWN.sub(b"", out + err))
    if foreign and case.environment.get("PYTHONIOENCODING") != "utf-16":
        complaints.append(f"the control byte {foreign[0]!r}")
    saved = list(folder.glob("run/checkpoints/step-*"))
    if case.argv[0] == "run" and "--out" in case.argv and not saved:
        complaints.append("no checkpoint was saved")
    return complaints


def _call(case: Case, folder: Path) -> tuple[int, bytes, bytes]:
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": str(case.columns), **case.environment}
    command = [sys.executable, "-m", "gankit", *case.argv]
    with contextlib.ExitStack() as stack:
        screen = os.openpty() if "pty" in (case.stdout, case.stderr) else None
        streams = {}
        closed = []
        for number, (stream, sink) in enumerate((("stdout", case.stdout), ("stderr", case.stderr))):
            if sink == "closed":
                closed.append(f"{number + 1}>&-")
                continue
            streams[stream] = _open_sink(sink, folder / f"{stream}.txt", screen, stack)
        if closed:
            command = ["sh", "-c", f'exec "$@" {" ".join(closed)}', "sh", *command]
        process = subprocess.Popen(
            command, cwd=folder, env=environment, start_new_session=True, **streams
        )
        drawn = _watch(process, screen, case.close_after) if screen else b""
        code = process.wait(120)
    texts = [_read(folder / f"{stream}.txt") for stream in ("stdout", "stderr")]
    return code, drawn + texts[0], texts[1]


def _open_sink(
    sink: str, file: Path, screen: tuple[int, int] | None, stack: contextlib.ExitStack
) -> int:
    """The number of a stream that a process can write to."""
    if sink == "pty":
        assert screen
        return screen[1]
    if sink == "ended pipe":
        reading, writing = os.pipe()
        os.close(reading)
    else:
        path = "/dev/full" if sink == "full" else file
        writing = os.open(path, os.O_WRONLY | os.O_CREAT)
    stack.callback(os.close, writing)
    return writing


def _watch(process: subprocess.Popen[bytes], screen: tuple[int, int], seconds: float) -> bytes:
    """What is drawn on a terminal; after so many seconds, if not 0, its window is closed."""
    master, terminal = screen
    os.close(terminal)
    os.set_blocking(master, False)
    began = time.monotonic()
    drawn = b""
    while process.poll() is None:
        with contextlib.suppress(OSError):
            drawn += os.read(master, 65536)
        if seconds and time.monotonic() - began > seconds:
            process.send_signal(signal.SIGHUP)  # as the system does to the terminal's programs
            break
        time.sleep(0.02)
    else:
        with contextlib.suppress(OSError):
            drawn += os.read(master, 1 << 20)
    os.close(master)
    return drawn


def _read(file: Path) -> bytes:
    return file.read_bytes() if file.exists() else b""
