"""Writes the reference of all commands, from the commands themselves; docs/conf.py calls it."""

import inspect

import click

from gankit.cli.grouped_command import GroupedCommand
from gankit.cli.main import LazyCommand, new_cli

HEAD = """# Commands

Every command with every option, written from the commands themselves; `gankit COMMAND --help` says
the same. What they are for and how they go together is in [Running](../running.md).
"""


def commands():
    """The page's text."""
    cli = new_cli()
    top = click.Context(cli, info_name="gankit")
    blocks = [HEAD, *described(cli, top)]
    for name in cli.list_commands(top):
        blocks += walk(cli.get_command(top, name), name, top)
    return "\n".join(blocks)


def walk(command, name, parent):
    """A command, and those below it."""
    command = command.load() if isinstance(command, LazyCommand) else command
    context = click.Context(command, info_name=name, parent=parent)
    yield f"## {context.command_path}\n"
    yield from described(command, context)
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            yield from walk(command.get_command(context, inner), inner, context)


def described(command, context):
    """What it does, how it is called, and its options as tables, one for each heading."""
    yield f"{literal(inspect.cleandoc(command.help or command.short_help or ''))}\n"
    pieces = " ".join(command.collect_usage_pieces(context))
    yield f"```text\n{context.command_path} {pieces}\n```\n"
    if isinstance(command, GroupedCommand):
        groups = command.help_groups(context)
    else:
        options = [p for p in command.get_params(context) if isinstance(p, click.Option)]
        groups = {"": [p.get_help_record(context) for p in options]}
    for heading, records in groups.items():
        yield from table(heading, [record for record in records if record])
    if command.epilog:
        yield f"{literal(command.epilog)}\n"


def table(heading, records):
    """Options with what they are for."""
    if not records:
        return
    if heading:
        yield f"**{heading}**\n"
    yield "| option | for |\n|---|---|"
    yield from (f"| `{cell(names)}` | {cell(literal(about))} |" for names, about in records)
    yield ""


def cell(text):
    return " ".join(text.split()).replace("|", "\\|")


def literal(text):
    """Words of a help text as Markdown: what has a meaning there means itself."""
    for mark in ("\\", "<", "*", "_", "[", "]"):
        text = text.replace(mark, "\\" + mark)
    return text.replace("\b\n", "")
