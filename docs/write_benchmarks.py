"""Write docs/benchmarks.md and its plots from measured benchmarks.

    pytest tests/benchmarks --benchmark-only --benchmark-json=measured.json
    python docs/write_benchmarks.py measured.json

The benchmarks take forty minutes on two cores that do nothing else. If you measure some of them
again later (`pytest tests/benchmarks/test_peak.py ...`), name both files: the later file replaces
the same benchmarks of the first. Benchmarks with another number of threads (OMP_NUM_THREADS=1)
become additional rows. Every number is a median with its range; every ratio compares two
measurements that were made right after one another.
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

Every row compares gankit with a baseline. Both are measured in turns within one run, so other
programs on the machine slow both equally. A time is the median of all rounds, with the lowest and
the highest in parentheses. A ratio compares two consecutive measurements, so its range shows the
noise. Rows that name a number of threads come from another run.

[Results](results.md) shows how good the pictures are, and which tricks help.
"""

QUESTIONS = {
    "training step": (
        "Training step",
        "One update of both players, with pictures in memory. The baseline is the training loop of "
        "the tutorials, the code of [lesson 1](../lessons/01_two_players.py), in float32. Each "
        "runs in a process of its own, as if you started it yourself. A part of the ratio comes "
        "from [freed memory](#freed-memory).",
    ),
    "kept memory": (
        "Freed memory",
        "glibc returns the memory that a step frees to the system, and requests it again in the "
        "next step. On a CPU, gankit asks glibc to keep it. The textbook's loop does not ask for "
        "it in the table above, but would also become faster; three rows show both with kept "
        "memory. How much memory glibc returns depends on what else a process has in memory: "
        "these are bare loops, and [whole runs](notebook.md#freed-memory-is-kept) gain less.",
    ),
    "product speed": (
        "Share of the machine's matrix products",
        "The operations that a step needs, counted for plain layers, divided by its time, compared "
        "with one large matrix product. A multiplication and an addition count as two operations, "
        "in both.",
    ),
    "one layer": (
        "One layer and its gradients",
        "A convolution of DCGAN with kernel 4, stride 2 and twice as many output channels, forward "
        "and backward. It has three results: the output (maps), the gradient of the input "
        "(images), and the gradient of the weight. Each row names those that gankit computes with "
        "[another algorithm](design.md#speed) than torch.",
    ),
    "ends": (
        "The ends of the networks",
        "The layers between feature maps and pictures with 3 channels: 32 pictures, base 32, "
        "kernel 4, stride 2, forward and backward. G's step goes through D's first layer, which "
        "is frozen. In float32, gankit computes these layers with sub-pixel convolutions. In bf16 "
        "they gain little or lose, so gankit uses torch's layers, and the rows show what "
        "sub-pixel convolutions would give.",
    ),
    "compiled": (
        "Compiled networks",
        "One training step with networks compiled by torch (`--compile yes`), compared with the "
        "same networks without compiling.",
    ),
    "data path": (
        "Pictures",
        "Preparing pictures once, and making batches of them, compared with the usual way.",
    ),
    "sampling": ("Sampling", "Sampling one picture, and the time until you can sample the first."),
    "start-up": (
        "Starting",
        "Commands that do not train must not import torch. The baseline is what every command line "
        "with plugins needs: its imports, and reading entry points.",
    ),
    "memory": ("Memory", "The peak memory of a process in six steps, including libraries."),
    "image size": ("Growth with the size of pictures", "One training step."),
    "batch": ("Growth with the batch", "One training step."),
    "number of pictures": (
        "Growth with the number of pictures",
        "The time for a batch should not depend on the number of pictures, and the time to prepare "
        "one picture should stay the same: a ratio of 1.",
    ),
    "two processes": (
        "Two processes",
        "One step under torchrun with two processes of one thread each, which share the batch.",
    ),
}
PLOTTED = {"training step": "bars", "image size": "lines", "batch": "lines"}


@dataclass
class Row:
    """One benchmark: gankit's numbers and the baseline's, one per round."""

    question: str
    what: str
    yardstick: str
    ours: list
    theirs: list
    about: dict

    @property
    def ratios(self):
        """How many times as fast as the baseline; for memory, how many times its size."""
        pairs = zip(self.ours, self.theirs, strict=True)
        if self.question == "memory":
            return [ours / theirs for ours, theirs in pairs]
        work = self.about.get("operations", 1) / self.about.get("yardstick_operations", 1)
        return [work * theirs / ours for ours, theirs in pairs]


def read_files(paths):
    """Merge the files: a benchmark replaces one of the same name in an earlier file.

    A file with another number of threads than the first adds rows that name the number.
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
    """The rows of a file of pytest-benchmark; benchmarks without a baseline are omitted."""
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
    """A line about the machine, without its host name, and about its load."""
    about = measured["machine_info"]
    cpu = about["cpu"]
    load = about.get("load")
    busy = f" Load at the start: {load:.1f}." if load is not None else ""
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
        heads, kinds = ("gankit, MB", "baseline, MB", "times as much"), _sizes
    else:
        first = {"kept memory": "kept", "compiled": "compiled"}.get(question, "gankit")
        heads, kinds = (first, "baseline", "times as fast"), _times
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
    return svg(parts, 600, bottom + 4, "times as fast as the baseline (dashed line)")


def lines(rows):
    """Seconds over x, both axes logarithmic: one line for gankit and one for the baseline."""
    points = [(row.about["x"], statistics.median(values)) for row in rows
              for values in (row.ours, row.theirs)]  # fmt: skip
    xs, ys = ([point[axis] for point in points] for axis in (0, 1))
    parts = []
    for name, colour, key in (("gankit", "#47a", "ours"), ("baseline", "#888", "theirs")):
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
