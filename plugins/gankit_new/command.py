"""`gankit new plugin NAME`: a package that installs, passes its test, and shows up."""

import keyword
import re
from pathlib import Path

import click

from gankit.core.errors import GankitError
from gankit.core.registry import Registry, find_module_file

TEMPLATES = Path(__file__).with_name("templates")
# Each kind of plugin: what it registers, and how to try it.
KINDS = {
    "trick": (("trick",), "gankit run --trick {}"),
    "dataset": (("dataset",), "gankit run --dataset {}"),
    "model": (("model", "generator", "discriminator"), "gankit run --model {}"),
    "metric": (("metric",), "gankit run --metric {}"),
}


@click.command()
@click.argument("what", type=click.Choice(["plugin"]))
@click.argument("name")
@click.option("--kind", type=click.Choice(list(KINDS)), default="trick", help="What it brings.")
@click.pass_context
def new(ctx: click.Context, what: str, name: str, kind: str) -> None:
    """Begin a plugin package of your own, in a folder NAME, with a part that works."""
    name = name.replace("_", "-")
    module = checked(name, kind, ctx.obj)
    folder = Path(name)
    if folder.exists():
        raise GankitError(f"{folder} is there already: choose another name, or another place")
    try:
        for template in (TEMPLATES / "every", TEMPLATES / kind):
            fill(template, folder, name, module)
    except OSError as error:
        raise GankitError(f"cannot write {folder}: {error.strerror}", 1) from error
    click.echo(f"{folder}/ is a plugin with a {kind} that works as it stands. Next:")
    click.echo(f"  cd {folder} && pip install -e . pytest && python -m pytest")
    click.echo(f"  {KINDS[kind][1].format(name)}")


def checked(name: str, kind: str, registry: Registry) -> str:
    """The module's name, if both names can be had."""
    module = name.replace("-", "_")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) or keyword.iskeyword(module):
        raise GankitError(f"{name!r} names no plugin: write lower-case-with-hyphens, as my-{kind}")
    owners = {"plugin"} if name in {plugin.name for plugin in registry.plugins} else set()
    for part in KINDS[kind][0]:
        if name in {spec.name for spec in registry.specs(part)}:
            owners.add(part)
    if find_module_file(module):  # a folder of that name makes no package
        owners.add("Python package")
    if owners:
        raise GankitError(f"there is a {min(owners)} {name!r} already: choose another name")
    return module


def fill(template: Path, folder: Path, name: str, module: str) -> None:
    """Copy a template, with the plugin's names where the template has its own."""
    names = {
        "plugin-name": name,
        "plugin_name": module,
        "PluginName": "".join(word.capitalize() for word in name.split("-")),
    }

    def renamed(text: str) -> str:
        for placeholder, real in names.items():
            text = text.replace(placeholder, real)
        return text

    for source in sorted(
        path for path in template.rglob("*") if path.suffix in (".py", ".md", ".toml")
    ):
        path = folder / renamed(source.relative_to(template).as_posix())
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(renamed(source.read_text(encoding="utf-8")), encoding="utf-8")
