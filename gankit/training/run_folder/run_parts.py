"""The parts of a run that do not come with gankit: where they are from, and whether they are here.

run.json names the file or package of each, only to tell you what to load: gankit never imports it
by itself, because a run may be a stranger's.
"""

import logging
from collections.abc import Collection
from pathlib import Path

from gankit.core.errors import GankitError
from gankit.core.parts.choice import Choice
from gankit.core.parts.registry import Registry
from gankit.core.parts.specs import KINDS
from gankit.core.run.all_stages import runs_of_stages
from gankit.core.run.settings import Run, option
from gankit.core.shell import quote_word
from gankit.training.run_folder.find_run import RUN_FILE
from gankit.training.run_folder.run_file import recorded_objects, recorded_origins

log = logging.getLogger("gankit")
Part = tuple[str, Choice]  # its kind, and its name with its options
SETTINGS = {"trick": "tricks", "metric": "metrics"}  # of a run, by the kind of part
SAMPLED = ("generator", "discriminator", "trick")  # kinds of parts that sampling needs
TRAINED = ("dataset", "loss", *SAMPLED)  # and those that training needs


def parts_of(run: Run) -> list[Part]:
    """The parts that a run is made of, without the model, which stands for two of them."""
    return [part for part in run.parts() if part[0] != "model"]


def external_parts(run: Run, registry: Registry) -> list[Part]:
    """The parts of a run that are not bundled with gankit."""
    parts = parts_of(run)
    return [part for part in parts if not registry.comes_with_gankit(part[0], part[1].name)]


def origins(run: Run, registry: Registry) -> dict[str, str]:
    """`trick grey-d` -> `my_trick.py`, for parts that are not bundled, nor given as objects.

    Those of earlier stages, too; their plugins may not be loaded any more.
    """
    parts = [part for stage in runs_of_stages(run) for part in external_parts(stage, registry)]
    names = recorded_origins(run.folder / RUN_FILE)
    for kind, choice in parts:
        if choice.name in {spec.name for spec in registry.specs(kind)}:
            names[f"{kind} {choice.name}"] = registry.owner(registry.find(kind, choice.name)).origin
    used = {f"{kind} {choice.name}" for kind, choice in parts}
    return {name: names[name] for name in names if name in used - run.given_objects().keys()}


def require_parts(run: Run, registry: Registry, kinds: Collection[str]) -> None:
    """GankitError if a part of these kinds is not loaded; it says where the run had it from."""
    for kind, choice in parts_of(run):
        if kind in kinds and choice.name not in {spec.name for spec in registry.specs(kind)}:
            name = f"{kind} {choice.name}"
            if name in run.given_objects():
                raise GankitError(_missing_object(run, name, kinds))
            origin = recorded_origins(run.folder / RUN_FILE).get(f"{kind} {choice.name}", "")
            raise GankitError(f"{run.folder} needs {kind} {choice.name!r}{_how_to_load(origin)}")


def require_settings(config: Path, settings: Collection[str], registry: Registry) -> None:
    """GankitError if one of these settings of a run.json names a part that cannot be had.

    It was given in Python, or the file or package that it is in is not loaded.
    """
    for name, origin in recorded_origins(config).items():
        kind, _, part = name.partition(" ")
        is_used = SETTINGS.get(kind, kind) in settings and kind in KINDS
        if is_used and part not in [spec.name for spec in registry.specs(kind)]:
            raise GankitError(f"{config} needs {kind} {part!r}{_how_to_load(origin)}")
    for name, origin in recorded_objects(config).items():
        kind, _, part = name.partition(" ")
        setting = SETTINGS.get(kind, kind)
        if setting in settings:
            what = f"{config} needs {kind} {part!r}, which was given in Python ({origin})"
            cure = f"train such a run from Python, or name another with {option(setting)}"
            raise GankitError(f"{what}: {cure}")


def _missing_object(run: Run, name: str, kinds: Collection[str]) -> str:
    """The message for a part that was given in Python as an object; `kinds` are needed now."""
    kind, _, part = name.partition(" ")
    what = f"{run.folder} needs {kind} {part!r}, which was given in Python"
    call = ", ".join([repr(str(run.folder)), *_arguments(run, kinds)])
    cure = f"load the run in Python, with gankit.load_run({call})"
    return f"{what} ({run.given_objects()[name]}): {cure}"


def _arguments(run: Run, kinds: Collection[str]) -> list[str]:
    """The arguments of load_run that give the objects of these kinds: `tricks=[MyTrick(...)]`."""
    arguments: dict[str, list[str]] = {}
    objects = run.given_objects()
    for kind, choice in run.parts():
        origin = objects.get(f"{kind} {choice.name}", "")
        text = _call_of(origin) if origin else repr(str(choice))
        arguments.setdefault(kind, []).append("..." if kind == "dataset" else text)
    used = {kind for kind, choice in run.parts() if f"{kind} {choice.name}" in objects}
    return [
        f"{SETTINGS[kind]}=[{', '.join(texts)}]" if kind in SETTINGS else f"{kind}={texts[0]}"
        for kind, texts in arguments.items()
        if kind in used and kind in kinds
    ]


def _call_of(origin: str) -> str:
    """`MyTrick(by=0.1)` or `MyTrick(...)` for an object as run.json describes it."""
    what = origin.partition(" in ")[0]
    return what if what.endswith(")") else f"{what}(...)"


def warn_of_other_values(run: Run) -> None:
    """Warn of each object of a run that is resumed whose values are not those it began with."""
    recorded = recorded_objects(run.folder)
    for name, origin in run.given_objects().items():
        kind, _, part = name.partition(" ")
        before, now = (text.partition(" in ")[0] for text in (recorded.get(name, ""), origin))
        has_values = before.endswith(")") and now.endswith(")")
        if has_values and before != now and kind != "metric":
            what = f"{kind} {part!r} is {now}, but was {before} when {run.folder} began"
            log.warning("%s: give it the same values to go on as before", what)


def _how_to_load(origin: str) -> str:
    if origin.endswith(".py"):
        load = f"gankit -p {quote_word(origin)} ..."
        return f", which is in the file {origin}: if you trust the file, load it with {load}"
    if origin:
        trust = "if you trust its author, install it (gankit plugins shows what is broken)"
        return f", which is in the plugin {origin}: {trust}"
    return ", which no plugin has: if it is in a file, load the file with gankit -p FILE ..."
