"""Two processes of torchrun: one is killed, has other pictures, or has a full disk."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from outcome import Case, Kind, Outcome, Setup
from small_run import OPTIONS, Ended

from gankit.training.checkpoints import checkpoint

JUDGED = (
    "Both processes end within 60 s, with an exit code that is not 0 and one line that says why; "
    "if the run had begun, it is resumed by two processes and ends like an undisturbed run, bit "
    "for bit."
)
STEPS = 30
HOWS = ("other pictures", "full disk of 0", "kill 1", "full disk of 1", "kill 0")
COMMAND = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
WORKER = """
import os, pathlib, resource, sys
from gankit.cli.main import main
from gankit.distributed import collectives
how, *words = sys.argv[1:]
rank = os.environ["RANK"]
pathlib.Path(f"pid-{rank}").write_text(str(os.getpid()))
collectives.STOP_TIMEOUT = 5
if how == "other pictures":
    words = [*words[:-2], "--dataset", f"petals:count={64 + int(rank)}"]  # without --out
if how == "full disk of " + rank:
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    if rank == "1":  # process 0 fails when it saves, process 1 when it prepares pictures
        os.environ["GANKIT_CACHE"] = "cache"
main(words)
"""


class Prepared(NamedTuple):
    fingerprint: object
    script: Path


def prepare(setup: Setup) -> Prepared:
    """Train the run undisturbed, in two processes."""
    script = setup.folder / "worker.py"
    script.write_text(WORKER)
    os.environ["GANKIT_CACHE"] = str(setup.folder / "cache")
    process = _start(script, setup.folder, "nothing", _new_run())
    ended = _end(process, setup.folder, 120)
    assert ended.code == 0, ended.output
    return Prepared(_fingerprint(setup.folder / "run"), script)


def _new_run() -> list[str]:
    return ["run", *OPTIONS, "--steps", str(STEPS), "--out", "run"]


def _fingerprint(folder: Path) -> object:
    path, saved, _ = checkpoint.load_newest(folder / "checkpoints")
    return path.name, checkpoint._serialize(saved)


def _start(script: Path, folder: Path, how: str, words: list[str]) -> subprocess.Popen[bytes]:
    with (folder / "output.txt").open("wb") as file:
        return subprocess.Popen(
            [*COMMAND, str(script), how, *words], cwd=folder, stdout=file, stderr=file
        )


def _end(process: subprocess.Popen[bytes], folder: Path, seconds: float) -> Ended:
    """Wait for torchrun; -1 if it did not end in time."""
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        code = -1
    return Ended(code, (folder / "output.txt").read_text(errors="replace"))


def try_case(case: Case) -> Outcome:
    prepared: Prepared = case.prepared
    how = HOWS[(case.number + case.number // len(HOWS)) % len(HOWS)]
    out = case.folder / "run"
    process = _start(prepared.script, case.folder, how, _new_run())
    if how.startswith("kill"):
        _kill(case, out, how[-1])
    ended = _end(process, case.folder, 60)
    complaints = _check(ended)
    if (out / "run.json").exists() and how != "other pictures":
        again = _start(prepared.script, case.folder, "nothing", ["run", "--resume", "run"])
        resumed = _end(again, case.folder, 120)
        if resumed.code:
            complaints.append(f"not resumed: {resumed.output[-300:]!r}")
        elif _fingerprint(out) != prepared.fingerprint:
            complaints.append("the resumed run differs from the undisturbed one")
    if how == "other pictures":
        complaints += _check_not_begun(case.folder, ended)
    shutil.rmtree(out, ignore_errors=True)
    return Outcome(how, tuple(f"{how}: {text}" for text in complaints))


def _check_not_begun(folder: Path, ended: Ended) -> list[str]:
    """The run could not begin, so no folder was made, and nothing can be resumed."""
    complaints = ["a folder was made"] if (folder / "runs").exists() else []
    return complaints + (["--resume is advised"] if "--resume" in ended.output else [])


def _kill(case: Case, out: Path, rank: str) -> None:
    """Kill one process after the run's first checkpoint."""
    until = time.monotonic() + 60
    while not any(out.glob("checkpoints/step-*")) and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(case.rng.uniform(0, 0.2))
    with contextlib.suppress(OSError, ValueError):
        os.kill(int((case.folder / f"pid-{rank}").read_text()), signal.SIGKILL)


def _check(ended: Ended) -> list[str]:
    lines = [line for line in ended.output.splitlines() if line.startswith("gankit: ")]
    complaints = []
    if ended.code <= 0:
        complaints.append(f"torchrun ends with {ended.code}")
    if not lines:
        complaints.append(f"no line of gankit: {ended.output[-200:]!r}")
    if any("unexpected" in line for line in lines) or _has_own_traceback(ended.output):
        complaints.append(f"an unexpected error: {lines}")
    return complaints


def _has_own_traceback(output: str) -> bool:
    """Whether a traceback shows gankit's files; torchrun prints one of its own."""
    return any("/gankit/" in line and line.lstrip().startswith("File ") for line in
               output.splitlines())  # fmt: skip


KIND = Kind("torchrun", JUDGED, try_case, short=2, long=15, prepare=prepare, seconds=240,
            megabytes=100_000, is_silent=False)  # fmt: skip
