"""`gankit show NAME`: a part, or where a picture comes from, without importing torch."""

from __future__ import annotations

import inspect
import re
import shutil
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gankit.cli.param_types import NamedChoice, PartName
from gankit.cli.show.picture import names_a_file, show_picture
from gankit.cli.show.read_source import read_source
from gankit.cli.terminal.output import print_heading
from gankit.core.errors import GankitError
from gankit.core.parts.choice import Choice
from gankit.core.parts.specs import KINDS, DatasetSpec, ModelSpec, RecipeSpec, Spec
from gankit.core.printable import printable
from gankit.core.run.settings import gankit_with, option, parse_length
from gankit.core.shell import join_command

if TYPE_CHECKING:
    from gankit.core.parts.registry import Registry

OPTION = r"\w+(?:, \w+)*: "  # starts the text on one or more options in a docstring


@click.command()
@click.argument("name", type=PartName())
@click.option(
    "--kind",
    type=NamedChoice(list(KINDS)),
    metavar="KIND",
    help="Show only the part of this kind, if parts of several kinds have this name.",
)
@click.option("--no-code", is_flag=True, help="Omit the source code.")
@click.pass_context
def show(ctx: click.Context, /, name: str, kind: str | None, no_code: bool) -> None:
    """Show a part: what it does, its paper, options, source code and lesson.

    NAME may also be a picture or video that gankit wrote: show the command, the seed, the step and
    the version that made it.
    """
    registry = ctx.obj
    is_part = any(spec.name == name for part in KINDS for spec in registry.specs(part))
    if not (kind or is_part) and names_a_file(name):
        show_picture(Path(name))
        return
    name = Choice.parse(name).name
    specs = [registry.find(kind, name)] if kind else _specs_named(registry, name)
    for spec in specs:
        # A plugin's code is used only here, so an error of the output is none of the plugin's.
        with registry.attribute_errors_to(spec.kind, spec.name):
            lines = list(_describe(registry, spec, code=not no_code))
        print_heading(f"{spec.kind} {spec.name}")
        for line in lines:
            click.echo(line)
        click.echo()


def _describe(registry: Registry, spec: Spec, *, code: bool) -> Iterator[str]:
    """The lines about a part, without its headline."""
    for label, text in _facts(registry, spec).items():
        yield _wrap(text, f"  {label:13} ", 16)
    if isinstance(spec, ModelSpec):
        yield f"  {'networks':13} {_show_networks(registry, spec)}"
    elif isinstance(spec, RecipeSpec):
        yield from _describe_recipe(spec)
    else:
        yield from _describe_builder(spec, code=code)


def _show_networks(registry: Registry, spec: ModelSpec) -> str:
    """The commands that show the networks of a model."""
    texts = {"generator": spec.generator, "discriminator": spec.discriminator}
    names = dict.fromkeys(registry.parse(kind, text)[1].name for kind, text in texts.items())
    words = gankit_with(registry.files)
    commands = " and ".join(join_command([*words, "show", name]) for name in names)
    return f"of the same name: {commands}" if list(names) == [spec.name] else commands


def _specs_named(registry: Registry, name: str) -> list[Spec]:
    """All parts of this name; a generator and a discriminator may share a name."""
    specs = [spec for kind in KINDS for spec in registry.specs(kind)]
    matches = [spec for spec in specs if spec.name == name]
    if not matches:
        hint = registry.explain_missing(name, {spec.name for spec in specs})
        raise GankitError(f"there is no part {name!r}.{hint} See: gankit list")
    return matches


def _facts(registry: Registry, spec: Spec) -> dict[str, str]:
    """Label -> text; labels without a text are omitted."""
    facts = {"does": spec.summary, "source": spec.source}
    if isinstance(spec, DatasetSpec):
        facts |= {"pictures": spec.pictures, "licence": spec.licence, "home": spec.home}
    if isinstance(spec, ModelSpec):
        facts |= {"generator": spec.generator, "discriminator": spec.discriminator}
        facts |= {"image size": f"{spec.image_size} px"}
    if isinstance(spec, ModelSpec | RecipeSpec):
        for key, value in spec.settings.items():
            facts[key.replace("_", "-")] = _format_value(value)
    facts["lesson"] = f"gankit lesson {spec.lesson}" if spec.lesson else ""
    facts["plugin"] = registry.owner(spec).name
    return {label: text for label, text in facts.items() if text != ""}


def _format_value(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def _describe_recipe(spec: RecipeSpec) -> Iterator[str]:
    command = f"gankit run --recipe {spec.name}"
    yield f"\n  run it       {command}"
    yield printable(f"  the same     gankit run {options_of(spec.settings)}")
    for label, options in spec.variants.items():
        yield f"\n  {printable(label)}:\n    {printable(f'{command} {options}')}"


def options_of(settings: Mapping[str, Any]) -> str:
    """A recipe's settings as options of `gankit run`."""
    argv: list[str] = []
    for key, value in settings.items():
        if key == "length":
            number, unit = parse_length(value)
            argv += [f"--{unit}", f"{number:.12g}"]
        elif value is True:
            argv.append(option(key))
        elif isinstance(value, tuple):
            for text in value or ("none",):
                argv += [option(key), text]
        elif value is not False:
            argv += [option(key), str(value)]
    return join_command(argv)


def _describe_builder(spec: Spec, *, code: bool) -> Iterator[str]:
    source = read_source(spec)
    if source.options:
        yield "  options"
        for parameter in source.options:
            is_required = parameter.default is inspect.Parameter.empty
            default = "required" if is_required else parameter.default
            yield f"    {parameter.name:16} {default}"
        yield f"  {'set them':13} {spec.name}:{source.options[0].name}=..."
    if source.docstring:
        yield "\n" + _format_docstring(source.docstring)
    if source.page:
        yield "\n" + _format_docstring(_without_marks(source.page))
    if code:
        yield "\n" + textwrap.indent(source.code, "  | ", lambda line: True)


def _without_marks(page: str) -> str:
    """A text in Markdown without the marks of headings and code."""
    return re.sub(r"^#+ (.*)$", r"\1:", page.strip(), flags=re.MULTILINE).replace("`", "")


def _format_docstring(docstring: str) -> str:
    """The docstring wrapped to the terminal; each option starts a line, code stays as it is."""
    blocks = []
    for paragraph in docstring.split("\n\n"):
        if paragraph.startswith(" "):
            blocks.append(textwrap.indent(paragraph, "  "))
            continue
        entries = re.split(rf"\n(?={OPTION})", paragraph)
        lines = [_wrap(text, "  ", 6 if re.match(OPTION, text) else 2) for text in entries]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _wrap(text: str, prefix: str, indent: int) -> str:
    """`prefix` and the text, wrapped to the terminal; lines after the first are indented."""
    return textwrap.fill(
        " ".join(text.split()),
        min(shutil.get_terminal_size().columns, 100),
        initial_indent=prefix,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
