"""Writes a run's numbers and pictures into its folder, readable without gankit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gankit.core.hookspecs import hookimpl

if TYPE_CHECKING:
    import torch

    from gankit.core.gan import Gan
    from gankit.core.settings import Run


class Records:
    """log.csv (one row a logged step), samples/000500.png (the fixed latents), progress.mp4."""

    @hookimpl
    def run_started(self, run: Run, gan: Gan) -> None:
        from gankit.runs import log  # here, so that `gankit list` does not pay for it

        self.unwritten: list[dict[str, Any]] = []  # rows that met a full disk wait here
        self.earlier = 0.0  # seconds of the run before it was resumed
        (run.folder / "samples").mkdir(exist_ok=True)
        # What an earlier start logged after its last checkpoint comes again.
        earlier = log.read_rows(run.folder, missing_ok=True) if gan.step else []
        rows = [row for row in earlier if int(row["step"]) <= gan.step]
        if rows:
            self.earlier = float(rows[-1]["seconds"])
        log.write_rows(run.folder, log.columns(run.tricks), rows)

    @hookimpl
    def step_done(self, run: Run, step: int, scalars: dict[str, Any]) -> None:
        from gankit.runs import log

        row = {
            **scalars["activity"],
            **scalars,
            "step": step,
            "kimg": step * run.batch_size * run.d_steps / 1000,
            "seconds": round(self.earlier + scalars["seconds"], 2),
        }
        self.unwritten.append(row)
        log.append_rows(run.folder, log.columns(run.tricks), self.unwritten)
        self.unwritten = []

    @hookimpl
    def samples_drawn(self, run: Run, step: int, images: torch.Tensor) -> None:
        from gankit.runs.images import to_grid

        to_grid(images).save(run.folder / "samples" / f"{step:06d}.png")

    @hookimpl
    def run_finished(self, run: Run) -> None:
        from PIL import Image

        from gankit.runs.video import write_video

        grids = sorted((run.folder / "samples").glob("*.png"))
        if len(grids) > 1:
            write_video((Image.open(path) for path in grids), run.folder / "progress.mp4", fps=8)
