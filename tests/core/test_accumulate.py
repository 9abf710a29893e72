"""Micro-batches: the same pictures, the same z, one update, less memory."""

import math

import pytest
import torch

from gankit import GankitError, Trick
from gankit.core.parts.registry import load_registry

# Without batch norm.
PLAIN = {"model": "modern64:base_channels=4", "batch_size": 12, "loss": "non-saturating"}
STEADY = ("ema", "r1", "r2", "historical-averaging", "gradient-clipping:norm=0.1", "smooth-labels")
REGISTRY = load_registry()


class Recorder(Trick):
    """Keeps the gradients and the order of the calls that a trick sees."""

    def __init__(self):
        self.gradients = []
        self.calls = []

    def fakes(self, images, gan):
        self.calls.append(f"fakes {len(images)}")
        return images

    def penalty(self, gan, player, real, fake):
        self.calls.append(f"{player.name} {len(real)}")

    def before_update(self, gan, player):
        self.calls.append(f"{player.name} updates")
        grads = [p.grad.flatten() for p in player.net.parameters() if p.grad is not None]
        self.gradients.append(torch.cat(grads))


def record_step(trainer):
    recorder = Recorder()
    trainer.tricks.append(recorder)
    trainer.step(0)
    return recorder


def weights(trainer):
    """All weights of both players and the sampler, as one vector."""
    nets = (trainer.gan.G.net, trainer.gan.D.net, trainer.gan.sampler)
    return torch.cat([p.detach().flatten() for net in nets for p in net.parameters()])


@pytest.mark.parametrize("loss", [spec.name for spec in REGISTRY.specs("loss")])
@pytest.mark.parametrize("accumulate", [2, 6])
def test_gradients_are_those_of_the_whole_batch(trainer_of, loss, accumulate):
    tricks = [t for t in STEADY if loss in ("non-saturating", "minimax") or t != "smooth-labels"]
    settings = {**PLAIN, "loss": loss, "d_steps": 2}
    whole = record_step(trainer_of(*tricks, **settings)).gradients
    cut = record_step(trainer_of(*tricks, accumulate=accumulate, **settings)).gradients
    assert len(whole) == 3  # D twice, G once
    for of_batch, of_micro_batches in zip(whole, cut, strict=True):
        assert (of_batch - of_micro_batches).norm() < 1e-4 * of_batch.norm()


def test_numbers_and_weights_are_those_of_the_whole_batch(trainer_of):
    whole = trainer_of(*STEADY, **PLAIN)
    cut = trainer_of(*STEADY, accumulate=4, **PLAIN)
    before = weights(whole)
    for step in range(3):
        cut_scalars = cut.step(step)
        for name, value in whole.step(step).items():
            assert float(cut_scalars[name]) == pytest.approx(float(value), rel=1e-3)
    after = weights(whole)
    assert (weights(cut) - after).norm() < 0.01 * (after - before).norm()


def test_tricks_are_called_for_each_micro_batch_and_players_are_updated_once(trainer_of):
    recorder = record_step(trainer_of(accumulate=4))
    d_calls = [*4 * ["fakes 2", "D 2"], "D updates"]
    assert recorder.calls == [*d_calls, *4 * ["G 2"], "G updates"]


@pytest.mark.parametrize("accumulate", [1, 4])
def test_a_batch_begins_once_before_its_first_micro_batch(trainer_of, accumulate):
    class Beginner(Recorder):
        def begin_batch(self, gan, player):
            self.calls.append(f"{player.name} begins")

    trainer = trainer_of(accumulate=accumulate, d_steps=2)
    beginner = Beginner()
    trainer.tricks.append(beginner)
    trainer.step(0)
    size = 8 // accumulate
    of_d = ["D begins", *accumulate * [f"fakes {size}", f"D {size}"], "D updates"]
    of_g = ["G begins", *accumulate * [f"G {size}"], "G updates"]
    assert beginner.calls == [*of_d, *of_d, *of_g]


def test_micro_batches_together_are_the_batch(trainer_of):
    seen = {}
    for accumulate in (1, 4):
        trainer = trainer_of(accumulate=accumulate)
        judged = []
        seen[accumulate] = judged
        trainer.gan.D.net.register_forward_pre_hook(
            lambda net, given, to=judged: to.append(given[0])
        )
        trainer.step(0)
    real = torch.cat(seen[4][0:8:2])
    assert torch.equal(real, seen[1][0])
    assert [len(images) for images in seen[4]] == [2] * 12  # 4 times real and fake, 4 times G's


def test_gs_update_uses_the_fakes_of_ds_update(trainer_of):
    trainer = trainer_of(accumulate=4, **PLAIN | {"batch_size": 8})
    judged = []
    trainer.gan.D.net.register_forward_pre_hook(lambda net, given: judged.append(given[0]))
    trainer.step(0)
    assert torch.equal(torch.cat(judged[1:8:2]), torch.cat(judged[8:]))
    assert all(fake.requires_grad for fake in judged[8:])


def peak_bytes(trainer):
    """The most bytes that are saved for backward at a time, in one step."""
    now = most = 0

    class SavedTensor:
        def __init__(self, tensor):
            nonlocal now, most
            self.tensor = tensor
            now += tensor.nbytes
            most = max(most, now)

        def __del__(self):
            nonlocal now
            now -= self.tensor.nbytes

    with torch.autograd.graph.saved_tensors_hooks(SavedTensor, lambda saved: saved.tensor):
        trainer.step(0)
    return most


def test_memory_is_that_of_a_micro_batch(trainer_of):
    settings = {"batch_size": 32, "model": "dcgan64:base_channels=4", "image_size": 32}
    whole = peak_bytes(trainer_of(**settings))
    assert peak_bytes(trainer_of(accumulate=8, **settings)) < 0.3 * whole


@pytest.mark.parametrize("trick", [spec.name for spec in REGISTRY.specs("trick")])
def test_every_trick_acts_with_micro_batches(trainer_of, trick):
    trainer = trainer_of(trick, accumulate=2, d_steps=2)
    activities = []
    for step in range(4):
        assert all(math.isfinite(float(value)) for value in trainer.step(step).values())
        activities.append(trainer.tricks[0].activity())
    assert any(activities)


def test_a_batch_size_that_is_not_a_multiple_is_refused(trainer_of, gankit_run):
    with pytest.raises(GankitError, match=r"--batch-size.*\b8\b.*\b3\b.*--accumulate"):
        trainer_of(accumulate=3)
    code, _, err = gankit_run("--accumulate", "0")
    assert code == 2
    assert "--accumulate" in err


def test_dry_run_and_command_line_show_the_micro_batches(gankit_run):
    out = gankit_run("--accumulate", "4", "--dry-run").out
    assert "8 in 4 micro-batches, D steps 1" in out
    assert " --accumulate 4 " in out
