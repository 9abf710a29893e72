"""Make a pass of a step again: with the weights before or after an update, and with gradients."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.func import functional_call

from gankit.core.gan import Gan, Player
from gankit.core.random_state import set_random_state
from gankit_unfold.watch import NetPass, Weights


def outputs_again(gan: Gan, player: Player, net_pass: NetPass, weights: Weights) -> Tensor:
    """The network's outputs (N, ...), float32, for the inputs of a pass, with these weights.

    Layers draw the same random numbers as in the pass. Nothing is changed.
    """
    with _pass_again(gan, player, net_pass), gan.machine.autocast():
        state = {**weights, **_clones(net_pass.buffers)}
        return Tensor.float(functional_call(player.net, state, (net_pass.inputs, *net_pass.labels)))


def slopes(gan: Gan, net_pass: NetPass, weights: Weights, count: int) -> Tensor:
    """The gradient of D's logit at each of the first images of a pass, (count, C, H, W).

    In float32. Each is the gradient of one logit: in training mode, a logit depends on the whole
    batch, so the gradient of their sum would mix the images.
    """
    with _pass_again(gan, gan.D, net_pass), gan.full_precision(), torch.enable_grad():
        images = net_pass.inputs.float().clone().requires_grad_()
        state = {**weights, **_clones(net_pass.buffers)}
        logits = functional_call(gan.D.net, state, (images, *net_pass.labels))
        rows = []
        for index in range(count):
            (gradient,) = torch.autograd.grad(logits[index], images, retain_graph=True)
            rows.append(gradient[index].detach())
        return torch.stack(rows)


@contextlib.contextmanager
def _pass_again(gan: Gan, player: Player, net_pass: NetPass) -> Iterator[None]:
    """While open, torch's random state is that of the pass; then all is as it was before."""
    with gan.only_looking(player.net, training=True):
        set_random_state(net_pass.random_state, gan.machine.device)
        yield


def _clones(buffers: Weights) -> Weights:
    """A pass in training mode changes buffers in place."""
    return {name: buffer.clone() for name, buffer in buffers.items()}
