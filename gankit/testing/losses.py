"""The contract of a loss."""

import torch

from gankit.core.loss import Loss
from gankit.core.trick import Targets
from gankit.testing.bench import finite


def check(bench):
    for contract in (is_a_loss, gives_numbers, pulls_the_right_way):
        bench.keep_to(contract)
    for contract in (tells_what_it_reads, stays_finite, trains):
        bench.keep_to(contract)


def is_a_loss(bench):
    """it is a gankit.Loss"""
    loss = bench.make()
    if not isinstance(loss, Loss):
        raise ValueError(f"its builder makes a {type(loss).__name__}; wanted is a gankit.Loss")
    for name in ("reads_targets", "pairs", "separable"):
        if not isinstance(getattr(loss, name), bool):
            raise ValueError(f"says {name} = {getattr(loss, name)!r}; wanted is True or False")


def both(loss, real, fake, targets=None):
    """(d_loss, g_loss), as a step asks for them."""
    targets = targets or Targets(torch.ones_like(real), torch.zeros_like(fake))
    return loss.d_loss(real, fake, targets), loss.g_loss(fake, real if loss.pairs else None)


def gives_numbers(bench):
    """both losses are one number with a gradient"""
    try_numbers(bench.make())


def try_numbers(loss):
    """ValueError where one of its losses is no number that a step can work with."""
    real, fake = (torch.tensor(v, requires_grad=True) for v in ([0.3, 2.0, -1.0], [0.7, -3.0, 0.1]))
    for name, value in zip(("d_loss", "g_loss"), both(loss, real, fake), strict=True):
        if not isinstance(value, torch.Tensor) or value.ndim:
            what = tuple(value.shape) if isinstance(value, torch.Tensor) else type(value).__name__
            raise ValueError(f"{name} gives {what}; wanted is one number: end it in .mean()")
        if not value.isfinite():
            raise ValueError(f"{name} is {value.item()}")
        if not value.requires_grad:
            raise ValueError(f"{name} has no gradient: something in it is detached")
    if loss.separable and not apart(loss, real, fake):
        raise ValueError("d_loss weighs reals against fakes: set separable = False")
    shown = loss.opinion(real.detach())
    if shown.shape != real.shape or not (shown.sort().indices == real.sort().indices).all():
        raise ValueError("opinion must give a number for each logit, larger for a larger one")


def apart(loss, real, fake):
    """Whether d_loss is a sum: what D learns from the reals does not depend on the fakes."""
    losses = [both(loss, real, other)[0] for other in (fake, 1 - 2 * fake)]
    pulls = [torch.autograd.grad(value, real, allow_unused=True)[0] for value in losses]
    if pulls[0] is None:
        raise ValueError("d_loss does not look at the reals")
    return torch.allclose(*pulls)


def pulls_the_right_way(bench):
    """D wants its answer up for real and down for fake, G wants it up for fake"""
    loss = bench.make()
    low, high = (torch.full((4,), value, requires_grad=True) for value in (-1.0, 1.0))
    up, down = torch.autograd.grad(both(loss, low, high)[0], (low, high))  # D errs
    (wish,) = torch.autograd.grad(both(loss, high, low)[1], low)  # D is right
    for wrong, what in (
        (up.max() >= 0, "d_loss does not pull D's answers to real pictures up"),
        (down.min() <= 0, "d_loss does not pull D's answers to fakes down"),
        (wish.max() >= 0, "g_loss does not pull D's answers to fakes up"),
    ):
        if wrong:
            raise ValueError(f"{what}: is a sign turned round?")


def tells_what_it_reads(bench):
    """reads_targets, pairs and separable say what is true"""
    loss = bench.make()
    real, fake = torch.tensor([0.3, -0.2]), torch.tensor([-0.4, 0.1])
    plain, smooth = (both(loss, real, fake, Targets(t, 1 - t))[0] for t in (torch.ones(2), real))
    if bool(plain != smooth) != loss.reads_targets:
        truth = "depends on its targets" if plain != smooth else "does not depend on its targets"
        raise ValueError(f"d_loss {truth}: set reads_targets = {not loss.reads_targets}")
    if loss.pairs and loss.g_loss(fake, real) == loss.g_loss(fake, real + 1):
        raise ValueError("g_loss does not look at the reals: set pairs = False, which is cheaper")


def stays_finite(bench):
    """it bears a D that is very sure"""
    for sure in (100.0, -100.0):
        real, fake = (torch.full((2,), v, requires_grad=True) for v in (sure, -sure))
        total = sum(both(bench.make(), real, fake))
        gradients = torch.autograd.grad(total, (real, fake))
        if not total.isfinite() or not all(g.isfinite().all() for g in gradients):
            raise ValueError(f"is not finite for logits of {sure:g}: use softplus, not log sigmoid")


def trains(bench):
    """it trains, in float32 and bf16"""
    for precision in ("32", "bf16"):
        game = bench.game(loss=bench.text, precision=precision)
        for step in range(3):
            finite(game, game.step(step), f"at step {step + 1} (precision {precision})")
