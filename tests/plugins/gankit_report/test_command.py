"""`gankit report`: where it writes the page, and what it refuses."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def run(tmp_path, make_run):
    """The folder of a run without checkpoints."""
    make_run(tmp_path / "a")
    return tmp_path / "a"


def test_the_page_is_in_the_folder_of_the_run(gankit_cli, run):
    code, out, err = gankit_cli("report", run)
    assert (code, err) == (0, "")
    assert out.strip().endswith("report.html")
    assert (run / "report.html").read_text().startswith("<!doctype html>")


def test_out_is_the_file(gankit_cli, run, tmp_path):
    assert gankit_cli("report", run, run, "--out", tmp_path / "b.html").code == 0
    assert (tmp_path / "b.html").exists()
    assert not (run / "report.html").exists()


def test_a_page_of_two_runs_does_not_replace_that_of_one(gankit_cli, run, make_run, tmp_path):
    others = [tmp_path / "b", tmp_path / "c" / "b", tmp_path / "d" / "b"]
    (run / "report.html").write_text("own")
    names = []
    for other in others:
        make_run(other)
        code, out, _ = gankit_cli("report", run, other)
        assert code == 0
        names.append(Path(out.strip()).name)
    assert names[0] == "report-and-b.html"
    assert all(name.startswith("report-and-b-") for name in names[1:])
    pages = {path.name for path in run.glob("*.html")}
    assert pages == {"report.html", *names}
    assert len(pages) == 4
    assert (run / "report.html").read_text() == "own"


def test_the_page_of_a_checkpoint_has_a_name_of_its_own(gankit_cli, trained, here):
    run = shutil.copytree(trained, here / "run")
    before = (run / "report.html").exists()
    assert gankit_cli("report", run, "--checkpoint", 4).out.strip().endswith("report-step-4.html")
    assert (run / "report-step-4.html").exists()
    assert (run / "report.html").exists() == before


def test_what_cannot_be_a_page_is_refused_before_anything_is_written(gankit_cli, run, tmp_path):
    cases = [
        ([run, "--out", tmp_path / "b.txt"], ["--out", "b.txt", ".html"]),
        ([run, "--out", tmp_path / "no" / "b.html"], ["no", "b.html"]),
        ([tmp_path / "nothing"], ["nothing"]),
        ([run, tmp_path / "nothing"], ["nothing"]),
    ]
    for words, facts in cases:
        code, _, err = gankit_cli("report", *words)
        assert code == 2
        assert all(fact in err for fact in facts), err
    assert not (run / "report.html").exists()


@pytest.mark.parametrize("out", [(), ("--out", "b.html")])
@pytest.mark.parametrize("name", ["doctor.json", "log.csv", "metrics.json"])
def test_a_run_whose_files_lead_out_of_it_is_not_read(gankit_cli, run, tmp_path, here, name, out):
    private = tmp_path / "private"
    private.write_text("[]")
    (run / name).unlink(missing_ok=True)
    (run / name).symlink_to(private)
    code, _, err = gankit_cli("report", run, *out)
    assert code == 2
    assert name in err
    assert not list(tmp_path.rglob("*.html"))


@pytest.mark.parametrize("more", [("--follow",), ("other",)])
def test_a_checkpoint_is_of_one_run_that_has_ended(gankit_cli, run, more):
    words = [run if word == "other" else word for word in more]
    code, out, err = gankit_cli("report", run, *words, "--checkpoint", "best")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "--checkpoint" in err
