"""What plugins hand in: light descriptions of parts, built only when a run needs them."""

import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from gankit.core.errors import GankitError, did_you_mean

# Builder parameters that the run fills in; everything else in a signature is an option.
FILLED_IN = {"image_size", "channels", "latent_dim", "data", "classes", "classify", "background",
             "progress"}  # fmt: skip
# Builders that plugins made for gankit 0.1 name by where they stood then.
MOVED = {"gankit_data.files:Files": "gankit.data.datasets:picture_files"}


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A named part: what it is, where it comes from, and how to build it."""

    kind: ClassVar[str]
    name: str  # lower-case-with-hyphens
    summary: str  # one line, for lists
    source: str  # the paper or the page it follows
    build: str | Callable[..., Any]  # "module:attribute", imported only when needed, or a callable
    lesson: int | None = None  # the lesson that teaches it
    default: bool = False  # taken when the person names none; one part of each kind may say so

    def __init_subclass__(cls, kind: str = "") -> None:
        cls.kind = kind or cls.kind

    def __post_init__(self) -> None:
        if isinstance(self.build, str):
            object.__setattr__(self, "build", MOVED.get(self.build, self.build))

    def builder(self) -> Callable[..., Any]:
        """The callable behind `build`, imported now."""
        return self.build if callable(self.build) else pkgutil.resolve_name(self.build)

    def parameters(self) -> dict[str, inspect.Parameter]:
        """The builder's parameters by name."""
        found = inspect.signature(self.builder()).parameters
        return {name: p for name, p in found.items() if p.kind is not p.VAR_KEYWORD}

    def options(self) -> dict[str, inspect.Parameter]:
        """What a person may set with `name:option=value`."""
        return {name: p for name, p in self.parameters().items() if name not in FILLED_IN}

    def check(self, options: Mapping[str, Any]) -> None:
        """Refuse an option the builder does not have, or a value of another type."""
        known = self.options()
        for key, value in options.items():
            if key not in known:
                hint = did_you_mean(key, known) if known else " It has none."
                raise GankitError(f"{self.kind} {self.name!r} has no option {key!r}.{hint}")
            usual = known[key].default
            types = (int, float) if isinstance(usual, float) else type(usual)
            fits = isinstance(value, types) and isinstance(value, bool) == isinstance(usual, bool)
            if usual not in (None, inspect.Parameter.empty) and not fits:
                raise GankitError(f"{self.kind} {self.name}: {key}={value} should be like {usual}")

    def make(self, options: Mapping[str, Any], **filled_in: Any) -> Any:
        """Build the part from its options and those of the run's values that it asks for."""
        self.check(options)
        given = {key: filled_in[key] for key in self.parameters() if key in filled_in}
        return self.builder()(**given, **options)


class Download(NamedTuple):
    """A file that a data set needs."""

    url: str
    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class DatasetSpec(Spec, kind="dataset"):
    """Builds a sequence of pictures: `len(ds)`, `ds[i]` a PIL image or uint8 array (H, W, C).

    Picture files in an archive need no code: `downloads`, and `build=gankit.picture_files`.
    """

    home: str = ""  # a page about the set
    licence: str = ""  # as the source states it
    pictures: str = ""  # how many, in words
    own: bool = False  # taken when the person gives --data and names no set
    downloads: tuple[Download, ...] = ()
    by_hand: str = ""  # what to download by hand, and where, if gankit cannot
    classes: tuple[str, ...] = ()  # class folders taken unless the person names others
    classify: str | Callable[..., Any] = ""  # paths -> class names, if not their folders' names


class GeneratorSpec(Spec, kind="generator"):
    """Builds G: an nn.Module from z (N, latent_dim) to images (N, C, H, W) in [-1, 1]."""


class DiscriminatorSpec(Spec, kind="discriminator"):
    """Builds D: an nn.Module from images (N, C, H, W) to logits (N,), no sigmoid at its end."""


class LossSpec(Spec, kind="loss"):
    """Builds a `gankit.Loss`."""


class TrickSpec(Spec, kind="trick"):
    """Builds a `gankit.Trick`."""


class MetricSpec(Spec, kind="metric"):
    """Builds a `gankit.Metric`: a number that says how good a run's pictures are."""


@dataclass(frozen=True, kw_only=True)
class ModelSpec(Spec, kind="model"):
    """A generator and a discriminator that suit each other, and the settings they want.

    Options given to a model go to those of its networks that know them.
    """

    build: str | Callable[..., Any] = lambda: None  # its networks are built instead
    generator: str  # "dcgan:base_channels=64"
    discriminator: str
    image_size: int
    settings: Mapping[str, Any] = field(default_factory=dict)  # fields of Run: loss, tricks, ...


@dataclass(frozen=True, kw_only=True)
class RecipeSpec(Spec, kind="recipe"):
    """A whole run by name: parts and settings that were found to belong together."""

    build: str | Callable[..., Any] = lambda: None  # there is nothing to build
    settings: Mapping[str, Any]  # fields of Run; what the person asks for goes before
    variants: Mapping[str, str] = field(default_factory=dict)  # what else to try -> its options


KINDS: dict[str, type[Spec]] = {spec.kind: spec for spec in Spec.__subclasses__()}
