"""The harness in which a part is checked: a registry, small pictures, small networks, helpers."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from os import PathLike
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from gankit.core.contracts.contract import require_part
from gankit.core.contracts.prepared import Pixels
from gankit.core.errors import GankitError, quote_value
from gankit.core.parts.choice import Choice
from gankit.core.parts.registry import Plugin, Registry, load_registry
from gankit.core.parts.specs import DatasetSpec, DiscriminatorSpec, GeneratorSpec, Spec
from gankit.core.run.settings import Run
from gankit.data.prepare import prepare
from gankit.training.assemble import Trainer, assemble, resolve_auto
from gankit.training.run_folder.run_parts import SETTINGS
from gankit.training.settings.compose import compose
from gankit.training.settings.given_parts import GivenParts
from gankit.training.settings.python_words import errors_in_python, in_caller_words

HARNESS = "gankit-testing"  # the name of the harness's own parts
Weights = dict[str, Tensor]  # of both networks, by name
Setting = str | int | float | PathLike[str] | Sequence[str] | None  # of a run, as in gankit.compose
CheckOptions = ParamSpec("CheckOptions")
PartClass = TypeVar("PartClass")

SMALL: dict[str, Any] = {
    "dataset": HARNESS,
    "image_size": 16,
    "batch_size": 8,
    "length": "4 steps",
    "device": "cpu",
    "precision": "32",
    "log_every": 1,
}


class BrokenContract(AssertionError):
    """A part does not do what gankit or another part relies on."""


class Pictures:
    """64 pictures of coloured noise."""

    fingerprint = "gankit-testing-v1"

    def __len__(self) -> int:
        return 64

    def __getitem__(self, index: int) -> Pixels:
        return np.random.RandomState(index).randint(0, 256, (16, 16, 3), dtype=np.uint8)


def _height_and_width(image_size: int | tuple[int, int]) -> tuple[int, int]:
    return image_size if isinstance(image_size, tuple) else (image_size, image_size)


class LinearG(nn.Module):
    """The smallest G, for any size of picture."""

    def __init__(self, image_size: int | tuple[int, int], channels: int, latent_dim: int) -> None:
        super().__init__()
        self.shape = (channels, *_height_and_width(image_size))
        self.main = nn.Linear(latent_dim, math.prod(self.shape))

    def forward(self, z: Tensor) -> Tensor:
        pixels: Tensor = self.main(z)
        return pixels.tanh().reshape(len(z), *self.shape)


class LinearD(nn.Module):
    """D(x) is the sum of slope * x, so its gradient is `slope`."""

    def __init__(self, image_size: int | tuple[int, int], channels: int) -> None:
        super().__init__()
        height, width = _height_and_width(image_size)
        self.slope = nn.Parameter(torch.randn(channels, height, width) / height)

    def forward(self, images: Tensor) -> Tensor:
        weighted: Tensor = images * self.slope
        return weighted.sum(dim=(1, 2, 3))


@cache
def _load_installed() -> Registry:
    return load_registry()


def registry_without_observers() -> Registry:
    """All installed parts and the harness's own; without observers, which would write files."""
    registry = Registry()
    registry.plugins = [dataclasses.replace(p, hook=None) for p in _load_installed().plugins]
    description: dict[str, Any] = {"name": HARNESS, "summary": "for checks", "source": "gankit"}
    parts: list[Spec] = [
        DatasetSpec(**description, build=Pictures),
        GeneratorSpec(**description, build=LinearG),
        DiscriminatorSpec(**description, build=LinearD),
    ]
    registry.plugins.append(Plugin(HARNESS, specs=parts))
    return registry


@dataclasses.dataclass
class Harness:
    """A part under test, and what is needed to check it."""

    registry: Registry
    kind: str
    text: Choice
    settings: dict[str, Any]  # of the run, if the part needs some
    final_weights: Weights = dataclasses.field(default_factory=dict)  # after a run with the part

    @property
    def name(self) -> str:
        return self.text.name

    @property
    def spec(self) -> Spec:
        return self.registry.find(self.kind, self.name)

    def make(self, **filled_in: Any) -> Any:
        """Build the part."""
        return self.registry.make(self.kind, self.text, **filled_in)

    def make_instance(self, expected: type[PartClass]) -> PartClass:
        """Build the part; ValueError unless it is an instance of the expected class."""
        return require_part(self.make(), expected)

    def run(self, *tricks: str, **settings: Any) -> Run:
        """A small run of the default model with these tricks and the settings of the part."""
        model = f"{self.registry.default('model')}:base_channels=4"
        own = {"model": model, "threads": torch.get_num_threads()}  # measuring may change the bits
        settings = {**SMALL, **own, **self.settings, **settings}
        return compose(self.registry, tricks=tricks or ("none",), **settings)

    def trainer(self, *tricks: str, **settings: Any) -> Trainer:
        """A trainer of that run, ready for its first step."""
        return self.assemble(self.run(*tricks, **settings))

    def assemble(self, run: Run) -> Trainer:
        """A trainer of any run."""
        run = dataclasses.replace(run, threads=torch.get_num_threads())  # not measured
        prepared = prepare(run, self.registry)
        return assemble(resolve_auto(run, prepared), self.registry, prepared)

    def check(
        self,
        contract: Callable[Concatenate[Harness, CheckOptions], None],
        *args: CheckOptions.args,
        **kwargs: CheckOptions.kwargs,
    ) -> None:
        """Call a function that checks a contract; its errors become a BrokenContract of one line.

        The function's docstring is a clause, for the message of an unexpected error.
        """
        try:
            contract(self, *args, **kwargs)
        except GankitError as error:  # it names the part already
            raise BrokenContract(in_caller_words(str(error))) from error
        except ValueError as error:
            raise BrokenContract(self.name_part(str(error))) from error
        except Exception as error:  # a plugin may raise anything
            clause = f"while checking that {contract.__doc__}"
            what = f"raises {type(error).__name__}: {error} ({clause})"
            raise BrokenContract(self.name_part(what)) from error

    def check_all(self, *contracts: Callable[[Harness], None]) -> None:
        """Check contracts that need no arguments, in this order."""
        for contract in contracts:
            self.check(contract)

    def name_part(self, message: str) -> str:
        """Put the part and its plugin before a message: `trick 'mine' of plugin 'x': message`."""
        try:
            with self.registry.attribute_errors_to(self.kind, self.text):
                raise ValueError(message)
        except GankitError as error:
            return str(error)


@contextlib.contextmanager
def open_harness(
    kind: str, part: Any, plugin: object | None, settings: Mapping[str, Any]
) -> Iterator[Harness]:
    """A harness for a part: a text, a spec, or what `compose` takes in place of a name.

    torch's random state is restored afterwards.
    """
    registry = registry_without_observers()
    try:
        registry, text = _add_part(registry, kind, part)
        if plugin is not None:
            _load_plugin(registry, plugin)
        if kind == "model":
            registry.networks(text)
            _, choice = registry.parse(kind, text)
        else:
            choice = registry.check(kind, text)
    except GankitError as error:
        raise BrokenContract(str(error)) from error
    with torch.random.fork_rng(devices=[]):
        yield Harness(registry, kind, choice, dict(settings))


def _add_part(registry: Registry, kind: str, part: Any) -> tuple[Registry, str]:
    """A registry with the part, and the part's name with its options. GankitError."""
    if isinstance(part, str):
        return registry, part
    if isinstance(part, Spec):
        registry.plugins.append(Plugin(_module_name(part), specs=[part]))
        return registry, part.name
    if kind == "recipe":
        raise GankitError(f"recipe is {quote_value(part)}; it must be a name or a RecipeSpec")
    given = GivenParts(registry)
    with errors_in_python():
        if kind == "model":
            return given.registry, given.add_model(part)
        return given.registry, given.add_part(SETTINGS.get(kind, kind), part)


def _module_name(spec: Spec) -> str:
    """The module of a spec's builder; models and recipes have no builder."""
    if isinstance(spec.build, str):
        return spec.build.partition(":")[0]
    module = spec.build.__module__
    return "given" if module == Spec.__module__ else module


def _load_plugin(registry: Registry, plugin: object) -> None:
    """Load a module or class with hooks, or a .py file, unless it is an installed plugin."""
    if isinstance(plugin, str | Path):
        registry.load_file(Path(plugin)).require_loaded()
        return
    name = getattr(plugin, "__name__", str(plugin))
    specs = Registry().load(name, lambda: plugin).specs
    registered = [spec for loaded in registry.plugins for spec in loaded.specs]
    if specs and all(spec in registered for spec in specs):
        return
    error = registry.load(name, lambda: plugin).error
    if error:
        raise GankitError(f"plugin {name!r} cannot be loaded: {error}")


def copy_weights(trainer: Trainer) -> Weights:
    """A copy of every weight and buffer of the networks, by name."""
    nets = {"G": trainer.gan.G.net, "D": trainer.gan.D.net}
    if trainer.gan.sampler is not trainer.gan.G.net:
        nets["sampler"] = trainer.gan.sampler
    weights = {}
    for net_name, net in nets.items():
        for key, value in net.state_dict().items():
            weights[f"{net_name} {key}"] = value.clone()
    return weights


def first_difference(weights: Weights, others: Weights) -> str | None:
    """The name of the first weight that differs, or None."""
    for name in sorted({*weights, *others}):
        is_missing = name not in weights or name not in others
        if is_missing or not torch.equal(weights[name], others[name]):
            return name
    return None
