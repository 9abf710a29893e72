"""Advises the default recipe to those who train other networks on few pictures."""

import json

from gankit.core.registry import load_registry
from gankit.core.settings import Run

FEW = range(50, 8001)  # pictures


def advice(run: Run) -> str:
    """The recipe to try on so few pictures where another network is in use, or an empty text."""
    path = run.folder / "run.json"
    record = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    count = record.get("prepared", {}).get("train", 0)
    if count not in FEW:
        return ""
    registry = load_registry()
    if run.dataset.name == registry.default("dataset"):  # drawn: no end of them
        return ""
    name = registry.default("recipe")
    _, networks = registry.networks(vars(registry.find("recipe", name))["settings"]["model"])
    if run.generator.name == networks["generator"].name:
        return ""
    return f"{count:,} pictures are few; for so many, --recipe {name} is what we recommend"
