"""Loading the run of a folder in Python, with changed settings."""

import pytest

from gankit import GankitError, compose, load_run
from gankit.training.run_file import write_run


@pytest.fixture
def folder(registry, tmp_path):
    run = compose(registry, tricks=["ema", "r1"], steps=8, out=tmp_path / "run")
    run.folder.mkdir()
    write_run(run)
    return run.folder


def test_a_plus_adds_to_the_tricks_of_the_run(folder):
    assert load_run(folder, tricks="+noisy-d").tricks == ("ema", "r1", "noisy-d")
    assert load_run(folder, tricks=["+r1:gamma=2.0"]).tricks == ("ema", "r1:gamma=2.0")
    assert load_run(folder, tricks=["noisy-d"]).tricks == ("noisy-d",)


@pytest.mark.parametrize("changes", [{"steps": 20}, {"length": "20 steps"}])
def test_a_new_length_in_steps_is_known_at_once(folder, changes):
    run = load_run(folder, **changes)
    assert (run.length, run.steps) == ("20 steps", 20)


def test_short_forms_mean_what_they_mean_in_compose(folder):
    run = load_run(folder, lr=0.001, kimg=4)
    assert (run.lr_g, run.lr_d, run.length) == (0.001, 0.001, "4 kimg")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"budget": "2min"}, "budget"),
        ({"steps": 10, "length": "20 steps"}, " steps,"),
        ({"stepz": 10}, "stepz"),
        ({"length": "soon"}, "soon"),
    ],
)
def test_a_wrong_change_is_named(folder, changes, named):
    with pytest.raises(GankitError, match=named):
        load_run(folder, **changes)
