"""Combine settings into a checked Run: yours override the recipe's, the model's, the defaults."""

import dataclasses
import itertools
import logging
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gankit.core.clock import parse_duration
from gankit.core.errors import GankitError, quote_value
from gankit.core.parts.choice import Choice
from gankit.core.parts.registry import Registry
from gankit.core.parts.specs import DatasetSpec, ModelSpec, RecipeSpec
from gankit.core.run.carried import NOTHING, Carried
from gankit.core.run.image_size import ImageSize
from gankit.core.run.settings import Run, option
from gankit.data.messages import OWN_PICTURES
from gankit.training.checks.keep_best import check_best_metric
from gankit.training.settings.convert import convert_setting
from gankit.training.weights.base_run import NETWORKS, settings_from_base, suits_base
from gankit.training.weights.network_size import network_size

log = logging.getLogger("gankit")
_NAME_WITH_OPTIONS = re.compile(r"[\w.+-]{2,}:[\w-]+=")  # mine:file=pictures.npz, not C:/a.npz
LENGTHS = ("steps", "epochs", "kimg")  # units of a length, each a setting of its own


def combine_settings(
    registry: Registry,
    recipe: str | None,
    settings: Mapping[str, Any],
    carried: Carried = NOTHING,
) -> Run:
    """A checked Run of plain settings, the fields of Run; None stands for the default.

    GankitError if a name, an option or a value is wrong.
    """
    given = {name: value for name, value in settings.items() if value is not None}
    chosen = {name: convert_setting(name, value) for name, value in given.items()}
    chosen, of_base = settings_from_base(registry, chosen)
    of_recipe = _settings_of_recipe(registry, recipe, chosen, of_base)
    layers = [of_base, of_recipe, chosen]  # each overrides those before
    chosen = {**of_base, **of_recipe, **chosen}
    model = chosen.get("model") or registry.default("model")
    spec, networks = registry.networks(model)
    fields: dict[str, Any] = {**networks, "model": model, "image_size": spec.image_size, "loss": ""}
    own_settings = _settings_of(registry, "model", model)
    fields |= {**own_settings, **chosen, "dataset": _choose_dataset(registry, chosen)}
    fields["loss"] = registry.check("loss", fields["loss"] or registry.default("loss"))
    for kind in networks:
        fields[kind] = registry.check(kind, fields[kind])
        network_size(registry, kind, fields[kind], ImageSize.parse(fields["image_size"]))
    fields["tricks"] = check_tricks(registry, _combine_tricks([own_settings, *layers]))
    fields["metrics"] = tuple(registry.check("metric", text) for text in fields.get("metrics", ()))
    if fields.get("keep_best", "none") not in ("", "none"):
        fields["keep_best"] = check_best_metric(registry, fields["keep_best"])
    return Run(**fields, carried=dataclasses.replace(carried, files=registry.files))


def expand_shorthands(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Replace lr, steps, epochs, kimg, budget, and the word auto, by the fields that they set.

    GankitError if a value is wrong, or if more than one of them sets the length.
    """
    fields = _replace_auto(settings)
    budget = fields.pop("budget", None)
    lengths = [
        f"{_number(unit, fields.pop(unit)):.12g} {unit}" for unit in LENGTHS if unit in fields
    ]
    if len(lengths) + ("length" in fields) + (budget is not None) > 1:
        raise GankitError(
            "a run has one length: give only one of --steps, --epochs, --kimg, --budget"
        )
    if lengths:
        fields["length"] = lengths[0]
    elif budget is not None:
        budget_seconds(budget)
        check_single_process({"--budget": budget})
        fields["length"] = "1 steps"  # a placeholder until plan_budget
    if "lr" in fields:
        lr = fields.pop("lr")
        fields = {"lr_g": lr, "lr_d": lr, **fields}
    return fields


def _replace_auto(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with 0, which resolve_auto replaces, for the word auto."""
    return {
        name: 0 if value == "auto" and name in ("channels", "zoom") else value
        for name, value in settings.items()
    }


def _number(unit: str, value: Any) -> float:
    is_number = type(value) is int or (type(value) is float and unit != "steps")
    if not is_number:
        expected = "a whole number" if unit == "steps" else "a number"
        raise GankitError(f"{option(unit)} is {quote_value(value)}; it must be {expected}")
    return float(value)


def check_single_process(options: dict[str, Any]) -> None:
    """Refuse options that measure time or memory of one process if torchrun starts several."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return
    for name, value in options.items():
        if value:
            raise GankitError(f"{name} works in one process only: omit torchrun or {name}")


def budget_seconds(budget: Any) -> float:
    """The seconds of a time such as 90s, 10m or 2h. GankitError."""
    seconds = parse_duration(budget) if isinstance(budget, str) else 0
    if not seconds:
        raise GankitError(f"--budget is {quote_value(budget)}; give a time such as 90s, 10m or 2h")
    return seconds


def _settings_of_recipe(
    registry: Registry, recipe: str | None, chosen: dict[str, Any], of_base: dict[str, Any]
) -> dict[str, Any]:
    """The settings of a recipe; by default, for your own pictures, those of the default recipe.

    Of `--init`, the networks stay, and so does all else if the default recipe is for others.
    """
    name = recipe
    if not recipe and not chosen.keys() & {"model", "generator", "discriminator"}:
        own_pictures = _choose_dataset(registry, chosen).name != registry.default("dataset")
        name = registry.default("recipe") if own_pictures else None
    settings = _settings_of(registry, "recipe", name) if name else {}
    if not recipe and not suits_base(registry, settings, of_base):
        return {}
    kept = NETWORKS & of_base.keys()
    return {name: value for name, value in settings.items() if name not in kept}


def _settings_of(registry: Registry, kind: str, text: str) -> dict[str, Any]:
    """The settings of a model or a recipe; an error in them names it and its plugin."""
    spec, _ = registry.parse(kind, text)
    assert isinstance(spec, ModelSpec | RecipeSpec)
    with registry.attribute_errors_to(kind, text):
        settings = _replace_auto(spec.settings)
        return {name: convert_setting(name, value) for name, value in settings.items()}


def _choose_dataset(registry: Registry, settings: dict[str, Any]) -> Choice:
    """The data set of the settings; by default, one for your own pictures if they have `data`."""
    text = settings.get("dataset")
    data = settings.get("data")
    if data and not text:
        text = next((s.name for s in registry.specs("dataset") if getattr(s, "own", False)), None)
    if text and Path(text).suffix in (".npz", ".npy") and not _NAME_WITH_OPTIONS.match(text):
        cure = "give its path with --data"
        raise GankitError(f"--dataset is {quote_value(text)}, which is a file of arrays: {cure}")
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


def _combine_tricks(layers: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The tricks of settings that override each other, the last one most."""
    tricks: tuple[str, ...] = ()
    for settings in layers:
        if "tricks" in settings:
            tricks = add_tricks(tricks, settings["tricks"])
    return tricks


def add_tricks(base: Sequence[str], texts: Sequence[str]) -> tuple[str, ...]:
    """The tricks that `texts` make of the tricks `base`: they replace them, but `+NAME` adds one.

    A trick that is added replaces one of the same name: `+ema:decay=0.99` changes its options. If
    only some have a `+`, all of them replace `base`, in this order, and a warning says so.
    """
    plain = [text for text in texts if not text.startswith("+")]
    named = [quote_value(text) for text in plain if text != "none"]
    if named and "none" in plain:
        why = "tricks that you name replace those of the model"
        raise GankitError(f"trick 'none' is given with {' and '.join(named)}: omit it, as {why}")
    is_mixed = 0 < len(plain) < len(texts)
    if is_mixed and base and plain != ["none"]:
        message = "the tricks %s are replaced, because %s has no +: write +%s to add it"
        log.warning(message, ", ".join(base), plain[0], plain[0])
    tricks = list(base) if texts and not plain else []
    for text in texts:
        names = [Choice.parse(trick).name for trick in tricks]
        trick = text.removeprefix("+")
        name = Choice.parse(trick).name
        if text.startswith("+") and name in names:
            tricks[names.index(name)] = trick
        elif not (is_mixed and text == "none"):
            tricks.append(trick)
    return tuple(tricks)


def check_tricks(registry: Registry, texts: tuple[str, ...]) -> tuple[Choice, ...]:
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
