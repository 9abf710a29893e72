"""Player and Gan: the two networks, and how a training step calls them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.amp import GradScaler
from torch.nn.utils.parametrize import is_parametrized

from gankit.core import randomness
from gankit.core.class_labels import fit_labels, labels_in_turn
from gankit.core.device import Machine, to_device
from gankit.core.process_group import ProcessGroup
from gankit.core.random_state import keep_random_state


@dataclass
class Player:
    """A network and its optimiser."""

    name: str  # "G" or "D"
    net: nn.Module
    adam: torch.optim.Optimizer = field(init=False)  # created after tricks have wrapped the network
    scaler: GradScaler = field(default_factory=lambda: GradScaler(enabled=False))

    def __eq__(self, other: object) -> bool:
        """Whether it is the same player; a TypeError for `player == "D"`, which is never true."""
        if isinstance(other, str):
            raise TypeError(f"a player is not a name: write `player is gan.{other}`")
        return self is other

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """While open, no gradients are computed for the network's weights."""
        trained = [p for p in self.net.parameters() if p.requires_grad]
        for parameter in trained:
            parameter.requires_grad_(False)
        try:
            yield
        finally:
            for parameter in trained:
                parameter.requires_grad_(True)


class MicroBatch(NamedTuple):
    """What one forward and backward pass of each player gets."""

    real: Tensor  # (N, C, H, W)
    z: Tensor  # (N, latent_dim)
    labels: Tensor | None = None  # (N,), the class of each real picture, and of the fake for its z


@dataclass
class Gan:
    """The two players, random draws for the current step, and the forward passes."""

    G: Player
    D: Player
    latent_dim: int
    seed: int
    steps: int  # of the whole run
    machine: Machine
    step: int = 0  # the current step, or the next one between steps
    # Shares of the run at which steps begin to take another time, beside 0: for plans in time.
    phases: list[float] = field(default_factory=list)
    accumulate: int = 1  # micro-batches that a batch is cut into, for one update
    process_group: ProcessGroup = field(default_factory=ProcessGroup)
    d_inputs: list[Callable[[Tensor, Gan], Tensor]] = field(default_factory=list)
    sampler: nn.Module = field(init=False)  # the G to sample from: an average, with the trick ema
    features: Tensor | None = None  # (N, ...), see keep_features
    num_classes: int = 0  # of a run with class labels; 0: without
    labels: Tensor | None = None  # (N,), the classes of the current micro-batch
    _draws: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sampler = self.G.net

    @property
    def progress(self) -> float:
        """The share of the run that is done, from 0 to 1."""
        return self.step / max(self.steps, 1)

    @property
    def phase(self) -> int:
        """How many of the phases have begun."""
        return sum(begin <= self.progress for begin in self.phases)

    # --- random draws

    def begin_step(self, step: int) -> None:
        """Seed all draws for `step`, also those of layers such as dropout."""
        self.step = step
        self._draws.clear()
        # On a CPU, torch.manual_seed is slow: it also seeds devices that do not exist.
        seed = self.draw("layers").initial_seed()
        if self.machine.device.type == "cpu":
            torch.default_generator.manual_seed(seed)
        else:
            torch.manual_seed(seed)

    def draw(self, purpose: str) -> torch.Generator:
        """A new random generator on the run's device; each call in a step gives another one."""
        count = self._draws.get(purpose, -1) + 1
        self._draws[purpose] = count
        key = f"{purpose}/{count}"
        if self.process_group.rank > 0:
            key += f"/process {self.process_group.rank}"
        return randomness.generator(self.seed, self.step, key, self.machine.device)

    def latents(self, count: int, turn: int = 0) -> Tensor:
        """z (count, latent_dim) for this step.

        `turn` is 0 for G's update and for D's last one. With d_steps above 1, D's earlier updates
        have turns 1, 2, ...
        """
        total = count * self.process_group.world_size  # each process takes its share
        z = randomness.latents(self.seed, self.step, total, self.latent_dim, f"z/{turn}")
        return to_device(self.process_group.share(z), self.machine.device)

    def micro_batches(
        self, real: Tensor, labels: Tensor | None = None, turn: int = 0
    ) -> list[MicroBatch]:
        """A batch (N, C, H, W), its z and its labels (N,), cut into `accumulate` equal parts."""
        rows = [real, self.latents(len(real), turn)]
        if labels is not None:
            rows.append(labels)
        parts = zip(*(each.chunk(self.accumulate) for each in rows), strict=True)
        return [MicroBatch(*part) for part in parts]

    # --- forward passes

    def generate(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """G's images (N, C, H, W) in [-1, 1], float32, as a step makes them.

        With class labels, `labels` (N,) are the classes to draw, and from now on those that `judge`
        asks about; by default, they are those of the current micro-batch.

        A pass in training mode changes the network: it moves batch norm's statistics. Use `sample`
        to draw pictures without changing anything.
        """
        self.labels = self.labels if labels is None else labels
        with self.machine.autocast():
            return Tensor.float(self._call(self.G.net, z, self.labels))

    def judge(self, images: Tensor) -> Tensor:
        """D's logits (N,), float32. A step calls D only here, so tricks see all of its inputs.

        With class labels, D is asked about the classes in `labels`, those of the last fakes.

        A pass in training mode changes the network and the tricks: it moves batch norm's statistics
        and spectral norm's vectors, draws random numbers, and replaces `features`. Use `look` to
        learn what D thinks of images without changing anything.
        """
        self.features = None  # those of the last pass would keep its graph alive
        for d_input in self.d_inputs:
            images = d_input(images, self)
        with self.machine.autocast():
            return Tensor.float(self._call(self.D.net, images, self.labels))

    def _call(self, net: nn.Module, inputs: Tensor, labels: Tensor | None) -> Any:
        """A network's outputs (N, ...); with class labels, it gets those (N,) of its inputs too."""
        if not self.num_classes:
            return net(inputs)
        return net(inputs, fit_labels(labels, inputs))

    def keep_features(self) -> None:
        """From now on, `judge` stores the input of D's last layer with weights in `features`.

        It is (N, ...), with its graph. For tricks; call it in `start`.
        """
        for layer in self.D.net.modules():
            if isinstance(layer, nn.Embedding):  # its input is the class labels
                continue
            has_weight = any(p.dim() > 1 for p in layer.parameters(recurse=False))
            if has_weight or is_parametrized(layer):
                layer.register_forward_pre_hook(self._store_features)

    def _store_features(self, layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        if inputs:
            self.features = inputs[0]  # each layer overwrites it, so the last one in a pass remains

    @contextlib.contextmanager
    def full_precision(self) -> Iterator[None]:
        """While open, networks compute in float32: penalties square their gradients."""
        machine = self.machine
        self.machine = replace(machine, precision="32")
        try:
            yield
        finally:
            self.machine = machine

    def sample(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """The sampler's images (N, C, H, W) for z (N, latent_dim), float32, on the CPU.

        In eval mode, where a picture depends on its own z only. It changes nothing. `labels` (N,):
        with class labels, the class of each picture; by default, those of a grid.
        """
        if labels is None and self.num_classes:
            labels = labels_in_turn(range(len(z)), self.num_classes)
        with self.only_looking(self.sampler):
            images: Tensor = self._call(self.sampler, z.to(self.machine.device), labels)
        return images.float().cpu()

    def look(
        self, images: Tensor, training: bool = False, *, labels: Tensor | None = None
    ) -> Tensor:
        """D's logits (N,) for images (N, C, H, W) in [-1, 1], float32, on the run's device.

        With class labels, D is asked whether each image shows its class in `labels` (N,).

        In eval mode and without the run's tricks, so these are not the logits that the loss gets.
        With `training`, in training mode, as in a step: a logit then depends on the whole batch.
        It changes nothing: an observer may look as often as it likes.
        """
        with self.only_looking(self.D.net, training), torch.compiler.set_stance("force_eager"):
            logits: Tensor = self._call(self.D.net, images.to(self.machine.device), labels)
        return logits.float()

    def look_with_gradients(
        self, images: Tensor, *, labels: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """D's logits (N,), as `look` has them, and their gradients at the images (N, C, H, W).

        A gradient says how a small change of each pixel would change the logit of its image. Both
        are float32, on the run's device. It changes nothing. It takes the memory of a backward
        pass: give it no more images than a step has.
        """
        images = images.detach().to(self.machine.device, copy=True).requires_grad_()
        with (
            self.only_looking(self.D.net),
            self.D.frozen(),
            torch.compiler.set_stance("force_eager"),
            torch.enable_grad(),
        ):
            logits: Tensor = self._call(self.D.net, images, labels)
            (gradients,) = torch.autograd.grad(logits.sum(), images)
        return logits.detach().float(), gradients.float()

    @contextlib.contextmanager
    def only_looking(self, net: nn.Module, training: bool = False) -> Iterator[None]:
        """While open, `net` is in one mode, without gradients; then all is as it was before.

        That is the mode of each layer, what layers and tricks keep of the last pass, and torch's
        random state.
        """
        features = self.features
        states = [vars(module) for module in net.modules()]
        before = [{**state, "_buffers": dict(state["_buffers"])} for state in states]
        with torch.no_grad(), keep_random_state(self.machine.device):
            net.train(training)
            for state in states if training else ():  # a pass moves the statistics of batch norm
                buffers = state["_buffers"].items()
                state["_buffers"] = {k: None if b is None else b.clone() for k, b in buffers}
            try:
                yield
            finally:
                for state, earlier in zip(states, before, strict=True):
                    state.clear()
                    state.update(earlier)
                self.features = features
