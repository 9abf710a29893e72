"""Write docs/parts.md, which describes every part that comes with gankit, from the registry.

Run `python docs/write_parts.py` after you change a part; a test compares the file.
"""

import inspect
from importlib import metadata
from pathlib import Path

from gankit.core.parts.registry import Registry
from gankit.core.parts.specs import KINDS, DatasetSpec, ModelSpec, RecipeSpec

NOT_BUILT = ModelSpec | RecipeSpec  # these only combine other parts, so they have no options

HEAD = """# Parts

All parts that you can choose from, written by `docs/write_parts.py` from the parts themselves.
`gankit list` shows the same for what is installed, and `gankit show NAME` adds the source code.
A part is written `name` or `name:option=value,option=value`.
"""


def bundled_registry():
    """A registry of gankit's own plugins, without other installed plugins."""
    registry = Registry()
    for entry in metadata.distribution("gankit").entry_points.select(group="gankit"):
        registry.load(entry.name, entry.load)
    return registry


def page(registry):
    """The text of parts.md."""
    blocks = [HEAD]
    for kind in KINDS:
        plural = "es" if kind == "loss" else "s"
        blocks.append(f"## {kind.capitalize()}{plural}\n")
        blocks += [describe_part(spec) for spec in registry.specs(kind)]
    return "\n".join(blocks)


def describe_part(spec):
    """One part as Markdown: summary, facts, options with their defaults, docstring."""
    lines = [f"### {spec.name}", "", f"*{spec.summary}*", ""]
    lines += [f"- {label}: {text}" for label, text in facts(spec).items() if text]
    options = {} if isinstance(spec, NOT_BUILT) else spec.options()
    if options:
        lines += ["", "| option | default |", "|---|---|"]
    for name, parameter in options.items():
        lines.append(f"| `{name}` | {format_default(parameter)} |")
    docstring = "" if isinstance(spec, NOT_BUILT) else inspect.getdoc(spec.builder())
    if docstring:
        lines += ["", docstring]
    return "\n".join([*lines, ""])


def facts(spec):
    """The list under the summary: label -> text; empty texts are not shown."""
    texts = {"source": spec.source}
    if isinstance(spec, DatasetSpec):
        texts["pictures"] = spec.pictures
        texts["licence"] = spec.licence
        texts["page"] = spec.home and f"<{spec.home}>"
    if isinstance(spec, ModelSpec):
        networks = f"generator `{spec.generator}`, discriminator `{spec.discriminator}`"
        texts["networks"] = f"{networks}; an option goes to each network that has it"
        texts["image size"] = f"{spec.image_size} px"
    if isinstance(spec, RecipeSpec):
        texts["run it"] = f"`gankit run --recipe {spec.name}`"
        variants = (f"{label}: `{text}`" for label, text in spec.variants.items())
        texts["variants"] = "; ".join(variants)
    if isinstance(spec, NOT_BUILT):
        settings = (f"{key} {format_setting(value)}" for key, value in spec.settings.items())
        texts["settings"] = ", ".join(settings)
    texts["lesson"] = f"{spec.lesson}" if spec.lesson else ""
    texts["default"] = "yes" if spec.default else ""
    return texts


def format_setting(value):
    """A setting's value, or each value of a tuple, as code."""
    values = value if isinstance(value, tuple) else (value,)
    return " ".join(f"`{item}`" for item in values or ("none",))


def format_default(parameter):
    """An option's default as code, or "required"; `parameter` is an inspect.Parameter."""
    return "required" if parameter.default is parameter.empty else f"`{parameter.default}`"


if __name__ == "__main__":
    path = Path(__file__).with_name("parts.md")
    path.write_text(page(bundled_registry()), encoding="utf-8")
    print(path)
