"""`gankit new plugin NAME`: creates a package that installs, passes its tests and works."""

import keyword
import os
import re
from pathlib import Path

import click

from gankit.core.atomic_write import new_folder_atomically, write_atomically
from gankit.core.errors import GankitError
from gankit.core.registry import Registry, find_module_file
from gankit.core.retried_write import describe_write_error
from gankit.data.read.names import RESERVED

TEMPLATES = Path(__file__).with_name("templates")
PARTS_OF = {  # kind of plugin -> the kinds of parts that it registers
    "trick": ("trick",),
    "dataset": ("dataset",),
    "model": ("model", "generator", "discriminator"),
    "metric": ("metric",),
}


@click.command()
@click.argument("what", type=click.Choice(["plugin"]))
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(list(PARTS_OF)),
    default="trick",
    show_default=True,
    metavar="KIND",
    help="What the plugin adds: trick, dataset, model or metric.",
)
@click.pass_context
def new(ctx: click.Context, what: str, name: str, kind: str) -> None:
    """Create a plugin package in a new folder NAME, with an example that works."""
    name = name.replace("_", "-")
    module = check_name(name, kind, ctx.obj)
    folder = Path(name)
    if os.path.lexists(folder):
        raise GankitError(f"{folder} exists already: choose another name or another folder")
    try:
        with new_folder_atomically(folder) as unfinished:
            for template in (TEMPLATES / "common", TEMPLATES / kind):
                copy_template(template, unfinished, name, module)
    except OSError as error:
        raise GankitError(f"cannot write {folder}: {describe_write_error(error)}", 1) from error
    click.echo(f"created {folder}/, a plugin with a {kind} that works. Next:")
    # On lines of their own: older PowerShells have no `&&`.
    for command in (f"cd {folder}", "pip install -e . pytest", "python -m pytest"):
        click.echo(f"  {command}")
    click.echo(f"  gankit run --{kind} {name}")


def check_name(name: str, kind: str, registry: Registry) -> str:
    """The name of the plugin's module; raises GankitError if a name is invalid or taken."""
    module = name.replace("-", "_")
    is_valid = re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) and not RESERVED.fullmatch(name)
    if not is_valid or keyword.iskeyword(module):
        raise GankitError(f"name {name!r} is invalid: use lower-case-with-hyphens, as my-{kind}")
    taken_by = set()
    if name in {plugin.name for plugin in registry.plugins}:
        taken_by.add("plugin")
    for part in PARTS_OF[kind]:
        if name in {spec.name for spec in registry.specs(part)}:
            taken_by.add(part)
    if find_module_file(module):  # None for a folder without __init__.py
        taken_by.add("Python package")
    if taken_by:
        raise GankitError(f"a {min(taken_by)} {name!r} exists already: choose another name")
    return module


def copy_template(template: Path, folder: Path, name: str, module: str) -> None:
    """Copy a template's files, with the plugin's names in place of the placeholders."""
    replacements = {
        "plugin-name": name,
        "plugin_name": module,
        "PluginName": "".join(word.capitalize() for word in name.split("-")),
    }

    def replace_names(text: str) -> str:
        for placeholder, replacement in replacements.items():
            text = text.replace(placeholder, replacement)
        return text

    for source in sorted(template.rglob("*")):
        if source.suffix not in (".py", ".md", ".toml"):
            continue
        target = folder / replace_names(source.relative_to(template).as_posix())
        write_atomically(target, replace_names(source.read_text(encoding="utf-8")))
