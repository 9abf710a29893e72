"""The checks for a GPU, tried on the CPU: what they find, and what they make of a fault."""

import pytest
from click.testing import CliRunner
from PIL import Image

from gankit.testing.gpu import __main__ as program
from gankit.testing.gpu import numbers, pictures, speed
from gankit.testing.gpu.page import write_page
from gankit.testing.gpu.result import FAULT, FINE, MEASURED, Row, from_output, to_line


def test_a_cpu_computes_as_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(numbers, "SMALL", {**numbers.SMALL, "image_size": 32, "batch_size": 8})
    rows = numbers.same_losses("cpu", tmp_path)
    assert [row.verdict for row in rows] == [FINE, FINE, FINE, MEASURED]
    assert "0.0e+00 in the first step" in rows[0].result


def test_losses_that_differ_are_a_fault(tmp_path, monkeypatch):
    def losses(device, folder, precision):
        return [[1.0 if folder.name == "cpu" else 1.001, 2.0]] * numbers.STEPS

    monkeypatch.setattr(numbers, "_losses", losses)
    first, *others = numbers.same_losses("cuda", tmp_path)
    assert first.verdict == FAULT
    assert [row.verdict for row in others] == [FINE, FINE, MEASURED]


def test_on_mps_only_float32_is_tried(tmp_path, monkeypatch):
    monkeypatch.setattr(numbers, "_losses", lambda *args, **options: [[1.0, 2.0]] * numbers.STEPS)
    first, default = numbers.same_losses("mps", tmp_path)
    assert (first.verdict, default.verdict) == (FINE, MEASURED)
    monkeypatch.setattr(speed, "_compare", lambda device, size, base, batch, name: name)
    assert speed.times("mps", tmp_path, {16: (8, 4)}) == ["float32"]


def test_resuming_gives_the_same_bits(tmp_path, monkeypatch):
    monkeypatch.setattr(numbers, "SMALL", {**numbers.SMALL, "image_size": 32, "batch_size": 8})
    monkeypatch.setattr(numbers.torch, "use_deterministic_algorithms", lambda mode: None)
    (row,) = numbers.resumed("cpu", tmp_path)
    assert row.verdict == FINE
    assert "0 differ" in row.result


def test_the_layout_of_a_cpu(tmp_path):
    assert [row.verdict for row in numbers.layout("cpu", tmp_path)] == [FINE, FINE]


def test_times_are_compared_with_the_tutorial(tmp_path, monkeypatch):
    monkeypatch.setattr(speed, "TURN_SECONDS", 0.01)
    monkeypatch.setattr(speed, "WARM_UP", 1)
    monkeypatch.setattr(speed, "LOOPS", {"float32": {"precision": "32"}})
    (row,) = speed.times("cpu", tmp_path, {16: (8, 4)})
    assert row.verdict == MEASURED
    for fact in ("16 px", "batch 4", "float32"):
        assert fact in row.what
    assert "times as fast" in row.result


def test_a_run_that_fails_is_one_line(tmp_path):
    with pytest.raises(program.GankitError, match="no-such-folder"):
        pictures.run_for("cpu", tmp_path, "the default run", 10, str(tmp_path / "no-such-folder"))


@pytest.mark.parametrize(
    ("code", "fact"),
    [("raise ValueError('odd')", "odd"), ("import os; os._exit(7)", "7"), ("1 / 0", "zero")],
)
def test_a_check_that_fails_or_dies_is_a_fault(tmp_path, monkeypatch, code, fact):
    script = tmp_path / "broken.py"
    script.write_text(f"import sys\n{code}\n", encoding="utf-8")
    python = program.sys.executable
    run = program.subprocess.run
    monkeypatch.setattr(
        program.subprocess, "run", lambda command, **options: run([python, script], **options)
    )
    (row,) = program.run_check("losses", "cpu", tmp_path, 1, "")
    assert (row.what, row.verdict) == ("losses", FAULT)
    assert fact in row.result


def test_rows_pass_from_one_process_to_another():
    rows = [
        Row("one", FINE, "a | b"),
        Row.judged(
            "two",
            False,
            "2",
        ),
    ]
    assert from_output(f"step 1\n{to_line(rows)}\nmore") == rows
    assert from_output("nothing was found") is None


def test_the_page_has_the_table_and_small_pictures(tmp_path):
    grid = tmp_path / "the-run" / "samples" / "000010.png"
    grid.parent.mkdir(parents=True)
    Image.new("RGB", (1100, 1100), "red").save(grid)
    rows = [Row("losses", FINE, "0.1 | 0.2"), Row("the run", MEASURED, "3 steps", str(grid))]
    page = write_page(rows, "cpu", 1.0, tmp_path).read_text(encoding="utf-8")
    assert "| losses | fine | 0.1 \\| 0.2 |" in page
    assert "](gpu-the-run.webp)" in page
    with Image.open(tmp_path / "gpu-the-run.webp") as small:
        assert max(small.size) < 600


@pytest.mark.parametrize(
    ("words", "fact"),
    [
        (["--device", "cuda:99"], "cuda:99"),
        (["--device", "cpu", "--only", "speed"], "'speed'"),
        (["--device", "cpu", "--only", "speed"], "losses"),
    ],
)
def test_misuse_is_answered_with_what_there_is(words, fact):
    done = CliRunner().invoke(program.main, words)
    assert done.exit_code == 2
    assert fact in done.output
