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
import math
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parent

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


@dataclass
class Row:
    """One benchmark: gankit's numbers and the baseline's, one per round.

    Numbers are seconds, or MB for the question "memory".
    """

    question: str
    name: str
    baseline: str
    gankit_numbers: list
    baseline_numbers: list
    info: dict  # extra_info in the file of pytest-benchmark

    @property
    def ratios(self):
        """How many times as fast as the baseline; for memory, how many times its size."""
        pairs = list(zip(self.gankit_numbers, self.baseline_numbers, strict=True))
        if self.question == "memory":
            return [gankit / baseline for gankit, baseline in pairs]
        work = self.info.get("operations", 1) / self.info.get("yardstick_operations", 1)
        return [work * baseline / gankit for gankit, baseline in pairs]


def merge_files(paths):
    """Read and merge files: a benchmark replaces one of the same name in an earlier file.

    A file with another number of threads than the first adds rows that name the number.
    """
    files = [json.loads(Path(path).read_text(encoding="utf-8")) for path in paths]
    usual_threads = files[0]["machine_info"]["threads"]
    latest = {}
    for file in files:
        threads = file["machine_info"]["threads"]
        for benchmark in file["benchmarks"]:
            if threads != usual_threads:
                benchmark["extra_info"]["what"] += f", threads: {threads}"
            latest[benchmark["fullname"], threads] = benchmark
    return {**files[0], "benchmarks": list(latest.values())}


def make_rows(measured):
    """The rows of a file of pytest-benchmark; benchmarks without a baseline are omitted."""
    rows = []
    for benchmark in measured["benchmarks"]:
        info = benchmark["extra_info"]
        if info.get("question") not in QUESTIONS:
            continue
        calls_per_round = info.get("times", 1)
        seconds = [total / calls_per_round for total in benchmark["stats"]["data"]]
        row = Row(
            question=info["question"],
            name=info["what"],
            baseline=info["yardstick"],
            gankit_numbers=info.get("numbers", seconds),
            baseline_numbers=info["yardstick_seconds"],
            info=info,
        )
        rows.append(row)
    return rows


def describe_machine(measured):
    """A line about the machine, without its host name, and about its load."""
    info = measured["machine_info"]
    cpu = info["cpu"]
    load = info.get("load")
    load_text = f" Load at the start: {load:.1f}." if load is not None else ""
    return (
        f"Machine: {cpu.get('brand_raw', 'unknown processor')}, {cpu.get('count', '?')} cores, "
        f"threads: {info['threads']}; torch {info['torch']}, Python {info['python_version']}; "
        f"{measured['datetime'][:10]}.{load_text}"
    )


def format_spread(values, format_value):
    """`median (lowest to highest)`."""
    low, median, high = (
        format_value(value) for value in (min(values), statistics.median(values), max(values))
    )
    return f"{median} ({low} to {high})"


def format_seconds(value):
    if value >= 1:
        return f"{value:.2f} s"
    return f"{1000 * value:.3g} ms"


def table(question, rows):
    """A table of a question's rows, as Markdown."""
    if question == "product speed":
        headings = ["gankit, GFLOP/s", "product, GFLOP/s", "share"]
        row_cells = _speed_cells
    elif question == "memory":
        headings = ["gankit, MB", "baseline, MB", "times as much"]
        row_cells = _memory_cells
    else:
        first_heading = {"kept memory": "kept", "compiled": "compiled"}.get(question, "gankit")
        headings = [first_heading, "baseline", "times as fast"]
        row_cells = _time_cells
    has_sizes = any("x" in row.info for row in rows)
    has_pictures = row_cells is _time_cells and any("pictures" in row.info for row in rows)
    if has_sizes:
        headings.insert(0, "at")
    if has_pictures:
        headings.append("pictures/s")
    headings.insert(0, "what")
    lines = [" | ".join(headings), "|".join("---" for _ in headings)]
    for row in rows:
        cells = [row.name]
        if has_sizes:
            cells.append(f"{row.info['x']:,}" if "x" in row.info else "")
        cells += row_cells(row)
        if has_pictures:
            cells.append(_pictures_per_second(row))
        lines.append(" | ".join(cells))
    return "\n".join(f"| {line} |" for line in lines)


def _pictures_per_second(row):
    pictures = row.info.get("pictures")
    return f"{pictures / statistics.median(row.gankit_numbers):,.0f}" if pictures else ""


def _time_cells(row):
    gankit = format_spread(row.gankit_numbers, format_seconds)
    baseline = format_spread(row.baseline_numbers, format_seconds)
    ratio = format_spread(row.ratios, lambda value: f"{value:.3g}")
    return [gankit, f"{baseline}: {row.baseline}", ratio]


def _memory_cells(row):
    gankit = format_spread(row.gankit_numbers, _format_whole)
    baseline = format_spread(row.baseline_numbers, _format_whole)
    ratio = format_spread(row.ratios, lambda value: f"{value:.2f}")
    return [gankit, baseline, ratio]


def _speed_cells(row):
    gankit = _gflops(row.info["operations"], row.gankit_numbers)
    baseline = _gflops(row.info["yardstick_operations"], row.baseline_numbers)
    share = format_spread(row.ratios, lambda value: f"{value:.0%}")
    return [format_spread(gankit, _format_whole), format_spread(baseline, _format_whole), share]


def _gflops(operations, seconds):
    return [operations / value / 1e9 for value in seconds]


def _format_whole(value):
    return f"{value:,.0f}"


def bar_plot(rows):
    """An SVG of ratios as bars, with a thin line from lowest to highest, and a dashed line at 1."""
    left = 300
    row_height = 22
    px_per_unit = 240 / max(1, max(max(row.ratios) for row in rows))
    parts = []
    for number, row in enumerate(rows):
        y = number * row_height + 14
        median = statistics.median(row.ratios)
        width = px_per_unit * median
        low_x = left + px_per_unit * min(row.ratios)
        high_x = left + px_per_unit * max(row.ratios)
        parts += [
            f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{row.name}</text>',
            f'<rect x="{left}" y="{y - 7}" width="{width:.1f}" height="14" fill="#47a"/>',
            f'<path d="M{low_x:.1f} {y}H{high_x:.1f}" stroke="#c63"/>',
            f'<text x="{high_x + 6:.1f}" y="{y + 4}">{median:.2f}</text>',
        ]
    x_of_1 = left + px_per_unit
    bottom = len(rows) * row_height + 8
    parts.append(f'<path d="M{x_of_1:.1f} 0V{bottom}" stroke="#888" stroke-dasharray="3"/>')
    return svg(parts, 600, bottom + 4, "times as fast as the baseline (dashed line)")


def line_plot(rows):
    """An SVG of seconds over x, both axes logarithmic: a line for gankit, one for the baseline."""
    rows = sorted(rows, key=lambda row: row.info["x"])
    sizes = [row.info["x"] for row in rows]
    gankit = [statistics.median(row.gankit_numbers) for row in rows]
    baseline = [statistics.median(row.baseline_numbers) for row in rows]
    seconds = [*gankit, *baseline]
    xs = [60 + 480 * _log_position(size, sizes) for size in sizes]
    parts = []
    for name, colour, medians in (("gankit", "#47a", gankit), ("baseline", "#888", baseline)):
        ys = [200 - 180 * _log_position(median, seconds) for median in medians]
        points = [f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True)]
        parts.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}"/>')
        parts.append(f'<text x="{xs[-1] + 4:.1f}" y="{ys[-1]:.1f}" fill="{colour}">{name}</text>')
    for x, size in zip(xs, sizes, strict=True):
        parts.append(f'<text x="{x:.1f}" y="222" text-anchor="middle">{size:,}</text>')
    for value in (min(seconds), max(seconds)):
        y = 204 - 180 * _log_position(value, seconds)
        parts.append(f'<text x="52" y="{y:.1f}" text-anchor="end">{format_seconds(value)}</text>')
    return svg(parts, 620, 230, "seconds for a step; both axes are logarithmic")


def _log_position(value, values):
    """Where a value lies on a logarithmic axis: 0 at the least of `values`, 1 at the greatest."""
    low = min(values)
    high = max(values)
    return math.log(value / low) / math.log(high / low) if high > low else 0.5


def svg(parts, width, height, title):
    style = 'xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="12"'
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    inside = "\n".join(parts)
    return f'<svg {style} fill="#888" {size} role="img"><title>{title}</title>\n{inside}\n</svg>\n'


PLOTS = {"training step": bar_plot, "image size": line_plot, "batch": line_plot}


def page(measured):
    """The text of benchmarks.md, and its plots: file name -> SVG."""
    rows = make_rows(measured)
    blocks = [HEAD.format(machine=describe_machine(measured))]
    plots = {}
    for question, (title, introduction) in QUESTIONS.items():
        question_rows = [row for row in rows if row.question == question]
        if not question_rows:
            continue
        blocks += [f"## {title}\n", f"{introduction}\n", table(question, question_rows) + "\n"]
        if question in PLOTS:
            name = f"benchmark-{question.replace(' ', '-')}.svg"
            plots[name] = PLOTS[question](question_rows)
            blocks.append(f"![{title}](pictures/{name})\n")
    return "\n".join(blocks), plots


def main():
    if not sys.argv[1:]:
        sys.exit(
            "usage: python docs/write_benchmarks.py MEASURED.json ... (pytest-benchmark files)"
        )
    text, plots = page(merge_files(sys.argv[1:]))
    (DOCS / "benchmarks.md").write_text(text, encoding="utf-8")
    for name, plot in plots.items():
        (DOCS / "pictures" / name).write_text(plot, encoding="utf-8")
    print(DOCS / "benchmarks.md")


if __name__ == "__main__":
    main()
