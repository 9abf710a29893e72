"""A command whose help puts options under headings and shows their defaults."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import click

from gankit.cli.terminal.output import print_own
from gankit.core.errors import GankitError
from gankit.core.parts.registry import Registry, load_registry
from gankit.core.printable import printable
from gankit.core.run.setting_help import SETTINGS
from gankit.core.run.settings import Run, parse_length

COLUMN = 22  # width of the option names, the same under every heading


class RunOption(click.Option):
    """An option of `gankit run`; its help ends with the default of the Run field that it sets."""

    def __init__(self, *names: str, default_text: str = "", **attributes: Any) -> None:
        super().__init__(names, **attributes)
        self.help = self.help or SETTINGS.get(self.name or "")
        self.default_text = default_text  # shown instead of a default such as 0

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        record = super().get_help_record(ctx)
        default = self.format_default(_get_registry(ctx))
        if record is None or not default:
            return record
        names, _ = record
        return names, f"{self.help}  [default: {default}]"

    def format_default(self, registry: Registry) -> str:
        """The default as text, with a star if a model or a recipe may set another value."""
        defaults = default_settings(registry)
        if self.show_default is False or self.name not in defaults:
            return ""
        value = defaults[self.name]
        is_field_default = value == _FIELDS[self.name].default
        text = self.default_text if is_field_default and self.default_text else _format_value(value)
        return f"{text}*" if self.name in settings_of_parts(registry) else text


class LengthOption(RunOption):
    """An option that sets the length of a run: `--steps`, `--epochs` or `--kimg`."""

    def format_default(self, registry: Registry) -> str:
        try:
            number, unit = parse_length(default_settings(registry)["length"])
        except GankitError:  # a mistake in the default model, which training will report
            return ""
        return f"{number:g}*" if self.name == unit else ""


def _hint_for(argument: str, has_data: bool) -> str:
    """What an argument that follows no option was probably meant to be."""
    if "=" in argument:
        return f"; an option of a part follows its name and a colon: NAME:{argument}"
    if has_data:
        return "; --data takes one path: give the folder that holds them, or repeat --data"
    return ""


class GroupedCommand(click.Command):
    """A command that takes its options as a table: heading -> options."""

    def __init__(
        self,
        name: str | None,
        *,
        groups: Mapping[str, Sequence[click.Option]],
        params: list[click.Parameter] | None = None,
        **attributes: Any,
    ) -> None:
        grouped = [option for group in groups.values() for option in group]
        super().__init__(name, params=[*(params or ()), *grouped], **attributes)
        self.groups = groups

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse options only; a shell that replaces * by names leaves other arguments, too."""
        has_data = "--data" in args
        ctx.allow_extra_args = True
        extra = super().parse_args(ctx, args)
        if extra:
            more = f", and {len(extra) - 1:,} more" if len(extra) > 1 else ""
            ctx.fail(
                f"argument {extra[0]!r}{more} follows no option{_hint_for(extra[0], has_data)}"
            )
        return extra

    def help_groups(self, ctx: click.Context) -> dict[str, list[tuple[str, str]]]:
        """The help: heading -> (option, text); `--help` itself is in the last group."""
        grouped = [option for group in self.groups.values() for option in group]
        all_options = [p for p in self.get_params(ctx) if isinstance(p, click.Option)]
        ungrouped = [option for option in all_options if option not in grouped]
        last_heading = list(self.groups)[-1]
        table = {}
        for heading, group in self.groups.items():
            options = [*group, *ungrouped] if heading == last_heading else group
            records = [option.get_help_record(ctx) for option in options]
            table[heading] = [_printable_record(*record) for record in records if record]
        return table

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        help_option = super().get_help_option(ctx)
        if help_option:
            help_option.callback = _print_help
        return help_option

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for heading, records in self.help_groups(ctx).items():
            with formatter.section(click.style(heading, bold=True)):
                rows = [(names.ljust(COLUMN), text) for names, text in records]
                formatter.write_dl(rows, col_max=COLUMN)


def _print_help(ctx: click.Context, option: click.Parameter, is_given: bool) -> None:
    """Print the help with its bold headings, which other text of a plugin may not have."""
    if is_given and not ctx.resilient_parsing:
        print_own(ctx.get_help())
        ctx.exit()


def _printable_record(names: str, text: str) -> tuple[str, str]:
    return printable(names), printable(text)


_FIELDS = {field.name: field for field in dataclasses.fields(Run)}


def default_settings(registry: Registry) -> dict[str, Any]:
    """Fields of a Run that `gankit run` trains without options: Run's and the default model's."""
    defaults: dict[str, Any] = {
        name: "" if field.default is dataclasses.MISSING else field.default
        for name, field in _FIELDS.items()
    }
    try:
        parts = {kind: registry.default(kind) for kind in ("dataset", "model", "loss")}
    except GankitError:  # help must work even if a plugin is broken
        return defaults
    model = vars(registry.find("model", parts["model"]))
    networks = {kind: model[kind] for kind in ("generator", "discriminator")}
    return {**defaults, **parts, **networks, "image_size": model["image_size"], **model["settings"]}


def settings_of_parts(registry: Registry) -> set[str]:
    """Fields of Run that a model or a recipe sets."""
    names = {"generator", "discriminator", "image_size"}  # every model sets these
    for kind in ("model", "recipe"):
        for spec in registry.specs(kind):
            names |= vars(spec)["settings"].keys()
    return names


def _get_registry(ctx: click.Context) -> Registry:
    """The registry of this command line, loaded if nothing has loaded it yet."""
    registry = ctx.find_object(Registry)
    if registry is None:
        registry = load_registry()
        ctx.find_root().obj = registry
    return registry


def _format_value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        return ", ".join(value)
    return str(value)
