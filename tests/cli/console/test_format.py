"""Lines that both views print."""

from types import SimpleNamespace

import click
import pytest

from gankit.cli.console.format import explain_changes, explain_terms, summarize_outcome
from gankit.training.settings.compose import compose


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


@pytest.mark.parametrize(
    ("settings", "said", "not_said"),
    [
        (
            {"dataset": "ihc", "zoom": 1.5},
            ["flip=False", "1.5 times", "zoom=1"],
            ["dihedral=False"],
        ),
        ({"dataset": "ihc", "flip": False, "zoom": 2}, ["zoom=1"], ["mirrored", "flip=False"]),
        ({"dataset": "ihc", "zoom": 1.0}, ["flip=False"], ["zoom=", "enlarged"]),
        ({"dataset": "ihc", "dihedral": True}, ["rotated", "dihedral=False"], ["flip=False"]),
    ],
)
def test_the_run_says_what_it_does_to_pictures_and_how_to_turn_it_off(settings, said, not_said):
    line = explain_changes(compose(**settings))
    assert [fact for fact in said if fact not in line] == []
    assert [fact for fact in not_said if fact in line] == []


def test_nothing_is_said_of_pictures_that_stay_as_they_are():
    assert explain_changes(compose(dataset="petals")) == ""


def test_the_first_lines_of_a_run_say_it(gankit_run):
    out = gankit_run("--flip", "--zoom", 1.25, "--steps", 1).out
    first_lines = "".join(out.splitlines(keepends=True)[:4])
    assert "--no-flip" in first_lines.partition("\n")[2]
    assert "1.25 times" in first_lines
    assert "--no-flip" in gankit_run("--flip", "--dry-run").out


@pytest.mark.parametrize("commands", [["sample"], ["explore", "sample"]])
def test_a_finished_run_names_what_to_try_next(registry, tiny, monkeypatch, commands):
    """Pictures like one of the grid, and the explorer if it is installed."""
    cli = click.Group(commands=[click.Command(name) for name in commands])
    monkeypatch.setattr("gankit.cli.console.format.new_cli", lambda: cli)
    run = compose(registry, **tiny(out="my run"))
    outcome = {"state": "finished", "step": 4, "seconds": 1, "tricks": {}}
    lines = summarize_outcome(run, 0, outcome)
    (more,) = [line for line in lines if "gankit sample 'my run' --near" in line]
    seed = int(more.rpartition(" ")[2])
    assert seed < 64  # a cell of the grid
    explored = [line for line in lines if "gankit explore 'my run'" in line]
    assert len(explored) == ("explore" in commands)
