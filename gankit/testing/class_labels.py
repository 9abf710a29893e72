"""Checks of networks that take class labels."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gankit.core.errors import describe_error
from gankit.core.run.image_size import ImageSize
from gankit.testing.harness import SMALL, Harness

CLASSES = 3
PARAMETER = "num_classes"


def check_class_labels(harness: Harness) -> None:
    """with class labels, its outputs depend on the classes"""
    if PARAMETER not in harness.spec.parameters():
        return
    net, inputs = _build(harness)
    labels = torch.arange(len(inputs)) % CLASSES
    first = _call(net, inputs, labels)
    others = (labels + 1) % CLASSES
    if torch.equal(first, _call(net, inputs, others)):
        raise ValueError(f"ignores the labels: with {PARAMETER}, use them in forward(x, labels)")
    for row in range(len(inputs)):
        alone = _call(net, inputs[row : row + 1], labels[row : row + 1])
        if not torch.allclose(first[row : row + 1], alone, atol=1e-4):
            raise ValueError("in eval mode an output depends on the labels of the other inputs")


def _build(harness: Harness) -> tuple[nn.Module, Tensor]:
    """The network for three classes, in eval mode, and a batch for it."""
    settings = {**SMALL, **harness.settings}
    size = ImageSize.parse(settings["image_size"])
    sides = (size.height, size.width)
    channels = settings.get("channels") or 3
    torch.manual_seed(0)
    net: nn.Module = harness.make(
        image_size=size.width if size.is_square else sides,
        channels=channels,
        latent_dim=10,
        num_classes=CLASSES,
    )
    shape = (10,) if harness.kind == "generator" else (channels, *sides)
    return net.eval(), torch.randn(2 * CLASSES, *shape)


@torch.no_grad()
def _call(net: nn.Module, inputs: Tensor, labels: Tensor) -> Tensor:
    try:
        outputs: Tensor = net(inputs, labels)
    except Exception as error:  # of the network's code
        call = f"with {PARAMETER}={CLASSES}, gankit calls forward(x, labels), labels (N,) int64"
        raise ValueError(f"{describe_error(error)}; {call}") from error
    return outputs
