"""Writes docs/benchmarks.md and its plots from what the benchmarks have measured.

    pytest tests/benchmarks --benchmark-only --benchmark-json=measured.json
    python docs/write_benchmarks.py measured.json

Takes forty minutes on two cores that do nothing else. A part of it that is measured again
later (`pytest tests/benchmarks/test_peak.py ...`) replaces what it measures: name both files. What
was measured with other threads (OMP_NUM_THREADS=1) stands beside it. Every figure is a median with
the lowest and the highest; every ratio is one of two numbers measured right after one another.
"""

import json
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent

HEAD = """# Benchmarks

Written by `docs/write_benchmarks.py` from what `pytest tests/benchmarks --benchmark-only` measured.
{machine}

Every row is measured beside its yardstick, in turns within one run, so that what else the machine
does slows both alike. A figure is the median of all rounds, with the lowest and the highest behind
it. A ratio is that of two neighbours in time, so its range is the noise. Rows that name their
threads come from another run.

How good the pictures are, and which tricks earn their place: [Results](results.md).
"""

QUESTIONS = {
    "training step": (
        "Training step",
        "One update of both players, on pictures in memory. The yardstick is the loop of the "
        "tutorials, [lesson 1](../lessons/01_two_players.py) without words, in float32. Each has a "
        "process of its own, as a user starts it. What gankit does about "
        "[freed memory](#freed-memory) is a part of the ratio.",
    ),
    "kept memory": (
        "Freed memory",
        "glibc gives memory that a step frees back to the system, and asks for it again in the "
        "next one. gankit keeps it, where it computes on a CPU. The textbook's loop would gain by "
        "that too, if it asked for it, which it does not above. Three rows show both with it. "
        "How much glibc gives back hangs on what else a process has in memory: these are bare "
        "loops, and [whole runs](design.md#speed) gain less.",
    ),
    "product speed": (
        "Share of the machine's matrix products",
        "What a step needs, counted on plain layers, in the time that it takes, beside one large "
        "product of matrices. A multiplication and an addition are two operations, in both.",
    ),
    "one layer": (
        "One layer and its gradients",
        "A convolution of DCGAN, kernel 4, stride 2, to twice as many maps, forward and backward: "
        "which of images, maps and weight gankit makes with [another algorithm](design.md#speed) "
        "than torch.",
    ),
    "ends": (
        "The ends of the networks",
        "The layers between maps and pictures of 3 channels: 32 pictures, base 32, kernel 4, "
        "stride 2, forward and backward. G's step goes through D's first layer, frozen. In float32 "
        "gankit computes them by sub-pixels; in bf16, where that gains little or loses, it leaves "
        "them to torch, and the rows show what sub-pixels would give.",
    ),
    "compiled": (
        "Compiled networks",
        "One training step with networks compiled by torch (`--compile yes`), beside one with them "
        "as they are.",
    ),
    "data path": ("Pictures", "Getting pictures ready once, and as batches, beside the usual way."),
    "sampling": ("Drawing", "One picture, and how long it takes until one can be drawn."),
    "start-up": (
        "Starting",
        "Commands that train nothing must not import torch. Beside them: the imports and the "
        "reading of entry points that no command line with plugins can do without.",
    ),
    "memory": ("Memory", "The most that a process uses in six steps, libraries included."),
    "image size": ("Growth with the size of pictures", "One training step."),
    "batch": ("Growth with the batch", "One training step."),
    "number of pictures": (
        "Growth with the number of pictures",
        "A batch should not notice; preparing should take as long for each picture, a ratio of 1.",
    ),
    "two processes": (
        "Two processes",
        "One step by torchrun with two processes of one thread each, which share the batch.",
    ),
}
PLOTTED = {"training step": "bars", "image size": "lines", "batch": "lines"}


@dataclass
class Row:
    """One benchmark: our numbers and the yardstick's, one for each round."""

    question: str
    what: str
    yardstick: str
    ours: list
    theirs: list
    about: dict

    @property
    def ratios(self):
        """How many times the yardstick's speed; for memory, how many times its size."""
        pairs = zip(self.ours, self.theirs, strict=True)
        if self.question == "memory":
            return [ours / theirs for ours, theirs in pairs]
        work = self.about.get("operations", 1) / self.about.get("yardstick_operations", 1)
        return [work * theirs / ours for ours, theirs in pairs]


def read_files(paths):
    """What the files hold, as one: a figure replaces one of the same name in an earlier file.

    A file measured with other threads than the first adds rows that name them.
    """
    files = [json.loads(Path(path).read_text(encoding="utf-8")) for path in paths]
    usual, latest = files[0]["machine_info"]["threads"], {}
    for file in files:
        threads = file["machine_info"]["threads"]
        for one in file["benchmarks"]:
            if threads != usual:
                one["extra_info"]["what"] += f", threads: {threads}"
            latest[one["fullname"], threads] = one
    return {**files[0], "benchmarks": list(latest.values())}


def read(measured):
    """The rows of a file of pytest-benchmark; benchmarks without a yardstick are left out."""
    rows = []
    for found in measured["benchmarks"]:
        about = found["extra_info"]
        if about.get("question") in QUESTIONS:
            timed = [seconds / about.get("times", 1) for seconds in found["stats"]["data"]]
            ours, theirs = about.get("numbers", timed), about["yardstick_seconds"]
            names = (about["question"], about["what"], about["yardstick"])
            rows.append(Row(*names, ours, theirs, about))
    return rows


def machine(measured):
    """The machine in words that fit many, and how busy it was."""
    about = measured["machine_info"]
    cpu = about["cpu"]
    load = about.get("load")
    busy = f" Load when it began: {load:.1f}." if load is not None else ""
    return (
        f"Machine: {cpu.get('brand_raw', 'unknown processor')}, {cpu.get('count', '?')} cores, "
        f"threads: {about['threads']}; torch {about['torch']}, Python {about['python_version']}; "
        f"{measured['datetime'][:10]}.{busy}"
    )


def spread(values, written):
    """`median (lowest to highest)`."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{written(middle)} ({written(low)} to {written(high)})"


def seconds(value):
    if value >= 1:
        return f"{value:.2f} s"
    return f"{1000 * value:.3g} ms"


def table(question, rows):
    """A table of a question's rows."""
    if question == "product speed":
        heads, kinds = ("gankit, GFLOP/s", "product, GFLOP/s", "share"), _speeds
    elif question == "memory":
        heads, kinds = ("gankit, MB", "yardstick, MB", "times as much"), _sizes
    else:
        first = {"kept memory": "kept", "compiled": "compiled"}.get(question, "gankit")
        heads, kinds = (first, "yardstick", "times as fast"), _times
    many = any("x" in row.about for row in rows)
    pictures = kinds is _times and any("pictures" in row.about for row in rows)
    columns = ["what", *(["at"] if many else []), *heads, *(["pictures/s"] if pictures else [])]
    lines = [" | ".join(columns), "|".join("---" for _ in columns)]
    for row in rows:
        at = [f"{row.about.get('x', ''):,}"] if many else []
        speed = [_pictures_per_second(row)] if pictures else []
        lines.append(" | ".join([row.what, *at, *kinds(row), *speed]))
    return "\n".join(f"| {line} |" for line in lines)


def _pictures_per_second(row):
    many = row.about.get("pictures")
    return f"{many / statistics.median(row.ours):,.0f}" if many else ""


def _times(row):
    ratio = spread(row.ratios, lambda value: f"{value:.3g}")
    return spread(row.ours, seconds), f"{spread(row.theirs, seconds)}: {row.yardstick}", ratio


def _sizes(row):
    ratio = spread(row.ratios, lambda value: f"{value:.2f}")
    both = (spread(values, lambda value: f"{value:,.0f}") for values in (row.ours, row.theirs))
    return (*both, ratio)


def _speeds(row):
    work = row.about["operations"], row.about["yardstick_operations"]
    pairs = zip(work, (row.ours, row.theirs), strict=True)
    speeds = [[many / value / 1e9 for value in values] for many, values in pairs]
    both = (spread(values, lambda value: f"{value:,.0f}") for values in speeds)
    return (*both, spread(row.ratios, lambda value: f"{value:.0%}"))


def bars(rows):
    """Ratios as bars, with a thin line from the lowest to the highest; a tick at 1."""
    top, left, high = max(max(row.ratios) for row in rows), 300, 22
    width = 240 / max(top, 1)
    parts = []
    for number, row in enumerate(rows):
        y, middle = number * high + 14, statistics.median(row.ratios)
        low, most = min(row.ratios), max(row.ratios)
        parts += [
            f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{row.what}</text>',
            f'<rect x="{left}" y="{y - 7}" width="{width * middle:.1f}" height="14" fill="#47a"/>',
            f'<path d="M{left + width * low:.1f} {y}H{left + width * most:.1f}" stroke="#c63"/>',
            f'<text x="{left + width * most + 6:.1f}" y="{y + 4}">{middle:.2f}</text>',
        ]
    one, bottom = left + width, len(rows) * high + 8
    parts.append(f'<path d="M{one:.1f} 0V{bottom}" stroke="#888" stroke-dasharray="3"/>')
    return svg(parts, 600, bottom + 4, "times as fast as the yardstick, which is the dashed line")


def lines(rows):
    """Seconds over x, both axes doubling: gankit's line and the yardstick's, thin."""
    points = [(row.about["x"], statistics.median(values)) for row in rows
              for values in (row.ours, row.theirs)]  # fmt: skip
    xs, ys = ([point[axis] for point in points] for axis in (0, 1))
    parts = []
    for name, colour, key in (("gankit", "#47a", "ours"), ("yardstick", "#888", "theirs")):
        places = [
            f"{60 + 480 * _share(row.about['x'], xs):.1f},"
            f"{200 - 180 * _share(statistics.median(getattr(row, key)), ys):.1f}"
            for row in sorted(rows, key=lambda row: row.about["x"])
        ]
        parts.append(f'<polyline points="{" ".join(places)}" fill="none" stroke="{colour}"/>')
        end = places[-1].partition(",")
        parts.append(f'<text x="{float(end[0]) + 4}" y="{end[2]}" fill="{colour}">{name}</text>')
    for row in rows:
        x = 60 + 480 * _share(row.about["x"], xs)
        parts.append(f'<text x="{x:.1f}" y="222" text-anchor="middle">{row.about["x"]:,}</text>')
    for value in (min(ys), max(ys)):
        y = 204 - 180 * _share(value, ys)
        parts.append(f'<text x="52" y="{y:.1f}" text-anchor="end">{seconds(value)}</text>')
    return svg(parts, 620, 230, "seconds for a step; both axes are logarithmic")


def _share(value, values):
    """Where a value lies between the least and the greatest, by its logarithm."""
    from math import log

    low, high = min(values), max(values)
    return log(value / low) / log(high / low) if high > low else 0.5


def svg(parts, width, height, what):
    style = 'xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="12"'
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    inside = "\n".join(parts)
    return f'<svg {style} fill="#888" {size} role="img"><title>{what}</title>\n{inside}\n</svg>\n'


def page(measured):
    """The text of benchmarks.md, and the plots by their file's name."""
    rows, blocks, plots = read(measured), [HEAD.format(machine=machine(measured))], {}
    for question, (title, words) in QUESTIONS.items():
        here = [row for row in rows if row.question == question]
        if not here:
            continue
        blocks += [f"## {title}\n", f"{words}\n", table(question, here) + "\n"]
        if question in PLOTTED:
            name = f"benchmark-{question.replace(' ', '-')}.svg"
            plots[name] = {"bars": bars, "lines": lines}[PLOTTED[question]](here)
            blocks.append(f"![{title}](pictures/{name})\n")
    return "\n".join(blocks), plots


def main():
    if not sys.argv[1:]:
        sys.exit("give the file that pytest --benchmark-json wrote")
    text, plots = page(read_files(sys.argv[1:]))
    (HERE / "benchmarks.md").write_text(text, encoding="utf-8")
    for name, plot in plots.items():
        (HERE / "pictures" / name).write_text(plot, encoding="utf-8")
    print(HERE / "benchmarks.md")


if __name__ == "__main__":
    main()
