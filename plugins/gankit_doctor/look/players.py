"""The numbers of a look that come from the players: D's answers, gradients and updates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gankit_doctor.look.reference import MIN_PICTURES
from gankit_doctor.look.statistics import auc

if TYPE_CHECKING:
    from gankit.core.gan import Gan, Player
    from gankit.core.recorder import PlayerRecord, StepRecord
    from gankit_doctor.look.reference import Reference

PICTURES = 40  # that D judges, of each kind


def player_numbers(record: StepRecord, gan: Gan) -> dict[str, Tensor]:
    """The numbers of a recorded step: tensors (), on the run's device."""
    real = record.real_logits
    fake = record.fake_logits
    numbers = {
        "auc": auc(real, fake),
        "logit": torch.cat([real, fake]).abs().mean(),
        "gap": real.mean() - fake.mean(),
        "logit_gap": (real.mean() - fake.mean()) / (real.std() + fake.std() + 1e-6),
    }
    for player, seen in ((gan.D, record.D), (gan.G, record.G)):
        numbers |= _update_numbers(player, seen)
    return numbers


def _update_numbers(player: Player, record: PlayerRecord) -> dict[str, Tensor]:
    name = player.name.lower()
    # The rows of a table for classes that a batch does not show get no gradient, and are not dead.
    tables = {f"{key}.weight" for key, module in player.net.named_modules()
              if isinstance(module, nn.Embedding)}  # fmt: skip
    matrices = [
        weight for weight, grad in record.grads.items() if grad.dim() > 1 and weight not in tables
    ]
    ratios = record.update_ratios
    sizes = [ratios[weight] for weight in matrices if weight in ratios]
    numbers = {
        f"grad_{name}": record.grad_norm,
        f"update_{name}": record.update_ratio,
        f"dead_{name}": dead_share([record.grads[weight] for weight in matrices]),
    }
    if sizes:
        numbers[f"step_{name}"] = torch.stack(sizes).median()
    return numbers


def dead_share(grads: list[Tensor]) -> Tensor:
    """The share of units without any gradient, of the layer that has most of them; a tensor ().

    A unit whose output is always 0 passes no gradient to its own weights, nor gives any to the
    weights of the next layer that read it. Layers of fewer than 8 units do not count.
    """
    worst = [torch.zeros(())]
    for grad in grads:
        for dim in (0, 1):
            if grad.shape[dim] < 8:
                continue
            sizes = grad.float().transpose(0, dim).flatten(1).abs().amax(dim=1)
            largest = sizes.max()  # infinite in a step that float16 omits; then none counts as dead
            worst.append(((sizes <= 1e-9 * largest) & largest.isfinite()).float().mean())
    return torch.stack([value.to(worst[-1].device) for value in worst]).max()


def judge_numbers(gan: Gan, reference: Reference, turn: int) -> dict[str, Tensor]:
    """How well D tells training pictures from new real ones: an AUC, a tensor ().

    Both are judged in one batch and in training mode, because D's batch norm has learnt from whole
    batches. `turn` chooses other pictures at each look, so that their luck averages out.
    """
    held_out = _part(reference.held_out, turn)
    if len(held_out) < MIN_PICTURES:
        return {}
    real = _part(reference.real, turn)
    # In training mode, --sync-batch-norm would wait for the other processes, which do not look.
    training = gan.process_group.world_size == 1
    labels = None
    if reference.labels is not None and reference.held_out_labels is not None:
        of_parts = [_part(reference.labels, turn), _part(reference.held_out_labels, turn)]
        labels = torch.cat(of_parts)
    logits = gan.look(torch.cat([real, held_out]), training, labels=labels)
    return {"auc_held": auc(logits[: len(real)], logits[len(real) :])}


def _part(images: Tensor, turn: int) -> Tensor:
    """Up to PICTURES of the images (N, C, H, W), or of their labels (N,), others at each turn."""
    if len(images) <= PICTURES:
        return images
    start = turn * PICTURES % len(images)
    return torch.cat([images, images[:PICTURES]])[start : start + PICTURES]
