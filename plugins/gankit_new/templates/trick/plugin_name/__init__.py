"""What the plugin adds. Every gankit command imports this file, so do not import torch here."""

from collections.abc import Callable

from gankit import TrickSpec, hookimpl


@hookimpl
def register_tricks(register: Callable[[TrickSpec], None]) -> None:
    register(
        TrickSpec(
            name="plugin-name",
            summary="makes each picture that D sees a little brighter or darker",
            source="the paper or web page that it follows",
            build="plugin_name.trick:PluginName",  # imported when a run uses it
        )
    )
