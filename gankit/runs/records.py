"""Writes a run's numbers and pictures into its folder, readable without gankit."""

from gankit.core.hookspecs import hookimpl

COLUMNS = ("step", "kimg", "seconds", "d_loss", "g_loss", "penalty", "d_real", "d_fake")


class Records:
    """log.csv (one row a logged step), samples/000500.png (the fixed latents), progress.mp4."""

    @hookimpl
    def run_started(self, run, gan):
        self.unwritten = []  # rows that met a full disk wait here
        self.earlier = 0.0  # seconds of the run before it was resumed
        path = run.folder / "log.csv"
        (run.folder / "samples").mkdir(exist_ok=True)
        rows = _rows_until(path, gan.step)
        if rows:
            self.earlier = float(rows[-1][COLUMNS.index("seconds")])
        aside = path.with_suffix(".writing")
        aside.write_text(_lines([_header(run), *rows]), encoding="utf-8", newline="")
        aside.replace(path)

    @hookimpl
    def step_done(self, run, step, scalars):
        known = {
            **scalars,
            "step": step,
            "kimg": step * run.batch_size * run.d_steps / 1000,
            "seconds": round(self.earlier + scalars["seconds"], 2),
        }
        activity = [scalars["activity"].get(name) for name in _tricks(run)]
        self.unwritten.append([known.get(column, "") for column in COLUMNS] + activity)
        with (run.folder / "log.csv").open("a", encoding="utf-8", newline="") as file:
            file.write(_lines(self.unwritten))
        self.unwritten = []

    @hookimpl
    def samples_drawn(self, run, step, images):
        from gankit.runs.images import to_grid

        to_grid(images).save(run.folder / "samples" / f"{step:06d}.png")

    @hookimpl
    def run_finished(self, run, outcome):
        from PIL import Image

        from gankit.runs.video import write_video

        grids = sorted((run.folder / "samples").glob("*.png"))
        if len(grids) > 1:
            write_video((Image.open(path) for path in grids), run.folder / "progress.mp4", fps=8)


def _header(run):
    return [*COLUMNS, *_tricks(run)]


def _tricks(run):
    return [trick.name for trick in run.tricks]


def _lines(rows):
    import csv
    import io

    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _rows_until(path, step):
    """The rows of an earlier start; what it logged after its last checkpoint comes again."""
    if step == 0 or not path.exists():
        return []
    import csv

    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    return [row for row in rows if row and row[0].isdigit() and int(row[0]) <= step]
