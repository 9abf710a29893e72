"""One training step.

    real ----------------+
                         +- judge - logits -+
    z -> G -> fakes -----+                  +- loss (+ penalty) - backward - update
                              targets ------+  (D's only)

First D's update: it learns to tell real from fake. Then G's: it learns to be taken for real.

Tricks act where the step asks them, all in the order of the command line:

    for each micro-batch   fakes, targets          D's update only: what D learns from
                           d_input (in gan.judge)  in front of D, for reals and for fakes
                           logits                  behind D, for reals and for fakes
                           penalty                 one more term of the loss
    for each update        before_update           the gradients are ready
                           after_update            the optimiser has had its turn

Backward and update happen in this file and nowhere else.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from gankit.core.gan import Gan, Player
from gankit.core.loss import Loss
from gankit.core.trick import Targets, Trick

Scalars = dict[str, Tensor]  # 0-d and detached; to read one waits for the device, so only logs do


def train_step(gan: Gan, loss: Loss, tricks: Sequence[Trick], reals: Sequence[Tensor]) -> Scalars:
    """One update of G, after one update of D for each batch of `reals` (N, C, H, W).

    A batch is cut into `gan.accumulate` equal micro-batches, usually a single one: their gradients
    add up, then the player is updated once. The scalars are those of the last update of D, and G's.
    """
    for turn, batch in enumerate(reals[:-1], start=1):  # with d_steps > 1, D's first updates
        for real, z in gan.micro_batches(batch, turn):
            with torch.no_grad():
                fakes = gan.generate(z)
            d_backward(gan, loss, tricks, real=real, fakes=fakes)
        update(gan, gan.D, tricks)

    # D's last update and G's take the same z. With a single micro-batch, G runs once for both. With
    # several it runs again for its own update, so that one micro-batch's graph is in memory; a G
    # with dropout then draws other fakes, and its batch norm sees each z twice.
    micro_batches = gan.micro_batches(reals[-1])
    single = len(micro_batches) == 1
    scalars = []

    for real, z in micro_batches:
        with torch.set_grad_enabled(single):
            fakes = gan.generate(z)
        scalars.append(d_backward(gan, loss, tricks, real=real, fakes=fakes.detach()))
    update(gan, gan.D, tricks)

    for real, z in micro_batches:
        if not single:  # else they are still those of the loop above
            fakes = gan.generate(z)
        scalars.append(g_backward(gan, loss, tricks, real=real, fakes=fakes))
    update(gan, gan.G, tricks)
    return mean(scalars)


def d_backward(
    gan: Gan, loss: Loss, tricks: Sequence[Trick], *, real: Tensor, fakes: Tensor
) -> Scalars:
    """Add D's gradient for telling `real` from `fakes` (N, C, H, W), which have no graph."""
    targets = Targets(real=real.new_ones(len(real)), fake=fakes.new_zeros(len(fakes)))
    for trick in tricks:
        fakes = trick.fakes(fakes, gan)
        targets = trick.targets(targets, gan)

    d_real = judge(gan, gan.D, tricks, real, is_real=True)
    if loss.separable:
        # The loss is a term of the reals plus a term of the fakes. Take the first one's gradient
        # now, and its graph is freed before D judges the fakes. Any constant can stand in for
        # their logits here: the gradient does not depend on them, and the value is not used.
        stand_in = d_real.detach()
        backward(gan, gan.D, loss.d_loss(d_real, stand_in, targets))
        d_real = d_real.detach()
    d_fake = judge(gan, gan.D, tricks, fakes, is_real=False)  # apart from reals, for batch norm

    d_loss = loss.d_loss(d_real, d_fake, targets)
    penalty = sum_penalties(gan, gan.D, tricks, real=real, fakes=fakes)
    backward(gan, gan.D, d_loss if penalty is None else d_loss + penalty)
    scalars = {
        "d_loss": d_loss.detach(),  # without the penalty, which is logged beside it
        "d_real": loss.score(d_real.detach()).mean(),  # a probability, if logits of the loss are
        "d_fake": loss.score(d_fake.detach()).mean(),
    }
    if penalty is not None:
        scalars["penalty"] = penalty.detach()
    return scalars


def g_backward(
    gan: Gan, loss: Loss, tricks: Sequence[Trick], *, real: Tensor, fakes: Tensor
) -> Scalars:
    """Add G's gradient for being taken for real; `fakes` (N, C, H, W) come with G's graph.

    D is frozen: gradients pass through it, and leave nothing in it for its own next update.
    """
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
    """D's logits (N,) for images (N, C, H, W), as tricks leave them for the loss of `player`."""
    logits = gan.judge(images)
    for trick in tricks:
        logits = trick.logits(logits, gan, player, is_real)
    return logits


def sum_penalties(
    gan: Gan, player: Player, tricks: Sequence[Trick], *, real: Tensor, fakes: Tensor
) -> Tensor | None:
    """What the tricks add to this player's loss; None if no trick does."""
    # In float32, because penalties square gradients; and not compiled, because a compiled network
    # has no gradients of gradients.
    with gan.full_precision(), torch.compiler.set_stance("force_eager"):
        penalties = [trick.penalty(gan, player, real, fakes) for trick in tricks]
    given = [penalty for penalty in penalties if penalty is not None]
    return torch.stack(given).sum() if given else None


def backward(gan: Gan, player: Player, value: Tensor) -> None:
    """Add the gradient of a micro-batch's loss to the player's, as its share of the batch's."""
    torch.autograd.backward(player.scaler.scale(value / gan.accumulate))  # scaled only in float16


def update(gan: Gan, player: Player, tricks: Sequence[Trick]) -> None:
    """Move the player's weights down the gradient that `backward` has left in them; clear it."""
    # The mean over all processes comes before unscaling, so that in float16 a gradient that became
    # infinite in one process is seen by all, and all leave this update out.
    gan.process_group.all_reduce_gradients(player.net.parameters())
    player.scaler.unscale_(player.adam)
    for trick in tricks:
        trick.before_update(gan, player)
    player.scaler.step(player.adam)  # in float16, not if a gradient is infinite or NaN
    player.scaler.update()
    for trick in tricks:
        trick.after_update(gan, player)
    player.adam.zero_grad(set_to_none=True)  # so the next backward adds to nothing


def mean(scalars: Sequence[Scalars]) -> Scalars:
    """Each scalar's mean over the micro-batches that have it; D's and G's have other names."""
    names = dict.fromkeys(name for micro_batch in scalars for name in micro_batch)
    return {name: torch.stack([s[name] for s in scalars if name in s]).mean() for name in names}
