"""Writes docs/parts.md: every part that comes with gankit, from the registry.

Run `python docs/write_parts.py` after changing a part; a test compares the file.
"""

import inspect
from importlib import metadata
from pathlib import Path

from gankit.core.registry import Registry
from gankit.core.specs import KINDS, DatasetSpec, ModelSpec, RecipeSpec

BUILD_NOTHING = ModelSpec | RecipeSpec

HEAD = """# Parts

Everything there is to choose from, written by `docs/write_parts.py` from the parts themselves.
`gankit list` shows the same for what is installed, and `gankit show NAME` adds the source code.
A part is written `name` or `name:option=value,option=value`.
"""


def bundled():
    """A registry of gankit's own plugins, whatever else is installed."""
    registry = Registry()
    for entry in metadata.distribution("gankit").entry_points.select(group="gankit"):
        registry.load(entry.name, entry.load)
    return registry


def parts(registry):
    """The text of parts.md."""
    blocks = [HEAD]
    for kind in KINDS:
        blocks.append(f"## {kind.capitalize()}{'es' if kind == 'loss' else 's'}\n")
        blocks += [part(spec) for spec in registry.specs(kind)]
    return "\n".join(blocks)


def part(spec):
    """One part: what it does, its facts, its options with defaults, its docstring."""
    lines = [f"### {spec.name}", "", f"*{spec.summary}*", ""]
    lines += [f"- {label}: {text}" for label, text in facts(spec).items() if text]
    options = {} if isinstance(spec, BUILD_NOTHING) else spec.options()
    if options:
        lines += ["", "| option | default |", "|---|---|"]
        lines += [f"| `{name}` | {default(option)} |" for name, option in options.items()]
    about = "" if isinstance(spec, BUILD_NOTHING) else inspect.getdoc(spec.builder())
    return "\n".join([*lines, *(["", about] if about else []), ""])


def facts(spec):
    found = {"source": spec.source}
    if isinstance(spec, DatasetSpec):
        home = spec.home and f"<{spec.home}>"
        found |= {"pictures": spec.pictures, "licence": spec.licence, "page": home}
    if isinstance(spec, ModelSpec):
        networks = f"generator `{spec.generator}`, discriminator `{spec.discriminator}`"
        found["networks"] = f"{networks}; options go to those that know them"
        found["image size"] = f"{spec.image_size} px"
    if isinstance(spec, RecipeSpec):
        found["run it"] = f"`gankit run --recipe {spec.name}`"
        variants = (f"{label}: `{text}`" for label, text in spec.variants.items())
        found["variants"] = "; ".join(variants)
    if isinstance(spec, BUILD_NOTHING):
        found["settings"] = ", ".join(f"{key} {written(v)}" for key, v in spec.settings.items())
    found["lesson"] = f"{spec.lesson}" if spec.lesson else ""
    found["taken by default"] = "yes" if spec.default else ""
    return found


def written(value):
    value = (value or ("none",)) if isinstance(value, tuple) else (value,)
    return " ".join(f"`{one}`" for one in value)


def default(option):
    return "required" if option.default is option.empty else f"`{option.default}`"


if __name__ == "__main__":
    path = Path(__file__).with_name("parts.md")
    path.write_text(parts(bundled()), encoding="utf-8")
    print(path)
