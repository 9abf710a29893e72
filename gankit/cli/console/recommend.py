"""Recommends the default recipe when you train another network on few pictures."""

from gankit.core.files.read_json import read_json_object
from gankit.core.parts.registry import load_registry
from gankit.core.run.settings import Run
from gankit.training.settings.python_words import in_caller_words

FEW = range(50, 8001)  # pictures


def recommend_recipe(run: Run) -> str:
    """A line that recommends the default recipe, or an empty text if it does not apply."""
    path = run.folder / "run.json"
    record = read_json_object(path, "a run.json of gankit") if path.exists() else {}
    num_pictures = record.get("prepared", {}).get("train", 0)
    if num_pictures not in FEW:
        return ""
    registry = load_registry()
    if run.dataset.name == registry.default("dataset"):  # gankit draws as many as a run needs
        return ""
    recipe = registry.default("recipe")
    _, networks = registry.networks(vars(registry.find("recipe", recipe))["settings"]["model"])
    if run.generator.name == networks["generator"].name:
        return ""
    option = in_caller_words("--recipe")
    return f"{num_pictures:,} pictures are few: try {option} {recipe}, which is made for few"
