"""The bench a part is checked on: a quiet registry, small pictures, small networks."""

import contextlib
import dataclasses
import math
from functools import cache

import numpy as np
import torch
from torch import nn

from gankit.core.choice import Choice
from gankit.core.errors import GankitError
from gankit.core.registry import Plugin, Registry, load_registry
from gankit.core.specs import DatasetSpec, DiscriminatorSpec, GeneratorSpec, Spec
from gankit.data.prepare import prepare
from gankit.testing.broken import BrokenContract
from gankit.training.assemble import assemble, resolve
from gankit.training.compose import compose

BENCH = "gankit-testing"  # the name of the bench's own parts
SMALL = {
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

    def __len__(self):
        return 64

    def __getitem__(self, index):
        return np.random.RandomState(index).randint(0, 256, (16, 16, 3), dtype=np.uint8)


class AnyG(nn.Module):
    """The smallest G for any size of picture."""

    def __init__(self, image_size, channels, latent_dim):
        super().__init__()
        self.shape = (channels, image_size, image_size)
        self.main = nn.Linear(latent_dim, math.prod(self.shape))

    def forward(self, z):
        return self.main(z).tanh().unflatten(1, self.shape)


class LinearD(nn.Module):
    """D(x) is the sum of slope * x: its gradient is known."""

    def __init__(self, image_size, channels):
        super().__init__()
        self.slope = nn.Parameter(torch.randn(channels, image_size, image_size) / image_size)

    def forward(self, images):
        return (images * self.slope).sum(dim=(1, 2, 3))


@cache
def _installed():
    return load_registry()


def quiet_registry():
    """Every installed part and the bench's own, without observers: a check writes nothing down."""
    registry = Registry()
    registry.plugins = [dataclasses.replace(p, hook=None) for p in _installed().plugins]
    about = {"name": BENCH, "summary": "for checks", "source": "gankit"}
    own = [
        DatasetSpec(**about, build=Pictures),
        GeneratorSpec(**about, build=AnyG),
        DiscriminatorSpec(**about, build=LinearD),
    ]
    registry.plugins.append(Plugin(BENCH, specs=own))
    return registry


@dataclasses.dataclass
class Bench:
    """One part under test, and what it takes to try it."""

    registry: Registry
    kind: str
    text: str  # name:options
    settings: dict  # of the run, where the part needs some
    end: dict | None = None  # the weights that a whole run of the part ends with, once known

    @property
    def name(self):
        return Choice.parse(self.text).name

    @property
    def spec(self):
        return self.registry.find(self.kind, self.name)

    def make(self, **filled_in):
        return self.registry.make(self.kind, self.text, **filled_in)

    def run(self, *tricks, **asked):
        """A small run of the default model with these tricks, in the settings the part needs."""
        model = f"{self.registry.default('model')}:base_channels=4"
        asked = {**SMALL, "model": model, **self.settings, **asked}
        return compose(self.registry, tricks=tricks or ("none",), **asked)

    def game(self, *tricks, **asked):
        return self.assembled(self.run(*tricks, **asked))

    def assembled(self, run):
        prepared = prepare(run, self.registry, lambda done, total: None)
        return assemble(resolve(run, prepared), self.registry, prepared)

    def keep_to(self, contract, *more):
        """Try a contract, which is a function of the bench; what goes wrong becomes one line."""
        try:
            contract(self, *more)
        except GankitError as error:  # names the part itself
            raise BrokenContract(str(error)) from error
        except ValueError as error:
            raise BrokenContract(self.blame(str(error))) from error
        except Exception as error:  # a stranger's code: anything may come
            what = f"when trying that {contract.__doc__}: {type(error).__name__}: {error}"
            raise BrokenContract(self.blame(what)) from error

    def blame(self, what):
        """`trick 'mine' of plugin 'my-plugin': what`."""
        try:
            with self.registry.blaming(self.kind, self.text):
                raise ValueError(what)
        except GankitError as error:
            return str(error)


@contextlib.contextmanager
def opened(kind, part, plugin, settings):
    """A Bench with the part on it; torch's random state is put back afterwards."""
    registry = quiet_registry()
    text = part.name if isinstance(part, Spec) else part
    if isinstance(part, Spec):
        home = part.build if isinstance(part.build, str) else part.build.__module__
        home = (
            "given" if home == "gankit.core.specs" else home.partition(":")[0]
        )  # a model, a recipe
        registry.plugins.append(Plugin(home, specs=[part]))
    if plugin is not None:
        _load(registry, plugin)
    try:
        registry.networks(text) if kind == "model" else registry.check(kind, text)
    except GankitError as error:
        raise BrokenContract(str(error)) from error
    with torch.random.fork_rng(devices=[]):
        yield Bench(registry, kind, text, settings)


def _load(registry, plugin):
    """Load a module or class with hooks, unless it is installed and there already."""
    name = getattr(plugin, "__name__", str(plugin))
    alone = Registry().load(name, lambda: plugin)
    known = [spec for there in registry.plugins for spec in there.specs]
    if alone.specs and all(spec in known for spec in alone.specs):
        return
    error = registry.load(name, lambda: plugin).error
    if error:
        raise BrokenContract(f"plugin {name!r} cannot be loaded: {error}")


def finite(game, scalars, when):
    """ValueError where a loss or a weight is no number any more."""
    for name, value in scalars.items():
        if not math.isfinite(float(value)):
            raise ValueError(f"makes {name} {float(value)} {when}")
    for player in (game.gan.G, game.gan.D):
        if not all(bool(p.isfinite().all()) for p in player.net.parameters()):
            raise ValueError(f"leaves weights of {player.name} that are not finite {when}")


def weights(game):
    """Every weight and buffer of the networks, by name, as they are now."""
    nets = {"G": game.gan.G.net, "D": game.gan.D.net}
    if game.gan.sampler is not game.gan.G.net:
        nets["sampler"] = game.gan.sampler
    return {f"{n} {k}": v.clone() for n, net in nets.items() for k, v in net.state_dict().items()}


def difference(one, other):
    """The name of the first weight that differs between two of `weights`, or None."""
    for name in sorted({*one, *other}):
        if name not in one or name not in other or not torch.equal(one[name], other[name]):
            return name
    return None
