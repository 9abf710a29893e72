"""What `gankit explore` serves: the page of a run, and the run's new checkpoints."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Sequence
from pathlib import Path

from gankit.cli.page.loopback import JSON, Reply
from gankit.core.errors import GankitError
from gankit.core.parts.registry import Registry
from gankit.runs.sampler import Sampler, load
from gankit.training.checkpoints.checkpoint import list_checkpoints, step_of
from gankit.training.checkpoints.named_checkpoint import Step
from gankit.training.run_folder.folder_lock import is_running
from gankit.training.run_folder.links import refuse_links_out
from gankit_explore.page import MAX_CHECKPOINTS, render
from gankit_explore.program.lower import lower_sampler

BINARY = "application/octet-stream"
_PROGRAM = re.compile(r"program/([0-9]{1,15})")

log = logging.getLogger("gankit")


class ServedRun:
    """Answers the requests of the page of a run, in several threads.

    The page itself holds one checkpoint, and asks for the others. A program that was asked for is
    kept, because a run that trains deletes its older checkpoints.
    """

    def __init__(self, folder: Path, registry: Registry, step: Step = None) -> None:
        """Make the page: of all checkpoints, and of later ones, or of the one of `step`.

        GankitError if there is no undamaged checkpoint, or if the page cannot draw this G.
        """
        self.folder = folder
        self.registry = registry
        self.follows = step is None
        self.lock = threading.Lock()
        self.programs: dict[int, bytes] = {}  # step -> what the page gets
        refuse_links_out(folder)
        sampler = load(folder, step, registry)
        on_disk = self._list_steps() if self.follows else [sampler.step]
        self.seen = set(on_disk)  # steps that were offered, or left out
        self.offered = _drop_crowded(on_disk)  # to the page
        title = folder.resolve().name
        self.page = render([sampler], title=title, follow=self.follows).encode()
        self.programs[sampler.step] = _encode(sampler)

    def answer(self, path: str, query: str) -> Reply | None:
        """The reply to a path below the server's address; see `gankit.cli.page.loopback.Answer`."""
        if path == "":
            return Reply(self.page)
        with self.lock:
            if path == "checkpoints":
                return Reply(self._describe_checkpoints().encode(), JSON)
            match = _PROGRAM.fullmatch(path)
            program = self._find_program(int(match[1])) if match else None
        return Reply(program, BINARY) if program else None

    def _list_steps(self) -> list[int]:
        return sorted(map(step_of, list_checkpoints(self.folder / "checkpoints")))

    def _describe_checkpoints(self) -> str:
        """The steps that the page may ask for, as JSON, and whether there will be more."""
        if self.follows:
            on_disk = self._list_steps()
            news = [step for step in on_disk if step not in self.seen]
            self.seen.update(news)
            available = {*on_disk, *self.programs}
            kept = [step for step in self.offered if step in available]
            self.offered = _drop_crowded(sorted({*kept, *news}))
            for step in [step for step in self.programs if step not in self.offered]:
                del self.programs[step]
        is_training = self.follows and is_running(self.folder)
        return json.dumps({"steps": self.offered, "is_training": is_training})

    def _find_program(self, step: int) -> bytes | None:
        """The program of a step that was offered; GankitError if its checkpoint cannot be used."""
        if step not in self.offered:
            return None
        if step not in self.programs:
            try:
                refuse_links_out(self.folder)
                self.programs[step] = _encode(load(self.folder, step, self.registry))
            except GankitError as error:
                self.offered.remove(step)
                log.warning("%s; the page does without it", error)
                raise
        return self.programs[step]


def _drop_crowded(steps: Sequence[int]) -> list[int]:
    """At most eight steps: those near to their neighbours are dropped, never the first or last."""
    kept = list(steps)
    while len(kept) > MAX_CHECKPOINTS:
        crowded = min(range(1, len(kept) - 1), key=lambda place: kept[place + 1] - kept[place - 1])
        del kept[crowded]
    return kept


def _encode(sampler: Sampler) -> bytes:
    """A checkpoint's program as the page reads it: the description's length, it, and weights."""
    program = lower_sampler(sampler)
    description = json.dumps(program.describe()).encode()
    return len(description).to_bytes(4, "little") + description + program.weights()
