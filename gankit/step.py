"""One training step.

    real ----------------+
                         +- judge - logits -+
    z -> G -> fakes -----+                  +- loss (+ penalties) - update
                              targets ------+

First D's step: learn to tell real from fake. Then G's step: learn to be taken for real, through
the same fakes. Losses and tricks return values; backward and update happen here and nowhere else.

With `--accumulate`, a batch comes in pieces: their gradients add up, then follows one update.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from gankit.gan import Gan, Player
from gankit.losses import Loss
from gankit.trick import Targets, Trick

Scalars = dict[str, Any]  # 0-d tensors: reading them waits for the device, so only the log does


def train_step(
    gan: Gan, loss: Loss, tricks: Sequence[Trick], reals: Sequence[Tensor], pieces: int = 1
) -> Scalars:
    """One update of G, after one update of D for each batch of `reals` (N, C, H, W).

    The last D step and G's step share one set of fakes: G runs once for both. With several pieces
    it runs again in G's step, so that the graph of one piece at a time is in memory.
    """
    for turn, batch in enumerate(reals[:-1], start=1):
        with torch.no_grad():
            extra = [gan.generate(z) for z in gan.latents(len(batch), turn).chunk(pieces)]
        d_step(gan, loss, tricks, batch.chunk(pieces), extra)
    real, z = (batch.chunk(pieces) for batch in (reals[-1], gan.latents(len(reals[-1]))))
    with torch.set_grad_enabled(pieces == 1):
        fakes = [gan.generate(piece) for piece in z]
    scalars = d_step(gan, loss, tricks, real, [piece.detach() for piece in fakes])
    again = fakes if pieces == 1 else map(gan.generate, z)
    return scalars | g_step(gan, loss, tricks, real, again)


def d_step(
    gan: Gan, loss: Loss, tricks: Sequence[Trick], reals: Sequence[Tensor], fakes: Iterable[Tensor]
) -> Scalars:
    """D learns to tell `reals` from `fakes`: a batch in pieces (N, C, H, W), without a graph."""
    gan.D.adam.zero_grad(set_to_none=True)
    pieces = []
    for real, fake in zip(reals, fakes, strict=True):
        for trick in tricks:
            fake = trick.fakes(fake, gan)
        d_real = gan.judge(real)  # two calls: batch norm must see the two apart
        d_fake = gan.judge(fake)
        targets = Targets(torch.ones_like(d_real), torch.zeros_like(d_fake))
        for trick in tricks:
            targets = trick.targets(targets, gan)
        d_loss = loss.d_loss(d_real, d_fake, targets)
        penalty = penalties(gan, gan.D, tricks, real, fake)
        backward(gan.D, d_loss if penalty is None else d_loss + penalty, len(reals))
        numbers = {
            "d_loss": d_loss.detach(),
            "d_real": loss.opinion(d_real.detach()).mean(),
            "d_fake": loss.opinion(d_fake.detach()).mean(),
        }
        pieces.append(numbers if penalty is None else {**numbers, "penalty": penalty.detach()})
    update(gan, gan.D, tricks)
    return mean(pieces)


def g_step(
    gan: Gan, loss: Loss, tricks: Sequence[Trick], reals: Sequence[Tensor], fakes: Iterable[Tensor]
) -> Scalars:
    """G learns to be taken for real by a frozen D; `fakes` come with their graph, in pieces."""
    gan.G.adam.zero_grad(set_to_none=True)
    pieces = []
    with gan.D.frozen():
        for real, fake in zip(reals, fakes, strict=True):
            d_fake = gan.judge(fake)
            d_real = gan.judge(real) if loss.pairs else None
            g_loss = loss.g_loss(d_fake, d_real)
            penalty = penalties(gan, gan.G, tricks, real, fake)
            backward(gan.G, g_loss if penalty is None else g_loss + penalty, len(reals))
            pieces.append({"g_loss": g_loss.detach()})
        update(gan, gan.G, tricks)
    return mean(pieces)


def penalties(
    gan: Gan, player: Player, tricks: Sequence[Trick], real: Tensor, fake: Tensor
) -> Tensor | None:
    """The sum of what the tricks add to this player's loss, computed in float32."""
    with gan.exactly():
        asked = [trick.penalty(gan, player, real, fake) for trick in tricks]
    given = [value for value in asked if value is not None]
    return torch.stack(given).sum() if given else None


def backward(player: Player, loss: Tensor, pieces: int) -> None:
    """Add one piece's share to the player's gradients."""
    torch.autograd.backward(player.scaler.scale(loss / pieces))  # scaled only in float16


def update(gan: Gan, player: Player, tricks: Sequence[Trick]) -> None:
    """Move the player's weights down the gradient of its loss."""
    gan.team.average(player.net.parameters())
    player.scaler.unscale_(player.adam)
    for trick in tricks:
        trick.before_update(gan, player)
    player.scaler.step(player.adam)  # leaves a gradient out that became infinite
    player.scaler.update()
    for trick in tricks:
        trick.after_update(gan, player)


def mean(pieces: Sequence[Scalars]) -> Scalars:
    """Each number's mean over a batch's pieces."""
    said = {name: [piece[name] for piece in pieces if name in piece] for name in pieces[0]}
    return {name: torch.stack(values).mean() for name, values in said.items()}
