"""Checks of a network that can grow (gankit/core/contracts/growing.py)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gankit.core.contracts.growing import GrowingNetwork, shape_in_training
from gankit.testing.harness import Harness


def used_when_small(net: nn.Module, inputs: Tensor) -> set[nn.Parameter]:
    """The weights that a network uses at smaller sizes; none if it cannot grow."""
    if not isinstance(net, GrowingNetwork):
        return set()
    net.zero_grad()
    for halvings in range(1, net.max_halvings + 1):
        net.grow_to(halvings, 1.0)
        torch.autograd.backward(net(inputs).sum())
    net.grow_to(0, 1.0)
    return {weight for weight in net.parameters() if weight.grad is not None}


def check_growth(harness: Harness) -> None:
    """if it can grow, it works at each of its sizes, and a checkpoint holds how far it has grown"""
    kind = harness.kind
    gan, other = (harness.trainer(seed=seed).gan for seed in (0, 1))
    net, fresh = ((g.G if kind == "generator" else g.D).net for g in (gan, other))
    if not isinstance(net, GrowingNetwork):
        return
    if net.halvings:
        raise ValueError(f"a new network has halvings {net.halvings}; it must begin at 0")
    z = gan.latents(4)
    full = gan.G.net.eval()(z).detach()
    for halvings in range(net.max_halvings, -1, -1):
        for fade in (1.0,) if halvings == net.max_halvings else (0.5, 1.0):
            net.grow_to(halvings, fade)
            small = torch.zeros(shape_in_training(net, tuple(full.shape)))
            if kind == "generator":
                _require_shape(net.train()(z), small, f"in training mode, halved {halvings} times")
                _require_shape(net.eval()(z), full, f"in eval mode, halved {halvings} times")
            else:
                logits = torch.zeros(len(z))
                _require_shape(net.train()(small), logits, f"for images of shape {small.shape}")
                _require_shape(net.train()(full), logits, "for images of the full size")
            _require_same_copy(net, fresh, z if kind == "generator" else full)


def _require_shape(output: Tensor, expected: Tensor, when: str) -> None:
    if output.shape != expected.shape:
        shapes = f"shape {tuple(output.shape)}; expected {tuple(expected.shape)}"
        raise ValueError(f"it can grow, but {when} it returns {shapes}")


@torch.no_grad()
def _require_same_copy(net: nn.Module, other: nn.Module, inputs: Tensor) -> None:
    """ValueError unless another network that loads the weights has grown as far."""
    other.load_state_dict(net.state_dict())
    if not torch.equal(other.eval()(inputs), net.eval()(inputs)):
        cure = "keep halvings and fade in buffers, and read them in load_state_dict"
        raise ValueError(f"how far it has grown is not in its state_dict: {cure}")
