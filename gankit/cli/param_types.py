"""Types of command-line arguments."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import CompletionItem

from gankit.core.errors import did_you_mean, quote_value
from gankit.core.parts.specs import KINDS
from gankit.training.checkpoints.named_checkpoint import BEST, LAST

ALL = "all"  # checkpoints; a word that some commands take


class NamedChoice(click.Choice):  # type: ignore[type-arg]  # generic since click 8.2 only
    """One of a few words; a word that is nearly one of them is named in the message."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            hint = did_you_mean(str(value), self.choices)
            self.fail(f"there is no {value!r}.{hint}", param, ctx)


class NumberOrAuto(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.4 only
    """A number other than 0, which means auto in a Run, or the word auto."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | str:
        if value == "auto":
            return "auto"
        try:
            number = float(value)
        except ValueError:
            number = 0.0
        if not number:
            shown = quote_value(str(value))
            self.fail(f"{shown} is neither auto nor a number above 0", param, ctx)
        return number

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return [CompletionItem("auto")] if "auto".startswith(incomplete) else []


class CheckpointName(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.4 only
    """A checkpoint of a run: its step, as a number, or a word: best, last and `more` words."""

    name = "checkpoint"

    def __init__(self, *more: str) -> None:
        self.words = (BEST, LAST, *more)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | str:
        text = str(value)
        if text in self.words:
            return text
        if not (text.isascii() and text.isdecimal()):
            words = " or ".join([", ".join(["a step", *self.words[:-1]]), self.words[-1]])
            self.fail(f"there is no checkpoint {quote_value(text)}: give {words}", param, ctx)
        return int(text)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return [CompletionItem(word) for word in self.words if word.startswith(incomplete)]


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
