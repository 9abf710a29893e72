"""Numbers and pictures of a step that was watched: what the page and --json show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gankit.core.contracts.loss import Loss
from gankit.core.recorder import PlayerRecord
from gankit.training.assemble import Trainer
from gankit_unfold.acts import Act
from gankit_unfold.again import outputs_again, slopes
from gankit_unfold.losses import d_losses, g_losses
from gankit_unfold.watch import NetPass, WatchedStep

PICTURES = 8  # reals, and as many fakes


@dataclass
class Judged:
    """A picture in D's update."""

    image: Tensor  # (C, H, W), as D got it
    answer: float  # D's, as in the log: a probability, for most losses
    loss: float | None  # that it costs D; None if the loss cannot be split
    slope: Tensor  # (C, H, W), the gradient of D's logit at the image
    middle: float  # the share of the slope in the middle quarter of the image
    answer_after: float  # D's, to the same image after its update


@dataclass
class Lesson:
    """A fake in G's update: what D tells G about it, and what G makes of that."""

    image: Tensor  # (C, H, W), as G made it
    answer: float  # D's, after its update, to the image as it got it
    loss: float | None  # that it costs G
    wish: Tensor  # (C, H, W), how the image should change: minus the gradient of its loss
    strength: float  # the norm of the wish
    brighter: float  # the sum of the wish: above 0 if it should become brighter
    new_image: Tensor  # (C, H, W), what G makes of the same z after its update
    answer_before: float  # D's, to `image` without tricks, and to `new_image`
    answer_after: float


@dataclass
class Layer:
    """The update of the weights of a layer; norms are over all of them together."""

    name: str
    kind: str  # the class of the layer
    gradient: float
    weight: float  # before the update
    update: float

    @property
    def ratio(self) -> float | None:
        """The size of the update as a share of the weights; None if they were all 0."""
        return self.update / self.weight if self.weight else None


@dataclass
class UnfoldedStep:
    """What happened in one step of a run."""

    step: int  # as log.csv counts: the first is 1
    batch_size: int
    numbers: dict[str, float]  # d_loss, g_loss, d_real, d_fake and perhaps penalty, as in log.csv
    is_in_log: bool  # whether log.csv has a row of this step, with these numbers
    has_pairs: bool  # whether D's loss of a picture is that of its pair
    reals: list[Judged]
    fakes: list[Judged]
    lessons: list[Lesson]
    d_layers: list[Layer]
    g_layers: list[Layer]
    acts: list[Act]


def study(trainer: Trainer, step: WatchedStep, number: int, is_in_log: bool) -> UnfoldedStep:
    """Make the passes of a step again, before and after the updates; changes nothing."""
    count = min(PICTURES, sum(len(each.inputs) for each in step.d_real))
    split = _split_d_loss(trainer.loss, step)
    reals = _judge(trainer, step, step.d_real, count, split[0])
    fakes = _judge(trainer, step, step.d_fake, count, split[1])
    return UnfoldedStep(
        step=number,
        batch_size=sum(len(each.inputs) for each in step.d_real),
        numbers={name: float(value) for name, value in step.scalars.items()},
        is_in_log=is_in_log,
        has_pairs=split[2],
        reals=reals,
        fakes=fakes,
        lessons=_lessons(trainer, step, count),
        d_layers=_layers(trainer.gan.D.net, step.record.D),
        g_layers=_layers(trainer.gan.G.net, step.record.G),
        acts=step.acts.listed(),
    )


def _split_d_loss(loss: Loss, step: WatchedStep) -> tuple[Tensor | None, Tensor | None, bool]:
    """D's loss for each real and each fake of the batch, and whether they are losses of pairs."""
    record = step.record
    split = d_losses(loss, record.real_logits, record.fake_logits, record.targets)
    return (split.real, split.fake, split.are_pairs) if split else (None, None, False)


def _judge(
    trainer: Trainer,
    step: WatchedStep,
    passes: Sequence[NetPass],
    count: int,
    losses: Tensor | None,
) -> list[Judged]:
    """The first pictures of D's update."""
    gan = trainer.gan
    judged: list[Judged] = []
    for each in passes:
        rows = min(count - len(judged), len(each.inputs))
        if rows <= 0:
            break
        after = outputs_again(gan, gan.D, each, step.weights_after["D"])
        answers = trainer.loss.score(each.outputs).tolist()
        answers_after = trainer.loss.score(after).tolist()
        slope = slopes(gan, each, step.weights_before["D"], rows)
        for row in range(rows):
            judged.append(
                Judged(
                    image=each.inputs[row].float().cpu(),
                    answer=answers[row],
                    loss=None if losses is None else float(losses[len(judged)]),
                    slope=slope[row].cpu(),
                    middle=share_in_middle(slope[row]),
                    answer_after=answers_after[row],
                )
            )
    return judged


def share_in_middle(slope: Tensor) -> float:
    """The share of a slope (C, H, W) that lies in the middle quarter of the image."""
    size = slope.abs().sum(dim=0)
    height, width = size.shape
    middle = size[height // 4 : height - height // 4, width // 4 : width - width // 4]
    return float(middle.sum() / size.sum().clamp_min(1e-30))


def _lessons(trainer: Trainer, step: WatchedStep, count: int) -> list[Lesson]:
    """What D tells G about its first pictures."""
    gan = trainer.gan
    logits = step.record.g_fake_logits
    reals = _paired_logits(trainer, step)
    are_all = len(logits) == sum(len(each.inputs) for each in step.g_fake)
    losses = g_losses(trainer.loss, logits, reals) if are_all else None
    lessons: list[Lesson] = []
    for made, judged, gradient in zip(step.g_passes, step.g_fake, step.g_gradients, strict=True):
        new = outputs_again(gan, gan.G, made, step.weights_after["G"])
        answers = trainer.loss.score(judged.outputs).tolist()
        logits_before = gan.look(made.outputs, training=True, labels=made.label)
        logits_after = gan.look(new, training=True, labels=made.label)
        answers_before = trainer.loss.score(logits_before).tolist()
        answers_after = trainer.loss.score(logits_after).tolist()
        # Of its own loss, not of the mean; in float16 a step may have infinite gradients.
        wishes = torch.nan_to_num(-gradient * len(gradient))
        for row in range(min(count - len(lessons), len(gradient))):
            wish = wishes[row]
            lessons.append(
                Lesson(
                    image=made.outputs[row].cpu(),
                    answer=answers[row],
                    loss=None if losses is None else float(losses[len(lessons)]),
                    wish=wish.cpu(),
                    strength=float(wish.norm()),
                    brighter=float(wish.sum()),
                    new_image=new[row].cpu(),
                    answer_before=answers_before[row],
                    answer_after=answers_after[row],
                )
            )
    return lessons


def _paired_logits(trainer: Trainer, step: WatchedStep) -> Tensor | None:
    """D's logits of the reals in G's update, if the loss compares pairs."""
    if not trainer.loss.pairs:
        return None
    return torch.cat([each.outputs for each in step.g_real])


def _layers(net: nn.Module, record: PlayerRecord) -> list[Layer]:
    """The layers of a network that have weights, in the order in which it registers them."""
    kinds = {name: type(module).__name__ for name, module in net.named_modules()}
    gradients = record.grad_norms
    members: dict[str, list[str]] = {}
    for name in record.update_norms:
        owner, is_parametrized, _ = name.partition(".parametrizations.")  # as with spectral-norm
        layer = owner if is_parametrized else name.rpartition(".")[0]
        members.setdefault(layer, []).append(name)
    return [
        Layer(
            name=layer,
            kind=kinds.get(layer, ""),
            gradient=_together(gradients, names),
            weight=_together(record.weight_norms, names),
            update=_together(record.update_norms, names),
        )
        for layer, names in members.items()
    ]


def _together(norms: dict[str, Tensor], names: Sequence[str]) -> float:
    present = [norms[name].float() for name in names if name in norms]
    return float(torch.linalg.vector_norm(torch.stack(present))) if present else 0.0
