"""The help of `gankit run`: options under headings, with their defaults."""

import re

import click
import pytest

from gankit.cli.grouped_command import default_settings, settings_of_parts
from gankit.cli.run.options import GROUPS
from gankit.core.parts.hookspecs import hookimpl
from gankit.core.parts.registry import Registry
from gankit.core.parts.specs import ModelSpec
from gankit.training.settings.compose import compose

HEADINGS = ["What to train", "Pictures", "Length (one of these)", "Training", "Machine", "Output"]
HEADINGS += ["Other"]


@pytest.fixture
def help_lines(gankit_cli, monkeypatch):
    """`help_lines(80)`: the help at a terminal of 80 columns."""

    def call(columns):
        monkeypatch.setenv("COLUMNS", str(columns))
        code, out, err = gankit_cli("run", "--help")
        assert (code, err) == (0, "")
        return out.splitlines()

    return call


@pytest.fixture
def help_of(help_lines):
    """`help_of("--seed")`: the help of one option, in one line."""
    text = "\n".join(help_lines(200))

    def find(option):
        (about,) = re.findall(rf"^  {option}(?![\w-]).*\n?(?:^ {{20,}}.*\n)*", text, re.MULTILINE)
        return " ".join(about.split())

    return find


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_options_are_under_headings_and_fit_the_terminal(help_lines, columns):
    lines = help_lines(columns)
    assert [line[:-1] for line in lines if re.match(r"[A-Z].*:$", line)] == HEADINGS
    assert max(map(len, lines)) <= columns
    listed = [line.split()[0] for line in lines if line.startswith("  --")]
    assert len(listed) == len(set(listed))
    declared = [option.opts[0] for group in GROUPS.values() for option in group]
    assert listed == [*declared, "--help"]


def test_a_wide_terminal_needs_fewer_lines(help_lines):
    assert len(help_lines(120)) < len(help_lines(80))


def test_defaults_are_those_of_a_run_without_options(help_of, registry):
    run = compose(registry)
    for name in ("model", "dataset", "loss", "background", "fit", "device", "optimizer"):
        assert f"[default: {getattr(run, name)}" in help_of(f"--{name}")
    for name in ("batch_size", "lr_g", "beta2", "seed", "image_size", "keep"):
        option = "--" + name.replace("_", "-")
        assert re.search(rf"\[default: {getattr(run, name):g}\*?\]", help_of(option)), option
    number, unit = run.length.split()
    assert f"[default: {number}*]" in help_of(f"--{unit}")
    assert "[default: no*]" in help_of("--flip")


def test_the_defaults_are_those_of_compose(registry):
    run = vars(compose(registry))
    defaults = default_settings(registry)
    assert {name: run[name] for name in defaults} == defaults


def test_a_star_marks_what_a_model_or_a_recipe_sets(help_of, registry):
    assert {"batch_size", "flip", "zoom", "image_size"} <= settings_of_parts(registry)
    assert "seed" not in settings_of_parts(registry)
    assert "[default: 32*]" in help_of("--batch-size")
    assert "[default: 0]" in help_of("--seed")


def test_a_default_of_zero_says_what_it_means(help_of):
    assert "[default: all*]" in help_of("--subset")
    assert "[default: as many as torch takes]" in help_of("--threads")
    assert "[default: a new one in runs/]" in help_of("--out")


def test_a_default_text_is_not_shown_if_the_default_model_sets_a_number(registry):
    class Plugin:
        @hookimpl
        def register_models(self, register):
            settings = {"save_every": 50, "length": "500 steps"}
            networks = {"generator": "mine", "discriminator": "mine", "image_size": 32}
            model = ModelSpec(
                name="mine", summary="", source="", default=True, settings=settings, **networks
            )
            register(model)

        @hookimpl
        def register_datasets(self, register):
            register(registry.find("dataset", "petals"))

        @hookimpl
        def register_losses(self, register):
            register(registry.find("loss", registry.default("loss")))

    mine = Registry()
    assert mine.load("mine", Plugin).error == ""
    options = {option.name: option for group in GROUPS.values() for option in group}
    assert options["save_every"].format_default(mine) == "50*"
    assert options["steps"].format_default(mine) == "500*"
    assert options["kimg"].format_default(mine) == ""


def test_help_works_without_a_default_model():
    context = click.Context(click.Command("gankit"), obj=Registry())
    for group in GROUPS.values():
        for option in group:
            names, about = option.get_help_record(context)
            assert option.opts[0] in names
            assert option.help in about
