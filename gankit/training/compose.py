"""From what a person asked for to a checked Run: defaults < model < recipe < the person."""

import dataclasses
import itertools
from pathlib import Path
from typing import Any

from gankit.core.choice import Choice
from gankit.core.errors import GankitError, did_you_mean
from gankit.core.registry import Registry, load_registry
from gankit.core.settings import Run, option
from gankit.core.specs import DatasetSpec, RecipeSpec

_FIELDS = {field.name: field for field in dataclasses.fields(Run)}


def compose(registry: Registry | None = None, recipe: str | None = None, **asked: Any) -> Run:
    """A checked Run from fields of Run by name; what is not named, or None, gets its default.

    `compose(dataset="petals", model="dcgan64", tricks=["r1:gamma=1"], length="500 steps")`, or
    `compose(recipe="small-data", seed=1)`: a recipe's settings, where nothing else is asked. Who
    brings pictures and names neither a recipe nor a network gets the default recipe.
    """
    registry = registry or load_registry()
    settings = {key: _typed(key, value) for key, value in asked.items() if value is not None}
    if not recipe and not settings.keys() & {"model", "generator", "discriminator"}:
        own_pictures = _dataset(registry, settings).name != registry.default("dataset")
        recipe = registry.default("recipe") if own_pictures else None
    if recipe:
        settings = {**_recipe_settings(registry, recipe), **settings}
    model = settings.get("model") or registry.default("model")
    spec, networks = registry.networks(model)
    fields: dict[str, Any] = {**networks, "model": model, "image_size": spec.image_size, "loss": ""}
    fields |= {**spec.settings, **settings, "dataset": _dataset(registry, settings)}
    fields["loss"] = registry.check("loss", fields["loss"] or registry.default("loss"))
    for kind in networks:
        fields[kind] = registry.check(kind, fields[kind])
    fields["tricks"] = _tricks(registry, fields.get("tricks", ()))
    fields["metrics"] = tuple(registry.check("metric", text) for text in fields.get("metrics", ()))
    return Run(**fields)


def _recipe_settings(registry: Registry, name: str) -> dict[str, Any]:
    spec = registry.find("recipe", name)
    assert isinstance(spec, RecipeSpec)
    with registry.attribute_errors_to("recipe", name):
        return {key: _typed(key, value) for key, value in spec.settings.items()}


def _typed(key: str, value: Any) -> Any:
    """The value as the field of Run wants it: texts for one or several parts, floats, numbers."""
    if key not in _FIELDS:
        raise GankitError(f"there is no setting {key!r}.{did_you_mean(key, _FIELDS)}")
    default = "" if _FIELDS[key].default is dataclasses.MISSING else _FIELDS[key].default
    if isinstance(default, tuple) and isinstance(value, str | list | tuple):
        value = tuple(map(str, [value] if isinstance(value, str) else value))
        value = () if value == ("none",) and key in ("tricks", "metrics") else value
    elif isinstance(default, float) and type(value) is int:
        value = float(value)
    elif isinstance(value, Path):
        value = str(value)
    fits = isinstance(value, str) if isinstance(default, str) else type(value) is type(default)
    if not fits:
        raise GankitError(f"{option(key)} is {value!r}; it should be like {default!r}")
    return value


def _dataset(registry: Registry, settings: dict[str, Any]) -> Choice:
    """The data set asked for, or the one that suits whether pictures were brought."""
    text = settings.get("dataset")
    data = settings.get("data")
    if data and not text:
        text = next((s.name for s in registry.specs("dataset") if getattr(s, "own", False)), None)
    choice = registry.check("dataset", text or registry.default("dataset"))
    spec = registry.find("dataset", choice.name)
    assert isinstance(spec, DatasetSpec)
    reads = spec.parameters().get("data")
    if data and not reads:
        raise GankitError(f"data set {spec.name!r} brings its own pictures: leave --data away")
    if reads and reads.default is reads.empty and not (data or spec.downloads):
        ask = "it wants to know where your pictures are: --data PATH"
        raise GankitError(f"data set {spec.name!r}: {spec.by_hand or ask}")
    return choice


def _tricks(registry: Registry, texts: tuple[str, ...]) -> tuple[Choice, ...]:
    """The tricks asked for; an error where one is named twice or two exclude each other."""
    choices = tuple(registry.check("trick", text) for text in texts)
    for name, other in itertools.permutations([choice.name for choice in choices], 2):
        if name == other:
            raise GankitError(f"trick {name!r} is given twice; a trick acts once in a run")
        excludes = getattr(registry.find("trick", name).builder(), "excludes", {})
        if other in excludes:
            why = excludes[other]
            raise GankitError(f"tricks {name!r} and {other!r} exclude each other: {why}")
    return choices
