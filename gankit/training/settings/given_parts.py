"""Parts given as objects, classes or functions in Python: each becomes a plugin with one part."""

from __future__ import annotations

import copy
import functools
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from gankit.core.contracts.loss import Loss
from gankit.core.contracts.metric import Metric
from gankit.core.contracts.rule import Rule
from gankit.core.contracts.trick import Trick
from gankit.core.errors import MAX_SHOWN, GankitError, describe_error, quote_value
from gankit.core.parts.registry import Plugin, Registry
from gankit.core.parts.spec_fields import is_reserved
from gankit.core.parts.specs import FILLED_IN, KINDS, ModelSpec, Spec
from gankit.core.run.carried import Carried
from gankit.data.given import given_pictures

# Settings that take objects -> the kind of part, and the base class of its objects.
BASES: dict[str, tuple[str, type | None]] = {
    "dataset": ("dataset", None),
    "generator": ("generator", nn.Module),
    "discriminator": ("discriminator", nn.Module),
    "loss": ("loss", Loss),
    "tricks": ("trick", Trick),
    "metrics": ("metric", Metric),
    "rule": ("rule", Rule),  # no setting of a run; the conformance kit takes it
}
LISTS = ("tricks", "metrics")
METHODS = {  # that compute something, for what a function is sometimes given
    "loss": "the methods d_loss(self, real, fake, targets) and g_loss(self, fake, real)",
    "metrics": "the method score(self, state, generated, reference)",
}
_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Copies:
    """A builder that returns a new copy of an object each time."""

    def __init__(self, original: Any) -> None:
        self.original = copy.deepcopy(original)
        self.excludes: Mapping[str, str] = getattr(original, "excludes", {})  # of a trick
        self.datasets: tuple[str, ...] = getattr(original, "datasets", ())  # of a metric

    def __call__(self) -> Any:
        return copy.deepcopy(self.original)


class GivenParts:
    """Collects the parts and plugins that were given, under names that are not taken yet."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry.with_plugins(())
        self.plugins: list[Plugin] = []
        self.origins: dict[str, str] = {}

    def add_plugin(self, index: int, given: Any) -> None:
        """Load a module, an object or class with hooks, or the path of a .py file. GankitError."""
        if isinstance(given, str | Path):
            plugin = self.registry.load_file(Path(given))
            plugin.require_loaded()
        else:
            plugin = self.registry.load(_plugin_name(given), given)
        self.plugins.append(plugin)

    def add_part(self, setting: str, given: Any) -> str:
        """Register an object, a class, a function or a spec; returns the part's name."""
        kind, _ = BASES[setting]
        spec = self._make_spec(setting, given)
        plugin = Plugin(f"{spec.name} (from Python)", specs=[spec], module=_module_of(given))
        self.plugins.append(plugin)
        self.registry.plugins.append(plugin)
        self.origins[f"{kind} {spec.name}"] = _describe_origin(given)
        return spec.name

    def add_parts(self, setting: str, items: Iterable[Any]) -> list[str]:
        """The names of parts in a list, with a `+` for each object if a text begins with one."""
        items = list(items)
        is_adding = any(isinstance(item, str) and item.startswith("+") for item in items)
        sign = "+" if is_adding else ""
        return [
            item if isinstance(item, str) else sign + self.add_part(setting, item)
            for item in items
            if not isinstance(item, str) or item != "+"
        ]

    def add_model(self, networks: Any) -> str:
        """Register the pair (G, D); returns the model's name."""
        if not isinstance(networks, list | tuple) or len(networks) != 2:
            shown = quote_value(networks)
            raise GankitError(f"--model is {shown}; it must be a name, or a pair (G, D)")
        names = [
            network if isinstance(network, str) else self.add_part(setting, network)
            for setting, network in zip(("generator", "discriminator"), networks, strict=True)
        ]
        name = self._free_name("model", "+".join(re.sub(r":.*", "", name) for name in names))
        spec = ModelSpec(
            name=name,
            summary="given as a pair (G, D)",
            source="Python",
            generator=names[0],
            discriminator=names[1],
            image_size=64,
        )
        plugin = Plugin(f"{name} (from Python)", specs=[spec])
        self.plugins.append(plugin)
        self.registry.plugins.append(plugin)
        self.origins[f"model {name}"] = f"the pair ({names[0]}, {names[1]})"
        return name

    def _make_spec(self, setting: str, given: Any) -> Spec:
        kind, base = BASES[setting]
        if isinstance(given, KINDS[kind]):
            return given
        build = _builder(setting, given, base)
        name = self._free_name(kind, _part_name(given))
        return KINDS[kind](name=name, summary=_describe_origin(given), source="Python", build=build)

    def _free_name(self, kind: str, name: str) -> str:
        taken = {spec.name for spec in self.registry.specs(kind)}
        names = (name if number == 1 else f"{name}-{number}" for number in range(1, len(taken) + 3))
        return next(n for n in names if n not in taken and not is_reserved(kind, n))


def take_objects(
    registry: Registry, plugins: Iterable[Any], settings: Mapping[str, Any]
) -> tuple[dict[str, Any], Carried]:
    """The settings with a name for each object, and what a run of them carries. GankitError."""
    given = GivenParts(registry)
    for index, plugin in enumerate(plugins):
        given.add_plugin(index, plugin)
    named = dict(settings)
    model = settings.get("model")
    if model is not None and not isinstance(model, str):
        named["model"] = given.add_model(model)
    for setting in BASES.keys() & settings.keys():
        value = settings[setting]
        if setting not in LISTS:
            named[setting] = value if isinstance(value, str) else given.add_part(setting, value)
        elif not isinstance(value, str):
            items = value if isinstance(value, list | tuple) else [value]
            named[setting] = given.add_parts(setting, items)
    return named, Carried(tuple(given.plugins), origins=given.origins, files=given.registry.files)


def _builder(setting: str, given: Any, base: type | None) -> Callable[..., Any]:
    """What builds the part for each training: a class, a function, or copies of an object."""
    if isinstance(given, type):
        if base and not issubclass(given, base):
            raise _wrong_object(setting, given, base)
        return given
    if inspect.isroutine(given) or isinstance(given, functools.partial):
        _refuse_function_of_values(setting, given, base)
        return given
    if base is None:
        pictures = given_pictures(given)
        return lambda: pictures
    if not isinstance(given, base):
        raise _wrong_object(setting, given, base)
    try:
        return Copies(given)
    except Exception as error:  # of the object's own code, or of copy
        why = f"cannot be copied for each training ({describe_error(error)})"
        what = f"{quote_value(given)} in --{BASES[setting][0]} {why}"
        raise GankitError(f"{what}: give a function that makes it") from error


def _refuse_function_of_values(setting: str, given: Any, base: type | None) -> None:
    """GankitError for a function that computes a loss or a score, in place of one that makes it."""
    methods = METHODS.get(setting)
    try:
        parameters = inspect.signature(given).parameters.values()
    except (TypeError, ValueError):  # of some functions written in C
        return
    needed = [p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    if base and methods and needed and not FILLED_IN & set(needed):
        what = f"--{BASES[setting][0]} is a function of {', '.join(needed)}"
        cure = f"write a class, derived from gankit.{base.__name__}, with {methods}"
        raise GankitError(f"{what}, but must be an object or a class: {cure}")


def _wrong_object(setting: str, given: Any, base: type) -> GankitError:
    name = base.__name__ if base is nn.Module else f"gankit.{base.__name__}"
    expected = f"it must be a name, a {name}, or a class or function that makes one"
    return GankitError(f"--{BASES[setting][0]} is {quote_value(given)}; {expected}")


def _class_of(given: Any) -> Any:
    """The class or function that the code of a part is in."""
    if isinstance(given, functools.partial):
        return _class_of(given.func)
    return given if isinstance(given, type) or inspect.isroutine(given) else type(given)


def _part_name(given: Any) -> str:
    """`my-trick` for the class MyTrick."""
    name = _WORD_STARTS.sub("-", _class_of(given).__name__).replace("_", "-").lower()
    return {"ndarray": "array", "list": "pictures"}.get(name) or name.strip("-<>") or "part"


def _plugin_name(given: Any) -> str:
    if isinstance(given, ModuleType):
        return given.__name__.rpartition(".")[2]
    return _part_name(given)


def _module_of(given: Any) -> str:
    """The module with the code of a part, if it is yours and not a library's."""
    module = str(getattr(_class_of(given), "__module__", ""))
    return "" if module.partition(".")[0] in ("torch", "torchvision", "numpy") else module


def _describe_origin(given: Any) -> str:
    """The class of a part, with its values, and its file: `MyTrick(by=0.1) in train.py`."""
    code = _class_of(given)
    name = code.__qualname__.rpartition(".<locals>.")[2]
    try:
        file = Path(inspect.getsourcefile(code) or "").name
    except (TypeError, OSError):
        file = ""
    is_file = file.endswith(".py") and "ipykernel" not in str(getattr(code, "__module__", ""))
    is_library = _module_of(given) == "" or not file
    if is_library:
        return f"{code.__module__}.{name}"
    name += _describe_values(given)
    return f"{name} in {file}" if is_file else f"{name} in a notebook"


def _describe_values(given: Any) -> str:
    """`(by=0.1)`: the values of an object's parameters, as far as it keeps them as numbers."""
    if isinstance(given, type) or inspect.isroutine(given):
        return ""
    try:
        names = inspect.signature(type(given)).parameters
    except (TypeError, ValueError):
        return ""
    kept = {name: vars(given).get(name) for name in names if hasattr(given, "__dict__")}
    numbers = [f"{name}={v!r}" for name, v in kept.items() if isinstance(v, bool | int | float)]
    text = f"({', '.join(numbers)})"
    return text if numbers and len(text) <= MAX_SHOWN else ""
