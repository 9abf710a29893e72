"""Class labels: which class each picture of a batch shows, as numbers (N,) from 0."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

ROW = 8  # pictures in a row of a run's grids


def labels_in_turn(seeds: Iterable[int], num_classes: int) -> Tensor:
    """The class (N,) of each seed's picture if you name none.

    With up to 8 classes, eight seeds in a row show the same one, so each row of a grid of seeds 0
    to 63 shows a class. With more, the classes take turns.
    """
    in_a_row = ROW if num_classes <= ROW else 1
    return torch.tensor([seed // in_a_row % num_classes for seed in seeds], dtype=torch.int64)


def columns_in_turn(seeds: Iterable[int], num_classes: int) -> int:
    """The columns of a grid of these seeds with a class in each row; 0 if there is no such grid."""
    if not num_classes:
        return 0
    labels = labels_in_turn(seeds, num_classes).tolist()
    rows = [set(labels[start : start + ROW]) for start in range(0, len(labels), ROW)]
    has_rows = all(len(row) == 1 for row in rows)
    return ROW if has_rows and len(set(labels)) > 1 else 0


def fit_labels(labels: Tensor | None, inputs: Tensor) -> Tensor:
    """The labels of a network's inputs (N, ...), on their device.

    If the inputs are several batches of the labels' length, one after another, such as reals and
    their fakes, each has these labels. ValueError if there are no labels, or not as many.
    """
    if labels is None:
        raise ValueError(
            "this run has class labels, and the network was called without: give labels=, the "
            "class of each picture, or set gan.labels before gan.generate and gan.judge"
        )
    labels = labels.to(inputs.device)
    if len(labels) == len(inputs):
        return labels
    repeats, rest = divmod(len(inputs), len(labels))
    if rest or not repeats:
        raise ValueError(
            f"there are {len(labels)} class labels for {len(inputs)} pictures: each needs its own"
        )
    return labels.repeat(repeats, *[1] * (labels.ndim - 1))


class LabelsInTurn(nn.Module):
    """A network that takes class labels, as one that takes none: its inputs get them in turn."""

    def __init__(self, net: nn.Module, num_classes: int) -> None:
        super().__init__()
        self.net = net
        self.num_classes = num_classes

    def forward(self, inputs: Tensor) -> Tensor:
        labels = torch.arange(len(inputs), device=inputs.device) % self.num_classes
        outputs: Tensor = self.net(inputs, labels)
        return outputs


class OneClass(nn.Module):
    """A generator that takes class labels, as one that takes none: it draws one class."""

    def __init__(self, net: nn.Module, label: int) -> None:
        super().__init__()
        self.net = net
        self.label = label

    def forward(self, z: Tensor) -> Tensor:
        images: Tensor = self.net(z, torch.full((len(z),), self.label, device=z.device))
        return images


def without_labels(net: nn.Module, num_classes: int) -> nn.Module:
    """A network that is called with its inputs alone: itself, unless it takes class labels."""
    return LabelsInTurn(net, num_classes) if num_classes and isinstance(net, nn.Module) else net
