"""The page without its script: what it says of a run, and what it makes of odd files."""

import dataclasses
import json
import re
import shutil

import pytest
from gankit_metrics.measurement import Measurement
from gankit_metrics.metrics_file import add_metrics
from gankit_report.page import names_of, render_report

from gankit.runs import log
from gankit.runs.grids import grid_path


@pytest.fixture(scope="module")
def page(whole_run):
    return render_report([whole_run])


def first_screen(page):
    return page[: page.index('class="panels"')]


def test_the_first_screen_has_the_verdict_three_numbers_and_the_last_grid(page):
    start = first_screen(page)
    assert start.count("<dt>") == 3
    facts = ["d-overfits", "D knows the pictures.", "swd", "14", "13 to 15", "0.5 is guessing"]
    facts += ["100 of 100 steps", "petals:count=200"]
    assert [fact for fact in facts if fact not in start] == []
    assert start.count("<img src=") == 1


def test_the_page_holds_every_grid_and_every_moment_once(page):
    steps = re.findall(r'<script type="text/plain" id="grid-0-(\d+)">', page)
    assert steps == ["0", "20", "40", "60", "80", "100"]
    numbers = json.loads(re.search(r'id="numbers">(.*?)</script>', page)[1])
    (run,) = numbers["runs"]
    assert run["findings"] == [[40, 100], [20, 60]]
    assert run["moments"] == [20, 100]
    assert run["activities"][1]["texts"][0] == "r1 at 10"


def test_the_command_the_settings_and_the_versions_are_on_the_page(page):
    facts = ["gankit run --dataset petals:count=200", "--lr-d", "0.0004", "version of mine", "1.0"]
    assert [fact for fact in facts if fact not in page] == []


def test_a_run_that_was_not_measured_says_so_and_names_the_command(tmp_path, make_run):
    make_run(tmp_path / "a")
    start = first_screen(render_report([tmp_path / "a"]))
    assert "gankit evaluate" in start
    assert start.count("<dt>") == 3


def test_two_runs_tell_the_settings_that_differ_and_no_others_first(tmp_path, make_run, whole_run):
    make_run(tmp_path / "b", steps=60, lr_d=0.01)
    page = render_report([whole_run, tmp_path / "b"])
    table = page[page.index("What differs") : page.index('aria-label="the course of training"')]
    assert re.findall(r'<th scope="row">(.*?)</th>', table) == ["--steps", "--lr-d"]


def test_two_folders_of_one_name_are_told_apart(tmp_path):
    folders = [tmp_path / "monday" / "run", tmp_path / "tuesday" / "run"]
    assert names_of(folders) == ["monday/run", "tuesday/run"]
    assert names_of(folders[:1]) == ["run"]
    assert names_of([folders[0], folders[0]]) == ["run", "run"]


def test_an_old_run_without_log_pictures_or_doctor_still_gets_its_page(old_run):
    page = render_report([old_run])
    assert "samples" in page
    (old_run / "log.csv").unlink()
    assert "too short for a verdict" in render_report([old_run])


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("doctor.json", '{"verdict": 3}'),
        ("doctor.json", '{"verdict": "x", "text": "y", "findings": [{"name": "z", "since": "w"}]}'),
        ("doctor.json", "[" * 100_000),
        ("metrics.json", '[{"step": "x"}]'),
        ("samples/000020.png", "not a png"),
        ("log.csv", "step,d_loss\n1,nan\nx,y\n"),
        ("d-view/000020.json", "{}"),
    ],
)
def test_a_damaged_file_is_named_or_omitted_and_the_page_is_written(
    tmp_path, make_run, file, content
):
    make_run(tmp_path / "a")
    (tmp_path / "a" / file).parent.mkdir(exist_ok=True)
    (tmp_path / "a" / file).write_text(content)
    page = render_report([tmp_path / "a"])
    assert file in page or 'id="grid-0-20"' not in page or file.startswith(("log", "d-view"))


def test_infinite_numbers_and_long_logs_make_finite_short_paths(tmp_path, make_run):
    run = make_run(tmp_path / "a")
    rows = [
        {"step": step, "d_loss": "inf" if step % 7 == 0 else step % 100, "g_loss": "nan"}
        for step in range(1, 20_001)
    ]
    log.write_rows(tmp_path / "a", log.columns(run.tricks), rows)
    page = render_report([tmp_path / "a"])
    paths = re.findall(r'<path d="(.*?)"', page)
    assert max(map(len, paths)) < 20_000
    assert not re.search(r"nan|inf\b", " ".join(paths))


def test_of_very_many_grids_some_are_left_out_and_the_page_says_so(tmp_path, make_run, monkeypatch):
    monkeypatch.setattr("gankit_report.page.MAX_LETTERS", 150)
    make_run(tmp_path / "a")
    page = render_report([tmp_path / "a"])
    steps = re.findall(r'id="grid-0-(\d+)">', page)
    assert 0 < len(steps) < 6
    assert steps[-1] == "100"
    assert f"{len(steps)} of 6 grids" in page


def test_a_link_to_a_picture_elsewhere_is_not_on_the_page(tmp_path, make_run, pictures_folder):
    make_run(tmp_path / "a")
    grid_path(tmp_path / "a", 100).unlink()
    grid_path(tmp_path / "a", 100).symlink_to(pictures_folder / "01.png")
    assert 'id="grid-0-100"' not in render_report([tmp_path / "a"])


def test_hostile_names_are_text_in_the_page(tmp_path, make_run):
    hostile = "</script><img src=x onerror=alert(1)>\"'&\u202e"
    run = make_run(tmp_path / "a")
    record = {"verdict": hostile, "text": hostile, "step": 1}
    record["findings"] = [{"name": hostile, "kind": hostile, "since": 5, "text": hostile}]
    (tmp_path / "a" / "doctor.json").write_text(json.dumps(record))
    columns = [*log.columns(run.tricks), f"{hostile}.p"]
    rows = [{"step": step, "d_loss": 1, "r1": hostile, f"{hostile}.p": step} for step in (10, 20)]
    log.write_rows(tmp_path / "a", columns, rows)
    page = render_report([tmp_path / "a"])
    assert "\u202e" not in page
    assert "<img src=x" not in page
    assert page.count("</script>") == page.count("<script")


def test_the_best_checkpoint_is_told_and_marked_on_the_curve_of_its_metric(tmp_path, make_run):
    folder = tmp_path / "a"
    make_run(folder, keep_best="swd", metrics=["kid:features=pixels"])
    swd = Measurement("swd", 21.0, 19.5, 22.5, 11.0, 200, 200, "lower", step=50)
    add_metrics(folder, [swd, dataclasses.replace(swd, value=14.0, step=100)])
    add_metrics(folder, [dataclasses.replace(swd, metric="kid:features=pixels")])
    assert "<circle" not in render_report([folder])
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "best").write_text("step-000050")
    page = render_report([folder])
    assert "best swd 21 at step 50" in first_screen(page)
    assert page.count('<circle class="best"') == 1
    assert page.count("The circle is the best checkpoint.") == 1
    (folder / "metrics.json").unlink()
    assert "best swd at step 50" in first_screen(render_report([folder]))


def test_the_page_opens_at_a_checkpoint_with_the_pictures_that_it_draws(trained, tmp_path):
    page = render_report([trained], checkpoint=4)
    assert re.search(r'id="step" min="0" max="8" value="4"', page)
    assert "at step 4" in page[page.index("<img src=") :]
    folder = shutil.copytree(trained, tmp_path / "a")
    drawn = re.search(r'id="grid-0-4">(.*?)</script>', page)[1]
    grid_path(folder, 4).unlink()
    page = render_report([folder], checkpoint=4)
    assert re.search(r'id="grid-0-4">(.*?)</script>', page)[1] == drawn
    assert 'id="grid-0-4"' not in render_report([folder])
