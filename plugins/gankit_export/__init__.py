"""`gankit export` and `gankit import`: take a generator to other programs, and bring one here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gankit.core.parts.hookspecs import hookimpl

if TYPE_CHECKING:
    from gankit.cli.main import PluginCommands


@hookimpl
def register_commands(cli: PluginCommands) -> None:
    summary = "Write a run's generator for a browser, ONNX or PyTorch."
    cli.later("export", "gankit_export.command:export", summary)
    summary = "Make a run of the weights of a generator in a file."
    cli.later("import", "gankit_export.import_command:import_weights", summary)
