"""Networks that can work on smaller pictures than those of the run, and grow while they train."""

from typing import Protocol, runtime_checkable

import torch
from torch import nn


@runtime_checkable
class GrowingNetwork(Protocol):
    """A network that works on pictures of the full size, or halved up to `max_halvings` times.

    In training mode, G draws pictures that are halved `halvings` times, and D judges such pictures.
    In eval mode, G enlarges them to the full size. D also takes pictures of the full size, in both
    modes, and shrinks them itself.
    """

    max_halvings: int
    halvings: int  # now; 0 in a new network

    def grow_to(self, halvings: int, fade: float) -> None:
        """Work on pictures halved this often; ValueError if the network cannot.

        `fade` is the share of the layers that are new at this size, from 0 to 1.
        """


def shape_in_training(net: nn.Module, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape (..., H, W) of the pictures that `net` works on while it trains.

    `shape` is that of pictures of the full size; it is returned unless the network has yet to grow.
    """
    halvings: int = getattr(net, "halvings", 0)
    return *shape[:-2], shape[-2] >> halvings, shape[-1] >> halvings


def growth_tensors(net: nn.Module) -> set[str]:
    """The names of the tensors in which a network keeps how far it has grown; none if it cannot.

    They are those that `grow_to` changes. The network, which has no layers that fade in, stays as
    it is.
    """
    if not isinstance(net, GrowingNetwork) or not net.max_halvings:
        return set()
    halvings = net.halvings
    net.grow_to(net.max_halvings, 1.0)
    small = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    net.grow_to(0, 0.5)
    names = {name for name, now in net.state_dict().items() if not torch.equal(now, small[name])}
    net.grow_to(halvings, 1.0)
    return names
