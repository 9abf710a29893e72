"""`gankit show NAME`: everything about a part, without importing torch."""

import inspect
import textwrap

import click

from gankit.choice import Choice
from gankit.errors import GankitError, did_you_mean
from gankit.specs import KINDS, DatasetSpec, ModelSpec
from gankit_commands import reading
from gankit_commands.part import Part


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
            click.echo(f"  {label:13} {text}")
        if isinstance(spec, ModelSpec):
            click.echo(f"  {'networks':13} gankit show {Choice.parse(spec.generator).name}")
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
        facts |= {key.replace("_", "-"): value for key, value in spec.settings.items()}
    facts["lesson"] = f"lessons/{spec.lesson:02d}_*.py" if spec.lesson else ""
    facts["plugin"] = next(p.name for p in registry.plugins if spec in p.specs)
    return {label: text for label, text in facts.items() if text != ""}


def _show_builder(spec, *, code):
    source = reading.read(spec)
    if source.options:
        click.echo("  options")
        for option in source.options:
            default = "required" if option.default is inspect.Parameter.empty else option.default
            click.echo(f"    {option.name:16} {default}")
        click.echo(f"  {'set them':13} {spec.name}:{source.options[0].name}=...")
    if source.docstring:
        click.echo("\n" + textwrap.indent(source.docstring, "  "))
    if code:
        click.echo("\n" + textwrap.indent(source.text, "  | "))
