"""Make a checked Run. Your settings override the recipe's, then the model's, then defaults."""

import dataclasses
import itertools
import math
import re
from pathlib import Path
from typing import Any

from gankit.core.choice import Choice
from gankit.core.errors import GankitError, quote_value
from gankit.core.registry import Registry, load_registry
from gankit.core.settings import CHOICES, MAX_COUNT, Run, option, unknown_setting
from gankit.core.specs import DatasetSpec, ModelSpec, RecipeSpec, describe_type
from gankit.data.messages import OWN_PICTURES

_FIELDS = {field.name: field for field in dataclasses.fields(Run)}
PATHS = ("data", "classes", "out")  # may hold any character that a name in a folder can have
# No null byte, and of the surrogates only those that stand for a name's bytes that are not UTF-8.
_PATH = re.compile(r"[^\0\ud800-\udc7f\udd00-\udfff]*")
MAX_LETTERS = 4096  # of a text; no path of Linux is longer
MAX_LETTERS_OF_WORD = 200  # of a device, a colour, a length
MAX_ITEMS = {"data": 100_000, "classes": 100_000}  # of other lists: 1000


def compose(registry: Registry | None = None, recipe: str | None = None, **settings: Any) -> Run:
    """Make a checked Run. Settings are fields of Run; None stands for the default.

    `compose(dataset="petals", model="dcgan64", tricks=["r1:gamma=1"], length="500 steps")`, or
    `compose(recipe="small-data", seed=1)`: your settings override those of the recipe. If you use
    your own pictures and name neither a recipe nor a network, you get the default recipe.
    GankitError if a name, an option or a value is wrong.
    """
    registry = registry or load_registry()
    given = {name: value for name, value in settings.items() if value is not None}
    chosen = {name: convert_setting(name, value) for name, value in given.items()}
    if not recipe and not chosen.keys() & {"model", "generator", "discriminator"}:
        own_pictures = _choose_dataset(registry, chosen).name != registry.default("dataset")
        recipe = registry.default("recipe") if own_pictures else None
    if recipe:
        chosen = {**_settings_of(registry, "recipe", recipe), **chosen}
    model = chosen.get("model") or registry.default("model")
    spec, networks = registry.networks(model)
    fields: dict[str, Any] = {**networks, "model": model, "image_size": spec.image_size, "loss": ""}
    own_settings = _settings_of(registry, "model", model)
    fields |= {**own_settings, **chosen, "dataset": _choose_dataset(registry, chosen)}
    fields["loss"] = registry.check("loss", fields["loss"] or registry.default("loss"))
    for kind in networks:
        fields[kind] = registry.check(kind, fields[kind])
    fields["tricks"] = _check_tricks(registry, fields.get("tricks", ()))
    fields["metrics"] = tuple(registry.check("metric", text) for text in fields.get("metrics", ()))
    return Run(**fields)


def _settings_of(registry: Registry, kind: str, text: str) -> dict[str, Any]:
    """The settings of a model or a recipe; an error in them names it and its plugin."""
    spec, _ = registry.parse(kind, text)
    assert isinstance(spec, ModelSpec | RecipeSpec)
    with registry.attribute_errors_to(kind, text):
        return {name: convert_setting(name, value) for name, value in spec.settings.items()}


def convert_setting(name: str, value: Any) -> Any:
    """Convert a value to the type of its field of Run.

    GankitError if it has another type, or if a text in it is too long or cannot be printed. Which
    values are allowed is checked by Run.
    """
    if name not in _FIELDS:
        raise unknown_setting(name)
    default = _FIELDS[name].default
    if default is dataclasses.MISSING:  # a field that names a part
        default = ""
    expected = describe_type(default)
    if isinstance(default, tuple):
        value = _convert_list(name, value)
    elif isinstance(default, float) and type(value) is int:
        value = float(value) if abs(value) <= MAX_COUNT else math.inf
    elif isinstance(value, Path):
        value = str(value)
    is_valid = isinstance(value, str) if isinstance(default, str) else type(value) is type(default)
    if not is_valid:
        raise _wrong_value(name, value, expected)
    for text in (value,) if isinstance(value, str) else value if isinstance(value, tuple) else ():
        _check_text(name, text)
    return value


def _convert_list(name: str, value: Any) -> Any:
    """A tuple of texts from one text or several; any other value is returned unchanged."""
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list | tuple):
        return value
    if len(items) > MAX_ITEMS.get(name, 1000):
        what = f"{option(name)} has {len(items):,} values; gankit takes at most"
        raise GankitError(f"{what} {MAX_ITEMS.get(name, 1000):,}")
    if not all(isinstance(item, str | Path) for item in items):
        raise _wrong_value(name, value, "a list of texts")
    texts = tuple(item if isinstance(item, str) else str(item) for item in items)
    return () if name in ("tricks", "metrics") and texts == ("none",) else texts


def _check_text(name: str, text: str) -> None:
    """GankitError for a text that no name, path or option can be."""
    most = MAX_LETTERS if name in (*PATHS, *CHOICES) else MAX_LETTERS_OF_WORD
    if len(text) > most:
        reason = f"it has {len(text):,} characters; gankit takes at most {most:,}"
        raise GankitError(f"{option(name)} is {quote_value(text)}: {reason}")
    is_allowed = _PATH.fullmatch(text) if name in PATHS else text.isprintable()
    if not is_allowed:
        raise _wrong_value(name, text, "text without control characters")


def _wrong_value(name: str, value: Any, expected: str) -> GankitError:
    return GankitError(f"{option(name)} is {quote_value(value)}; it must be {expected}")


def _choose_dataset(registry: Registry, settings: dict[str, Any]) -> Choice:
    """The data set of the settings; by default, one for your own pictures if they have `data`."""
    text = settings.get("dataset")
    data = settings.get("data")
    if data and not text:
        text = next((s.name for s in registry.specs("dataset") if getattr(s, "own", False)), None)
    choice = registry.check("dataset", text or registry.default("dataset"))
    spec = registry.find("dataset", choice.name)
    assert isinstance(spec, DatasetSpec)
    parameter = spec.parameters().get("data")
    if data and not parameter:
        raise GankitError(f"data set {spec.name!r} {OWN_PICTURES}")
    if parameter and parameter.default is parameter.empty and not (data or spec.downloads):
        instructions = spec.by_hand or "give the path of your pictures: --data PATH"
        raise GankitError(f"data set {spec.name!r}: {instructions}")
    return choice


def _check_tricks(registry: Registry, texts: tuple[str, ...]) -> tuple[Choice, ...]:
    """Check tricks and their options; GankitError if one occurs twice or two exclude each other."""
    choices = tuple(registry.check("trick", text) for text in texts)
    for name, other in itertools.permutations([choice.name for choice in choices], 2):
        if name == other:
            raise GankitError(f"trick {name!r} is given twice: keep one of them")
        why = exclusion_reason(registry, name, other)
        if why is not None:
            raise GankitError(f"tricks {name!r} and {other!r} exclude each other: {why}")
    return choices


def exclusion_reason(registry: Registry, trick: str, other: str) -> str | None:
    """Why a trick cannot be combined with another one, as the trick states it; None if it can."""
    with registry.attribute_errors_to("trick", trick):
        excludes: dict[str, str] = getattr(registry.find("trick", trick).builder(), "excludes", {})
        return excludes.get(other)
