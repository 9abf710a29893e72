"""Choose, create and lock the folder of a run, and make it again if it is deleted meanwhile."""

from __future__ import annotations

import itertools
import logging
from pathlib import Path

from gankit.core.errors import GankitError, RunFailed
from gankit.core.files.atomic_write import write_atomically
from gankit.core.files.portable_path import path_exists
from gankit.core.files.retried_write import RetriedWrite
from gankit.core.run.settings import Run
from gankit.training.run_folder.find_run import RUN_FILE
from gankit.training.run_folder.folder_lock import NEW_ADVICE, RESUME_ADVICE, FolderLock

log = logging.getLogger("gankit")


class RunFolder:
    """The folder of a run while it trains; no other process can train in it."""

    def __init__(self) -> None:
        self.lock: FolderLock | None = None
        self.run_file = b""  # what run.json holds

    def claim(self, run: Run) -> str:
        """The folder of a new run, locked: `run.out`, or a new one in runs/ if that is empty.

        GankitError if the folder already contains a run, or if another one is about to begin there.
        """
        folder = run.folder
        if not run.out:
            folder = make_numbered_folder("runs", f"{run.dataset.name}-{run.model.name}")
        self.lock = FolderLock(folder).acquire(NEW_ADVICE)
        if (folder / RUN_FILE).exists():
            what = "already holds a run"
            cure = "continue it with --resume, or choose another --out"
            if not any(folder.glob("checkpoints/step-*")):
                what = "already holds a run, which has no checkpoint"
                cure = "delete the folder to begin it anew, or choose another --out"
            raise GankitError(f"{folder} {what}: {cure}")
        return str(folder)

    def reopen(self, run: Run) -> None:
        """Lock the folder of a run that is resumed. GankitError if the run is training now."""
        self.lock = FolderLock(run.folder).acquire(RESUME_ADVICE)

    def remember(self, run: Run, written: str) -> None:
        """Keep what was written to run.json, to write it again if the run's folder is deleted."""
        self.run_file = written.encode()
        self.writes = RetriedWrite(run.folder / RUN_FILE, "it is written later")

    def make_again(self, run: Run, *, is_last: bool = False) -> None:
        """Make the folder again if it was deleted or moved; called before each write into it.

        If it cannot be made now, the next call tries again; the last one raises RunFailed then.
        RunFailed, too, if another run has its place.
        """
        file = run.folder / RUN_FILE
        if self.lock is None or (self.lock.is_in_place() and path_exists(str(file))):
            return
        self._lock_anew(run)
        if path_exists(str(file)):
            return
        with self.writes.attempt():
            write_atomically(file, self.run_file)
            log.warning(
                "%s was deleted or moved during the run, so gankit wrote it again; the log, grids "
                "and checkpoints that are gone begin anew",
                file,
            )
        if is_last and self.writes.is_failing:
            lost = f"{file} was deleted or moved, and cannot be written again"
            raise RunFailed(f"{lost}, so this run cannot be used", 1)

    def _lock_anew(self, run: Run) -> None:
        assert self.lock
        self.lock.release()
        file = run.folder / RUN_FILE
        try:
            self.lock.acquire("")
            is_taken = path_exists(str(file)) and file.read_bytes() != self.run_file
        except GankitError:
            is_taken = True
        if is_taken:
            moved = f"{run.folder} was deleted or moved during the run, and now holds another run"
            raise RunFailed(f"{moved}, so this one stopped: resume it where you moved it", 1)

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, *error: object) -> None:
        if self.lock:
            self.lock.release()


def make_numbered_folder(parent: str, name: str) -> Path:
    """Make the folder PARENT/NAME-1, or the first of NAME-2, NAME-3, ... that does not exist."""
    for number in itertools.count(1):
        folder = Path(parent, f"{name}-{number}")
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            if folder.exists():  # perhaps made by another run just now
                continue
            why = f"{error.strerror}: choose another --out"
            raise GankitError(f"cannot create {folder}: {why}") from error
        return folder
    raise AssertionError("unreachable")
