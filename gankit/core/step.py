"""One training step.

    real ----------------+
                         +- judge - logits -+
    z -> G -> fakes -----+                  +- loss (+ penalties) - update
                              targets ------+

First D's step: learn to tell real from fake. Then G's step: learn to be taken for real, through
the same fakes. Losses and tricks return values; backward and update happen here and nowhere else.
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

    The last D step and G's step share one set of fakes: G runs once for both. If a batch comes in
    pieces, G runs again for its own step, so that one piece's graph at a time is in memory.
    """
    for turn, batch in enumerate(reals[:-1], start=1):
        for real, z in gan.pieces(batch, gan.latents(len(batch), turn)):
            with torch.no_grad():
                extra = gan.generate(z)
            d_step(gan, loss, tricks, real, extra)
    batch, latents, scalars = reals[-1], gan.latents(len(reals[-1])), []
    for real, z in gan.pieces(batch, latents):
        with torch.set_grad_enabled(gan.accumulate == 1):
            fakes = gan.generate(z)
        scalars.append(d_step(gan, loss, tricks, real, fakes.detach()))
    for real, z in gan.pieces(batch, latents):
        fakes = fakes if gan.accumulate == 1 else gan.generate(z)
        scalars.append(g_step(gan, loss, tricks, real, fakes))
    return mean(scalars)


def d_step(gan: Gan, loss: Loss, tricks: Sequence[Trick], real: Tensor, fakes: Tensor) -> Scalars:
    """D learns to tell `real` from `fakes`; both (N, C, H, W), fakes without a graph."""
    targets = Targets(real.new_ones(len(real)), fakes.new_zeros(len(fakes)))
    for trick in tricks:
        fakes, targets = trick.fakes(fakes, gan), trick.targets(targets, gan)
    d_real = gan.judge(real)  # two calls: batch norm must see the two apart
    if loss.separable:  # then the fakes do not matter yet, and the reals' graph need not wait
        backward(gan, gan.D, loss.d_loss(d_real, d_real.detach(), targets))
        d_real = d_real.detach()
    d_fake = gan.judge(fakes)
    d_loss = loss.d_loss(d_real, d_fake, targets)
    penalty = penalties(gan, gan.D, tricks, real, fakes)
    update(gan, gan.D, tricks, d_loss if penalty is None else d_loss + penalty)
    return {
        "d_loss": d_loss.detach(),
        "d_real": loss.opinion(d_real.detach()).mean(),
        "d_fake": loss.opinion(d_fake.detach()).mean(),
        **({} if penalty is None else {"penalty": penalty.detach()}),
    }


def g_step(gan: Gan, loss: Loss, tricks: Sequence[Trick], real: Tensor, fakes: Tensor) -> Scalars:
    """G learns to be taken for real by a frozen D; `fakes` come with their graph."""
    with gan.D.frozen():
        d_fake = gan.judge(fakes)
        d_real = gan.judge(real) if loss.pairs else None
        g_loss = loss.g_loss(d_fake, d_real)
        penalty = penalties(gan, gan.G, tricks, real, fakes)
        update(gan, gan.G, tricks, g_loss if penalty is None else g_loss + penalty)
    return {"g_loss": g_loss.detach()}


def penalties(
    gan: Gan, player: Player, tricks: Sequence[Trick], real: Tensor, fakes: Tensor
) -> Tensor | None:
    """The sum of what the tricks add to this player's loss, computed in float32."""
    with gan.exactly(), torch.compiler.set_stance("force_eager"):  # compiled: no second gradients
        asked = [trick.penalty(gan, player, real, fakes) for trick in tricks]
    given = [value for value in asked if value is not None]
    return torch.stack(given).sum() if given else None


def update(gan: Gan, player: Player, tricks: Sequence[Trick], loss: Tensor) -> None:
    """Move the player's weights down its loss's gradient, once all pieces have added theirs."""
    backward(gan, player, loss)
    if gan.piece < gan.accumulate - 1:
        return
    gan.team.average(player.net.parameters())
    player.scaler.unscale_(player.adam)
    for trick in tricks:
        trick.before_update(gan, player)
    player.scaler.step(player.adam)  # leaves a gradient out that became infinite
    player.scaler.update()
    for trick in tricks:
        trick.after_update(gan, player)
    player.adam.zero_grad(set_to_none=True)


def backward(gan: Gan, player: Player, loss: Tensor) -> None:
    """Add a loss's gradient to those that the player's weights have."""
    torch.autograd.backward(player.scaler.scale(loss / gan.accumulate))  # scaled only in float16


def mean(pieces: Sequence[Scalars]) -> Scalars:
    """Each number's mean over a batch's pieces."""
    names = dict.fromkeys(name for piece in pieces for name in piece)
    return {name: torch.stack([p[name] for p in pieces if name in p]).mean() for name in names}
