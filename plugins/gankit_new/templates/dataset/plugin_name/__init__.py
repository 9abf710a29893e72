"""What the plugin adds. Every gankit command imports this file, so do not import torch here."""

from collections.abc import Callable

from gankit import DatasetSpec, hookimpl


@hookimpl
def register_datasets(register: Callable[[DatasetSpec], None]) -> None:
    register(
        DatasetSpec(
            name="plugin-name",
            summary="white discs on a dark background",
            source="where the pictures come from",
            build="plugin_name.pictures:PluginName",  # imported when a run uses it
            pictures="as many as you ask for",
            licence="the licence of the pictures",
        )
    )
