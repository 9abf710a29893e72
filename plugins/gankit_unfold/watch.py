"""Watch one training step from inside: what D and G got and answered, and where each trick acted.

The step runs the same code as in any run. Each trick is called through a `WatchedTrick`, and a last
trick, the `Probe`, copies what passes by. Both return what they get, and draw no random numbers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from gankit.core.contracts.trick import Trick
from gankit.core.gan import Gan, Player
from gankit.core.random_state import random_state
from gankit.core.recorder import StepRecord
from gankit.core.step import Scalars
from gankit.training.assemble import Trainer
from gankit_unfold.acts import Acts, WatchedTrick

Weights = dict[str, Tensor]


@dataclass
class NetPass:
    """A forward pass of a network, with what is needed to make it again."""

    inputs: Tensor  # z (N, latent_dim) or images (N, C, H, W), as the network got them
    random_state: Tensor  # of torch, from which layers such as dropout draw
    buffers: Weights  # of the network before the pass
    outputs: Tensor  # images (N, C, H, W) or logits (N,), float32
    labels: tuple[Tensor, ...] = ()  # with class labels: those (N,) that the network got

    @property
    def label(self) -> Tensor | None:
        """With class labels, the class (N,) of each input."""
        return self.labels[0] if self.labels else None


@dataclass
class WatchedStep:
    """One step: D's last update in it, and G's."""

    scalars: Scalars
    record: StepRecord
    acts: Acts
    d_real: list[NetPass]  # one for each micro-batch, as all lists here
    d_fake: list[NetPass]
    g_fake: list[NetPass]  # D's passes in G's update
    g_real: list[NetPass]  # the same, if the loss compares pairs
    g_passes: list[NetPass]  # G's passes that made the fakes of its update
    g_gradients: list[Tensor]  # of G's loss at its fakes (n, C, H, W), for the mean over the batch
    weights_before: dict[str, Weights]  # player -> its weights before its last update
    weights_after: dict[str, Weights]


@dataclass
class Probe(Trick):
    """A trick that only copies what it sees; it is called after all others."""

    passes: dict[tuple[str, bool], list[NetPass]] = field(default_factory=dict)
    g_made: list[NetPass] = field(default_factory=list)  # by G since D's last update began
    g_passes: list[NetPass] = field(default_factory=list)
    g_gradients: list[Tensor] = field(default_factory=list)
    weights_before: dict[str, Weights] = field(default_factory=dict)
    weights_after: dict[str, Weights] = field(default_factory=dict)
    last_d_pass: NetPass | None = None

    def begin_batch(self, gan: Gan, player: Player) -> None:
        self.passes[player.name, True] = []
        self.passes[player.name, False] = []
        self.weights_before[player.name] = copy_weights(player.net)
        if player is gan.D:
            self.g_made.clear()

    def logits(self, logits: Tensor, gan: Gan, player: Player, is_real: bool) -> Tensor:
        assert self.last_d_pass
        self.passes[player.name, is_real].append(self.last_d_pass)
        return logits

    def penalty(self, gan: Gan, player: Player, real: Tensor, fake: Tensor) -> None:
        """Find the pass of G that made these fakes, and ask for their gradient in the step."""
        if player is not gan.G:
            return
        made = [each for each in self.g_made if each.outputs.shape == fake.shape]
        self.g_passes += [each for each in made if torch.equal(each.outputs, fake.detach())][-1:]
        if fake.requires_grad:
            scale = gan.accumulate / player.scaler.get_scale()  # float16 scales the loss
            fake.register_hook(  # type: ignore[no-untyped-call]
                lambda gradient: self._keep_gradient(gradient * scale)
            )

    def _keep_gradient(self, gradient: Tensor) -> None:
        self.g_gradients.append(gradient.detach().float())

    def after_update(self, gan: Gan, player: Player) -> None:
        self.weights_after[player.name] = copy_weights(player.net)


@contextlib.contextmanager
def watching_passes(gan: Gan, probe: Probe) -> Iterator[None]:
    """While open, give the probe the passes of both networks."""
    device = gan.machine.device

    def keep_d_pass(net_pass: NetPass) -> None:
        probe.last_d_pass = net_pass

    handles = [
        *_watch_passes(gan.G.net, device, probe.g_made.append),
        *_watch_passes(gan.D.net, device, keep_d_pass),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _watch_passes(
    net: nn.Module, device: torch.device, keep: Callable[[NetPass], None]
) -> list[Any]:
    """Call `keep` with each pass of a network; returns the handles of two hooks."""
    begun: list[NetPass] = []

    def before(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        given = inputs[0].detach().clone()
        begun.append(NetPass(given, random_state(device), copy_buffers(net), given, inputs[1:]))

    def after(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        net_pass = begun.pop()
        net_pass.outputs = output.detach().float().clone()
        keep(net_pass)

    return [net.register_forward_pre_hook(before), net.register_forward_hook(after)]


def copy_weights(net: nn.Module) -> Weights:
    return {name: weight.detach().clone() for name, weight in net.named_parameters()}


def copy_buffers(net: nn.Module) -> Weights:
    return {name: buffer.detach().clone() for name, buffer in net.named_buffers()}


def watch_step(trainer: Trainer, step: int) -> WatchedStep:
    """Take training step number `step`, counted from 0, and watch it."""
    gan = trainer.gan
    acts = Acts()
    probe = Probe()
    tricks = trainer.tricks
    d_inputs = gan.d_inputs
    watched = [WatchedTrick(trick, acts) for trick in tricks]
    trainer.tricks = [*watched, probe]
    gan.d_inputs = [each.d_input for each in watched if each.trick.overrides("d_input")]
    try:
        with watching_passes(gan, probe):
            scalars, record = trainer.recorded_step(step, keeps_updates=True)
    finally:
        trainer.tricks = tricks
        gan.d_inputs = d_inputs
    return WatchedStep(
        scalars=scalars,
        record=record,
        acts=acts,
        d_real=probe.passes["D", True],
        d_fake=probe.passes["D", False],
        g_fake=probe.passes["G", False],
        g_real=probe.passes["G", True],
        g_passes=probe.g_passes,
        g_gradients=probe.g_gradients,
        weights_before=probe.weights_before,
        weights_after=probe.weights_after,
    )
