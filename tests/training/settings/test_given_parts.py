"""Objects, classes and functions as parts of a run, from Python."""

import dataclasses
import json
import sys

import numpy as np
import pytest
import torch
from torch import nn

import gankit
from gankit import GankitError, Loss, Metric, Trick, compose, hookimpl, load_run, train

SIZE = 16


class G(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(100, 3 * SIZE * SIZE)

    def forward(self, z):
        return self.layer(z).tanh().reshape(-1, 3, SIZE, SIZE)


class D(nn.Module):
    def __init__(self, image_size, channels, width=4):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(channels * image_size**2, width), nn.Linear(width, 1)
        )

    def forward(self, images):
        return self.layers(images).flatten()


class CountSteps(Trick):
    """Its pictures for D depend on how many steps it has counted, so it must not be shared."""

    def __init__(self, size=0.5):
        self.size = size
        self.steps = 0

    def d_input(self, images, gan):
        return images * (1 + self.size * self.steps)

    def after_update(self, gan, player):
        self.steps += player is gan.G

    def activity(self):
        return f"{self.steps} steps"

    def state_dict(self):
        return {"steps": self.steps}

    def load_state_dict(self, state):
        self.steps = state["steps"]


class Hinge(Loss):
    def d_loss(self, real, fake, targets):
        return (1 - real).relu().mean() + (1 + fake).relu().mean()

    def g_loss(self, fake, real):
        return -fake.mean()


class Constant(Metric):
    def score(self, state, generated, reference):
        return 0.25


PIXELS = np.random.RandomState(0).randint(0, 256, (48, SIZE, SIZE, 3), dtype=np.uint8)


def small(**more):
    own = settings(**more)
    return {name: own[name] for name in own.keys() - {"dataset", "model", "loss", "image_size"}}


def settings(**more):
    torch.manual_seed(3)  # for the weights of G
    own = {
        "dataset": PIXELS, "model": (G(), D), "loss": Hinge(), "image_size": SIZE, "batch_size": 4,
        "steps": 6, "save_every": 3, "log_every": 1, "device": "cpu", "precision": "32",
        "threads": 1, "tricks": [CountSteps(0.25)],
    }  # fmt: skip
    return {**own, **more}


@pytest.fixture
def forget(monkeypatch):
    """As in a new process: nothing is known of the runs that this one has begun."""
    return lambda: monkeypatch.setattr("gankit.training.run_folder.run_file._carried_by", {})


def hashes(folder):
    newest = sorted((folder / "checkpoints").glob("step-*"))[-1]
    return json.loads((newest / "manifest.json").read_text())["sha256"]


def refused(call, *arguments, **keywords):
    with pytest.raises(GankitError) as error:
        call(*arguments, **keywords)
    assert "\n" not in str(error.value)
    return str(error.value)


# --- names and fields


def test_the_run_stays_plain_data():
    run = compose(**settings(metrics=[Constant], tricks=["ema", CountSteps(1), CountSteps]))
    assert run.tricks == ("ema", "count-steps", "count-steps-2")
    assert (run.dataset, run.generator, run.discriminator) == ("array", "g", "d")
    assert (run.loss, run.metrics) == ("hinge-2", ("constant",))  # gankit has a hinge
    fields = dataclasses.asdict(run)
    assert json.loads(json.dumps(fields))["tricks"] == ["ema", "count-steps", "count-steps-2"]
    assert run == gankit.Run(**fields)  # what it carries is not compared
    assert dataclasses.replace(run, seed=1).in_python is run.in_python


def test_a_class_may_have_the_name_of_a_column_of_the_log():
    run = compose(**settings(tricks=[type("Step", (Trick,), {})]))
    assert run.tricks == ("step-2",)


def test_a_part_of_its_own_class_has_options(tmp_path):
    run = compose(**settings(tricks=[CountSteps], discriminator=D))
    registry = gankit.core.parts.registry.registry_of(run)
    assert registry.make("discriminator", "d:width=7", image_size=2, channels=1).layers[1]
    assert registry.make("trick", "count-steps:size=0.125").size == 0.125


@pytest.mark.parametrize(
    ("setting", "value", "facts"),
    [
        ("tricks", [Hinge()], ("tricks is <Hinge>", "gankit.Trick")),
        ("tricks", [Hinge], ("tricks is", "Hinge", "gankit.Trick")),
        ("loss", lambda real, fake: fake.mean(), ("real, fake", "gankit.Loss", "d_loss", "g_loss")),
        ("metrics", [lambda a, b: 1.0], ("function of a, b", "gankit.Metric", "score(")),
        ("loss", nn.Linear, ("loss is", "Linear", "gankit.Loss")),
        ("loss", nn.BCEWithLogitsLoss(), ("loss is <BCEWithLogitsLoss>", "gankit.Loss")),
        ("model", (G(), D, D), ("model is", "(G, D)")),
        ("model", G(), ("model is <G>", "(G, D)")),
        ("generator", 5.0, ("generator is 5.0", "Module")),
        ("dataset", PIXELS[0], ("<ndarray of shape (16, 16, 3)>", "(N, H, W, C)")),
        ("dataset", PIXELS / 255, ("float64", "uint8")),
        ("dataset", torch.zeros(3, 2, 8, 8), ("<Tensor of shape (3, 2, 8, 8)>", "(N, C, H, W)")),
        ("dataset", 128 * torch.ones(3, 3, 8, 8), ("128", "[-1, 1]")),
        ("dataset", [], ("dataset is empty",)),
        ("data", PIXELS, ("<ndarray of shape (48, 16, 16, 3)>", "dataset=")),
        ("tricks", ["fog"], ("'fog'", "object of your own")),
        ("dataset", iter(PIXELS), ("dataset is",)),
        ("dataset", torch.utils.data.DataLoader(PIXELS), ("DataLoader", "loader.dataset")),
        ("seed", [torch.zeros(1000)], ("seed is [<Tensor of shape (1000,)>]",)),
    ],
)
def test_what_is_not_a_part_is_refused(setting, value, facts):
    message = refused(compose, **settings(**{setting: value}))
    for fact in facts:
        assert fact in message
    assert "--" not in message


def test_an_object_that_cannot_be_copied_is_refused():
    trick = CountSteps()
    trick.lines = (line for line in ())
    assert "cannot be copied" in refused(compose, **settings(tricks=[trick]))
    made = compose(**settings(tricks=[lambda: CountSteps(0.5)]))
    assert made.tricks == ("lambda",)


# --- data sets


class Labelled(torch.utils.data.Dataset):
    def __init__(self, pictures):
        self.pictures = pictures

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, index):
        return self.pictures[index], 7


FLOATS = torch.from_numpy(PIXELS).permute(0, 3, 1, 2) / 127.5 - 1


@pytest.mark.parametrize(
    "dataset",
    [PIXELS, FLOATS, Labelled(PIXELS), Labelled(FLOATS), list(PIXELS), lambda: PIXELS],
    ids=["array", "tensor", "arrays", "tensors", "list", "function"],
)
def test_every_kind_of_data_set_gives_the_same_pictures(dataset):
    prepared = gankit.prepare(compose(**settings(dataset=dataset, holdout=0.0)))
    assert (np.asarray(prepared.pixels) == PIXELS).all()


def test_data_sets_that_begin_alike_are_not_confused():
    changed = PIXELS.copy()
    changed[20] = 0
    for kind in (lambda pixels: pixels, Labelled):
        runs = [compose(**settings(dataset=kind(pixels))) for pixels in (PIXELS, changed)]
        prints = {gankit.prepare(run).fingerprint for run in runs}
        assert len(prints) == 2


def test_floats_from_0_to_1_are_warned_of(caplog):
    compose(**settings(dataset=FLOATS.abs()))
    assert "2 * images - 1" in caplog.text
    caplog.clear()
    compose(**settings(dataset=FLOATS))
    assert caplog.text == ""


# --- training


def test_training_twice_gives_the_same_and_leaves_your_objects_alone(here):
    trick = CountSteps(0.25)
    run = compose(**settings(tricks=[trick]))
    trick.size = 1000.0
    first, second = train(run), train(run)
    assert hashes(first) == hashes(second)
    assert trick.steps == 0
    same_by_class = train(compose(**settings(tricks=[lambda: CountSteps(0.25)])))
    assert hashes(same_by_class)["model.safetensors"] == hashes(first)["model.safetensors"]


def test_run_json_names_the_parts_that_no_command_can_name(here):
    folder = train(compose(**settings(tricks=["ema", CountSteps()])))
    record = json.loads((folder / "run.json").read_text())
    file = "test_given_parts.py"
    assert record["from_python"] == {
        "dataset array": "numpy.ndarray",
        "model g+d": "the pair (g, d)",
        "generator g": f"G in {file}",
        "discriminator d": f"D in {file}",
        "loss hinge-2": f"Hinge in {file}",
        "trick count-steps": f"CountSteps(size=0.5) in {file}",
    }
    command, _, comment = record["command"].partition("  # ")
    assert "--trick count-steps" in command
    assert f"trick count-steps is CountSteps(size=0.5) in {file}" in comment
    assert "trick ema" not in comment


def test_a_run_is_loaded_measured_and_resumed_in_the_same_process(here):
    whole = train(compose(**settings()))
    half = train(compose(**settings(steps=3)))
    assert train(load_run(half, length="6 steps"), resume=True) == half
    assert hashes(half) == hashes(whole)
    assert gankit.load(half).images(torch.zeros(2, 100)).shape == (2, 3, SIZE, SIZE)
    assert gankit.evaluate(half, "swd", samples=20)[0].step == 6


def test_a_run_is_resumed_in_another_process_with_its_objects(here, forget):
    whole = train(compose(**settings(tricks=["ema", CountSteps(0.25)])))
    half = train(compose(**settings(tricks=["ema", CountSteps(0.25)], steps=3)))
    forget()
    changes = {"model": (G(), D), "loss": Hinge, "dataset": PIXELS}
    run = load_run(half, tricks=["ema", CountSteps(0.25)], length="6 steps", **changes)
    train(run, resume=True)
    assert hashes(half) == hashes(whole)
    record, other = (json.loads((f / "run.json").read_text()) for f in (half, whole))
    assert record["from_python"] == other["from_python"]
    forget()
    with_objects = load_run(half, tricks=["ema", CountSteps], **changes)
    sampler = gankit.load(with_objects)
    assert sampler.step == 6
    assert gankit.evaluate(with_objects, "swd", samples=20)[0].step == 6


def test_an_object_of_other_values_is_warned_of_when_a_run_is_resumed(here, caplog):
    half = train(compose(**settings(steps=2)))
    train(load_run(half, tricks=[CountSteps(0.25)], length="3 steps"), resume=True)
    assert "CountSteps" not in caplog.text
    train(load_run(half, tricks=[CountSteps(0.5)], length="4 steps"), resume=True)
    (warning,) = [r.getMessage() for r in caplog.records if "CountSteps" in r.getMessage()]
    for fact in ("trick 'count-steps'", "size=0.25", "size=0.5"):
        assert fact in warning


def test_a_run_keeps_the_fingerprint_of_its_first_pictures(here, caplog):
    folder = train(compose(**settings(steps=2)))
    before = load_run(folder).fingerprint
    train(load_run(folder, dataset=PIXELS[::-1].copy(), length="3 steps"), resume=True)
    assert "pictures have changed" in caplog.text
    assert load_run(folder).fingerprint == before
    caplog.clear()
    train(load_run(folder, dataset=PIXELS, length="4 steps"), resume=True)
    assert "pictures have changed" not in caplog.text


@pytest.mark.parametrize(
    ("argv", "kinds"),
    [
        (("sample",), ("model", "trick")),
        (("evaluate", "--metric", "swd"), ("model", "trick")),
        (("run", "--resume"), ("dataset", "model", "loss", "trick")),
    ],
)
def test_the_command_line_says_what_is_missing_and_what_to_do(
    here, forget, gankit_cli, argv, kinds
):
    folder = train(compose(**settings(tricks=["ema", CountSteps(0.25)], out="mine")))
    forget()
    code, _, err = gankit_cli(*argv, folder)
    assert code == 2
    assert err.count("\n") == 1
    assert "in Python" in err
    call = err[err.index("gankit.load_run(") :].strip()
    given = {
        "dataset": "dataset=...",
        "model": "generator=G(...), discriminator=D(...)",
        "loss": "loss=Hinge(...)",
        "trick": "tricks=['ema', CountSteps(size=0.25)]",
    }
    for kind, text in given.items():
        assert (text in call) == (kind in kinds)


@pytest.mark.parametrize("text", ["a\nrm -r x", "\x1b[2J", 3, None, "x" * 999])
def test_a_strangers_text_does_not_get_into_the_command(trained, tmp_path, text):
    record = json.loads((trained / "run.json").read_text())
    record["from_python"] = {"trick ema": text}
    (tmp_path / "run.json").write_text(json.dumps(record))
    run = load_run(tmp_path)
    assert run.given_objects() == {}
    assert "#" not in gankit.command_line(run)


def test_a_config_names_a_part_that_was_given_in_python(here, gankit_cli):
    folder = train(compose(dataset="petals:count=64", **small(tricks=[CountSteps]), out="mine"))
    for options in ((), ("--trick", "+ema")):
        code, _, err = gankit_cli("run", "--config", folder / "run.json", *options)
        assert code == 2
        assert err.count("\n") == 1
        for fact in ("trick 'count-steps'", "CountSteps in test_given_parts.py", "--trick"):
            assert fact in err
    again = ("run", "--config", folder, "--trick", "none", "--out", "again", "--steps", "1")
    assert gankit_cli(*again).code == 0


# --- plugins


class Watcher:
    def __init__(self):
        self.seen = []

    @hookimpl
    def step_done(self, step):
        self.seen.append(step)


def test_plugins_may_be_objects_modules_and_files(here, plugin_file):
    path = plugin_file(
        """
        @hookimpl
        def register_tricks(register):
            register(TrickSpec(name="wobble", summary="s", source="s", build=Trick))
        """
    )
    watcher = Watcher()
    run = compose(**settings(plugins=[watcher, path], tricks=["wobble"]))
    folder = train(run)
    assert watcher.seen == [1, 2, 3, 4, 5, 6]
    assert gankit.command_line(run).startswith("gankit -p mine.py run ")
    assert gankit.load(folder).step == 6
    module = sys.modules["gankit_file_mine"]
    assert compose(plugins=[module], tricks=["wobble"]).tricks == ("wobble",)


@pytest.mark.parametrize("plugin", [object(), Hinge(), "absent.py", 5])
def test_what_is_no_plugin_is_refused(plugin, here):
    refused(compose, plugins=[plugin])
