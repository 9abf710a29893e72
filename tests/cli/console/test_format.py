"""Lines that both views print."""

from types import SimpleNamespace

import pytest

from gankit.cli.console.format import explain_terms


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "runs" / "petals-1"
    folder.mkdir(parents=True)
    (folder / "run.json").touch()
    return SimpleNamespace(folder=folder)


def test_the_first_run_explains_the_terms_in_one_line(run):
    line = explain_terms(run, first_step=0)
    for term in ("G ", "D ", "D(x)", "D(G(z))"):
        assert term in line
    assert len(line) <= 80


def test_a_later_run_does_not(run):
    assert explain_terms(run, first_step=100) == ""
    other = run.folder.with_name("petals-2")
    other.mkdir()
    (other / "run.json").touch()
    assert explain_terms(run, first_step=0) == ""
