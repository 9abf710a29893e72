"""The observer that writes a run's log, sample grids and video into its folder."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gankit.core.files.atomic_write import write_atomically
from gankit.core.files.retried_write import RetriedWrite, describe_write_error
from gankit.core.parts.hookspecs import hookimpl
from gankit.core.run.all_stages import count_pictures, tricks_of_all_stages
from gankit.core.shell import quote_word
from gankit.runs.grids import forget_grids_after, grid_path, list_grids

if TYPE_CHECKING:
    import torch

    from gankit.core.gan import Gan
    from gankit.core.run.settings import Run

logger = logging.getLogger("gankit")
MAX_REPORTED = 200  # columns of log.csv for numbers that tricks and observers report
MAX_UNWRITTEN_GRIDS = 40  # kept in memory while they cannot be written, about 1 MB each
FRAMES_PER_SECOND = 8


class RunWriter:
    """Writes log.csv, samples/000500.png (pictures of the same latents) and progress.mp4.

    What cannot be written now, because the disk is full or another program has the file open, is
    written at a later step.
    """

    @hookimpl
    def run_started(self, run: Run, gan: Gan) -> None:
        from gankit.runs import log  # here, so that `gankit list` stays fast

        self.log_writes = RetriedWrite(run.folder / log.NAME, "its rows are written later")
        self.grid_writes = RetriedWrite(run.folder / "samples", "its grids are written later")
        self.unwritten_rows: list[dict[str, Any]] = []
        self.unwritten_grids: deque[tuple[Path, bytes]] = deque(maxlen=MAX_UNWRITTEN_GRIDS)
        self.must_replace_log = False
        self.is_full = False  # whether there were more reported numbers than columns for them
        self.earlier_seconds = 0.0  # of the run before it was resumed
        # Drop what is after the checkpoint: these steps are taken again. A new run deletes nothing.
        if gan.step:
            forget_grids_after(run.folder, gan.step)
        old_rows = log.read_rows(run.folder, missing_ok=True) if gan.step else []
        self.columns = log.columns(tricks_of_all_stages(run))
        self.columns += [name for name in (old_rows or [{}])[0] if log.is_reported(name)]
        self.unwritten_rows = [row for row in old_rows if int(row["step"]) <= gan.step]
        self.must_replace_log = True
        if self.unwritten_rows:
            self.earlier_seconds = float(self.unwritten_rows[-1]["seconds"])
        self._write_rows(run)

    @hookimpl
    def step_done(self, run: Run, step: int, scalars: dict[str, Any]) -> None:
        numbers = scalars.get("numbers", {})
        self._add_columns(run, numbers)
        row = {
            **numbers,
            **scalars["activity"],
            **scalars,
            "step": step,
            "kimg": count_pictures(run, step) / 1000,
            "seconds": round(self.earlier_seconds + scalars["seconds"], 2),
        }
        self.unwritten_rows.append(row)
        self._write_rows(run)

    @hookimpl
    def samples_drawn(self, run: Run, step: int, images: torch.Tensor) -> None:
        from gankit.core.class_labels import columns_in_turn
        from gankit.runs.images import to_grid, to_png
        from gankit.runs.provenance import of_run

        columns = columns_in_turn(range(len(images)), len(run.class_names))
        png = to_png(to_grid(images, columns), of_run(run.folder, step))
        self.unwritten_grids.append((grid_path(run.folder, step), png))
        self._write_grids(run)

    @hookimpl
    def run_finished(self, run: Run, outcome: dict[str, Any]) -> None:
        if self.unwritten_rows:
            self._write_rows(run)
        if self.unwritten_grids:
            self._write_grids(run)
        if self.unwritten_rows:
            count = len(self.unwritten_rows)
            message = "%s lacks %s: they could not be written before the run ended"
            rows = "its last row" if count == 1 else f"its last {count} rows"
            logger.warning(message, self.log_writes.target, rows)
        if outcome["state"] != "stage":  # the run goes on at once
            self._write_video(run)

    def _add_columns(self, run: Run, names: Iterable[str]) -> None:
        """Give each number that was not reported before a column; then the log is written anew."""
        from gankit.runs import log

        new = [name for name in names if name not in self.columns]
        free = MAX_REPORTED - sum(map(log.is_reported, self.columns))
        if not new or (free <= 0 and self.is_full):
            return
        if len(new) > free:
            self.is_full = True
            message = "log.csv has columns for %s reported numbers; %s and later ones are not in it"
            logger.warning(message, MAX_REPORTED, new[free])
        if not self.must_replace_log:
            self.unwritten_rows = [
                *log.read_rows(run.folder, missing_ok=True),
                *self.unwritten_rows,
            ]
            self.must_replace_log = True
        self.columns += new[:free]

    def _write_rows(self, run: Run) -> None:
        from gankit.runs import log

        with self.log_writes.attempt():
            if self.must_replace_log:
                log.write_rows(run.folder, self.columns, self.unwritten_rows)
            else:
                log.append_rows(run.folder, self.columns, self.unwritten_rows)
            self.must_replace_log = False
            self.unwritten_rows = []

    def _write_grids(self, run: Run) -> None:
        with self.grid_writes.attempt():
            while self.unwritten_grids:
                path, png = self.unwritten_grids[0]
                write_atomically(path, png)
                self.unwritten_grids.popleft()

    def _write_video(self, run: Run) -> None:
        from gankit.runs.provenance import of_run
        from gankit.runs.read_grid import read_grid
        from gankit.runs.video import write_video

        grids = list_grids(run.folder)
        if len(grids) < 2:
            return
        frames = (read_grid(grid) for _, grid in grids)
        last_step, _ = grids[-1]
        path = run.folder / "progress.mp4"
        try:
            write_video(frames, path, FRAMES_PER_SECOND, of_run(run.folder, last_step))
        except Exception as error:  # PyAV has errors of its own for a full disk
            later = f"draw it later: gankit sample {quote_word(str(run.folder))} --history"
            logger.warning("cannot write %s: %s; %s", path, describe_write_error(error), later)
