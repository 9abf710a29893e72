"""compose: your settings override the recipe's, the model's, and the defaults."""

import dataclasses
import inspect
import json
import shlex

import pytest

import gankit
from gankit import GankitError, ModelSpec, Trick, compose
from gankit.cli.run.command import read_options
from gankit.core.parts.registry import import_file, load_registry
from gankit.training.budget.phase_costs import PhaseCosts
from gankit.training.run_folder.run_file import load_run


def hashes(folder):
    """The sha256 of a run's newest networks and optimisers."""
    newest = sorted((folder / "checkpoints").glob("step-*"))[-1]
    return json.loads((newest / "manifest.json").read_text())["sha256"]


def test_no_settings_give_the_defaults(registry):
    run = compose(registry)
    assert run.dataset == registry.default("dataset") == "petals"
    assert run.model == registry.default("model")
    assert run.loss == registry.default("loss") == "non-saturating"
    assert (run.steps, run.out, run.seed, run.device) == (0, "", 0, "auto")


def test_settings_override_the_model_which_overrides_defaults(registry):
    model = registry.find("model", registry.default("model"))
    assert model.settings["batch_size"] != 64  # Run's own default, which the model overrides
    run = compose(registry)
    assert run.batch_size == model.settings["batch_size"]
    assert run.tricks == model.settings["tricks"]
    assert run.length == model.settings["length"]
    assert run.image_size == model.image_size
    assert run.beta2 == 0.999  # set by neither: Run's default
    run = compose(registry, batch_size=7, tricks=["r1"], length="5 steps", image_size=32)
    assert (run.batch_size, run.tricks, run.length, run.image_size) == (7, ("r1",), "5 steps", 32)


def test_a_models_settings_may_name_any_field(installed):
    installed(
        "foreign_model",
        """
        @hookimpl
        def register_models(register):
            register(ModelSpec(
                name="little", summary="s", source="s", image_size=16, generator="dcgan",
                discriminator="dcgan:base_channels=2",
                settings={"loss": "hinge", "tricks": ("spectral-norm",), "d_steps": 2},
            ))
        """,
    )
    registry = load_registry()
    assert isinstance(registry.find("model", "little"), ModelSpec)
    run = compose(registry, model="little:base_channels=4")
    assert (run.loss, run.tricks, run.d_steps) == ("hinge", ("spectral-norm",), 2)
    assert run.generator == run.discriminator == "dcgan:base_channels=4"
    assert compose(registry, model="little", loss="minimax").loss == "minimax"


def test_your_own_pictures_are_trained_with_the_default_recipe(registry, pictures_folder):
    data = str(pictures_folder)
    run = compose(registry, data=data)
    assert run == compose(registry, data=data, recipe=registry.default("recipe"))
    assert run.flip  # a setting of the recipe's own
    assert compose(registry, data=data, flip=False, tricks="r1").tricks == ("r1",)
    assert compose(registry, dataset="petals:count=10").model == registry.default("model")


@pytest.mark.parametrize("named", ["model", "generator", "discriminator"])
def test_a_named_network_replaces_the_default_recipe(registry, pictures_folder, named):
    part = {"model": "dcgan64"}.get(named, "dcgan")
    assert not compose(registry, data=str(pictures_folder), **{named: part}).flip


def test_none_stands_for_the_default(registry):
    assert compose(registry, seed=None, loss=None, tricks=None) == compose(registry)


def test_zero_is_a_setting(registry):
    assert compose(registry, beta1=0.0, lr_g=0).beta1 == 0
    assert compose(registry, lr_g=0).lr_g == 0.0


@pytest.mark.parametrize(
    ("settings", "facts"),
    [
        ({"batchsize": 8}, ("'batchsize'", "'batch_size'")),
        ({"batch_size": "8"}, ("batch_size is '8'", "whole number")),
        ({"batch_size": 8.0}, ("batch_size is 8.0",)),
        ({"batch_size": True}, ("batch_size is True",)),
        ({"lr_g": "fast"}, ("lr_g is 'fast'",)),
        ({"dataset": 3}, ("dataset is 3", "pictures")),
        ({"length": 500}, ("length is 500",)),
        ({"tricks": 5}, ("tricks is 5", "gankit.Trick")),
        ({"tensorboard": 1}, ("tensorboard is 1",)),
        ({"tricks": ["ema", "ema:decay=0.9"]}, ("'ema'", "twice")),
        ({"data": ["x"], "dataset": "petals"}, ("'petals'", "omit data")),
        ({"dataset": "folder"}, ("'folder'", "data=PATH")),
        ({"model": "dcgan64:width=3"}, ("'dcgan64'", "'width'")),
    ],
)
def test_wrong_settings(registry, settings, facts):
    with pytest.raises(GankitError) as error:
        compose(registry, **settings)
    for fact in facts:
        assert fact in str(error.value)
    assert "--" not in str(error.value)


def test_lr_is_of_both_players_unless_one_is_given(registry):
    run = compose(registry, lr=0.01)
    assert (run.lr_g, run.lr_d) == (0.01, 0.01)
    run = compose(registry, lr=0.01, lr_d=0.5)
    assert (run.lr_g, run.lr_d) == (0.01, 0.5)


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        ({"steps": 500}, "500 steps"),
        ({"epochs": 2.5}, "2.5 epochs"),
        ({"kimg": 40}, "40 kimg"),
    ],
)
def test_a_length_is_given_as_on_the_command_line(registry, length, expected):
    run = compose(registry, **length)
    assert (run.length, run.steps) == (expected, 0)


@pytest.mark.parametrize(
    ("length", "facts"),
    [
        ({"steps": 5, "length": "5 steps"}, ("one length", "steps", "budget")),
        ({"steps": 5, "budget": "2min"}, ("one length", "steps", "budget")),
        ({"steps": "5"}, ("steps is '5'", "whole number")),
        ({"steps": 5.5}, ("steps is 5.5", "whole number")),
        ({"steps": True}, ("steps is True", "whole number")),
        ({"kimg": "5"}, ("kimg is '5'", "number")),
        ({"budget": "soon"}, ("budget is 'soon'", "90s")),
        ({"budget": 120}, ("budget is 120", "90s")),
    ],
)
def test_wrong_lengths(registry, length, facts):
    with pytest.raises(GankitError) as error:
        compose(registry, **length)
    for fact in facts:
        assert fact in str(error.value)
    assert "--" not in str(error.value)


def test_a_budget_is_planned_when_the_run_is_trained(registry, tiny, here, monkeypatch):
    costs = PhaseCosts(seconds=(1.0,))
    monkeypatch.setattr(
        "gankit.training.budget.plan_budget.measure_costs", lambda run, *_: (costs, run)
    )
    monkeypatch.setattr("gankit.training.budget.replan.Budget.keep", lambda self, run, *_: run)
    settings = {name: value for name, value in tiny().items() if name != "length"}
    run = compose(registry, **settings, budget="0.1 min", out="run")
    assert run.steps == 0
    record = json.loads((gankit.train(run, registry) / "run.json").read_text())
    assert (record["steps"], record["length"]) == (6, "6 steps")


def test_every_field_of_a_run_is_a_typed_keyword():
    parameters = inspect.signature(compose).parameters
    assert list(parameters)[:2] == ["registry", "recipe"]
    keywords = {name for name, p in parameters.items() if p.kind is p.KEYWORD_ONLY}
    fields = {field.name for field in dataclasses.fields(gankit.Run)}
    assert keywords == fields | {"lr", "epochs", "kimg", "budget", "plugins"}
    for name, parameter in parameters.items():
        assert parameter.annotation not in ("Any", parameter.empty), name
        if name in keywords - {"plugins"}:
            assert f"- {name}: " in compose.__doc__
            assert parameter.annotation.endswith(" | None")


def test_auto_channels_are_as_on_the_command_line(registry):
    assert compose(registry, channels="auto").channels == 0


def test_data_alone_means_the_folder(registry):
    run = compose(registry, data=["here", "there"])
    assert (run.dataset, run.data) == ("folder", ("here", "there"))
    assert compose(registry, data="here").data == ("here",)


def test_a_models_options_go_to_its_networks_and_a_network_may_be_replaced(registry):
    run = compose(registry, model="dcgan64:base_channels=8")
    assert run.generator == run.discriminator == "dcgan:base_channels=8"
    run = compose(registry, model="dcgan64:base_channels=8", discriminator="dcgan:max_channels=16")
    assert (run.generator, run.discriminator) == (
        *("dcgan:base_channels=8", "dcgan:max_channels=16"),
    )


def test_a_registry_need_not_be_given():
    assert compose(seed=3).seed == 3


def test_the_command_line_overrides_the_environment(gankit_run, here, monkeypatch):
    monkeypatch.setenv("GANKIT_RUN_SEED", "17")
    assert gankit_run("--out", "a", "--steps", 1).code == 0
    assert gankit_run("--out", "b", "--steps", 1, "--seed", 3).code == 0
    seeds = [json.loads((here / name / "run.json").read_text())["seed"] for name in "ab"]
    assert seeds == [17, 3]


def test_a_config_repeats_a_run_exactly(trained, gankit_cli, here):
    code, out, err = gankit_cli("run", "--config", trained / "run.json", "--out", "again")
    assert (code, err) == (0, "")
    assert hashes(here / "again") == hashes(trained)
    first, second = (json.loads((f / "run.json").read_text()) for f in (trained, here / "again"))
    assert {key for key in first if first[key] != second[key]} <= {"begun_in"}
    assert "finished" in out


def test_the_command_of_a_run_repeats_it_exactly(trained, gankit_cli, here):
    import shlex

    command = json.loads((trained / "run.json").read_text())["command"]
    words = shlex.split(command)
    assert words[0] == "gankit"
    not_numeric = ("--save-every", 4, "--out", "again")  # no effect on the numbers
    assert gankit_cli(*words[1:], *not_numeric, "--device", "cpu").code == 0
    assert hashes(here / "again")["model.safetensors"] == hashes(trained)["model.safetensors"]


def test_options_override_a_config(trained, gankit_cli, here):
    words = ("run", "--config", trained, "--steps", 2, "--loss", "hinge", "--trick", "none")
    assert gankit_cli(*words, "--out", "other").code == 0
    record = json.loads((here / "other" / "run.json").read_text())
    assert (record["steps"], record["loss"], record["tricks"]) == (2, "hinge", [])
    assert (record["image_size"], record["model"]) == (16, "dcgan64:base_channels=4")


def test_another_model_with_a_config_has_its_own_networks(trained, gankit_cli, here):
    words = ("run", "--config", trained, "--model", "dcgan64:base_channels=2")
    assert gankit_cli(*words, "--image-size", 16, "--out", "other", "--steps", 1).code == 0
    record = json.loads((here / "other" / "run.json").read_text())
    assert record["generator"] == "dcgan:base_channels=2"


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"tricks": ["+r1"]}, ["ema", "noisy-d", "r1"]),
        ({"tricks": "+r1"}, ["ema", "noisy-d", "r1"]),
        ({"tricks": ["none", "+r1"]}, ["r1"]),
        ({"tricks": ["+r1", "blur"]}, ["r1", "blur"]),
        ({"tricks": ["blur", "+r1", "+blur:sigma=2.0"]}, ["blur:sigma=2.0", "r1"]),
        ({"tricks": ["+r1", Trick]}, ["ema", "noisy-d", "r1", "trick"]),
        ({"tricks": [Trick(), "+r1"]}, ["ema", "noisy-d", "trick", "r1"]),
        ({"tricks": ["+", Trick()]}, ["ema", "noisy-d", "trick"]),
        ({"tricks": ["r1", Trick()]}, ["r1", "trick"]),
        ({"tricks": Trick()}, ["trick"]),
        ({"tricks": ["+noisy-d:sigma=0.3", "+r1"]}, ["ema", "noisy-d:sigma=0.3", "r1"]),
        ({"tricks": ()}, []),
        ({"tricks": ["+blur"], "recipe": "adding"}, ["ema", "noisy-d", "r1", "blur"]),
        ({"tricks": ["+blur"], "recipe": "without"}, ["blur"]),
        ({"recipe": "adding"}, ["ema", "noisy-d", "r1"]),
    ],
)
def test_a_trick_with_a_plus_is_added(plugin_file, settings, names):
    source = """
    @hookimpl
    def register_models(register):
        register(ModelSpec(name="two", summary="a", source="b", generator="dcgan",
                           discriminator="dcgan", image_size=64,
                           settings={"tricks": ("ema", "noisy-d")}))

    @hookimpl
    def register_recipes(register):
        for name, tricks in (("adding", ("+r1",)), ("without", ())):
            settings = {"model": "two", "tricks": tricks}
            register(RecipeSpec(name=name, summary="a", source="b", settings=settings))
    """
    registry = load_registry()
    plugin = registry.load("mine", lambda: import_file(plugin_file(source)))
    assert not plugin.error
    run = compose(registry, **{"model": "two", **settings})
    assert list(run.tricks) == names


@pytest.mark.parametrize(
    ("tricks", "is_warned"),
    [
        (("+r1", "blur"), True),
        (("+r1",), False),
        (("r1", "blur"), False),
        (("none", "+r1"), False),
    ],
)
def test_a_warning_says_that_only_some_tricks_have_a_plus(
    gankit_run, plugin_file, tricks, is_warned
):
    model = """
    @hookimpl
    def register_models(register):
        register(ModelSpec(name="two", summary="a", source="b", generator="dcgan:base_channels=4",
                           discriminator="dcgan:base_channels=4", image_size=16,
                           settings={"tricks": ("ema",)}))
    """
    options = [word for trick in tricks for word in ("--trick", trick)]
    answer = gankit_run("--model", "two", *options, "--dry-run", before=("-p", plugin_file(model)))
    assert answer.code == 0
    assert ("+blur" in answer.err and "ema" in answer.err) == is_warned


@pytest.mark.parametrize("name", ["observers", "progress", "stop", "resume"])
def test_what_train_takes_is_not_a_setting(name, trained):
    for call in (compose, lambda **options: gankit.load_run(trained, **options)):
        with pytest.raises(GankitError) as error:
            call(**{name: [5]})
        assert f"train(run, {name}=...)" in str(error.value)


def test_none_is_refused_beside_tricks(registry):
    with pytest.raises(GankitError, match="'none' is given with 'r1' and 'ema': omit it"):
        compose(registry, tricks=["none", "r1", "ema"])


def test_a_trick_with_a_plus_must_exist(registry):
    with pytest.raises(GankitError, match="'emma'.*'ema'"):
        compose(registry, tricks=["+emma"])


def test_a_config_file_and_a_trick_with_a_plus_add_up(gankit_run, here):
    assert gankit_run("--trick", "blur", "--out", "first").code == 0
    answer = gankit_run("--config", "first/run.json", "--trick", "+ema", "--out", "second")
    assert answer.code == 0
    record = json.loads((here / "second" / "run.json").read_text())
    assert record["tricks"] == ["blur", "ema"]
    assert "--trick blur --trick ema" in record["command"]


TEXTS = """
    class Noted(Trick):
        def __init__(self, file: str = "", note: str | None = None, p: float = 1.0):
            self.given = (file, note, p)

        def fakes(self, images, gan):
            return images * 0.9

    @hookimpl
    def register_tricks(register):
        register(TrickSpec(name="noted", summary="s", source="s", build=Noted))
"""


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("noted:file=2024,note=007,p=2", ("2024", "007", 2)),
        ("noted:file=none,note=none", ("none", None, 1.0)),
        ("noted:file='none',note='none'", ("none", "none", 1.0)),
        ("noted:file='a, b:c=d',note=e f", ("a, b:c=d", "e f", 1.0)),
        ('noted:file="it\'s",note=\'a "b", c\'', ("it's", 'a "b", c', 1.0)),
        ("noted:file=,note=' '", ("", " ", 1.0)),
    ],
)
def test_a_text_stays_the_same_in_run_json_and_in_the_command(
    text, given, gankit_run, plugin_file, here
):
    path = plugin_file(TEXTS)
    registry = load_registry()
    registry.load("mine", lambda: import_file(path))
    code, _, err = gankit_run("--trick", text, "--out", "a", before=("-p", path))
    assert (code, err.count("Error")) == (0, 0), err
    command = json.loads((here / "a" / "run.json").read_text(encoding="utf-8"))["command"]
    words = shlex.split(command)
    assert words[:4] == ["gankit", "-p", "mine.py", "run"]
    repeated = read_options(words[4:], registry)
    for run in (compose(registry, tricks=[text]), load_run(here / "a"), repeated):
        (choice,) = run.tricks
        assert registry.make("trick", choice).given == given
        assert choice == registry.check("trick", text)
