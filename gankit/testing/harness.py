"""The bench a part is checked on: a quiet registry, small pictures, small networks."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Concatenate, ParamSpec

import numpy as np
import torch
from torch import Tensor, nn

from gankit.core.choice import Choice
from gankit.core.errors import GankitError
from gankit.core.prepared import Pixels
from gankit.core.registry import Plugin, Registry, load_registry
from gankit.core.settings import Run
from gankit.core.specs import DatasetSpec, DiscriminatorSpec, GeneratorSpec, Spec
from gankit.core.step import Scalars
from gankit.data.prepare import prepare
from gankit.testing.broken import BrokenContract
from gankit.training.assemble import Trainer, assemble, resolve_auto
from gankit.training.compose import compose

BENCH = "gankit-testing"  # the name of the bench's own parts
Weights = dict[str, Tensor]  # of both networks, by name
ContractOptions = ParamSpec("ContractOptions")

SMALL: dict[str, Any] = {
    "dataset": BENCH,
    "image_size": 16,
    "batch_size": 8,
    "length": "4 steps",
    "device": "cpu",
    "precision": "32",
    "log_every": 1,
}


class Pictures:
    """64 pictures of coloured noise."""

    fingerprint = "gankit-testing-v1"

    def __len__(self) -> int:
        return 64

    def __getitem__(self, index: int) -> Pixels:
        return np.random.RandomState(index).randint(0, 256, (16, 16, 3), dtype=np.uint8)


class AnyG(nn.Module):
    """The smallest G for any size of picture."""

    def __init__(self, image_size: int, channels: int, latent_dim: int) -> None:
        super().__init__()
        self.shape = (channels, image_size, image_size)
        self.main = nn.Linear(latent_dim, math.prod(self.shape))

    def forward(self, z: Tensor) -> Tensor:
        pixels: Tensor = self.main(z)
        return pixels.tanh().reshape(len(z), *self.shape)


class LinearD(nn.Module):
    """D(x) is the sum of slope * x: its gradient is known."""

    def __init__(self, image_size: int, channels: int) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.randn(channels, image_size, image_size) / image_size)

    def forward(self, images: Tensor) -> Tensor:
        weighted: Tensor = images * self.slope
        return weighted.sum(dim=(1, 2, 3))


@cache
def _installed() -> Registry:
    return load_registry()


def quiet_registry() -> Registry:
    """Every installed part and the bench's own, without observers: a check writes nothing down."""
    registry = Registry()
    registry.plugins = [dataclasses.replace(p, hook=None) for p in _installed().plugins]
    description: dict[str, Any] = {"name": BENCH, "summary": "for checks", "source": "gankit"}
    bench_parts: list[Spec] = [
        DatasetSpec(**description, build=Pictures),
        GeneratorSpec(**description, build=AnyG),
        DiscriminatorSpec(**description, build=LinearD),
    ]
    registry.plugins.append(Plugin(BENCH, specs=bench_parts))
    return registry


@dataclasses.dataclass
class Bench:
    """One part under test, and what it takes to try it."""

    registry: Registry
    kind: str
    text: Choice
    settings: dict[str, Any]  # of the run, where the part needs some
    final_weights: Weights = dataclasses.field(default_factory=dict)  # after a run of the part

    @property
    def name(self) -> str:
        return self.text.name

    @property
    def spec(self) -> Spec:
        return self.registry.find(self.kind, self.name)

    def make(self, **filled_in: Any) -> Any:
        """Build the part; its kind says what comes."""
        return self.registry.make(self.kind, self.text, **filled_in)

    def run(self, *tricks: str, **settings: Any) -> Run:
        """A small run of the default model with these tricks, in the settings the part needs."""
        model = f"{self.registry.default('model')}:base_channels=4"
        settings = {**SMALL, "model": model, **self.settings, **settings}
        return compose(self.registry, tricks=tricks or ("none",), **settings)

    def trainer(self, *tricks: str, **settings: Any) -> Trainer:
        """The same run, ready for its first step."""
        return self.assembled(self.run(*tricks, **settings))

    def assembled(self, run: Run) -> Trainer:
        prepared = prepare(run, self.registry, lambda done, total: None)
        return assemble(resolve_auto(run, prepared), self.registry, prepared)

    def keep_to(
        self,
        contract: Callable[Concatenate[Bench, ContractOptions], None],
        *args: ContractOptions.args,
        **kwargs: ContractOptions.kwargs,
    ) -> None:
        """Try a contract, which is a function of the bench; what goes wrong becomes one line."""
        try:
            contract(self, *args, **kwargs)
        except GankitError as error:  # names the part itself
            raise BrokenContract(str(error)) from error
        except ValueError as error:
            raise BrokenContract(self.blame(str(error))) from error
        except Exception as error:  # a stranger's code: anything may come
            what = f"when trying that {contract.__doc__}: {type(error).__name__}: {error}"
            raise BrokenContract(self.blame(what)) from error

    def blame(self, what: str) -> str:
        """`trick 'mine' of plugin 'my-plugin': what`."""
        try:
            with self.registry.attribute_errors_to(self.kind, self.text):
                raise ValueError(what)
        except GankitError as error:
            return str(error)


@contextlib.contextmanager
def opened(
    kind: str, part: Spec | str, plugin: object | None, settings: Mapping[str, Any]
) -> Iterator[Bench]:
    """A Bench with the part on it; torch's random state is put back afterwards."""
    registry = quiet_registry()
    if isinstance(part, Spec):
        registry.plugins.append(Plugin(_home(part), specs=[part]))
    if plugin is not None:
        _load(registry, plugin)
    text = part.name if isinstance(part, Spec) else part
    try:
        if kind == "model":
            registry.networks(text)
            _, choice = registry.chosen(kind, text)
        else:
            choice = registry.check(kind, text)
    except GankitError as error:
        raise BrokenContract(str(error)) from error
    with torch.random.fork_rng(devices=[]):
        yield Bench(registry, kind, choice, dict(settings))


def _home(spec: Spec) -> str:
    """The module that a spec's builder stands in; models and recipes have no builder."""
    if isinstance(spec.build, str):
        return spec.build.partition(":")[0]
    module = spec.build.__module__
    return "given" if module == Spec.__module__ else module


def _load(registry: Registry, plugin: object) -> None:
    """Load a module or class with hooks, unless it is installed and loaded already."""
    name = getattr(plugin, "__name__", str(plugin))
    specs = Registry().load(name, lambda: plugin).specs
    registered = [spec for loaded in registry.plugins for spec in loaded.specs]
    if specs and all(spec in registered for spec in specs):
        return
    error = registry.load(name, lambda: plugin).error
    if error:
        raise BrokenContract(f"plugin {name!r} cannot be loaded: {error}")


def finite(trainer: Trainer, scalars: Scalars, when: str) -> None:
    """ValueError where a loss or a weight is NaN or infinite."""
    for name, value in scalars.items():
        if not math.isfinite(float(value)):
            raise ValueError(f"makes {name} {float(value)} {when}")
    for player in (trainer.gan.G, trainer.gan.D):
        if not all(bool(p.isfinite().all()) for p in player.net.parameters()):
            raise ValueError(f"leaves weights of {player.name} that are not finite {when}")


def weights(trainer: Trainer) -> Weights:
    """Every weight and buffer of the networks, by name, as they are now."""
    nets = {"G": trainer.gan.G.net, "D": trainer.gan.D.net}
    if trainer.gan.sampler is not trainer.gan.G.net:
        nets["sampler"] = trainer.gan.sampler
    return {f"{n} {k}": v.clone() for n, net in nets.items() for k, v in net.state_dict().items()}


def difference(weights: Weights, others: Weights) -> str | None:
    """The name of the first weight that differs between two networks, or None."""
    for name in sorted({*weights, *others}):
        missing = name not in weights or name not in others
        if missing or not torch.equal(weights[name], others[name]):
            return name
    return None
