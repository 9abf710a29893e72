"""`gankit unfold`: what happened in one step of a run, exactly, as a page to walk through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gankit.core.parts.hookspecs import hookimpl

if TYPE_CHECKING:
    from gankit.cli.main import PluginCommands

__all__ = ["unfold"]


@hookimpl
def register_commands(cli: PluginCommands) -> None:
    summary = "Take steps of a run again, and show all that happened in them."
    cli.later("unfold", "gankit_unfold.command:unfold", summary)


def __getattr__(name: str) -> Any:
    """`unfold`, imported when it is used, as it needs torch."""
    if name != "unfold":
        raise AttributeError(f"module 'gankit_unfold' has no attribute {name!r}")
    from gankit_unfold.unfolding import unfold

    return unfold
