"""What plugins hand in: light descriptions of parts, built only when a run needs them."""

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from gankit.errors import GankitError, did_you_mean

# Builder parameters that the run fills in; everything else in a signature is an option.
FILLED_IN = (
    *("image_size", "channels", "latent_dim"),
    *("data", "classes", "classify", "background", "progress"),  # for data sets
)


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

    def builder(self) -> Callable[..., Any]:
        """The callable behind `build`, imported now."""
        if callable(self.build):
            return self.build
        module, _, attribute = self.build.partition(":")
        builder: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
        return builder

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
            default = known[key].default
            types = (int, float) if isinstance(default, float) else type(default)
            fits = isinstance(value, types) and isinstance(value, bool) == isinstance(default, bool)
            if default not in (None, inspect.Parameter.empty) and not fits:
                raise GankitError(
                    f"{self.kind} {self.name}: {key}={value} should be like {default}"
                )

    def make(self, options: Mapping[str, Any], **filled_in: Any) -> Any:
        """Build the part from its options and those of the run's values that it asks for."""
        self.check(options)
        given = {key: value for key, value in filled_in.items() if key in self.parameters()}
        try:
            return self.builder()(**given, **options)
        except (ValueError, TypeError) as error:
            raise GankitError(f"{self.kind} {self.name!r}: {error}") from error


class Download(NamedTuple):
    """A file that a data set needs."""

    url: str
    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class DatasetSpec(Spec):
    """Builds a sequence of pictures: `len(ds)`, `ds[i]` a PIL image or uint8 array (H, W, C).

    A set that is picture files in an archive needs no code: `downloads` (or `by_hand`) and
    `build="gankit_data.files:Files"`, which reads what `--data` could name too.
    """

    kind: ClassVar[str] = "dataset"
    home: str = ""  # a page about the set
    licence: str = ""  # as the source states it
    pictures: str = ""  # how many, in words
    own: bool = False  # taken when the person gives --data and names no set
    downloads: tuple[Download, ...] = ()
    by_hand: str = ""  # what to download by hand, and where, if gankit cannot
    classes: tuple[str, ...] = ()  # class folders taken unless the person names others
    classify: str | Callable[..., Any] = ""  # paths -> class names, if not their folders' names


class GeneratorSpec(Spec):
    """Builds G: an nn.Module from z (N, latent_dim) to images (N, C, H, W) in [-1, 1]."""

    kind: ClassVar[str] = "generator"


class DiscriminatorSpec(Spec):
    """Builds D: an nn.Module from images (N, C, H, W) to logits (N,), no sigmoid at its end."""

    kind: ClassVar[str] = "discriminator"


class LossSpec(Spec):
    """Builds a `gankit.Loss`."""

    kind: ClassVar[str] = "loss"


class TrickSpec(Spec):
    """Builds a `gankit.Trick`."""

    kind: ClassVar[str] = "trick"


@dataclass(frozen=True, kw_only=True)
class ModelSpec(Spec):
    """A generator and a discriminator that suit each other, and the settings they want.

    Options given to a model go to those of its networks that know them.
    """

    kind: ClassVar[str] = "model"
    build: str | Callable[..., Any] = lambda: None  # its networks are built instead
    generator: str  # "dcgan:base_channels=64"
    discriminator: str
    image_size: int
    settings: Mapping[str, Any] = field(default_factory=dict)  # fields of Run: loss, tricks, ...


KINDS: dict[str, type[Spec]] = {
    spec.kind: spec
    for spec in (DatasetSpec, ModelSpec, GeneratorSpec, DiscriminatorSpec, LossSpec, TrickSpec)
}
