"""What the plugin brings. Light: gankit imports this for every command, so no torch here."""

from collections.abc import Callable

from gankit import TrickSpec, hookimpl


@hookimpl
def register_tricks(register: Callable[[TrickSpec], None]) -> None:
    register(
        TrickSpec(
            name="plugin-name",
            summary="every picture that D sees is made a little brighter or darker",
            source="the paper or the page it follows",
            build="plugin_name.trick:PluginName",  # imported when a run asks for it
        )
    )
