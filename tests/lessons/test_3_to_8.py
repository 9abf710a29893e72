"""Lessons 3 to 8 in their short form: what they promise is there, and their central claims hold."""

import itertools
import json
import logging
import re
from pathlib import Path

from gankit.runs.figures import read_log

LESSONS = {  # the answers to their exercises: right ones, wrong ones
    3: (["(9, 3)"], ["(3, 0)"]),
    4: (['{"image_size": 32, "classes": ["cold"], "fit": "pad", "channels": 1}'], ["{}"]),
    5: (["[letters[l] for l in 'ABCDE']"], ["[letters[l] for l in 'BCDEA']"]),
    6: (["0.5"], ["0.2"]),
    7: (["'noisy-d'"], ["'ema'"]),
    8: (["(-11.95, 5.95)"], ["(-6, 1)"]),
}


def test_picture_and_exercise(number, check_picture_and_answers):
    check_picture_and_answers(number, *LESSONS[number])


def test_3_counts_overlaps_as_with_a_pencil(lesson):
    said = lesson(3).output
    assert "our layer and torch's are equal: True" in said
    assert "kernel 5, stride 2: in a row [3, 2], in a picture [[9, 6], [6, 4]]" in said
    assert "kernel 4, stride 2: in a row [2, 2], in a picture [[4, 4], [4, 4]]" in said


def test_3_only_repeating_draws_without_a_grid(lesson):
    printed = re.findall(r"(kernel \d, .*|repeat.*): unevenness .* (\d\.\d+)", lesson(3).output)
    unevenness = {name: float(value) for name, value in printed}
    five, four, repeated = (unevenness[name] for name in lesson(3).variables["DOUBLING_LAYERS"])
    assert repeated < 0.05
    assert min(five, four) > 0.3


def test_4_finds_each_fault_by_name(lesson):
    done = lesson(4)
    names = done.variables
    assert "stops at 1 of 7 faults" in done.output
    faulty = {*names["greys"], names["broken"], names["tiny"]}
    assert {str(Path(file).relative_to(names["folder"])) for file in faulty} < names["bad"]
    pairs = (names["copied"], "copy.png"), (names["saved_again"], names["saved_again"].stem)
    for original, other in pairs:
        assert sum(original.name in name or other in name for name in names["bad"]) == 1
    assert len(names["bad"]) == 34
    assert "copies: []" in done.output
    remaining = [finding["what"] for finding in names["report"]["findings"]]
    assert not [what for what in remaining if "grey" in what]


def test_4_prepares_what_it_says(lesson):
    names = lesson(4).variables
    left = len(list((lesson(4).folder / names["folder"]).rglob("*.*")))
    assert names["crop"].shape == names["stretch"].shape == (left, 64, 64, 3)
    assert names["pad"].shape == (left, 32, 32, 1)
    assert names["pad"][:, :4].max() == 0  # black above an oblong picture
    assert names["batch"].shape == (16, 3, 64, 64)


def test_5_trains_every_failure_as_it_is_called(lesson):
    done = lesson(5)
    assert (done.folder / "lesson-05-answers.png").exists()
    assert sorted(done.variables["letters"]) == list("ABCDE")
    for letter, failure in done.variables["letters"].items():
        record = json.loads((done.folder / done.variables["runs"][letter] / "run.json").read_text())
        settings = {**done.variables["HEALTHY"], **done.variables["BROKEN"][failure]}
        del settings["tricks"]
        assert {name: record[name] for name in settings} == settings


def test_5_prints_the_settings_of_the_healthy_run_alone(lesson):
    """A failure's settings would tell which letter it is."""
    said = lesson(5).output
    assert said.count("gankit run") == 1
    assert said.index("gankit run") < said.index("healthy: done")


def test_5_hides_what_the_doctor_warns_of(lesson, capsys):
    """A warning would name the failure before it is guessed."""
    with lesson(5).variables["silence"]():
        print("settings")
        logging.getLogger("gankit").warning("doctor: mode-collapse since step 80")
    assert capsys.readouterr() == ("", "")
    doctor = [line for line in lesson(5).output.splitlines() if line.startswith("doctor on ")]
    assert [line.split()[2] for line in doctor] == ["healthy:", *(f"{x}:" for x in "ABCDE")]


def test_6_shows_that_a_trick_was_off(lesson):
    done, logs = lesson(6), lesson(6).variables["logs"]
    assert "same losses, digit for digit: True" in done.output
    assert "my-noise: WARNING, it never acted" in done.output
    assert re.search(r"^my-noise +first: nothing +last: nothing$", done.output, re.MULTILINE)
    for trick in ("noisy-d:sigma=0.3", "flip-labels", "smooth-labels", "dropout-d"):
        assert logs[trick]["d_loss"] != logs["none"]["d_loss"]
        assert all(logs[trick][trick.partition(":")[0]])


def test_6_names_the_trick_that_changed_most(lesson):
    done, medians = lesson(6), lesson(6).variables["medians"]
    for label in ("d_loss", "D(x)", "D(G(z))"):
        (trick,) = re.findall(rf"in your run, (\S+) changed {re.escape(label)} most", done.output)
        changes = {name: abs(row[label] - medians["none"][label]) for name, row in medians.items()}
        assert changes[trick] == max(changes.values())


def test_7_a_resumed_run_is_the_same_run(lesson):
    done = lesson(7)
    assert re.search(r"whole (\w{16}), resumed \1: equal", done.output)
    folder = done.folder / done.variables["folder"]
    kept = {path.name for path in (folder / "checkpoints").glob("step-*")}
    assert {"step-000001", "step-000004", "step-000008"} <= kept
    steps = read_log(folder)["step"]
    assert steps == sorted({*steps})
    assert len(re.findall(r"^\d steps +swd +\d+ ", done.output, re.MULTILINE)) == 3


def test_7_keeps_its_checkpoints_in_the_form_that_only_tries_it_out(lesson_path):
    text = lesson_path(7).read_text(encoding="utf-8")
    steps = int(re.search(r"GANKIT_LESSON_STEPS=(\d+) only", text)[1])
    keep = int(re.search(r"keep=(\d+)", text)[1])
    saved = range(steps // 8, steps + 1, steps // 8)
    assert {steps // 8, steps // 2, steps} <= set(saved[-keep:])


def test_8_races_all_settings_and_shows_that_the_heads_are_equal(lesson):
    run = lesson(8)
    difference = float(re.search(r"heads? differ by (\S+)", run.output)[1])
    assert difference < 1e-5
    assert run.variables["from_bytes"] < run.variables["from_files"]
    runs = run.variables["runs"]
    settings = {re.sub(r"flowers-keras64:.*head=", "", run["variant"]) for run in runs}
    combinations = itertools.product((64, 16), ("conv", "dense"))
    assert settings == {f"batch-size {batch}, {head}" for batch, head in combinations}
    assert {run["images"] for run in runs} == {8 * 16}
    assert "no verdict from one seed" in run.output
    assert (run.folder / run.variables["folder"] / "race.html").exists()
