"""Player, Gan: the two networks and what lies between them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.amp import GradScaler
from torch.nn.utils.parametrize import is_parametrized

from gankit.core import randomness
from gankit.core.device import Machine, to_device
from gankit.core.process_group import ProcessGroup


@dataclass
class Player:
    """A network with its optimiser."""

    name: str  # "G" or "D"
    net: nn.Module
    adam: torch.optim.Optimizer = field(init=False)  # once tricks have wrapped the network
    scaler: GradScaler = field(default_factory=lambda: GradScaler(enabled=False))

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """While open, the network's weights get no gradient, and none is computed."""
        trained = [p for p in self.net.parameters() if p.requires_grad]
        for parameter in trained:
            parameter.requires_grad_(False)
        try:
            yield
        finally:
            for parameter in trained:
                parameter.requires_grad_(True)


@dataclass
class Gan:
    """Two players, the door to D, and where training stands."""

    G: Player
    D: Player
    latent_dim: int
    seed: int
    steps: int  # of the whole run
    machine: Machine
    step: int = 0  # the step being taken, or to be taken next
    accumulate: int = 1  # micro-batches that a batch is cut into, for one update
    process_group: ProcessGroup = field(default_factory=ProcessGroup)
    d_inputs: list[Callable[[Tensor, Gan], Tensor]] = field(default_factory=list)
    sampler: nn.Module = field(init=False)  # the G that pictures are drawn from
    features: Tensor | None = None  # (N, ...), see keep_features
    _draws: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sampler = self.G.net

    @property
    def progress(self) -> float:
        """How much of the run is over, from 0 to 1."""
        return self.step / max(self.steps, 1)

    # --- random draws

    def begin_step(self, step: int) -> None:
        """From here on, draws are those of `step`; layers that draw (dropout) are seeded too."""
        self.step = step
        self._draws.clear()
        # On a CPU, torch.manual_seed would spend its time on seeding devices that are not there.
        seeds = torch.default_generator if self.machine.device.type == "cpu" else torch
        seeds.manual_seed(self.draw("layers").initial_seed())

    def draw(self, purpose: str) -> torch.Generator:
        """A random generator on the run's device, fresh for each call in each step."""
        count = self._draws.get(purpose, -1) + 1
        self._draws[purpose] = count
        key = f"{purpose}/{count}"
        if self.process_group.rank > 0:
            key += f"/process {self.process_group.rank}"
        return randomness.generator(self.seed, self.step, key, self.machine.device)

    def latents(self, count: int, turn: int = 0) -> Tensor:
        """z (count, latent_dim) for this step; `turn` is 0 for the fakes that G learns from.

        1, 2, ... are those of the updates that D has before, with d_steps of more than 1.
        """
        whole = count * self.process_group.world_size  # drawn alike everywhere, then shared out
        z = randomness.latents(self.seed, self.step, whole, self.latent_dim, f"z/{turn}")
        return to_device(self.process_group.share(z), self.machine.device)

    def micro_batches(self, real: Tensor, turn: int = 0) -> list[tuple[Tensor, Tensor]]:
        """A batch (N, C, H, W) and its z, cut into `accumulate` equal pairs (real, z)."""
        z = self.latents(len(real), turn)
        pairs = zip(real.chunk(self.accumulate), z.chunk(self.accumulate), strict=True)
        return list(pairs)

    # --- forward passes

    def generate(self, z: Tensor) -> Tensor:
        """G's images (N, C, H, W) in [-1, 1], float32."""
        with self.machine.autocast():
            return Tensor.float(self.G.net(z))

    def judge(self, images: Tensor) -> Tensor:
        """D's logits (N,), float32: the only door to D, so every trick sees real and fake alike."""
        self.features = None  # of the pass before; they would keep its graph alive
        for d_input in self.d_inputs:
            images = d_input(images, self)
        with self.machine.autocast():
            return Tensor.float(self.D.net(images))

    def keep_features(self) -> None:
        """From now on `features` holds what D's last layer with weights was given, after `judge`.

        (N, ...), with its graph, as many numbers a picture as the layer takes. For tricks; call it
        in `start`.
        """
        for layer in self.D.net.modules():
            own = layer.parameters(recurse=False)
            if any(p.dim() > 1 for p in own) or is_parametrized(layer):
                layer.register_forward_pre_hook(self._keep_features)

    def _keep_features(self, layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        if inputs:
            self.features = inputs[0]  # the last layer to be called in a pass has the last word

    @contextlib.contextmanager
    def full_precision(self) -> Iterator[None]:
        """While open, networks compute in float32: for penalties, whose gradients are squared."""
        before = self.machine
        self.machine = replace(before, precision="32")
        try:
            yield
        finally:
            self.machine = before

    @torch.no_grad()
    def sample(self, z: Tensor) -> Tensor:
        """The sampler's images for z, in eval mode: a picture does not depend on its neighbours."""
        training = self.sampler.training
        self.sampler.eval()
        images: Tensor = self.sampler(z.to(self.machine.device))
        self.sampler.train(training)
        return images.float().cpu()
