"""Run: plain data that is written as a command line and parsed again."""

import dataclasses
import importlib
import json
import shlex

import pytest

import gankit
from gankit import GankitError, compose
from gankit.core.run.settings import Run, option, parse_length
from gankit.training.run_folder.run_file import read_run

PARTS = {
    "dataset": "petals",
    "model": "dcgan64",
    "generator": "dcgan",
    "discriminator": "dcgan",
    "loss": "hinge",
}
# Fields that may differ when a command is repeated: those of its length and of the machine.
MAY_DIFFER = (
    "length",
    "steps",
    "out",
    "device",
    "threads",
    "draw_every",
    "save_every",
    "fingerprint",
)


@pytest.fixture
def typed(gankit_cli, monkeypatch):
    """`typed("run --seed 3")`: the Run of a command line; nothing is trained."""
    runs = []
    module = importlib.import_module("gankit.training.train")
    monkeypatch.setattr(module, "train", lambda run, *args, **named: runs.append(run))

    def read(command):
        words = shlex.split(command)
        answer = gankit_cli(*words[words.index("run") :])
        assert answer == (0, "", "")
        return runs.pop()

    return read


def test_a_run_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Run(**PARTS).seed = 3


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("batch_size", 0),
        ("batch_size", -8),
        ("d_steps", 0),
        ("accumulate", 0),
        ("latent_dim", 0),
        ("channels", 2),
        ("channels", 5),
        ("image_size", 0),
        ("image_size", -16),
        ("seed", -1),
        ("steps", -1),
        ("threads", -1),
        ("log_every", 0),
        ("draw_every", -1),
        ("save_every", -1),
        ("keep", 0),
        ("lr_g", -1e-3),
        ("lr_d", 1.0),
        ("lr_d", float("nan")),
        ("lr_g", float("inf")),
        ("beta1", 1.0),
        ("beta2", -0.1),
        ("memory_format", "sideways"),
        ("convolutions", "quick"),
        ("optimizer", "sgd"),
        ("precision", "half"),
    ],
)
def test_a_value_out_of_bounds_is_named(field, value):
    with pytest.raises(GankitError) as error:
        Run(**PARTS, **{field: value})
    assert option(field) in str(error.value)
    assert str(value) in str(error.value)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("500 steps", (500, "steps")),
        ("10 epochs", (10, "epochs")),
        ("0.5 epochs", (0.5, "epochs")),
        ("40 kimg", (40, "kimg")),
        ("40kimg", (40, "kimg")),
        (" 2.5 kimg ", (2.5, "kimg")),
    ],
)
def test_lengths(text, length):
    assert parse_length(text) == length


@pytest.mark.parametrize(
    "text", ["", "10", "steps", "0 steps", "-5 steps", "ten steps", "1e3 steps", "10 days"]
)
def test_a_wrong_length_is_quoted(text):
    with pytest.raises(GankitError, match=f"{text!r}.*500 steps"):
        Run(**PARTS, length=text)


@pytest.mark.parametrize(
    ("field", "name"),
    [("tricks", "--trick"), ("batch_size", "--batch-size"), ("lr_g", "--lr-g"), ("out", "--out")],
)
def test_the_option_of_a_field(field, name):
    assert option(field) == name


COMMANDS = {
    "the default": {},
    "a model without tricks": {"model": "dcgan64"},
    "a model with options": {"model": "dcgan128:base_channels=8,max_channels=64"},
    "no tricks where the model has some": {"tricks": "none"},
    "other tricks": {"tricks": ["noisy-d:sigma=0.05,until=0.5", "r1:gamma=1,every=4"]},
    "one network replaced": {"model": "dcgan64", "generator": "dcgan:base_channels=8"},
    "the default batch of Run, not the model's": {"batch_size": 64},
    "another batch": {"batch_size": 16},
    "another size": {"model": "dcgan64", "image_size": 32},
    "grey": {"channels": 1, "latent_dim": 32},
    "rates": {"lr_g": 1e-5, "lr_d": 4e-4, "beta1": 0.0, "beta2": 0.9},
    "flags": {"tensorboard": True, "optimizer": "plain", "memory_format": "contiguous"},
    "numbers": {"seed": 12345678901, "d_steps": 5, "keep": 7, "log_every": 3},
    "a loss": {"loss": "wasserstein", "tricks": "spectral-norm"},
    "data with spaces": {"dataset": "folder", "data": ["my pictures", "it's"]},
    "a data set with options": {"dataset": "petals:count=99,seed=3"},
    "precision": {"precision": "bf16"},
    "convolutions": {"convolutions": "fast"},
    "classes": {"class_labels": True, "balance_classes": True},
}


@pytest.mark.parametrize("what", COMMANDS)
def test_the_command_of_a_run_gives_the_same_run(what, registry, typed):
    run = dataclasses.replace(compose(registry, **COMMANDS[what]), steps=1234567)
    again = typed(gankit.command_line(run))
    assert again.length == "1234567 steps"
    for field in dataclasses.fields(Run):
        if field.name not in MAY_DIFFER:
            assert getattr(again, field.name) == getattr(run, field.name), field.name


def test_a_run_that_was_trained_is_repeated_by_its_command(trained, typed):
    record = read_run(trained)
    again = dataclasses.asdict(typed(json.loads((trained / "run.json").read_text())["command"]))
    differs = {key for key, value in record.items() if again[key] != value}
    assert differs <= set(MAY_DIFFER)


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        ("--steps 3000000", "length", "3000000 steps"),
        ("--epochs 2.5", "length", "2.5 epochs"),
        ("--kimg 40", "length", "40 kimg"),
        ("--lr 0.001", "lr_g", 0.001),
        ("--lr 0.001", "lr_d", 0.001),
        ("--lr 0.001 --lr-g 0.01", "lr_g", 0.01),
        ("--lr 0.001 --lr-g 0.01", "lr_d", 0.001),
        ("--trick ema --trick r1", "tricks", ("ema", "r1")),
        ("--tensorboard", "tensorboard", True),
        ("--convolutions plain", "convolutions", "plain"),
    ],
)
def test_short_options_set_fields(typed, words, field, value):
    assert getattr(typed(f"gankit run {words}"), field) == value
