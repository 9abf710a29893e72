"""Lesson 1, written by hand, equals the core bit for bit; lesson 2 says so."""

from types import SimpleNamespace

import pytest
import torch
from PIL import Image

import gankit
from gankit.training import assemble
from gankit.training.settings.compose import compose

LESSONS = {  # the answers to their exercises: right ones, wrong ones
    1: (["(0.33, 1.61)"], ["(0.33, 0.22)"]),
    2: (["'flip-labels:which=both,p=0.2'"], ["'flip-labels:p=0.2'"]),
}
STEPS = 8
LESSON_1 = {
    "dataset": "petals",
    "model": "dcgan64:base_channels=16",
    "loss": "non-saturating",
    "tricks": "none",
    "batch_size": 32,
    "lr_g": 5e-4,
    "lr_d": 5e-4,
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


def test_picture_and_exercise(number, check_picture_and_answers):
    check_picture_and_answers(number, *LESSONS[number])


def test_1_has_the_losses_of_the_core(lesson, core):
    history = lesson(1).variables["history"]
    assert len(history) == STEPS
    assert history == core.history  # floats, every bit


@pytest.mark.parametrize("player", ["G", "D"])
def test_1_ends_with_the_weights_of_the_core(lesson, core, player):
    by_hand = lesson(1).variables[player].state_dict()
    through_gankit = getattr(core.trainer.gan, player).net.state_dict()
    assert len(by_hand) == len(through_gankit)
    tensor_pairs = zip(by_hand.items(), through_gankit.values(), strict=True)
    for (name, tensor), core_tensor in tensor_pairs:  # the same layers under other names
        assert torch.equal(tensor, core_tensor), name


def test_1_trains_every_weight_of_both_networks(lesson, core, registry):
    untrained, _ = assemble.build_gan(core.trainer.run, registry)
    for player in ("G", "D"):
        before = getattr(untrained, player).net.parameters()
        after = lesson(1).variables[player].named_parameters()
        for (name, tensor), initial in zip(after, before, strict=True):
            assert not torch.equal(tensor, initial), name


def test_1_leaves_real_flowers_the_way_and_the_result(lesson):
    for name in ("lesson-01-real.png", "lesson-01.png"):
        with Image.open(lesson(1).folder / name) as picture:
            assert picture.size == (530, 530)
    assert len(lesson(1).variables["progress"]) == 8
    with Image.open(lesson(1).folder / "lesson-01-progress.png") as picture:
        assert picture.width > 3 * 266


def test_1_says_where_its_pictures_are(lesson):
    for name in ("lesson-01-real.png", "lesson-01-progress.png", "lesson-01.png"):
        assert str((lesson(1).folder / name).resolve()) in lesson(1).output


def test_2_gets_the_same_numbers_and_leaves_its_picture(lesson):
    said = lesson(2).output
    assert f"{STEPS} steps by hand and through gankit: equal" in said
    for did in ("noisy-d: sigma 0", "smooth-labels: targets 0.9", "ema: decay 0."):
        assert did in said
    with Image.open(lesson(2).folder / "lesson-02.png") as picture:
        assert picture.width > 2 * 530  # both grids, side by side
