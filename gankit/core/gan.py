"""Player, Gan: the two networks and what lies between them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn
from torch.amp import GradScaler

from gankit.core import randomness
from gankit.core.device import Machine, sent
from gankit.core.process_group import Team


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
    accumulate: int = 1  # pieces that a batch is taken in, for one update
    piece: int = 0  # which of them is being taken
    team: Team = field(default_factory=Team)
    d_inputs: list[Callable[[Tensor, Gan], Tensor]] = field(default_factory=list)
    sampler: nn.Module = field(init=False)  # the G that pictures are drawn from
    _draws: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sampler = self.G.net

    @property
    def progress(self) -> float:
        """How much of the run is over, from 0 to 1."""
        return self.step / max(self.steps, 1)

    def begin_step(self, step: int) -> None:
        """From here on, draws are those of `step`; layers that draw (dropout) are seeded too."""
        self.step = step
        self._draws.clear()
        seeds = torch.default_generator if self.machine.device.type == "cpu" else torch  # quicker
        seeds.manual_seed(self.draw("layers").initial_seed())

    def draw(self, purpose: str) -> torch.Generator:
        """A random generator on the run's device, fresh for each call in each step."""
        count = self._draws[purpose] = self._draws.get(purpose, -1) + 1
        key = f"{purpose}/{count}" + f"/process {self.team.rank}" * (self.team.rank > 0)
        return randomness.generator(self.seed, self.step, key, self.machine.device)

    def latents(self, count: int, turn: int = 0) -> Tensor:
        """z (count, latent_dim) for this step; `turn` counts the step's draws of z."""
        every = (count * self.team.size, self.latent_dim)
        z = self.team.share(randomness.latents(self.seed, self.step, *every, f"z/{turn}"))
        return sent(z, self.machine.device)

    def pieces(self, batch: Tensor, z: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """A batch and its z, in pieces; nearly always in one."""
        both = zip(batch.chunk(self.accumulate), z.chunk(self.accumulate), strict=True)
        for self.piece, piece in enumerate(both):
            yield piece

    def generate(self, z: Tensor) -> Tensor:
        """G's images (N, C, H, W) in [-1, 1], float32."""
        with self.machine.autocast():
            return Tensor.float(self.G.net(z))

    def judge(self, images: Tensor) -> Tensor:
        """D's logits (N,), float32: the only door to D, so every trick sees real and fake alike."""
        for d_input in self.d_inputs:
            images = d_input(images, self)
        with self.machine.autocast():
            return Tensor.float(self.D.net(images))

    @contextlib.contextmanager
    def exactly(self) -> Iterator[None]:
        """While open, networks compute in float32: for penalties, whose gradients are squared."""
        before, self.machine = self.machine, replace(self.machine, precision="32")
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
