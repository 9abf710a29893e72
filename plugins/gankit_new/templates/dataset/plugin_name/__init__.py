"""What the plugin brings. Light: gankit imports this for every command, so no torch here."""

from collections.abc import Callable

from gankit import DatasetSpec, hookimpl


@hookimpl
def register_datasets(register: Callable[[DatasetSpec], None]) -> None:
    register(
        DatasetSpec(
            name="plugin-name",
            summary="white discs on dark ground",
            source="where the pictures come from",
            build="plugin_name.pictures:PluginName",  # imported when a run asks for it
            pictures="as many as you ask for",
            licence="yours to say",
        )
    )
