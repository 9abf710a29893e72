"""A batch in pieces: the same pictures, the same z, one update, less memory."""

import math

import pytest
import torch

from gankit import GankitError, Trick
from gankit.core.registry import load_registry

# Without batch norm.
PLAIN = {"model": "modern64:base_channels=4", "batch_size": 12, "loss": "non-saturating"}
STEADY = ("ema", "r1", "r2", "historical-averaging", "gradient-clipping:norm=0.1", "smooth-labels")
REGISTRY = load_registry()


class Look(Trick):
    """Keeps what tricks are shown."""

    def __init__(self):
        self.gradients, self.order = [], []

    def fakes(self, images, gan):
        self.order.append(f"fakes {len(images)}")
        return images

    def penalty(self, gan, player, real, fake):
        self.order.append(f"{player.name} {len(real)}")

    def before_update(self, gan, player):
        self.order.append(f"{player.name} updates")
        grads = [p.grad.flatten() for p in player.net.parameters() if p.grad is not None]
        self.gradients.append(torch.cat(grads))


def looked_at(trainer):
    look = Look()
    trainer.tricks.append(look)
    trainer.step(0)
    return look


def weights(trainer):
    """All weights of both players and the sampler, as one vector."""
    nets = (trainer.gan.G.net, trainer.gan.D.net, trainer.gan.sampler)
    return torch.cat([p.detach().flatten() for net in nets for p in net.parameters()])


@pytest.mark.parametrize("loss", [spec.name for spec in REGISTRY.specs("loss")])
@pytest.mark.parametrize("pieces", [2, 6])
def test_gradients_are_those_of_the_whole_batch(trainer_of, loss, pieces):
    tricks = [t for t in STEADY if loss in ("non-saturating", "minimax") or t != "smooth-labels"]
    asked = {**PLAIN, "loss": loss, "d_steps": 2}
    whole = looked_at(trainer_of(*tricks, **asked)).gradients
    cut = looked_at(trainer_of(*tricks, accumulate=pieces, **asked)).gradients
    assert len(whole) == 3  # D twice, G once
    for one, other in zip(whole, cut, strict=True):
        assert (one - other).norm() < 1e-4 * one.norm()


def test_numbers_and_weights_are_those_of_the_whole_batch(trainer_of):
    whole, cut = trainer_of(*STEADY, **PLAIN), trainer_of(*STEADY, accumulate=4, **PLAIN)
    began = weights(whole)
    for step in range(3):
        ours, theirs = cut.step(step), whole.step(step)
        for name, value in theirs.items():
            assert float(ours[name]) == pytest.approx(float(value), rel=1e-3)
    ended = weights(whole)
    assert (weights(cut) - ended).norm() < 0.01 * (ended - began).norm()


def test_tricks_are_asked_for_each_piece_and_players_move_once(trainer_of):
    look = looked_at(trainer_of(accumulate=4))
    a_piece, d_step = ["fakes 2", "D 2"], ["D updates"]
    assert look.order == [*4 * a_piece, *d_step, *4 * ["G 2"], "G updates"]


def test_pieces_together_are_the_batch(trainer_of):
    seen = {}
    for pieces in (1, 4):
        trainer = trainer_of(accumulate=pieces)
        seen[pieces] = judged = []
        trainer.gan.D.net.register_forward_pre_hook(
            lambda net, given, to=judged: to.append(given[0])
        )
        trainer.step(0)
    real = torch.cat(seen[4][0:8:2])
    assert torch.equal(real, seen[1][0])
    assert [len(images) for images in seen[4]] == [2] * 12  # 4 times real and fake, 4 times G's


def test_gs_step_sees_the_fakes_that_d_has_learnt_from(trainer_of):
    trainer, judged = trainer_of(accumulate=4, **PLAIN | {"batch_size": 8}), []
    trainer.gan.D.net.register_forward_pre_hook(lambda net, given: judged.append(given[0]))
    trainer.step(0)
    assert torch.equal(torch.cat(judged[1:8:2]), torch.cat(judged[8:]))
    assert all(fake.requires_grad for fake in judged[8:])


def peak(trainer):
    """Bytes that backward passes keep at most at a time, in one step."""
    now = most = 0

    class Kept:
        def __init__(self, tensor):
            nonlocal now, most
            self.tensor, now = tensor, now + tensor.nbytes
            most = max(most, now)

        def __del__(self):
            nonlocal now
            now -= self.tensor.nbytes

    with torch.autograd.graph.saved_tensors_hooks(Kept, lambda kept: kept.tensor):
        trainer.step(0)
    return most


def test_memory_is_that_of_a_piece(trainer_of):
    asked = {"batch_size": 32, "model": "dcgan64:base_channels=4", "image_size": 32}
    whole, pieces = peak(trainer_of(**asked)), peak(trainer_of(accumulate=8, **asked))
    assert pieces < 0.3 * whole


@pytest.mark.parametrize("trick", [spec.name for spec in REGISTRY.specs("trick")])
def test_every_trick_acts_in_pieces(trainer_of, trick):
    trainer = trainer_of(trick, accumulate=2, d_steps=2)
    said = []
    for step in range(4):
        assert all(math.isfinite(float(value)) for value in trainer.step(step).values())
        said.append(trainer.tricks[0].activity())
    assert any(said)


def test_a_batch_that_cannot_be_cut_is_refused(trainer_of, gankit_run):
    with pytest.raises(GankitError, match=r"a multiple of 3: processes \(1\) times --accumulate"):
        trainer_of(accumulate=3)
    code, _, err = gankit_run("--accumulate", "0")
    assert (code, err) == (2, "gankit: --accumulate is 0; it must be 1 or more\n")


def test_dry_run_and_command_line_name_the_pieces(gankit_run):
    out = gankit_run("--accumulate", "4", "--dry-run").out
    assert "8 in 4 micro-batches, D steps 1" in out
    assert " --accumulate 4 " in out
