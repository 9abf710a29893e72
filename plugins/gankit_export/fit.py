"""Which generator has these weights? Found by the names and the shapes of its tensors."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import nn

from gankit.core.errors import GankitError
from gankit.core.parts.choice import Choice
from gankit.core.parts.registry import Registry
from gankit.core.run.image_size import ImageSize
from gankit.training.weights.network_size import network_size

Shapes = Mapping[str, tuple[int, ...]]
SIZES = (16, 32, 64, 128, 256, 512, 1024)  # of pictures, in pixels
WIDE = 2**20  # max_channels that limits nothing
BLOCKS = (1, 2, 3, 4)
READ = ("base_channels", "max_channels", "blocks")  # options that shapes tell
PROBES = {"latent_dim": (5, 7), "channels": (1, 3), "base_channels": (8, 16)}


@dataclass(frozen=True)
class Fit:
    """A network, and the values of a run for which it has the given shapes."""

    network: Choice
    image_size: int | str  # as in Run
    channels: int
    latent_dim: int


def shapes_of(tensors: Mapping[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    """The shapes of a network's tensors, without batch norm's counters of batches.

    Files of old versions of PyTorch have no counters.
    """
    names = [name for name in tensors if not name.endswith("num_batches_tracked")]
    return {name: tuple(tensors[name].shape) for name in names}


class Family:
    """A generator or a discriminator of some options, at one size of pictures."""

    def __init__(self, registry: Registry, kind: str, choice: Choice, size: ImageSize) -> None:
        self.registry = registry
        self.kind = kind
        self.choice = choice
        self.size = size
        self.options = registry.find(kind, choice.name).options()

    @cached_property
    def sides(self) -> dict[str, int]:
        """The names of its tensors, and their numbers of sides; empty at an impossible size."""
        try:
            shapes = self.shapes(base_channels=8)
        except GankitError:
            return {}
        return {name: len(shape) for name, shape in shapes.items()}

    def shapes(self, **values: int) -> Shapes:
        """The shapes of its tensors for these options and values of a run. GankitError."""
        options = {name: values[name] for name in READ if name in values and name in self.options}
        of_run = {"channels": 3, "latent_dim": 100} | values
        with torch.device("meta"):
            net: nn.Module = self.registry.make(
                self.kind,
                Choice(self.choice.name, {**options, **self.choice.options}),
                image_size=network_size(self.registry, self.kind, self.choice, self.size),
                channels=of_run["channels"],
                latent_dim=of_run["latent_dim"],
            )
        return shapes_of(net.state_dict())

    def fit(self, shapes: Shapes) -> Fit | None:
        """The values for which it has these shapes, or None."""
        values = {name: self._read(name, shapes) for name in PROBES}
        if not values["latent_dim"] or not values["channels"]:
            return None
        widths = sorted({side for shape in shapes.values() for side in shape})
        limits: list[int | None] = [None, *widths] if "max_channels" in self.options else [None]
        bases: list[int | None] = [*values["base_channels"]] or [None]
        for base, limit in itertools.product(bases, limits):
            chosen = {"base_channels": base, "max_channels": limit}
            options = {name: value for name, value in chosen.items() if value}
            sizes = {"latent_dim": values["latent_dim"][0], "channels": values["channels"][0]}
            if self.shapes(**options, **sizes) == shapes:
                network = Choice(self.choice.name, {**options, **self.choice.options})
                return Fit(network, self.size.setting, sizes["channels"], sizes["latent_dim"])
        return None

    def reshaped(self, shapes: Shapes) -> Family | None:
        """The family of pictures of another size that the sides of the first layer speak for.

        None if it makes squares only, or if no side of these shapes tells a height and a width.
        """
        height = self._read_side(shapes, ImageSize(self.size.width, 3 * self.size.height // 2))
        width = self._read_side(shapes, ImageSize(3 * self.size.width // 2, self.size.height))
        if not height or not width:
            return None
        return Family(self.registry, self.kind, self.choice, ImageSize(width, height))

    def _read_side(self, shapes: Shapes, stretched: ImageSize) -> int:
        """Height or width of the pictures, whichever is half as long again when stretched; or 0."""
        own = self.shapes()
        other = Family(self.registry, self.kind, self.choice, stretched)
        if not other.sides:
            return 0
        for key, sides in other.shapes().items():
            for axis, side in enumerate(sides):
                if 2 * side == 3 * own[key][axis] and len(sides) > 2:  # of a kernel
                    return self.size.width * shapes[key][axis] // own[key][axis]
        return 0

    def nearest(self, shapes: Shapes) -> Shapes:
        """The shapes that it has for the values that most sides of the given shapes speak for."""
        values = {name: self._read(name, shapes) for name in PROBES}
        return self.shapes(**{name: read[0] for name, read in values.items() if read})

    def _read(self, name: str, shapes: Shapes) -> list[int]:
        """The values of an option or of a run that sides of the shapes speak for.

        A side that grows with the value, from one probe to another, is a multiple of it.
        """
        if name not in self.options and name == "base_channels":
            return []
        low, high = PROBES[name]
        wide = {"max_channels": WIDE}
        narrow = self.shapes(**{**wide, name: low})
        broad = self.shapes(**{**wide, name: high})
        votes: dict[int, int] = {}
        for key, sides in narrow.items():
            for axis, side in enumerate(sides):
                is_multiple = side * high == broad[key][axis] * low
                value, rest = divmod(shapes[key][axis] * low, side)
                if is_multiple and value > 0 and not rest:
                    votes[value] = votes.get(value, 0) + 1
        return sorted(votes, key=lambda value: -votes[value])


class Families:
    """The networks of a kind that weights may be of: all of gankit's, or a given one alone."""

    def __init__(
        self,
        registry: Registry,
        kind: str,
        given: Choice | None = None,
        size: ImageSize | None = None,
    ) -> None:
        self.registry = registry
        self.given = given
        names = [s.name for s in registry.specs(kind) if registry.comes_with_gankit(kind, s.name)]
        possible = [size] if size else [ImageSize.of(side) for side in SIZES]
        self.groups: list[list[Family]] = []  # one generator each, of all sizes or the given one
        for choice in [given] if given else map(Choice, names):
            has_blocks = "blocks" in registry.find(kind, choice.name).options()
            counts = [{"blocks": count} for count in BLOCKS] if has_blocks else [{}]
            choices = [Choice(choice.name, {**count, **choice.options}) for count in counts]
            sizes = itertools.product(possible, choices)
            self.groups.append([Family(registry, kind, chosen, each) for each, chosen in sizes])

    def fit(self, shapes: Shapes) -> Fit | None:
        """The first network that has tensors of exactly these names and shapes, or None.

        GankitError if it has options that change what it draws, but not its tensors.
        """
        for family in self.matching(shapes):
            reshaped = family.reshaped(shapes) if family.size.is_square else None
            fit = family.fit(shapes) or (reshaped and reshaped.fit(shapes))
            if fit:
                _require_options(family)
                return fit
        return None

    def matching(self, shapes: Shapes) -> Iterator[Family]:
        """Those whose tensors have these names and numbers of sides."""
        sides = {name: len(shape) for name, shape in shapes.items()}
        for group in self.groups:
            first = next(iter(group[0].sides.items()), None)  # the same at every size
            if first is None or first in sides.items():
                yield from (family for family in group if family.sides == sides)


def _require_options(family: Family) -> None:
    unseen = [name for name in family.options if name not in (*READ, *family.choice.options)]
    if unseen:
        values = {name: family.options[name].default for name in unseen}
        example = Choice(family.choice.name, {**family.choice.options, **values})
        raise GankitError(
            f"these are weights of generator {family.choice.name!r}, and weights do not tell its "
            f"{' and '.join(unseen)}: give --generator {example}, or other values"
        )


def explain_mismatch(generators: Families, shapes: Shapes) -> str:
    """Why no generator has these shapes: the first that differs, or what they are in its place."""
    for family in generators.matching(shapes):
        own = family.nearest(shapes)
        key = next((name for name in own if own[name] != shapes[name]), min(own))
        network = f"generator {family.choice.name!r} for {family.size.setting} px"
        other = "if its pictures have another size, give --image-size PX or WIDTHxHEIGHT"
        differs = f"{key} is {list(shapes[key])}, but in {network} it would be {list(own[key])}"
        return f"{differs}; {other}" if family.size.is_square else differs
    if next(Families(generators.registry, "discriminator").matching(shapes), None):
        return "these are the weights of a discriminator: give those of the generator, netG"
    example = min(shapes, key=len, default="")
    if any(name.endswith(".scale.weight") for name in shapes):
        return (
            "these weights have tables of classes, so they are of a generator with class labels, "
            "and an imported run has none: keep the run itself, or begin a new one with --init RUN"
        )
    if generators.given:
        return f"generator {generators.given!r} has no weights of these names, such as {example!r}"
    return (
        f"no generator of gankit has weights of these names, such as {example!r}; those of "
        "PyTorch's DCGAN tutorial are main.0.weight, main.1.weight, ...: name another generator "
        "with --generator, also one of a plugin's file (gankit -p FILE import ...)"
    )
