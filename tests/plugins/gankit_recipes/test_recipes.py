"""Recipes: all settings of a run by name; options override them."""

import dataclasses
import importlib
import re
import shlex

import pytest

from gankit import GankitError, RecipeSpec, compose, hookimpl, testing
from gankit.cli.run.command import run as run_command
from gankit.cli.show.command import options_of
from gankit.core.parts.choice import Choice
from gankit.core.parts.registry import load_registry
from gankit.core.parts.specs import KINDS

RECIPES = {spec.name: spec for spec in load_registry().specs("recipe")}
PROJECTS = {"flowers102-tf", "flowergan", "cells-art", "art-interactive", "flowers-keras"}


def named_parts(settings):
    """`kind name` of each part in a recipe's settings."""
    for kind in set(KINDS) & set(settings):
        yield f"{kind} {Choice.parse(settings[kind]).name}"
    for text in settings.get("tricks", ()):
        yield f"trick {Choice.parse(text).name}"


def is_registered(registry, part):
    kind, name = part.split()
    return name in {spec.name for spec in registry.specs(kind)}


def test_every_project_has_its_recipe():
    assert set(RECIPES) == PROJECTS | {"small-data"}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_names_parts_that_exist(name, registry):
    assert all(is_registered(registry, part) for part in named_parts(RECIPES[name].settings))


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_becomes_a_run(name, registry):
    settings = RECIPES[name].settings
    by_hand = registry.find("dataset", settings.get("dataset", "petals")).by_hand
    run = compose(registry, recipe=name, **({"data": ["."]} if by_hand else {}))
    for key, value in settings.items():
        assert getattr(run, key) == (0 if value == "auto" else value)


@pytest.mark.parametrize("name", RECIPES)
def test_variants_are_options_of_run(name, registry):
    for label, text in RECIPES[name].variants.items():
        assert re.fullmatch(r"[\w .,'-]+", label)
        context = run_command.make_context("run", shlex.split(text), obj=registry)
        for kind in ("dataset", "model"):
            part = context.params[kind]
            assert not part or is_registered(registry, f"{kind} {Choice.parse(part).name}")


def test_small_data_sets_no_data_set():
    assert "dataset" not in RECIPES["small-data"].settings


# ---------------------------------------------------------------- what overrides what

MINE = """
    @hookimpl
    def register_recipes(register):
        register(RecipeSpec(
            name="mine", summary="my own way", source="me",
            settings={"dataset": "ihc:count=99", "model": "dcgan64-quick", "batch_size": 7,
                      "tricks": ("r1:gamma=1.0", "ema"), "lr_g": 1e-3, "length": "9 epochs"},
            variants={"grey": "--channels 1"},
        ))
"""


class Mine:
    @hookimpl
    def register_recipes(self, register):
        settings = {"dataset": "ihc:count=99", "model": "dcgan64-quick", "batch_size": 7}
        settings |= {"tricks": ("r1:gamma=1.0", "ema"), "lr_g": 1e-3, "length": "9 epochs"}
        about = {"name": "mine", "summary": "my own way", "source": "me"}
        register(RecipeSpec(**about, settings=settings))


@pytest.fixture
def registry_with_mine():
    registry = load_registry()
    assert not registry.load("mine", Mine).error
    return registry


def test_options_override_the_recipe_the_model_and_the_defaults(registry_with_mine):
    registry = registry_with_mine
    model = registry.find("model", "dcgan64-quick").settings
    run = compose(registry, recipe="mine")
    assert run.beta2 == 0.999  # the default
    assert run.lr_d == model["lr_d"] != run.lr_g  # the model
    assert (run.batch_size, run.lr_g, run.length) == (7, 1e-3, "9 epochs")  # the recipe
    assert (run.dataset, run.tricks) == ("ihc:count=99", ("r1:gamma=1.0", "ema"))
    run = compose(registry, recipe="mine", batch_size=5, tricks="none", dataset="petals")
    assert (run.batch_size, run.tricks, run.dataset, run.lr_g) == (5, (), "petals", 1e-3)
    run = compose(registry, recipe="mine", model="dcgan128", batch_size=None)
    assert (run.model, run.image_size, run.batch_size) == ("dcgan128", 128, 7)


def test_an_empty_recipe_is_the_same_as_none(registry_with_mine):
    assert compose(registry_with_mine, recipe=None) == compose(registry_with_mine)
    assert compose(registry_with_mine, recipe="") == compose(registry_with_mine)


def test_an_unknown_recipe():
    with pytest.raises(GankitError, match="'flowrgan'.*'flowergan'"):
        compose(recipe="flowrgan")
    with pytest.raises(GankitError, match="'ema'.*trick"):
        compose(recipe="ema")


def test_a_recipe_of_a_plugin_trains(plugin_file, gankit_cli, here):
    path = plugin_file(MINE)
    argv = ("--image-size", 16, "--model", "dcgan64:base_channels=4", "--steps", 2, "--out", "a")
    code, out, err = gankit_cli("-p", path, "run", "--recipe", "mine", *argv)
    assert (code, err) == (0, "")
    command = out.splitlines()[0]  # repeats it, without a recipe
    assert "--batch-size 7" in command
    assert "--recipe" not in command
    assert re.search("^  r1: ", out, re.M)


@pytest.fixture
def typed(gankit_cli, monkeypatch):
    """`typed("-p", path, "run", ...)`: the Run that a command line asks for; nothing is trained."""
    runs = []
    module = importlib.import_module("gankit.training.train")
    monkeypatch.setattr(module, "train", lambda run, *args, **named: runs.append(run))

    def read(*argv):
        assert gankit_cli(*argv) == (0, "", "")
        return runs.pop()

    return read


def test_the_kit_checks_recipes():
    testing.check_recipe("mine", plugin=Mine, model="dcgan64:base_channels=2")
    for settings, message in (
        ({"batchsize": 7}, "recipe 'odd'.*'batchsize'"),
        ({"dataset": "moon-rocks"}, "dataset 'moon-rocks'"),
        ({"model": "dcgan64:base_channels=2", "loss": "hinge", "tricks": ("smooth-labels",)},
         "loss 'hinge'.*trick 'smooth-labels'"),
    ):  # fmt: skip
        spec = RecipeSpec(name="odd", summary="s", source="s", settings=settings)
        with pytest.raises(testing.BrokenContract, match=message):
            testing.check_recipe(spec)


@pytest.mark.parametrize("name", RECIPES)
def test_bundled_recipes_pass(name):
    testing.check_recipe(name)


def test_what_show_spells_out_is_the_same_run(plugin_file, gankit_cli, typed):
    path = plugin_file(MINE)
    code, out, err = gankit_cli("-p", path, "show", "mine")
    assert (code, err) == (0, "")
    for text in ("recipe mine", "my own way", "batch-size    7", "tricks        r1:gamma=1.0, ema"):
        assert text in out
    (short,) = re.findall(r"^  run it +gankit (.*)$", out, re.M)
    (long,) = re.findall(r"^  the same +gankit (.*)$", out, re.M)
    (grey,) = re.findall(r"^  grey:\n    gankit (.*)$", out, re.M)
    assert "--recipe" not in long
    run = typed("-p", path, *shlex.split(short))
    assert typed("-p", path, *shlex.split(long)) == run
    assert typed("-p", path, *shlex.split(grey)) == dataclasses.replace(run, channels=1)


def test_no_tricks_and_flags_become_options():
    settings = {"tricks": (), "tensorboard": True, "lr_g": 1e-5, "length": "3 kimg"}
    assert options_of(settings) == "--trick none --tensorboard --lr-g 1e-05 --kimg 3"


def test_a_recipe_excludes_a_config_and_a_resumed_run(gankit_cli, trained, here):
    code, _, err = gankit_cli("run", "--recipe", "small-data", "--config", trained)
    assert code == 2
    assert "--config" in err
    assert "--recipe" in err
    code, _, err = gankit_cli("run", "--recipe", "small-data", "--resume", trained)
    assert code == 2
    assert "--recipe" in err


def test_the_shell_completes_recipes(gankit_cli, monkeypatch):
    monkeypatch.setenv("_GANKIT_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "gankit run --recipe flo")
    monkeypatch.setenv("COMP_CWORD", "3")
    argv = {row.partition(",")[2] for row in gankit_cli().out.splitlines()}
    assert argv == {name for name in RECIPES if name.startswith("flo")}


# ---------------------------------------------------------------- lists


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_takes_the_plural_too(kind, gankit_cli):
    plural = "losses" if kind == "loss" else f"{kind}s"
    assert gankit_cli("list", plural) == gankit_cli("list", kind)
    assert gankit_cli("list", plural.upper()).code == 0


def test_recipes_are_listed(gankit_cli):
    out = gankit_cli("list", "recipes").out
    for name, spec in RECIPES.items():
        assert re.search(rf"^[ *] {name} +{re.escape(spec.summary)}$", out, re.M)
