"""Loading the run of a folder in Python, with changed settings."""

import dataclasses

import pytest

from gankit import GankitError, compose, load_run
from gankit.cli.run.from_options import new_run
from gankit.core.run.stage import Stage
from gankit.training.run_folder.run_file import write_run


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


def test_a_new_run_is_that_of_the_command_line_with_changes_in_all_stages(
    registry, folder, tmp_path
):
    before = {"lr_g": 2e-4, "tricks": ("ema",)}
    recorded = dataclasses.replace(load_run(folder), lr_g=1e-4, stages=(Stage(3, before),))
    write_run(recorded)
    new = load_run(folder, out=tmp_path / "new", lr_g=5e-5, tricks="+noisy-d")
    options = {"out": str(tmp_path / "new"), "lr_g": 5e-5, "tricks": ("+noisy-d",)}
    assert new == new_run(registry, folder / "run.json", options)
    assert (new.at(0).lr_g, new.lr_g) == (5e-5, 5e-5)
    assert (new.at(0).tricks, new.tricks) == (("ema", "noisy-d"), ("ema", "r1", "noisy-d"))
    assert load_run(folder, lr_g=5e-5).at(0).lr_g == 2e-4  # as it is resumed
    bare = load_run(folder, out=tmp_path / "new", tricks="none")
    assert (bare.at(0).tricks, bare.tricks) == ((), ())
    networks = load_run(folder, out=tmp_path / "new", model="dcgan128")
    assert (networks.generator.name, networks.image_size) == ("dcgan", 128)


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
