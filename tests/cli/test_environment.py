"""Environment variables for the options of `gankit run`: defaults of new runs, and no more."""

import json

import pytest

from gankit import GankitError
from gankit.cli.run.command import read_options


def run_of(registry, monkeypatch, variables, *argv):
    for name, value in variables.items():
        monkeypatch.setenv(f"GANKIT_RUN_{name}", value)
    return read_options(argv, registry)


@pytest.mark.parametrize(
    ("variables", "argv", "expected"),
    [
        ({"LR_G": "5e-5"}, (), {"lr_g": 5e-5, "lr_d": 2e-4}),
        ({"LR_G": "5e-5"}, ("--lr", "1e-4"), {"lr_g": 1e-4, "lr_d": 1e-4}),
        ({"LR": "5e-5"}, ("--lr-g", "1e-4"), {"lr_g": 1e-4, "lr_d": 5e-5}),
        ({"LR": "5e-5", "LR_D": "3e-5"}, (), {"lr_g": 5e-5, "lr_d": 3e-5}),
        ({"KIMG": "3"}, (), {"length": "3 kimg"}),
        ({"KIMG": "3"}, ("--steps", "7"), {"length": "7 steps"}),
        ({"BUDGET": "10m"}, ("--steps", "7"), {"length": "7 steps"}),
        ({"DRY_RUN": "1", "BUDGET": "10m"}, (), {"length": "200 kimg"}),
    ],
)
def test_an_option_overrides_what_a_variable_sets(registry, monkeypatch, variables, argv, expected):
    argv = ("--dataset", "petals", "--model", "dcgan64", *argv)
    run = run_of(registry, monkeypatch, variables, *argv)
    assert {name: getattr(run, name) for name in expected} == expected


def test_an_option_that_another_command_cannot_take_is_refused(registry, monkeypatch):
    with pytest.raises(GankitError, match="--budget works with gankit run only"):
        run_of(registry, monkeypatch, {}, "--budget", "10m")


VARIABLES = {"BUDGET": "10m", "SEED": "7", "LR_G": "5e-5", "TRICKS": "ema", "RECIPE": "small-data"}


def test_variables_change_no_run_that_is_repeated_or_resumed(
    gankit_run, gankit_cli, monkeypatch, here
):
    def settings_of(name):
        record = json.loads((here / name / "run.json").read_text())
        return {key: record[key] for key in ("length", "seed", "lr_g", "tricks")}

    assert gankit_run("--out", "a").code == 0
    before = settings_of("a")
    for name, value in VARIABLES.items():
        monkeypatch.setenv(f"GANKIT_RUN_{name}", value)
    assert gankit_cli("run", "--config", "a/run.json", "--out", "b").code == 0
    assert settings_of("b") == before
    assert gankit_cli("run", "--resume", "a", "--steps", 6).code == 0
    assert settings_of("a") == {**before, "length": "6 steps"}
    assert gankit_run("--out", "c", "--lr", "1e-4", "--model", "dcgan64:base_channels=4").code == 0
    assert settings_of("c") == {**before, "seed": 7, "lr_g": 1e-4, "tricks": ["ema"]}
