"""What is made during a step is made on the run's device, although no GPU is at hand.

While a step is taken, `meta` is torch's default device. A tensor that is made without a device is
there then, and any operation on it and a tensor of the run, which is on the CPU, fails, as it would
fail for one on the CPU in a run on a GPU.
"""

import pytest
import torch

from gankit import Trick
from gankit.data.batches import Batches
from gankit.training.trial import trick_hooks

LOSSES = {"wasserstein": ("weight-clipping", "wgan-gp")}  # what a trick needs


@pytest.fixture
def elsewhere(trainer_of, monkeypatch):
    """`elsewhere("ema", loss="hinge")`: a trainer that has its pictures and z already."""

    def build(*tricks, **settings):
        trainer = trainer_of(*tricks, **settings)
        batches = [trainer.batches[step] for step in range(2)]
        z = []
        for step in range(2):
            trainer.gan.begin_step(step)
            z.append(trainer.gan.latents(trainer.run.batch_size))
        monkeypatch.setattr(Batches, "__getitem__", lambda self, step: batches[step].clone())
        trainer.gan.latents = lambda count, turn=0: z[trainer.gan.step][:count].clone()
        return trainer

    return build


def pytest_generate_tests(metafunc):
    from gankit.core.parts.registry import load_registry

    for kind in ("trick", "loss", "model"):
        if kind in metafunc.fixturenames:
            names = [spec.name for spec in load_registry().specs(kind)]
            large = ("128", "256", "512", "1024")
            metafunc.parametrize(kind, [name for name in names if not name.endswith(large)])


def take_two_steps(trainer):
    with torch.device("meta"):
        scalars = [trainer.step(step) for step in range(2)]
    assert all(value.isfinite() for value in scalars[1].values())


def test_a_default_device_is_noticed(elsewhere):
    class Careless(Trick):
        def d_input(self, images, gan):
            return images + torch.zeros(images.shape)

    trainer = elsewhere()
    trainer.tricks.append(Careless())
    trainer.gan.d_inputs.append(trainer.tricks[-1].d_input)
    with pytest.raises(RuntimeError, match="meta"):
        take_two_steps(trainer)


def test_tricks(trick, elsewhere):
    loss = next((loss for loss, tricks in LOSSES.items() if trick in tricks), "non-saturating")
    take_two_steps(elsewhere(trick, loss=loss))


def test_losses(loss, elsewhere):
    take_two_steps(elsewhere(loss=loss))


def test_models(model, elsewhere, registry):
    size = registry.find("model", model).settings.get("image_size", 32)
    take_two_steps(elsewhere(model=model, image_size=size))


class Mine(Trick):
    """A trick of a plugin, which gankit tries before a run."""

    def d_input(self, images, gan):
        return images + 0.1 * torch.randn(
            images.shape, generator=gan.draw("mine"), device=images.device
        )

    def targets(self, targets, gan):
        draws = torch.rand(targets.real.shape, generator=gan.draw("t"), device=targets.real.device)
        return targets.real - 0.1 * draws, targets.fake


@pytest.mark.parametrize("check", trick_hooks.CHECKS, ids=lambda check: check.__name__)
def test_the_trial_of_a_trick(check, elsewhere):
    trainer = elsewhere()
    trick = Mine()
    trainer.tricks.append(trick)
    with torch.device("meta"):
        check(trainer, trick)
