"""docs/write_benchmarks.py writes a page with the range of each number from measured benchmarks."""

import itertools
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def writer(docs_script):
    """The script as a module."""
    return docs_script("write_benchmarks")


def benchmark(question, seconds, baseline, **info):
    """One benchmark as pytest-benchmark writes it, with the seconds of each round."""
    info = {"what": "this", "yardstick": "that", "yardstick_seconds": baseline, **info}
    return {"stats": {"data": seconds}, "extra_info": {"question": question, **info}}


@pytest.fixture
def measured():
    """A small file of pytest-benchmark."""
    machine_info = {
        "node": "my-secret-host",
        "cpu": {"brand_raw": "A Processor", "count": 2},
        "python_version": "3.12.1",
        "torch": "2.10.0",
        "threads": 2,
        "load": 0.25,
    }
    sizes = [
        benchmark("image size", [size / 100] * 3, [size / 50] * 3, x=size) for size in (16, 64, 32)
    ]
    return {
        "machine_info": machine_info,
        "datetime": "2026-03-04T05:06:07",
        "benchmarks": [
            benchmark(
                "training step",
                [0.8, 1.0, 0.4],
                [1.0, 1.0, 1.0],
                times=2,
                pictures=64,
                what="64 px",
            ),
            benchmark("product speed", [0.5], [0.01], operations=60e9, yardstick_operations=2e9),
            benchmark("memory", [9.0], [800.0, 820.0], numbers=[400.0, 410.0]),
            *sizes,
            {"stats": {"data": [1.0]}, "extra_info": {}},  # without a baseline
        ],
    }


def row_cells(text, name):
    """The cells of the table row that starts with a name."""
    (row,) = [line for line in text.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in row.strip("|").split("|")]


def section(text, heading):
    return text.partition(f"## {heading}")[2].partition("\n## ")[0]


def test_times_have_range_ratio_and_pictures_per_second(writer, measured):
    text, _ = writer.page(measured)
    assert row_cells(text, "64 px") == [
        "64 px",
        "400 ms (200 ms to 500 ms)",
        "1.00 s (1.00 s to 1.00 s): that",
        "2.5 (2 to 5)",  # 1 over 0.4, 0.5 and 0.2
        "160",
    ]


def test_speed_is_a_share_and_memory_a_multiple(writer, measured):
    text, _ = writer.page(measured)
    assert row_cells(section(text, "Share"), "this") == [
        "this",
        "120 (120 to 120)",
        "200 (200 to 200)",
        "60% (60% to 60%)",
    ]
    assert row_cells(section(text, "Memory"), "this") == [
        "this",
        "405 (400 to 410)",
        "810 (800 to 820)",
        "0.50 (0.50 to 0.50)",
    ]


def test_the_page_names_the_hardware_but_not_the_host(writer, measured):
    text, plots = writer.page(measured)
    assert "A Processor, 2 cores, threads: 2; torch 2.10.0, Python 3.12.1; 2026-03-04." in text
    assert "start: 0.2" in text
    assert "my-secret-host" not in text + "".join(plots.values())


def test_kept_memory_has_its_own_table(writer, measured):
    measured["benchmarks"] += [benchmark("kept memory", [], [3.0, 4.0], numbers=[2.0, 2.0])]
    text, _ = writer.page(measured)
    freed = section(text, "Freed memory")
    assert "| what | kept | baseline | times as fast |" in freed
    assert row_cells(freed, "this")[3] == "1.75 (1.5 to 2)"


def test_a_row_without_a_size_has_an_empty_cell(writer, measured):
    measured["benchmarks"] += [benchmark("image size", [1.0], [1.0], what="no size")]
    rows = [row for row in writer.make_rows(measured) if row.question == "image size"]
    text = writer.table("image size", rows)
    assert row_cells(text, "no size")[1] == ""
    assert [line.split(" | ")[1] for line in text.splitlines()[2:5]] == ["16", "64", "32"]


def test_only_measured_questions_are_on_the_page(writer, measured):
    text, plots = writer.page(measured)
    assert "## Sampling" not in text
    assert set(plots) == {"benchmark-training-step.svg", "benchmark-image-size.svg"}
    for name in plots:
        assert f"](pictures/{name})" in text


def test_a_later_file_replaces_the_same_benchmarks(writer, tmp_path):
    def write_file(name, threads=2, **seconds):
        benchmarks = [
            {"fullname": key, "seconds": value, "extra_info": {"what": key}}
            for key, value in seconds.items()
        ]
        content = {
            "datetime": name,
            "machine_info": {"threads": threads},
            "benchmarks": benchmarks,
        }
        (tmp_path / name).write_text(json.dumps(content))
        return tmp_path / name

    files = [
        write_file("first", a=1, b=2),
        write_file("second", b=3, c=4),
        write_file("third", threads=1, a=5),
    ]
    merged = writer.merge_files(files)
    assert [(row["extra_info"]["what"], row["seconds"]) for row in merged["benchmarks"]] == [
        ("a", 1),
        ("b", 3),
        ("c", 4),
        ("a, threads: 1", 5),
    ]
    assert merged["datetime"] == "first"


def test_plots_are_to_scale(writer, measured):
    _, plots = writer.page(measured)
    namespace = "{http://www.w3.org/2000/svg}"
    bars = ET.fromstring(plots["benchmark-training-step.svg"])
    assert float(bars.find(f"{namespace}rect").get("width")) == pytest.approx(240 * 2.5 / 5)
    lines = ET.fromstring(plots["benchmark-image-size.svg"])
    for line in lines.findall(f"{namespace}polyline"):
        points = [tuple(map(float, p.split(","))) for p in line.get("points").split()]
        assert points == sorted(points)
        steps = [b[1] - a[1] for a, b in itertools.pairwise(points)]
        assert steps[0] == pytest.approx(steps[1], abs=0.2)  # the seconds double twice
        assert steps[0] < 0  # up is slower


@pytest.mark.parametrize(
    ("test", "name", "size", "baseline"),
    [
        ("test_a_batch_of_many_pictures[1000]", "batch of 64 at 32 px", "1,000", "of 1,000"),
        ("test_growth_with_image_size[16]", "auto, base 16, batch 16", "16", "loop, float32"),
    ],
    ids=["in this process", "in two others"],
)
def test_a_real_benchmark_is_on_the_page(writer, tmp_path, test, name, size, baseline):
    """Run one benchmark of the suite, and write the page from its file."""
    output = tmp_path / "measured.json"
    command = [sys.executable, "-m", "pytest", "-q", f"tests/benchmarks/test_growth.py::{test}"]
    command += ["--benchmark-only", f"--benchmark-json={output}"]
    # Under xdist, whose variables begin with PYTEST_, pytest-benchmark would not measure.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    environment["GANKIT_BENCHMARK_ROUNDS"] = "2"
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    text, _ = writer.page(json.loads(output.read_text()))
    cells = row_cells(text, name)
    assert cells[1] == size
    assert cells[3].endswith(baseline)
    assert 0.2 < float(cells[4].split()[0]) < 5  # about 1: both do nearly the same work
