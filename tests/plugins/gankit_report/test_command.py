"""`gankit report`: where it writes the page, and what it refuses."""

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
