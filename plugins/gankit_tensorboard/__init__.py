"""Logs runs that were started with --tensorboard to TensorBoard."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gankit import GankitError, hookimpl
from gankit.core.files.atomic_write import write_atomically
from gankit.core.files.retried_write import RetriedWrite

if TYPE_CHECKING:
    from torch import Tensor
    from torch.utils.tensorboard import SummaryWriter

    from gankit import Gan, Measurement, Run

TRIAL_BYTES = 1 << 16
SCALARS = ("d_loss", "g_loss", "penalty", "d_real", "d_fake")


class Board:
    """Writes losses, D's scores, measures, what tricks and observers report, and grids.

    Numbers that cannot be written, because the disk is full for example, are written later into a
    new file. Grids are not kept: they are in `samples/`, too.
    """

    writer: SummaryWriter | None = None
    writes: RetriedWrite | None = None  # None: the run is not logged to TensorBoard

    @hookimpl
    def run_started(self, run: Run, gan: Gan) -> None:
        self.writer = None
        self.writes = None
        if not run.tensorboard:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise GankitError("--tensorboard needs a package: pip install tensorboard") from error
        self.writes = RetriedWrite(run.folder / "tensorboard", "its numbers are written later")
        self.unwritten: list[tuple[str, float, int]] = []  # name, value and step
        self.previous_hook = threading.excepthook
        threading.excepthook = self._hide_write_errors
        try:
            with self.writes.attempt():
                self.writer = SummaryWriter(run.folder / "tensorboard", purge_step=gan.step + 1)
        except UnicodeError as error:
            self.writes = None
            threading.excepthook = self.previous_hook
            line = "--tensorboard needs a folder whose name is UTF-8: choose another --out"
            raise GankitError(line) from error

    @hookimpl
    def step_done(self, run: Run, step: int, scalars: dict[str, Any]) -> None:
        if self.writes:
            reported = {key.replace(".", "/"): n for key, n in scalars.get("numbers", {}).items()}
            numbers = {name: scalars[name] for name in SCALARS if name in scalars} | reported
            self.unwritten += [(name, value, step) for name, value in numbers.items()]
            self._write(run)

    @hookimpl
    def measured(self, run: Run, step: int, measurements: Sequence[Measurement]) -> None:
        if self.writes:
            self.unwritten += [(f"metrics/{m.metric}", m.value, step) for m in measurements]
            self._write(run)

    @hookimpl
    def samples_drawn(self, run: Run, step: int, images: Tensor) -> None:
        if self.writer:
            from gankit.runs.images import to_rgb  # imports torch

            self.writer.add_images("samples", to_rgb(images).clamp(-1, 1).add(1).div(2), step)

    @hookimpl
    def run_finished(self, run: Run, outcome: dict[str, Any]) -> None:
        if self.writes:
            self._write(run)
            threading.excepthook = self.previous_hook
        if self.writer:
            self.writer.close()
            self.writer = None
            _remove_host_name(run.folder / "tensorboard")

    def _hide_write_errors(self, error: threading.ExceptHookArgs) -> None:
        """Print no traceback of TensorBoard's thread: `flush` raises its error again."""
        if not isinstance(error.exc_value, OSError):
            self.previous_hook(error)

    def _write(self, run: Run) -> None:
        assert self.writes is not None
        with self.writes.attempt():
            try:
                self._write_numbers(run)
            except OSError:
                # The writer does not write again after an error, so the next try makes a new one.
                with contextlib.suppress(OSError):
                    if self.writer:
                        self.writer.close()
                self.writer = None
                raise

    def _write_numbers(self, run: Run) -> None:
        from torch.utils.tensorboard import SummaryWriter

        folder = run.folder / "tensorboard"
        if not self.writer:
            # A writer that cannot write prints a traceback, so try a file of our own first.
            trial = folder / "trial"
            write_atomically(trial, bytes(TRIAL_BYTES))
            trial.unlink()
            self.writer = SummaryWriter(folder)
        for name, value, step in self.unwritten:
            self.writer.add_scalar(name, value, step)
        self.writer.flush()  # now, so that an error is noticed now
        self.unwritten = []


def _remove_host_name(folder: Path) -> None:
    """Rename the event files, as torch writes this computer's name into their names."""
    host = f".{socket.gethostname()}."
    for file in folder.glob(f"events.out.tfevents.*{host}*"):
        before, _, after = file.name.partition(host)
        with contextlib.suppress(OSError):  # Windows refuses while TensorBoard reads the file
            file.rename(folder / f"{before}.{after}")
