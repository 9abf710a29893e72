"""One training step.

    real ----------------+
                         +- judge - logits -+
    z -> G -> fakes -----+                  +- loss (+ penalty) - backward - update
                              targets ------+  (D's only)

With class labels, G and D also get the class of each picture; a fake has that of a real one.

First D is updated: it learns to tell real from fake images. Then G is updated: it learns to make
images that D takes for real.

The step calls these methods of each trick, in the order of the command line:

    for each update        begin_batch             before its first micro-batch
    for each micro-batch   reals, fakes, targets   in D's update only, before D's forward passes
                           d_input (in gan.judge)  on D's input, for reals and for fakes
                           logits                  on D's output, for reals and for fakes
                           penalty                 one more term of the loss
    for each update        before_update           before the optimiser step
                           after_update            after the optimiser step

Only this file calls backward and the optimisers.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from gankit.core.contracts.loss import Loss
from gankit.core.contracts.trick import Targets, Trick
from gankit.core.gan import Gan, MicroBatch, Player

Classes = Sequence[Tensor | None]  # of each batch: with class labels, those (N,) of its pictures
Scalars = dict[str, Tensor]  # 0-d, detached; reading one waits for the device, so only the log does

FIRST_SCORES = {
    "first_d_real": "d_real",
    "first_d_fake": "d_fake",
}  # of D's first of several updates


def train_step(
    gan: Gan, loss: Loss, tricks: Sequence[Trick], reals: Sequence[Tensor], classes: Classes = ()
) -> Scalars:
    """One update of G, after one of D for each batch of `reals` (N, C, H, W), of these `classes`.

    A batch is cut into `gan.accumulate` equal micro-batches, by default one. Their gradients add
    up, then the player is updated once. The scalars are those of D's last update and of G's update;
    if D has several, also its scores in the first one, which show whether G was all right before.
    """
    scalars = []
    classes = classes or [None] * len(reals)
    for turn, batch in enumerate(reals[:-1], start=1):  # with d_steps > 1, D's earlier updates
        begin_batch(gan, gan.D, tricks)
        for real, z, labels in change_reals(gan, tricks, batch, classes[turn - 1], turn):
            with torch.no_grad():
                fakes = gan.generate(z, labels)
            earlier = d_backward(gan, loss, tricks, real=real, fakes=fakes)
            if turn == 1:
                scalars.append({name: earlier[key] for name, key in FIRST_SCORES.items()})
        update(gan, gan.D, tricks)

    # D's last update and G's update use the same z. With one micro-batch, G runs once for both.
    # With several, G runs again for its own update, so that only one micro-batch's graph is in
    # memory. A G with dropout then makes other fakes, and its batch norm sees each z twice.
    begin_batch(gan, gan.D, tricks)
    micro_batches = change_reals(gan, tricks, reals[-1], classes[-1])
    is_single = len(micro_batches) == 1
    for real, z, labels in micro_batches:
        with torch.set_grad_enabled(is_single):
            fakes = gan.generate(z, labels)
        scalars.append(d_backward(gan, loss, tricks, real=real, fakes=fakes.detach()))
    update(gan, gan.D, tricks)

    begin_batch(gan, gan.G, tricks)
    for real, z, labels in micro_batches:
        if not is_single:  # else `fakes` still has the graph from the loop above
            fakes = gan.generate(z, labels)
        scalars.append(g_backward(gan, loss, tricks, real=real, fakes=fakes))
    update(gan, gan.G, tricks)
    return average_scalars(scalars)


def begin_batch(gan: Gan, player: Player, tricks: Sequence[Trick]) -> None:
    """Let the tricks change what they change once for each batch of a player."""
    for trick in tricks:
        trick.begin_batch(gan, player)


def change_reals(
    gan: Gan, tricks: Sequence[Trick], batch: Tensor, labels: Tensor | None = None, turn: int = 0
) -> list[MicroBatch]:
    """The micro-batches of a batch (N, C, H, W), with what the tricks make of the reals."""
    changed = []
    for real, z, of_micro_batch in gan.micro_batches(batch, labels, turn):
        gan.labels = of_micro_batch  # a trick may ask D about the reals here
        for trick in tricks:
            real = trick.reals(real, gan)
        changed.append(MicroBatch(real, z, of_micro_batch))
    return changed


def d_backward(
    gan: Gan, loss: Loss, tricks: Sequence[Trick], *, real: Tensor, fakes: Tensor
) -> Scalars:
    """Add the gradients of D's loss for `real` and `fakes` (N, C, H, W); `fakes` are detached."""
    targets = Targets(real=real.new_ones(len(real)), fake=fakes.new_zeros(len(fakes)))
    for trick in tricks:
        fakes = trick.fakes(fakes, gan)
        targets = Targets(*trick.targets(targets, gan))  # a trick may return a plain tuple

    d_real = judge(gan, gan.D, tricks, real, is_real=True)
    if loss.separable:
        # The loss is a term of the reals plus a term of the fakes. Backward for the first term
        # frees its graph before D judges the fakes. The gradient does not depend on the fakes'
        # logits, and the value is not used, so any constant can replace them here.
        placeholder = d_real.detach()
        backward(gan, gan.D, loss.d_loss(d_real, placeholder, targets))
        d_real = d_real.detach()
    d_fake = judge(gan, gan.D, tricks, fakes, is_real=False)  # separate calls, for batch norm

    d_loss = loss.d_loss(d_real, d_fake, targets)
    penalty = sum_penalties(gan, gan.D, tricks, real=real, fakes=fakes)
    backward(gan, gan.D, d_loss if penalty is None else d_loss + penalty)
    scalars = {
        "d_loss": d_loss.detach(),  # without the penalty, which has its own column in the log
        "d_real": loss.score(d_real.detach()).mean(),  # D(x): a probability, for most losses
        "d_fake": loss.score(d_fake.detach()).mean(),
    }
    if penalty is not None:
        scalars["penalty"] = penalty.detach()
    return scalars


def g_backward(
    gan: Gan, loss: Loss, tricks: Sequence[Trick], *, real: Tensor, fakes: Tensor
) -> Scalars:
    """Add the gradients of G's loss; `fakes` (N, C, H, W) have G's graph.

    D is frozen: gradients pass through it, but its weights get none.
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
    """D's logits (N,) for images (N, C, H, W), after the tricks, for the loss of `player`."""
    logits = gan.judge(images)
    for trick in tricks:
        logits = trick.logits(logits, gan, player, is_real)
    return logits


def sum_penalties(
    gan: Gan, player: Player, tricks: Sequence[Trick], *, real: Tensor, fakes: Tensor
) -> Tensor | None:
    """The sum of the tricks' penalties for this player; None if there are none."""
    # In float32, because penalties square gradients. Not compiled, because compiled networks do not
    # support second derivatives.
    with gan.full_precision(), torch.compiler.set_stance("force_eager"):
        penalties = [trick.penalty(gan, player, real, fakes) for trick in tricks]
    terms = [penalty for penalty in penalties if penalty is not None]
    return torch.stack(terms).sum() if terms else None


def backward(gan: Gan, player: Player, value: Tensor) -> None:
    """Add the gradient of a micro-batch's loss, divided by the number of micro-batches."""
    torch.autograd.backward(player.scaler.scale(value / gan.accumulate))  # scales in float16 only


def update(gan: Gan, player: Player, tricks: Sequence[Trick]) -> None:
    """Take an optimiser step with the accumulated gradients, then clear them."""
    # Average over processes before unscaling: if a float16 gradient is infinite in one process, it
    # is then infinite in all, and all skip this update.
    gan.process_group.all_reduce_gradients(player.net.parameters())
    player.scaler.unscale_(player.adam)
    for trick in tricks:
        trick.before_update(gan, player)
    player.scaler.step(player.adam)  # in float16, skipped if a gradient is infinite or NaN
    player.scaler.update()
    for trick in tricks:
        trick.after_update(gan, player)
    player.adam.zero_grad(set_to_none=True)


def average_scalars(scalars: Sequence[Scalars]) -> Scalars:
    """The mean of each scalar over the micro-batches; D's and G's scalars have different names."""
    names = dict.fromkeys(name for micro_batch in scalars for name in micro_batch)
    return {name: torch.stack([s[name] for s in scalars if name in s]).mean() for name in names}
