"""`gankit explore` and `gankit find`: a run's generator in the browser, and what it can draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gankit.core.parts.hookspecs import hookimpl

if TYPE_CHECKING:
    from gankit.cli.main import PluginCommands


@hookimpl
def register_commands(cli: PluginCommands) -> None:
    summary = "Play with a run's generator, on a page in your browser."
    cli.later("explore", "gankit_explore.command:explore", summary)
    summary = "Find the z whose picture comes closest to a picture of yours."
    cli.later("find", "gankit_explore.find.command:find", summary)


@hookimpl
def register_explorers(register: Callable[[Callable[[Any], Any]], None]) -> None:
    register(_show)


def _show(sampler: Any) -> Any:
    from gankit_explore.show import show  # imports torch

    return show(sampler)
