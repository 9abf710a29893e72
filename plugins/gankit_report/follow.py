"""`gankit report --follow`: the page of a run that trains, and what is new on it."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from gankit.cli.page.loopback import JSON, Reply
from gankit.core.parts.registry import Registry
from gankit.runs.grids import list_grids
from gankit.training.run_folder.links import refuse_links_out
from gankit_report.film import encode
from gankit_report.page import render_report

WATCHED = ("run.json", "log.csv", "metrics.json", "doctor.json", "samples", "d-view")
PAUSE = 20  # times as long as making a page took, so that training has the computer for itself
TEXT = "text/plain; charset=us-ascii"
_GRID = re.compile(r"grids/([01])/([0-9]{1,15})")


class FollowedRuns:
    """Answers the requests of a page that follows one or two runs, in several threads."""

    def __init__(self, folders: Sequence[Path], registry: Registry | None = None) -> None:
        self.folders = folders
        self.registry = registry
        self.lock = threading.Lock()
        self.version = ""
        self.page = ""  # of this version, without grids
        self.next_time = 0.0  # time.monotonic() of the next page, at the earliest

    def answer(self, path: str, query: str) -> Reply | None:
        """The reply to a path below the server's address; see `gankit.cli.page.loopback.Answer`."""
        if path == "":
            return Reply(self._render(has_grids=True).encode())
        if path == "new":
            return Reply(self._find_news(query).encode(), JSON)
        match = _GRID.fullmatch(path)
        return self._find_grid(int(match[1]), int(match[2])) if match else None

    def _render(self, *, has_grids: bool) -> str:
        for folder in self.folders:
            refuse_links_out(folder)
        return render_report(self.folders, self.registry, follows=True, has_grids=has_grids)

    def _find_news(self, shown: str) -> str:
        """The newest version of the page, as JSON; without the page if it is `shown`."""
        with self.lock:
            version = _version_of(self.folders)
            if version != self.version and time.monotonic() >= self.next_time:
                started = time.monotonic()
                self.page = self._render(has_grids=False)
                self.version = version
                self.next_time = time.monotonic() + PAUSE * (time.monotonic() - started)
            page = "" if shown == self.version else self.page
            return json.dumps({"version": self.version, "page": page})

    def _find_grid(self, number: int, step: int) -> Reply | None:
        """A grid as the page holds it; None if there is no such grid."""
        if number >= len(self.folders):
            return None
        refuse_links_out(self.folders[number])
        path = dict(list_grids(self.folders[number])).get(step)
        frame = encode(step, path) if path else None
        return Reply(frame.data.encode(), TEXT) if frame else None


def _version_of(folders: Sequence[Path]) -> str:
    """A word that changes with the files of the runs."""
    states = []
    for path in (folder / name for folder in folders for name in WATCHED):
        try:
            status = path.stat()
        except OSError:
            states.append((0, 0))
            continue
        states.append((status.st_mtime_ns, status.st_size))
    return hashlib.sha256(repr(states).encode()).hexdigest()[:16]
