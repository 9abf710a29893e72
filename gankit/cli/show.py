"""`gankit show NAME`: everything about a part, without importing torch."""

import inspect
import re
import shlex
import shutil
import textwrap

import click

from gankit.cli.part import Part
from gankit.cli.source import read_source
from gankit.core.choice import Choice
from gankit.core.errors import GankitError, did_you_mean
from gankit.core.settings import option, parse_length
from gankit.core.specs import KINDS, DatasetSpec, ModelSpec, RecipeSpec

OPTION = r"\w+(?:, \w+)*: "  # how a docstring begins to speak of one, or of several


@click.command()
@click.argument("name", type=Part())
@click.option("--kind", type=click.Choice(list(KINDS)), help="Where a name has several.")
@click.option("--no-code", is_flag=True, help="Leave the source code away.")
@click.pass_context
def show(ctx, name, kind, no_code):
    """Show what a part does and why, its paper, options, source code and lesson."""
    registry = ctx.obj
    name = Choice.parse(name).name
    specs = [registry.find(kind, name)] if kind else _named(registry, name)
    for spec in specs:
        click.secho(f"{spec.kind} {spec.name}", bold=True)
        for label, text in _facts(registry, spec).items():
            click.echo(_filled(str(text), f"  {label:13} ", 16))
        if isinstance(spec, ModelSpec):
            click.echo(f"  {'networks':13} gankit show {Choice.parse(spec.generator).name}")
        elif isinstance(spec, RecipeSpec):
            _show_recipe(spec)
        else:
            _show_builder(spec, code=not no_code)
        click.echo()


def _named(registry, name):
    found = [spec for k in KINDS for spec in registry.specs(k) if spec.name == name]
    if not found:
        every = {spec.name for k in KINDS for spec in registry.specs(k)}
        raise GankitError(f"there is no part {name!r}.{did_you_mean(name, every)} See: gankit list")
    return [registry.find(spec.kind, name) for spec in found]  # find refuses a contested name


def _facts(registry, spec):
    facts = {"does": spec.summary, "source": spec.source}
    if isinstance(spec, DatasetSpec):
        facts |= {"pictures": spec.pictures, "licence": spec.licence, "home": spec.home}
    if isinstance(spec, ModelSpec):
        facts |= {"generator": spec.generator, "discriminator": spec.discriminator}
        facts |= {"image size": f"{spec.image_size} px"}
    if isinstance(spec, ModelSpec | RecipeSpec):
        facts |= {key.replace("_", "-"): _written(v) for key, v in spec.settings.items()}
    facts["lesson"] = f"gankit lesson {spec.lesson}" if spec.lesson else ""
    facts["plugin"] = next(p.name for p in registry.plugins if spec in p.specs)
    return {label: text for label, text in facts.items() if text != ""}


def _written(value):
    return (", ".join(value) or "none") if isinstance(value, tuple) else value


def _show_recipe(spec):
    run = f"gankit run --recipe {spec.name}"
    click.echo(f"\n  run it       {run}\n  the same     gankit run {spelled_out(spec.settings)}")
    for label, options in spec.variants.items():
        click.echo(f"\n  {label}:\n    {run} {options}")


def spelled_out(settings):
    """The options of `gankit run` that say what a recipe's settings say."""
    words = []
    for key, value in settings.items():
        if key == "length":
            number, unit = parse_length(value)
            words += [f"--{unit}", f"{number:.12g}"]
        elif isinstance(value, bool):
            words += [option(key)] if value else []
        else:
            for one in (value or ("none",)) if isinstance(value, tuple) else (value,):
                words += [option(key), str(one)]
    return shlex.join(words)


def _show_builder(spec, *, code):
    source = read_source(spec)
    if source.options:
        click.echo("  options")
        for option in source.options:
            default = "required" if option.default is inspect.Parameter.empty else option.default
            click.echo(f"    {option.name:16} {default}")
        click.echo(f"  {'set them':13} {spec.name}:{source.options[0].name}=...")
    if source.docstring:
        click.echo("\n" + _wrapped(source.docstring))
    if code:
        click.echo("\n" + textwrap.indent(source.text, "  | ", lambda line: True))


def _wrapped(docstring):
    """Its prose, as wide as the terminal; options begin a line each, code stays as it is."""
    blocks = []
    for paragraph in docstring.split("\n\n"):
        if paragraph.startswith(" "):
            blocks.append(textwrap.indent(paragraph, "  "))
            continue
        entries = re.split(rf"\n(?={OPTION})", paragraph)
        lines = [_filled(text, "  ", 6 if re.match(OPTION, text) else 2) for text in entries]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _filled(text, first, indent):
    """The text behind `first`, in lines that no terminal breaks, the others so far to the right."""
    return textwrap.fill(
        " ".join(text.split()),
        min(shutil.get_terminal_size().columns, 100),
        initial_indent=first,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
