"""Make a checked Run. Your settings override the recipe's, then the model's, then defaults."""

import dataclasses
import itertools
from pathlib import Path
from typing import Any

from gankit.core.choice import Choice
from gankit.core.errors import GankitError
from gankit.core.registry import Registry, load_registry
from gankit.core.settings import Run, option, unknown_setting
from gankit.core.specs import DatasetSpec, ModelSpec, RecipeSpec, describe_type
from gankit.data.messages import OWN_PICTURES

_FIELDS = {field.name: field for field in dataclasses.fields(Run)}


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
    """Convert a value to the type of its field of Run; GankitError if it has another type."""
    if name not in _FIELDS:
        raise unknown_setting(name)
    default = _FIELDS[name].default
    if default is dataclasses.MISSING:  # a field that names a part
        default = ""
    if isinstance(default, tuple) and isinstance(value, str | list | tuple):
        items = [value] if isinstance(value, str) else value
        value = tuple(str(item) for item in items)
        if name in ("tricks", "metrics") and value == ("none",):
            value = ()
    elif isinstance(default, float) and type(value) is int:
        value = float(value)
    elif isinstance(value, Path):
        value = str(value)
    is_valid = isinstance(value, str) if isinstance(default, str) else type(value) is type(default)
    if not is_valid:
        raise GankitError(f"{option(name)} is {value!r}; it must be {describe_type(default)}")
    return value


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
