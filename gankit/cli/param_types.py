"""Types of command-line arguments."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import CompletionItem

from gankit.core.errors import did_you_mean
from gankit.core.specs import KINDS


class NamedChoice(click.Choice):  # type: ignore[type-arg]  # generic since click 8.2 only
    """One of a few words; a word that is nearly one of them is named in the message."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            hint = did_you_mean(str(value), self.choices)
            self.fail(f"there is no {value!r}.{hint}", param, ctx)


class PartName(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.4 only
    """The name of a part, with or without options; the shell completes the name."""

    name = "part"

    def __init__(self, *kinds: str) -> None:
        self.kinds = kinds or tuple(KINDS)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        registry = ctx.find_root().obj
        specs = [spec for kind in self.kinds for spec in registry.specs(kind)]
        summaries = {spec.name: spec.summary for spec in specs if spec.name.startswith(incomplete)}
        return [CompletionItem(name, help=summary) for name, summary in summaries.items()]
