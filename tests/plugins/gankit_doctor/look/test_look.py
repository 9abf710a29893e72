"""Looks: what they report to log.csv, and that they change nothing."""

import dataclasses

import pytest
import torch
from gankit_doctor.look import look, pictures
from gankit_doctor.look.players import dead_share
from gankit_doctor.look.reference import make_reference

from gankit import compose, load_registry, train
from gankit.data.batches import Batches
from gankit.data.prepare import prepare
from gankit.runs.log import read_log
from gankit.training.checkpoints import checkpoint


@pytest.fixture
def often(monkeypatch):
    """Looks at every fourth step, also in a tiny run."""
    monkeypatch.setattr(look, "PICTURES_BETWEEN", 32)


@pytest.fixture
def run_of(tiny, here):
    def build(name="run", steps=12, **settings):
        return compose(**tiny(length=f"{steps} steps", log_every=2, **settings), out=here / name)

    return build


def without_doctor():
    registry = load_registry()
    registry.plugins = [plugin for plugin in registry.plugins if plugin.name != "doctor"]
    return registry


def weights_of(folder):
    _, saved, _ = checkpoint.load_newest(folder / "checkpoints")
    return {f"{net}/{k}": v for net, tensors in saved.model.items() for k, v in tensors.items()}


def test_looks_are_columns_of_the_log(run_of, often):
    log = read_log(train(run_of()))
    far = [value for value in log["doctor.far"] if value == value]
    assert len(far) == 3
    assert all(0 < value < 1 for value in far)
    assert log["step"][1] == 4
    assert log["doctor.far"][1] == far[0]


def test_zoomed_runs_are_compared_with_zoomed_pictures(run_of):
    """A perfect G draws parts of pictures as large as D sees them; the others are larger things."""
    run = compose(dataset="petals:count=200", image_size=32, holdout=0.3, zoom=2.0)
    prepared = prepare(run, load_registry())
    reference = make_reference(run, prepared, torch.device("cpu"))
    plain = make_reference(dataclasses.replace(run, zoom=1.0), prepared, torch.device("cpu"))
    batches = Batches(prepared.pixels, 64, 5, rows=prepared.train, zoom=run.zoom)
    numbers, _ = pictures.picture_numbers(batches[0], reference, None)
    wrong, _ = pictures.picture_numbers(batches[0], plain, None)
    assert numbers["far"] < 0.7 * wrong["far"]
    assert numbers["texture"] < 0.7 * wrong["texture"]
    assert len(reference.held_out) == len(plain.held_out)


@pytest.mark.parametrize(
    "settings",
    [
        {"tricks": ["ema", "spectral-norm", "r1:every=1"], "loss": "hinge"},
        {"tricks": ["minibatch-stddev", "noisy-d", "dropout-d"], "accumulate": 2},
        {"tricks": ["none"], "d_steps": 2, "precision": "bf16"},
    ],
)
def test_looking_changes_no_bit_of_weights_and_log(run_of, often, settings):
    plain = train(run_of("plain", **settings), registry=without_doctor())
    watched = train(run_of("watched", **settings))
    torch.testing.assert_close(weights_of(plain), weights_of(watched), rtol=0, atol=0)
    logs = [read_log(folder) for folder in (plain, watched)]
    for name in logs[0]:
        if name != "seconds":
            assert str(logs[0][name]) == str(logs[1][name]), name
    grids = [(folder / "samples/000012.png").read_bytes() for folder in (plain, watched)]
    assert grids[0] == grids[1]


def test_no_unit_is_dead_in_a_step_with_infinite_gradients():
    gradient = torch.ones(16, 8)
    gradient[3] = 0
    assert float(dead_share([gradient])) == pytest.approx(1 / 16)
    gradient[5] = torch.inf  # float16 omits this step
    assert float(dead_share([gradient])) == 0
