"""One training step.

    real ----------------+
                         +- judge - logits -+
    z -> G -> fakes -----+                  +- loss (+ penalty) - backward - update
                              targets ------+

First D's update: it learns to tell real from fake. Then G's: it learns to be taken for real,
through the same fakes. Losses and tricks return values; backward and update happen here and nowhere
else.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gankit.core.gan import Gan, Player
from gankit.core.loss import Loss
from gankit.core.trick import Targets, Trick

Scalars = dict[str, Any]  # 0-d tensors: reading them waits for the device, so only the log does


def train_step(gan: Gan, loss: Loss, tricks: Sequence[Trick], reals: Sequence[Tensor]) -> Scalars:
    """One update of G, after one update of D for each batch of `reals` (N, C, H, W).

    A batch is taken in `gan.accumulate` micro-batches, nearly always one: their gradients add up,
    then the player is updated once.
    """
    for turn, batch in enumerate(reals[:-1], start=1):  # where D has more updates than G
        for real, z in gan.micro_batches(batch, turn):
            with torch.no_grad():
                fakes = gan.generate(z)
            d_backward(gan, loss, tricks, real=real, fakes=fakes)
        update(gan, gan.D, tricks)

    # The last update of D and that of G share their fakes. If they are one micro-batch, G runs once
    # for both; else it runs again for G, so that only one micro-batch's graph is in memory.
    scalars = []
    micro_batches = gan.micro_batches(reals[-1])
    run_g_once = len(micro_batches) == 1

    for real, z in micro_batches:
        with torch.set_grad_enabled(run_g_once):
            fakes = gan.generate(z)
        scalars.append(d_backward(gan, loss, tricks, real=real, fakes=fakes.detach()))
    update(gan, gan.D, tricks)

    for real, z in micro_batches:
        if not run_g_once:
            fakes = gan.generate(z)
        scalars.append(g_backward(gan, loss, tricks, real=real, fakes=fakes))
    update(gan, gan.G, tricks)
    return mean(scalars)


def d_backward(
    gan: Gan, loss: Loss, tricks: Sequence[Trick], *, real: Tensor, fakes: Tensor
) -> Scalars:
    """Add D's gradient for telling `real` from `fakes` (N, C, H, W), which have no graph."""
    targets = Targets(real.new_ones(len(real)), fakes.new_zeros(len(fakes)))
    for trick in tricks:
        fakes = trick.fakes(fakes, gan)
        targets = trick.targets(targets, gan)

    d_real = judge(gan, gan.D, tricks, real, is_real=True)
    if loss.separable:  # the reals' term needs no fakes: go back now, and free the reals' graph
        backward(gan, gan.D, loss.d_loss(d_real, d_real.detach(), targets))
        d_real = d_real.detach()
    d_fake = judge(gan, gan.D, tricks, fakes, is_real=False)  # apart from reals, for batch norm

    d_loss = loss.d_loss(d_real, d_fake, targets)
    penalty = sum_penalties(gan, gan.D, tricks, real=real, fakes=fakes)
    backward(gan, gan.D, d_loss if penalty is None else d_loss + penalty)
    scalars = {
        "d_loss": d_loss.detach(),
        "d_real": loss.opinion(d_real.detach()).mean(),
        "d_fake": loss.opinion(d_fake.detach()).mean(),
    }
    if penalty is not None:
        scalars["penalty"] = penalty.detach()
    return scalars


def g_backward(
    gan: Gan, loss: Loss, tricks: Sequence[Trick], *, real: Tensor, fakes: Tensor
) -> Scalars:
    """Add G's gradient for being taken for real by a frozen D; `fakes` come with their graph."""
    with gan.D.frozen():
        d_fake = judge(gan, gan.G, tricks, fakes, is_real=False)
        d_real = judge(gan, gan.G, tricks, real, is_real=True) if loss.pairs else None
        g_loss = loss.g_loss(d_fake, d_real)
        penalty = sum_penalties(gan, gan.G, tricks, real=real, fakes=fakes)
        backward(gan, gan.G, g_loss if penalty is None else g_loss + penalty)
    return {"g_loss": g_loss.detach()}


def judge(
    gan: Gan, player: Player, tricks: Sequence[Trick], images: Tensor, *, is_real: bool
) -> Tensor:
    """D's logits (N,) for images (N, C, H, W), as the tricks leave them for this player's loss."""
    logits = gan.judge(images)
    for trick in tricks:
        logits = trick.logits(logits, gan, player, is_real)
    return logits


def sum_penalties(
    gan: Gan, player: Player, tricks: Sequence[Trick], *, real: Tensor, fakes: Tensor
) -> Tensor | None:
    """What the tricks add to this player's loss, computed in float32; None if no trick does."""
    # A compiled network has no second gradients, which penalties need.
    with gan.full_precision(), torch.compiler.set_stance("force_eager"):
        penalties = [trick.penalty(gan, player, real, fakes) for trick in tricks]
    given = [penalty for penalty in penalties if penalty is not None]
    return torch.stack(given).sum() if given else None


def backward(gan: Gan, player: Player, loss: Tensor) -> None:
    """Add a micro-batch's share of the batch's gradient to the player's weights."""
    torch.autograd.backward(player.scaler.scale(loss / gan.accumulate))  # scaled only in float16


def update(gan: Gan, player: Player, tricks: Sequence[Trick]) -> None:
    """Move the player's weights down the gradient that `backward` has left in them."""
    gan.process_group.all_reduce_gradients(player.net.parameters())
    player.scaler.unscale_(player.adam)
    for trick in tricks:
        trick.before_update(gan, player)
    player.scaler.step(player.adam)  # leaves a gradient out that became infinite
    player.scaler.update()
    for trick in tricks:
        trick.after_update(gan, player)
    player.adam.zero_grad(set_to_none=True)


def mean(scalars: Sequence[Scalars]) -> Scalars:
    """Each number's mean over the micro-batches that have it."""
    names = dict.fromkeys(name for one in scalars for name in one)
    return {name: torch.stack([s[name] for s in scalars if name in s]).mean() for name in names}
