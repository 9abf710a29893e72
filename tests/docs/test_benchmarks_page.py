"""docs/write_benchmarks.py turns measured numbers into a page, and says where they are noisy."""

import itertools
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOOP = "the textbook's loop, float32"


@pytest.fixture(scope="module")
def writer(docs_script):
    """The script as a module."""
    return docs_script("write_benchmarks")


def found(question, data, beside, **about):
    about = {"what": "this", "yardstick": "that", "yardstick_seconds": beside, **about}
    return {"stats": {"data": data}, "extra_info": {"question": question, **about}}


@pytest.fixture
def measured():
    """What pytest-benchmark writes, in short."""
    info = {"node": "my-secret-host", "cpu": {"brand_raw": "A Processor", "count": 2}}
    info |= {"python_version": "3.12.1", "torch": "2.10.0", "threads": 2, "load": 0.25}
    about = {"times": 2, "pictures": 64}
    sizes = [found("image size", [x / 100] * 3, [x / 50] * 3, x=x) for x in (16, 64, 32)]
    return {
        "machine_info": info,
        "datetime": "2026-03-04T05:06:07",
        "benchmarks": [
            found("training step", [0.8, 1.0, 0.4], [1.0, 1.0, 1.0], **about, what="64 px"),
            found("product speed", [0.5], [0.01], operations=60e9, yardstick_operations=2e9),
            found("memory", [9.0], [800.0, 820.0], numbers=[400.0, 410.0]),
            *sizes,
            {"stats": {"data": [1.0]}, "extra_info": {}},  # one without a yardstick
        ],
    }


def row_of(text, what):
    return [cell.strip() for cell in next(
        line for line in text.splitlines() if line.startswith(f"| {what} |")
    ).strip("|").split("|")]  # fmt: skip


def test_times_come_with_noise_ratio_and_pictures(writer, measured):
    text, _ = writer.page(measured)
    assert row_of(text, "64 px") == [
        "64 px",
        "400 ms (200 ms to 500 ms)",
        "1.00 s (1.00 s to 1.00 s): that",
        "2.5 (2 to 5)",  # 1 over 0.4, 0.5 and 0.2
        "160",
    ]


def test_speed_is_a_share_and_memory_a_multiple(writer, measured):
    text, _ = writer.page(measured)
    speed = text.partition("## Share")[2].partition("\n## ")[0]
    assert row_of(speed, "this") == ["this", "120 (120 to 120)", "200 (200 to 200)",
                                     "60% (60% to 60%)"]  # fmt: skip
    memory = text.partition("## Memory")[2].partition("\n## ")[0]
    assert row_of(memory, "this")[1:] == ["405 (400 to 410)", "810 (800 to 820)",
                                          "0.50 (0.50 to 0.50)"]  # fmt: skip


def test_the_machine_is_named_but_not_the_computer(writer, measured):
    text, plots = writer.page(measured)
    assert "A Processor, 2 cores, threads: 2; torch 2.10.0, Python 3.12.1; 2026-03-04." in text
    assert "start: 0.2" in text
    assert "my-secret-host" not in text + "".join(plots.values())


def test_what_is_kept_stands_beside_what_is_given_back(writer, measured):
    measured["benchmarks"] += [found("kept memory", [], [3.0, 4.0], numbers=[2.0, 2.0])]
    text, _ = writer.page(measured)
    kept = text.partition("## Freed memory")[2].partition("\n## ")[0]
    assert "| what | kept | baseline | times as fast |" in kept
    assert row_of(kept, "this")[3] == "1.75 (1.5 to 2)"


def test_only_what_was_measured_is_shown(writer, measured):
    text, plots = writer.page(measured)
    assert "## Sampling" not in text
    assert set(plots) == {"benchmark-training-step.svg", "benchmark-image-size.svg"}
    for name in plots:
        assert f"](pictures/{name})" in text


def test_what_is_measured_again_replaces_what_was(writer, tmp_path):
    def file(name, threads=2, **seconds):
        found = [
            {"fullname": key, "seconds": value, "extra_info": {"what": key}}
            for key, value in seconds.items()
        ]
        written = {"datetime": name, "machine_info": {"threads": threads}, "benchmarks": found}
        (tmp_path / name).write_text(json.dumps(written))
        return tmp_path / name

    files = file("first", a=1, b=2), file("second", b=3, c=4), file("third", threads=1, a=5)
    both = writer.read_files(files)
    assert [(one["extra_info"]["what"], one["seconds"]) for one in both["benchmarks"]] == [
        ("a", 1),
        ("b", 3),
        ("c", 4),
        ("a, threads: 1", 5),
    ]
    assert both["datetime"] == "first"


def test_plots_are_drawings_to_scale(writer, measured):
    _, plots = writer.page(measured)
    space = "{http://www.w3.org/2000/svg}"
    bars = ET.fromstring(plots["benchmark-training-step.svg"])
    assert float(bars.find(f"{space}rect").get("width")) == pytest.approx(240 * 2.5 / 5)
    lines = ET.fromstring(plots["benchmark-image-size.svg"])
    for line in lines.findall(f"{space}polyline"):
        points = [tuple(map(float, p.split(","))) for p in line.get("points").split()]
        assert points == sorted(points)
        steps = [b[1] - a[1] for a, b in itertools.pairwise(points)]
        assert steps[0] == pytest.approx(steps[1], abs=0.2)  # twice and twice again
        assert steps[0] < 0  # up is slower


@pytest.mark.parametrize(
    ("which", "what", "at", "yardstick"),
    [
        ("test_a_batch_of_many_pictures[1000]", "batch of 64 at 32 px", "1,000", "of 1,000"),
        ("test_growth_with_image_size[16]", "auto, base 16, batch 16", "16", LOOP),
    ],
    ids=["in this process", "in two others"],
)
def test_a_benchmark_that_ran_is_written_down(writer, tmp_path, which, what, at, yardstick):
    """From the suite itself to the page."""
    which = f"tests/benchmarks/test_growth.py::{which}"
    words = ("--benchmark-only", f"--benchmark-json={tmp_path / 'measured.json'}", "-q", which)
    ours = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    environment = {**ours, "GANKIT_BENCHMARK_ROUNDS": "3"}  # where many test, none is timed
    how = {"cwd": ROOT, "env": environment, "capture_output": True, "text": True, "check": False}
    done = subprocess.run([sys.executable, "-m", "pytest", *words], **how)
    assert done.returncode == 0, done.stdout
    text, _ = writer.page(json.loads((tmp_path / "measured.json").read_text()))
    cells = row_of(text, what)
    assert cells[1] == at
    assert cells[3].endswith(f": {yardstick}")
    assert 0.2 < float(cells[4].split()[0]) < 5  # the same batch twice, or much the same step
