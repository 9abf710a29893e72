"""What the plugin adds. Every gankit command imports this file, so do not import torch here."""

from collections.abc import Callable

from gankit import MetricSpec, hookimpl


@hookimpl
def register_metrics(register: Callable[[MetricSpec], None]) -> None:
    register(
        MetricSpec(
            name="plugin-name",
            summary="do generated pictures have the colours of real ones?",
            source="the paper or web page that it follows",
            build="plugin_name.metric:PluginName",  # imported when you measure with it
        )
    )
