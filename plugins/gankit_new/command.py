"""`gankit new plugin NAME`: creates a package that installs, passes its tests and works."""

import keyword
import os
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from gankit.cli.param_types import NamedChoice
from gankit.core.errors import GankitError, quote_value
from gankit.core.files.atomic_write import new_folder_atomically, write_atomically
from gankit.core.files.retried_write import describe_write_error
from gankit.core.parts.registry import Registry, find_module_file
from gankit.core.shell import quote_word
from gankit.data.find.names import RESERVED
from gankit_new.merge import merge_modules

TEMPLATES = Path(__file__).with_name("templates")


class Kind(NamedTuple):
    """What a plugin can add."""

    name: str  # in a sentence
    parts: tuple[str, ...] = ()  # the kinds of parts that it registers
    file: str = ""  # the module next to the hooks, and what it holds
    holds: str = ""


KINDS = {
    "trick": Kind("a trick", ("trick",), "trick", "the trick itself; imported when a run uses it"),
    "loss": Kind("a loss", ("loss",), "loss", "the loss itself; imported when a run uses it"),
    "dataset": Kind(
        "a data set", ("dataset",), "pictures", "the data set itself; imported when a run uses it"
    ),
    "model": Kind(
        "a model",
        ("model", "generator", "discriminator"),
        "nets",
        "the two networks, plain PyTorch; imported when a run uses them",
    ),
    "metric": Kind(
        "a metric", ("metric",), "metric", "the metric itself; imported when you measure with it"
    ),
    "command": Kind("a command", (), "command", "the command itself; imported when it is called"),
    "observer": Kind("an observer of runs"),
}


def _require_plugin(ctx: click.Context, parameter: click.Parameter, what: str) -> str:
    """GankitError unless it is the word `plugin`, the only thing to create."""
    if what != "plugin":
        words = f"NAME --kind {what}" if what in KINDS else quote_word(what)
        wrong = f"gankit new creates plugins, not {quote_value(what)}"
        raise GankitError(f"{wrong}: write gankit new plugin {words}")
    return what


@click.command()
@click.argument("what", metavar="plugin", callback=_require_plugin)
@click.argument("name")
@click.option(
    "--kind",
    "kinds",
    type=NamedChoice(list(KINDS)),
    multiple=True,
    default=("trick",),
    show_default=True,
    metavar="KIND",
    help="What the plugin adds: trick, loss, dataset, model, metric, command or observer; "
    "repeatable.",
)
@click.pass_context
def new(ctx: click.Context, what: str, name: str, kinds: Sequence[str]) -> None:
    """Create a plugin package in a new folder NAME, with an example that works."""
    name = name.replace("_", "-")
    kinds = tuple(dict.fromkeys(kinds))
    root = ctx.find_root()
    assert isinstance(root.command, click.Group)
    module = check_name(name, kinds, ctx.obj, root.command.list_commands(root))
    folder = Path(name)
    if os.path.lexists(folder):
        raise GankitError(f"{folder} exists already: choose another name or another folder")
    try:
        with new_folder_atomically(folder) as unfinished:
            write_package(unfinished, kinds, name, module)
    except OSError as error:
        raise GankitError(f"cannot write {folder}: {describe_write_error(error)}", 1) from error
    works = "works" if len(kinds) == 1 else "work"
    click.echo(f"created {folder}/, a plugin with {name_kinds(kinds)} that {works}. Next:")
    # On lines of their own: older PowerShells have no `&&`.
    for command in (f"cd {folder}", "pip install -e . pytest", "python -m pytest"):
        click.echo(f"  {command}")
    for command in commands_to_try(kinds, name):
        click.echo(f"  {command}")


def check_name(
    name: str, kinds: Collection[str], registry: Registry, commands: Collection[str]
) -> str:
    """The name of the plugin's module; raises GankitError if a name is invalid or taken."""
    module = name.replace("-", "_")
    is_valid = re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) and not RESERVED.fullmatch(name)
    if not is_valid or keyword.iskeyword(module):
        example = f"my-{next(iter(kinds))}"
        raise GankitError(f"name {name!r} is invalid: use lower-case-with-hyphens, as {example}")
    taken_by = set()
    if name in {plugin.name for plugin in registry.plugins}:
        taken_by.add("plugin")
    for part in [part for kind in kinds for part in KINDS[kind].parts]:
        if name in {spec.name for spec in registry.specs(part)}:
            taken_by.add(part)
    if "command" in kinds and name in commands:
        taken_by.add("command")
    if find_module_file(module):  # None for a folder without __init__.py
        taken_by.add("Python package")
    if taken_by:
        raise GankitError(f"a {min(taken_by)} {name!r} exists already: choose another name")
    return module


def name_kinds(kinds: Sequence[str]) -> str:
    """`a trick`, or `a trick and a loss`, or `a trick, a loss and a command`."""
    names = [KINDS[kind].name for kind in kinds]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def commands_to_try(kinds: Sequence[str], name: str) -> list[str]:
    """The commands that use the new plugin."""
    options = [f" --{kind} {name}" for kind in kinds if KINDS[kind].parts]
    commands = []
    if options or "observer" in kinds:
        commands.append(f"gankit run{''.join(options)}")
    if "metric" in kinds:
        commands.append(f"gankit evaluate RUN --metric {name}")
    if "command" in kinds:
        commands.append(f"gankit {name} RUN")
    return commands


def write_package(folder: Path, kinds: Sequence[str], name: str, module: str) -> None:
    """Write the files of the templates; a file that several of them have is merged."""
    rows = [
        f"| `plugin_name/{KINDS[kind].file}.py` | {KINDS[kind].holds} |\n"
        for kind in kinds
        if KINDS[kind].file
    ]
    shown = ["gankit show plugin-name"] if any(KINDS[kind].parts for kind in kinds) else []
    of_parts = "tests with `gankit.testing`: if they pass, the plugin works with all other parts"
    replacements = {
        "TESTS_OF_KINDS": of_parts if shown else "tests of what the plugin does",
        "KIND_NAMES": name_kinds(kinds),
        "TRY_COMMANDS": "\n    ".join([*shown, *commands_to_try(kinds, name)]),
        "FILE_ROWS\n": "".join(rows),
        "plugin-name": name,
        "plugin_name": module,
        "PluginName": "".join(word.capitalize() for word in name.split("-")),
    }

    def fill_in(text: str) -> str:
        for placeholder, replacement in replacements.items():
            text = text.replace(placeholder, replacement)
        return text

    for path, texts in read_templates(kinds).items():
        text = merge_modules(texts) if len(texts) > 1 else texts[0]
        write_atomically(folder / fill_in(path), fill_in(text))


def read_templates(kinds: Sequence[str]) -> dict[str, list[str]]:
    """The path of each file -> its texts, one for each kind that has the file."""
    files: dict[str, list[str]] = {}
    for template in (TEMPLATES / "common", *(TEMPLATES / kind for kind in kinds)):
        for source in sorted(template.rglob("*")):
            if source.suffix in (".py", ".md", ".toml"):
                path = source.relative_to(template).as_posix()
                files.setdefault(path, []).append(source.read_text(encoding="utf-8"))
    return files
