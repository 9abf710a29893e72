"""Settings that are fixed for a run, and messages, from Python and from the command line."""

import dataclasses
import json

import pytest

from gankit import GankitError, compose, load_run, train
from gankit.training.checkpoints import checkpoint


@pytest.fixture
def folder(tiny, here):
    run = compose(**tiny(length="2 steps", tricks=["ema"], log_every=1), out="run")
    return train(run)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"latent_dim": 4}, "latent_dim"),
        ({"image_size": 32}, "image_size"),
        ({"seed": 5}, "seed"),
        ({"data_seed": 5}, "data_seed"),
        ({"optimizer": "plain"}, "optimizer"),
    ],
)
def test_a_resumed_run_keeps_its_settings_as_on_the_command_line(
    folder, gankit_cli, changes, named
):
    before = (folder / "run.json").read_bytes()
    with pytest.raises(GankitError, match=f"{named} .*resume=True") as error:
        train(load_run(folder, **changes), resume=True)
    assert "--" not in str(error.value)
    assert (folder / "run.json").read_bytes() == before
    option = {"tricks": "trick"}.get(*[next(iter(changes))] * 2).replace("_", "-")
    code, _, err = gankit_cli("run", "--resume", folder, f"--{option}", *changes.values())
    assert code == 2
    assert "--resume" in err


def test_free_settings_may_change_and_a_new_run_may_have_any(folder):
    train(load_run(folder, steps=3, keep=5, threads=1), resume=True)
    assert checkpoint.list_checkpoints(folder / "checkpoints")[0].name == "step-000003"
    train(load_run(folder, out="new", lr_g=0.01, steps=1))
    assert json.loads((folder.parent / "new" / "run.json").read_text())["lr_g"] == 0.01


def test_a_run_that_is_composed_again_can_be_resumed(folder, tiny):
    settings = tiny(length="3 steps", tricks=["ema"], log_every=1)
    assert train(compose(**settings, out="run"), resume=True) == folder
    resolved = dataclasses.replace(load_run("run"), memory_format="channels-last")
    assert train(resolved, resume=True) == folder
    with pytest.raises(GankitError, match="no.* left .*also give steps=N"):
        train(compose(**settings, beta1=0.1, out="run"), resume=True)


@pytest.mark.parametrize("kind", [str, type(None)])
def test_the_folder_of_a_run_is_enough_to_resume_it(folder, kind):
    given = str(folder) if kind is str else folder
    assert train(given, resume=True).resolve() == folder.resolve()
    with pytest.raises(GankitError, match="run.*resume=True"):
        train(given)


@pytest.mark.parametrize("given", [None, 7, {"dataset": "petals"}, ["run"]])
def test_what_is_not_a_run_is_refused(here, given):
    with pytest.raises(GankitError, match="compose"):
        train(given, resume=True)


def test_messages_name_settings_as_the_caller_writes_them(folder, tiny, gankit_cli):
    def fail():
        train(compose(**tiny(length="2 steps"), out="run"))

    with pytest.raises(GankitError, match="run already holds.*resume=True.* out$"):
        fail()
    with pytest.raises(GankitError, match="steps=N"):
        train(load_run(folder, steps=1), resume=True)
    code, _, err = gankit_cli("run", "--resume", folder, "--steps", 1)
    assert code == 2
    assert "--steps" in err


def test_the_last_lines_name_what_works_for_a_run_of_objects(tiny, here, capsys):
    from gankit_tricks.ema import EMA

    run = compose(**tiny(length="4 steps", log_every=1, tricks=[EMA(0.5)]), out="run")
    answers = iter([False, True])
    train(run, stop=lambda: next(answers))
    out = capsys.readouterr().out
    assert "resume:   gankit.train('run', resume=True)" in out
    train("run", resume=True)
    out = capsys.readouterr().out
    assert "gankit.load('run')" in out
    assert "gankit sample" not in out
    train("run", resume=True)
    assert "longer with steps=N" in capsys.readouterr().out
