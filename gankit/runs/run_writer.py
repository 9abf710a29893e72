"""The observer that writes a run's log, sample grids and video into its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gankit.core.hookspecs import hookimpl

if TYPE_CHECKING:
    import torch

    from gankit.core.gan import Gan
    from gankit.core.settings import Run


class RunWriter:
    """Writes log.csv, samples/000500.png (pictures of the same latents) and progress.mp4."""

    @hookimpl
    def run_started(self, run: Run, gan: Gan) -> None:
        from gankit.runs import log  # here, so that `gankit list` stays fast

        # Rows that could not be written, because the disk was full.
        self.unwritten: list[dict[str, Any]] = []
        self.earlier_seconds = 0.0  # of the run before it was resumed
        (run.folder / "samples").mkdir(exist_ok=True)
        # Drop rows after the checkpoint: these steps are taken again.
        old_rows = log.read_rows(run.folder, missing_ok=True) if gan.step else []
        rows = [row for row in old_rows if int(row["step"]) <= gan.step]
        if rows:
            self.earlier_seconds = float(rows[-1]["seconds"])
        log.write_rows(run.folder, log.columns(run.tricks), rows)

    @hookimpl
    def step_done(self, run: Run, step: int, scalars: dict[str, Any]) -> None:
        from gankit.runs import log

        row = {
            **scalars["activity"],
            **scalars,
            "step": step,
            "kimg": step * run.batch_size * run.d_steps / 1000,
            "seconds": round(self.earlier_seconds + scalars["seconds"], 2),
        }
        self.unwritten.append(row)
        log.append_rows(run.folder, log.columns(run.tricks), self.unwritten)
        self.unwritten = []

    @hookimpl
    def samples_drawn(self, run: Run, step: int, images: torch.Tensor) -> None:
        from gankit.runs.images import save_picture, to_grid

        save_picture(to_grid(images), run.folder / "samples" / f"{step:06d}.png")

    @hookimpl
    def run_finished(self, run: Run) -> None:
        from PIL import Image

        from gankit.runs.video import write_video

        grids = sorted((run.folder / "samples").glob("*.png"))
        if len(grids) > 1:
            write_video((Image.open(path) for path in grids), run.folder / "progress.mp4", fps=8)
