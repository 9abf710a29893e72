"""Logs runs that were started with --tensorboard to TensorBoard."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gankit import GankitError, hookimpl

if TYPE_CHECKING:
    from torch import Tensor
    from torch.utils.tensorboard import SummaryWriter

    from gankit import Gan, Run

SCALARS = ("d_loss", "g_loss", "penalty", "d_real", "d_fake")


class Board:
    """Writes losses, D's scores and grids of samples to `tensorboard/` in the run's folder."""

    writer: SummaryWriter | None = None

    @hookimpl
    def run_started(self, run: Run, gan: Gan) -> None:
        if not run.tensorboard:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise GankitError("--tensorboard needs a package: pip install tensorboard") from error
        self.writer = SummaryWriter(run.folder / "tensorboard", purge_step=gan.step + 1)

    @hookimpl
    def step_done(self, run: Run, step: int, scalars: dict[str, Any]) -> None:
        if self.writer:
            for name in SCALARS:
                if name in scalars:
                    self.writer.add_scalar(name, scalars[name], step)

    @hookimpl
    def samples_drawn(self, run: Run, step: int, images: Tensor) -> None:
        if self.writer:
            self.writer.add_images("samples", images.clamp(-1, 1).add(1).div(2), step)

    @hookimpl
    def run_finished(self, run: Run, outcome: dict[str, Any]) -> None:
        if self.writer:
            self.writer.close()
            self.writer = None
            _remove_host_name(run.folder / "tensorboard")


def _remove_host_name(folder: Path) -> None:
    """Rename the event files, as torch writes this computer's name into their names."""
    host = f".{socket.gethostname()}."
    for file in folder.glob(f"events.out.tfevents.*{host}*"):
        before, _, after = file.name.partition(host)
        with contextlib.suppress(OSError):  # Windows refuses while TensorBoard reads the file
            file.rename(folder / f"{before}.{after}")
