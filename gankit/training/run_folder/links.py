"""Refuse a run or race from somebody else that would let gankit write outside of its folder."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from gankit.core.errors import GankitError
from gankit.core.run.settings import Run
from gankit.training.run_folder.find_run import PARTS, RUN_FILE

# What gankit writes in the folder of a run. Links of other names, such as one to your pictures, are
# never written.
WRITTEN = (
    *PARTS, RUN_FILE, "run.writing", "log.csv", "metrics.csv", "metrics.json", "progress.mp4",
    "doctor.json", "report.html", ".running.lock", ".running.pid",
)  # fmt: skip


def check_run_folder(run: Run) -> None:
    """GankitError if a link in a run's folder, if it has one yet, leads out of it."""
    if run.out:
        refuse_links_out(run.folder)


def refuse_links_out(folder: Path, written: Iterable[str] = WRITTEN) -> None:
    """GankitError if a link in `folder` would let gankit write, or delete, outside of it.

    Looks at the files and folders in `written`, and at everything below these. Links within the
    folder are fine, and so are links on the way to it. Pipes and devices are refused too, because
    reading them may never end.
    """
    root = os.path.realpath(folder)
    try:
        for entry in _entries(folder, {name.casefold() for name in written}):
            _check(entry, root)
    except (FileNotFoundError, NotADirectoryError):  # nothing is there yet
        return
    except OSError as error:
        raise GankitError(f"cannot look for links in {folder}: {error.strerror}") from error


def _entries(folder: Path, written: set[str]) -> Iterator[os.DirEntry[str]]:
    """The entries of `folder` with these names, and all below; links to folders are not entered."""
    with os.scandir(folder) as entries:
        found = [entry for entry in entries if entry.name.casefold() in written]
    while found:
        entry = found.pop()
        yield entry
        if entry.is_dir(follow_symlinks=False):
            with os.scandir(entry.path) as entries:
                found += entries


def _check(entry: os.DirEntry[str], root: str) -> None:
    is_folder = entry.is_dir(follow_symlinks=False)
    if is_folder or entry.is_symlink():  # a junction of Windows says that it is a folder
        target = os.path.realpath(entry.path)
        if not Path(target).is_relative_to(root):
            raise GankitError(
                f"{entry.path} leads out of its folder, to {target}, and gankit would write there: "
                "delete the link, or put a copy in its place"
            )
    elif not entry.is_file():
        raise GankitError(f"{entry.path} is a pipe or a device, not a file: delete it")
