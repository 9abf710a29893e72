"""Lesson 1, written by hand, equals the core bit for bit; lesson 2 says so."""

from types import SimpleNamespace

import pytest
import torch
from PIL import Image

import gankit
from gankit.training import assemble
from gankit.training.compose import compose

LESSONS = {  # the answers to their exercises: right ones, wrong ones
    1: (["0.325"], ["0"]),
    2: (["'flip-labels:which=both,p=0.2'"], ["'flip-labels:p=0.2'"]),
}
STEPS = 8
LESSON_1 = {
    "dataset": "petals",
    "model": "dcgan64:base_channels=32",
    "loss": "non-saturating",
    "tricks": "none",
    "batch_size": 32,
    "seed": 0,
    "holdout": 0.0,
    "optimizer": "plain",
    "memory_format": "contiguous",
    "convolutions": "plain",
    "precision": "32",
    "device": "cpu",
}


@pytest.fixture(scope="module")
def core(registry):
    """The same run through the core, one `Trainer.step` after another."""
    run = compose(registry, **LESSON_1, steps=STEPS)
    prepared = gankit.prepare(run, registry, lambda done, total: None)
    trainer = assemble.assemble(assemble.resolve_auto(run, prepared), registry, prepared)
    scalars = [trainer.step(step) for step in range(STEPS)]
    history = [(s["d_loss"].item(), s["g_loss"].item()) for s in scalars]
    return SimpleNamespace(trainer=trainer, history=history)


def test_picture_and_exercise(number, keeps_its_promises):
    keeps_its_promises(number, *LESSONS[number])


def test_1_has_the_losses_of_the_core(lesson, core):
    history = lesson(1).found["history"]
    assert len(history) == STEPS
    assert history == core.history  # floats, every bit


@pytest.mark.parametrize("player", ["G", "D"])
def test_1_ends_with_the_weights_of_the_core(lesson, core, player):
    by_hand = lesson(1).found[player].state_dict()
    through_gankit = getattr(core.trainer.gan, player).net.state_dict()
    assert list(by_hand) == list(through_gankit)
    for name, tensor in by_hand.items():
        assert torch.equal(tensor, through_gankit[name]), name


def test_1_teaches_both_networks_something(lesson, core, registry):
    fresh, _ = assemble.build_gan(core.trainer.run, registry)
    for player in ("G", "D"):
        before = dict(getattr(fresh, player).net.named_parameters())
        after = lesson(1).found[player].named_parameters()
        assert not any(torch.equal(tensor, before[name]) for name, tensor in after)


def test_1_leaves_its_picture(lesson):
    with Image.open(lesson(1).folder / "lesson-01.png") as picture:
        assert picture.size == (512, 512)


def test_2_gets_the_same_numbers_and_leaves_its_picture(lesson):
    said = lesson(2).said
    assert f"{STEPS} steps by hand and through gankit: equal" in said
    for did in ("noisy-d: sigma 0", "smooth-labels: targets 0.9", "ema: decay 0."):
        assert did in said
    with Image.open(lesson(2).folder / "lesson-02.png") as picture:
        assert picture.width == 2 * picture.height + 16
