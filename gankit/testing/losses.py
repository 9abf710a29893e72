"""Checks of a loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gankit.core.contracts.loss import Loss
from gankit.core.contracts.trick import Targets
from gankit.testing.harness import (
    Harness,
    Setting,
    open_harness,
)
from gankit.training.checks.loss import compute_d_loss, compute_g_loss, require_valid_loss
from gankit.training.trial.trial_step import require_finite

if TYPE_CHECKING:
    from gankit.training.settings.compose import Part


def check_loss(part: Part[Loss], *, plugin: object | None = None, **run: Setting) -> None:
    """Losses are finite scalars, gradients have the right signs, and its flags are right."""
    with open_harness("loss", part, plugin, run) as harness:
        harness.check_all(
            check_attributes,
            check_values,
            check_gradient_signs,
            check_flags,
            check_extreme_logits,
            check_training,
        )


def check_attributes(harness: Harness) -> None:
    """it is a gankit.Loss"""
    loss = harness.make_instance(Loss)
    for name in ("reads_targets", "pairs", "separable"):
        value: object = getattr(loss, name)
        if not isinstance(value, bool):
            raise ValueError(f"{name} is {value!r}; expected True or False")


def check_values(harness: Harness) -> None:
    """both losses are scalars with a gradient"""
    require_valid_loss(harness.make())


def check_gradient_signs(harness: Harness) -> None:
    """d_loss pushes D's logits for reals up and for fakes down, and g_loss those for fakes up"""
    loss = harness.make()
    low = torch.full((4,), -1.0, requires_grad=True)
    high = torch.full((4,), 1.0, requires_grad=True)
    d_loss = compute_d_loss(loss, low, high)  # D is wrong
    g_loss = compute_g_loss(loss, high, low)  # D is right
    d_real_gradient, d_fake_gradient = torch.autograd.grad(d_loss, (low, high))
    (g_fake_gradient,) = torch.autograd.grad(g_loss, low)
    for is_wrong, push in (
        (d_real_gradient.max() >= 0, "d_loss does not push D's logits for reals up"),
        (d_fake_gradient.min() <= 0, "d_loss does not push D's logits for fakes down"),
        (g_fake_gradient.max() >= 0, "g_loss does not push D's logits for fakes up"),
    ):
        if is_wrong:
            raise ValueError(f"{push}: check its signs")


def check_flags(harness: Harness) -> None:
    """reads_targets and pairs are right"""
    loss = harness.make()
    real = torch.tensor([0.3, -0.2])
    fake = torch.tensor([-0.4, 0.1])
    default = loss.d_loss(real, fake, Targets(torch.ones(2), torch.zeros(2)))
    changed = loss.d_loss(real, fake, Targets(real, 1 - real))
    reads_targets = bool(default != changed)
    if reads_targets != loss.reads_targets:
        fact = "depends on its targets" if reads_targets else "does not depend on its targets"
        raise ValueError(f"d_loss {fact}: set reads_targets = {reads_targets}")
    if loss.pairs and loss.g_loss(fake, real) == loss.g_loss(fake, real + 1):
        raise ValueError("g_loss does not depend on the logits of reals: set pairs = False")


def check_extreme_logits(harness: Harness) -> None:
    """it is finite for a D that is very sure"""
    for logit in (100.0, -100.0):
        loss = harness.make()
        real = torch.full((2,), logit, requires_grad=True)
        fake = torch.full((2,), -logit, requires_grad=True)
        total = compute_d_loss(loss, real, fake) + compute_g_loss(loss, real, fake)
        gradients = torch.autograd.grad(total, (real, fake))
        if not total.isfinite() or not all(g.isfinite().all() for g in gradients):
            advice = "use softplus instead of log(sigmoid)"
            raise ValueError(f"is NaN or infinite for logits of {logit:g}: {advice}")


def check_training(harness: Harness) -> None:
    """it trains, in float32 and bf16"""
    for precision in ("32", "bf16"):
        trainer = harness.trainer(loss=harness.text, precision=precision)
        for step in range(3):
            when = f"at step {step + 1} (precision {precision})"
            require_finite(trainer, trainer.step(step), when)
