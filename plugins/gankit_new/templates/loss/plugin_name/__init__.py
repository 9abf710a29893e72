"""What the plugin adds. Every gankit command imports this file, so do not import torch here."""

from collections.abc import Callable

from gankit import LossSpec, hookimpl


@hookimpl
def register_losses(register: Callable[[LossSpec], None]) -> None:
    register(
        LossSpec(
            name="plugin-name",
            summary="cross-entropy of scaled logits",
            source="the paper or web page that it follows",
            build="plugin_name.loss:PluginName",  # imported when a run uses it
        )
    )
