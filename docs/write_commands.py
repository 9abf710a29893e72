"""Write the reference of all commands from the commands themselves; docs/conf.py calls this."""

import inspect

import click

from gankit.cli.grouped_command import GroupedCommand
from gankit.cli.main import new_cli
from gankit.cli.plugin_commands import LazyCommand

HEAD = """# Commands

Every command with every option, written from the commands themselves; `gankit COMMAND --help` shows
the same. [Running](../running.md) explains what the commands are for and how to combine them.
"""


def page():
    """The text of the page, as Markdown."""
    cli = new_cli()
    top = click.Context(cli, info_name="gankit")
    blocks = [HEAD, *describe(cli, top)]
    for name in cli.list_commands(top):
        blocks += sections(cli.get_command(top, name), name, top)
    return "\n".join(blocks)


def sections(command, name, parent):
    """Yield the section of a command, then those of its subcommands."""
    if isinstance(command, LazyCommand):
        command = command.load()
    context = click.Context(command, info_name=name, parent=parent)
    yield f"## {context.command_path}\n"
    yield from describe(command, context)
    if isinstance(command, click.Group):
        for subcommand in command.list_commands(context):
            yield from sections(command.get_command(context, subcommand), subcommand, context)


def describe(command, context):
    """Yield the command's help text, its usage line, and a table for each group of options."""
    yield f"{escape_markdown(inspect.cleandoc(command.help or command.short_help or ''))}\n"
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"```text\n{context.command_path} {usage}\n```\n"
    if isinstance(command, GroupedCommand):
        groups = command.help_groups(context)
    else:
        options = [p for p in command.get_params(context) if isinstance(p, click.Option)]
        groups = {"": [option.get_help_record(context) for option in options]}
    for heading, records in groups.items():
        yield from option_table(heading, [record for record in records if record])
    if command.epilog:
        yield f"{escape_markdown(command.epilog)}\n"


def option_table(heading, records):
    """Yield a table of options; each record is (option names, help text), as click gives it."""
    if not records:
        return
    if heading:
        yield f"**{heading}**\n"
    yield "| option | for |\n|---|---|"
    for names, help_text in records:
        yield f"| `{table_cell(names)}` | {table_cell(escape_markdown(help_text))} |"
    yield ""


def table_cell(text):
    """`text` on one line, with its pipes escaped."""
    return " ".join(text.split()).replace("|", "\\|")


def escape_markdown(text):
    """Escape the marks of Markdown in a help text, and remove click's `\\b` marks."""
    for mark in ("\\", "<", "*", "_", "[", "]"):
        text = text.replace(mark, "\\" + mark)
    return text.replace("\b\n", "")
