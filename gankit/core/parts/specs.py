"""Specs: descriptions of the parts that plugins register; a run builds the parts it needs."""

import inspect
import pkgutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from gankit.core.errors import GankitError, did_you_mean, quote_value
from gankit.core.parts.choice import Choice
from gankit.core.parts.option_types import (
    accepted_types,
    accepts,
    convert_path,
    describe_accepted,
    takes_text,
)
from gankit.core.parts.process_state import undo_global_changes
from gankit.core.parts.spec_fields import check_fields

# Builder parameters that the run fills in; all other parameters are options of the part.
FILLED_IN = {"image_size", "channels", "latent_dim", "num_classes", "data", "classes", "classify",
             "background", "progress"}  # fmt: skip
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
MAX_INTEGER = 2**63 - 1  # torch and numpy take no larger one
# Builders that have moved since gankit 0.1: old path -> new path.
MOVED_BUILDERS = {"gankit_data.files:Files": "gankit.data.datasets:picture_files"}


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A part: its name, its description, its source, and how to build it."""

    kind: ClassVar[str]
    name: str  # best lower-case-with-hyphens
    summary: str  # one line, for `gankit list`
    source: str  # the paper or page that it implements
    build: str | Callable[..., Any]  # a callable, or "module:attribute", imported when needed
    lesson: int | None = None  # number of the lesson about it
    default: bool = False  # used if none of this kind is named; True for at most one part of a kind

    def __init_subclass__(cls, kind: str = "") -> None:
        cls.kind = kind or cls.kind

    def __post_init__(self) -> None:
        check_fields(self)
        if isinstance(self.build, str):
            object.__setattr__(self, "build", MOVED_BUILDERS.get(self.build, self.build))

    def builder(self) -> Callable[..., Any]:
        """The callable of `build`, imported if needed."""
        if callable(self.build):
            return self.build
        with undo_global_changes():
            builder: Callable[..., Any] = pkgutil.resolve_name(self.build)
        if not callable(builder):
            raise TypeError(f"{self.build} is {quote_value(builder)}; it must be callable")
        return builder

    def parameters(self) -> dict[str, inspect.Parameter]:
        """The builder's parameters by name."""
        parameters = _signature(self.builder()).parameters
        return {name: p for name, p in parameters.items() if p.kind is not p.VAR_KEYWORD}

    def options(self) -> dict[str, inspect.Parameter]:
        """The parameters that you can set with `name:option=value`."""
        return {name: p for name, p in self.parameters().items() if name not in FILLED_IN}

    def takes_tuple(self, name: str) -> bool:
        """Whether the annotation of a builder's parameter allows a tuple."""
        types = accepted_types(self.parameters()[name].annotation)
        return any(str(accepted).strip().startswith("tuple[") for accepted in types)

    def read_options(self, choice: Choice) -> dict[str, Any]:
        """The options of a choice; a parameter that takes text gets the text as it was typed."""
        parameters = self.options()
        options = dict(choice.options)
        for key, text in choice.texts.items():
            if key in parameters and takes_text(parameters[key], text):
                options[key] = text
        return options

    def check(self, options: Mapping[str, Any]) -> None:
        """GankitError for an option that the builder does not have, or a value of a wrong type."""
        parameters = self.options()
        for key, value in options.items():
            if key not in parameters:
                raise no_such_option(self.kind, self.name, key, parameters)
            if isinstance(value, int) and abs(value) > MAX_INTEGER:
                shown = quote_value(f"{key}={value}")
                raise GankitError(f"{self.kind} {self.name!r}: {shown} is beyond 2^63")
            if not accepts(parameters[key], value):
                expected = describe_accepted(parameters[key])
                shown = quote_value(f"{key}={value}")
                raise GankitError(f"{self.kind} {self.name!r}: {shown} must be {expected}")

    def make(self, options: Mapping[str, Any], **filled_in: Any) -> Any:
        """Build the part from its options and the values of the run that its builder takes."""
        self.check(options)
        run_values = {key: filled_in[key] for key in self.parameters() if key in filled_in}
        for name, parameter in self.parameters().items():
            is_needed = parameter.default is parameter.empty and parameter.kind in _NAMED
            if is_needed and name not in (*run_values, *options):
                raise self._needs_value(name, filled_in)
        parameters = self.parameters()
        values = {key: convert_path(parameters[key], value) for key, value in options.items()}
        return self.builder()(**run_values, **values)

    def _needs_value(self, parameter: str, filled_in: Collection[str]) -> ValueError:
        """The error for a parameter without a default that has no value."""
        cure = (
            f"give it a default, or write {self.name}:{parameter}=VALUE; in Python, give an object"
        )
        gives = f" (gankit fills in {', '.join(filled_in)})" if filled_in else ""
        return ValueError(f"the parameter {parameter!r} of its builder has no value: {cure}{gives}")


def no_such_option(kind: str, name: str, option: str, choices: Collection[str]) -> GankitError:
    """The error for an option that a part does not have."""
    hint = did_you_mean(option, choices) if choices else " It has no options."
    return GankitError(f"{kind} {name!r} has no option {quote_value(option)}.{hint}")


def _signature(builder: Callable[..., Any]) -> inspect.Signature:
    """The builder's signature; its annotations are evaluated, unless that raises."""
    try:
        return inspect.signature(builder, eval_str=True)
    except Exception:  # such as a NameError of a type that only type checkers import
        return inspect.signature(builder)


class Download(NamedTuple):
    """A file that a data set downloads."""

    url: str
    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class DatasetSpec(Spec, kind="dataset"):
    """Builds a sequence of pictures: `len(ds)`, `ds[i]` a PIL image or uint8 array (H, W, C).

    Picture files in an archive need no code: `downloads`, and `build=gankit.picture_files`.
    """

    home: str = ""  # the home page of the data set
    licence: str = ""  # as stated by the source
    pictures: str = ""  # their number, as text
    own: bool = False  # used if you give --data and name no data set
    downloads: tuple[Download, ...] = ()
    by_hand: str = ""  # instructions, if gankit cannot download the files
    classes: tuple[str, ...] = ()  # class folders used by default; empty: all
    classify: str | Callable[..., Any] = ""  # paths -> class names; empty: folder names


class GeneratorSpec(Spec, kind="generator"):
    """Builds G: an nn.Module from z (N, latent_dim) to images (N, C, H, W) in [-1, 1]."""


class DiscriminatorSpec(Spec, kind="discriminator"):
    """Builds D: an nn.Module from images (N, C, H, W) to logits (N,), without a final sigmoid."""


class LossSpec(Spec, kind="loss"):
    """Builds a `gankit.Loss`."""


class TrickSpec(Spec, kind="trick"):
    """Builds a `gankit.Trick`."""


class MetricSpec(Spec, kind="metric"):
    """Builds a `gankit.Metric`: a number that says how good a run's pictures are."""


class RuleSpec(Spec, kind="rule"):
    """Builds a `gankit.Rule`: one thing that can go wrong in a run, and how to see it."""


@dataclass(frozen=True, kw_only=True)
class ModelSpec(Spec, kind="model"):
    """A generator and a discriminator that fit together, and settings for them.

    Options of a model are passed to its networks: to one or both, whichever has the option.
    """

    build: str | Callable[..., Any] = lambda: None  # not used: its networks are built instead
    generator: str  # "dcgan:base_channels=64"
    discriminator: str
    image_size: int | str  # a square's side, or WIDTHxHEIGHT
    settings: Mapping[str, Any] = field(default_factory=dict)  # fields of Run: loss, tricks, ...


@dataclass(frozen=True, kw_only=True)
class RecipeSpec(Spec, kind="recipe"):
    """Named settings of a run: parts and values that work well together."""

    build: str | Callable[..., Any] = lambda: None  # not used
    settings: Mapping[str, Any]  # fields of Run; your own options override them
    variants: Mapping[str, str] = field(default_factory=dict)  # description -> options


KINDS: dict[str, type[Spec]] = {spec.kind: spec for spec in Spec.__subclasses__()}
