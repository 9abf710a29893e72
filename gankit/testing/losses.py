"""The contract of a loss."""

from __future__ import annotations

import torch
from torch import Tensor

from gankit.core.loss import Loss
from gankit.core.trick import Targets
from gankit.testing.bench import Bench, finite


def check(bench: Bench) -> None:
    for contract in (is_a_loss, gives_numbers, pulls_the_right_way):
        bench.keep_to(contract)
    for contract in (tells_what_it_reads, stays_finite, trains):
        bench.keep_to(contract)


def is_a_loss(bench: Bench) -> None:
    """it is a gankit.Loss"""
    loss = bench.make()
    if not isinstance(loss, Loss):
        raise ValueError(f"its builder makes a {type(loss).__name__}; wanted is a gankit.Loss")
    for name in ("reads_targets", "pairs", "separable"):
        if not isinstance(getattr(loss, name), bool):
            raise ValueError(f"says {name} = {getattr(loss, name)!r}; wanted is True or False")


def d_loss(loss: Loss, real: Tensor, fake: Tensor) -> Tensor:
    """D's loss with the targets 1 and 0, as a step asks for it."""
    return loss.d_loss(real, fake, Targets(torch.ones_like(real), torch.zeros_like(fake)))


def g_loss(loss: Loss, real: Tensor, fake: Tensor) -> Tensor:
    """G's loss, as a step asks for it."""
    return loss.g_loss(fake, real if loss.pairs else None)


def gives_numbers(bench: Bench) -> None:
    """both losses are one number with a gradient"""
    try_numbers(bench.make())


def try_numbers(loss: Loss) -> None:
    """ValueError where one of its losses is no number that a step can work with."""
    real = torch.tensor([0.3, 2.0, -1.0], requires_grad=True)
    fake = torch.tensor([0.7, -3.0, 0.1], requires_grad=True)
    losses = {"d_loss": d_loss(loss, real, fake), "g_loss": g_loss(loss, real, fake)}
    for name, value in losses.items():
        if not isinstance(value, torch.Tensor) or value.ndim:
            what = tuple(value.shape) if isinstance(value, torch.Tensor) else type(value).__name__
            raise ValueError(f"{name} gives {what}; wanted is one number: end it in .mean()")
        if not value.isfinite():
            raise ValueError(f"{name} is {value.item()}")
        if not value.requires_grad:
            raise ValueError(f"{name} has no gradient: something in it is detached")
    if loss.separable and not is_separable(loss, real, fake):
        raise ValueError("d_loss weighs reals against fakes: set separable = False")
    shown = loss.score(real.detach())
    if shown.shape != real.shape or not (shown.sort().indices == real.sort().indices).all():
        raise ValueError("score must give a number for each logit, larger for a larger one")


def is_separable(loss: Loss, real: Tensor, fake: Tensor) -> bool:
    """Whether d_loss is a sum: what D learns from the reals does not depend on the fakes."""
    losses = [d_loss(loss, real, logits) for logits in (fake, 1 - 2 * fake)]
    slopes = [torch.autograd.grad(value, real, allow_unused=True)[0] for value in losses]
    if slopes[0] is None:
        raise ValueError("d_loss does not look at the reals")
    return torch.allclose(slopes[0], slopes[1])


def pulls_the_right_way(bench: Bench) -> None:
    """D wants its answer up for real and down for fake, G wants it up for fake"""
    loss = bench.make()
    low = torch.full((4,), -1.0, requires_grad=True)
    high = torch.full((4,), 1.0, requires_grad=True)
    up, down = torch.autograd.grad(d_loss(loss, low, high), (low, high))  # D errs
    (wish,) = torch.autograd.grad(g_loss(loss, high, low), low)  # D is right
    for wrong, what in (
        (up.max() >= 0, "d_loss does not pull D's answers to real pictures up"),
        (down.min() <= 0, "d_loss does not pull D's answers to fakes down"),
        (wish.max() >= 0, "g_loss does not pull D's answers to fakes up"),
    ):
        if wrong:
            raise ValueError(f"{what}: is a sign turned round?")


def tells_what_it_reads(bench: Bench) -> None:
    """reads_targets, pairs and separable say what is true"""
    loss = bench.make()
    real, fake = torch.tensor([0.3, -0.2]), torch.tensor([-0.4, 0.1])
    plain = loss.d_loss(real, fake, Targets(torch.ones(2), torch.zeros(2)))
    smooth = loss.d_loss(real, fake, Targets(real, 1 - real))
    if bool(plain != smooth) != loss.reads_targets:
        truth = "depends on its targets" if plain != smooth else "does not depend on its targets"
        raise ValueError(f"d_loss {truth}: set reads_targets = {not loss.reads_targets}")
    if loss.pairs and loss.g_loss(fake, real) == loss.g_loss(fake, real + 1):
        raise ValueError("g_loss does not look at the reals: set pairs = False, which is cheaper")


def stays_finite(bench: Bench) -> None:
    """it bears a D that is very sure"""
    for sure in (100.0, -100.0):
        loss = bench.make()
        real = torch.full((2,), sure, requires_grad=True)
        fake = torch.full((2,), -sure, requires_grad=True)
        total = d_loss(loss, real, fake) + g_loss(loss, real, fake)
        gradients = torch.autograd.grad(total, (real, fake))
        if not total.isfinite() or not all(g.isfinite().all() for g in gradients):
            raise ValueError(f"is not finite for logits of {sure:g}: use softplus, not log sigmoid")


def trains(bench: Bench) -> None:
    """it trains, in float32 and bf16"""
    for precision in ("32", "bf16"):
        trainer = bench.trainer(loss=bench.text, precision=precision)
        for step in range(3):
            finite(trainer, trainer.step(step), f"at step {step + 1} (precision {precision})")
