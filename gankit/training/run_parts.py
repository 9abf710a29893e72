"""The parts of a run that do not come with gankit: where they are from, and whether they are here.

run.json names the file or package of each, only to tell you what to load: gankit never imports it
by itself, because a run may be a stranger's.
"""

from collections.abc import Collection

from gankit.core.choice import Choice
from gankit.core.errors import GankitError
from gankit.core.registry import Registry
from gankit.core.settings import Run
from gankit.core.shell import quote_word
from gankit.training.run_file import recorded_origins

Part = tuple[str, Choice]  # its kind, and its name with its options
SAMPLED = ("generator", "discriminator", "trick")  # kinds of parts that sampling needs
TRAINED = ("dataset", "loss", *SAMPLED)  # and those that training needs


def parts_of(run: Run) -> list[Part]:
    """The parts that a run is made of, without the model, which stands for two of them."""
    kinds = ("dataset", "generator", "discriminator", "loss")
    parts: list[Part] = [(kind, getattr(run, kind)) for kind in kinds]
    parts += [("trick", choice) for choice in run.tricks]
    parts += [("metric", choice) for choice in run.metrics]
    return parts


def external_parts(run: Run, registry: Registry) -> list[Part]:
    """The parts of a run that are not bundled with gankit."""
    parts = parts_of(run)
    return [part for part in parts if not registry.comes_with_gankit(part[0], part[1].name)]


def origins(run: Run, registry: Registry) -> dict[str, str]:
    """`trick grey-d` -> `my_trick.py`, for the parts that are not bundled with gankit."""
    specs = [registry.find(kind, choice.name) for kind, choice in external_parts(run, registry)]
    return {f"{spec.kind} {spec.name}": registry.owner(spec).origin for spec in specs}


def require_parts(run: Run, registry: Registry, kinds: Collection[str]) -> None:
    """GankitError if a part of these kinds is not loaded; it says where the run had it from."""
    for kind, choice in parts_of(run):
        if kind in kinds and choice.name not in {spec.name for spec in registry.specs(kind)}:
            origin = recorded_origins(run).get(f"{kind} {choice.name}", "")
            raise GankitError(f"{run.folder} needs {kind} {choice.name!r}{_how_to_load(origin)}")


def _how_to_load(origin: str) -> str:
    if origin.endswith(".py"):
        load = f"gankit -p {quote_word(origin)} ..."
        return f", which is in the file {origin}: if you trust the file, load it with {load}"
    if origin:
        trust = "if you trust its author, install it (gankit plugins shows what is broken)"
        return f", which is in the plugin {origin}: {trust}"
    return ", which no plugin has: if it is in a file, load the file with gankit -p FILE ..."
