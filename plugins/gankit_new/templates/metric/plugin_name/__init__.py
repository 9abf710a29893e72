"""What the plugin brings. Light: gankit imports this for every command, so no torch here."""

from collections.abc import Callable

from gankit import MetricSpec, hookimpl


@hookimpl
def register_metrics(register: Callable[[MetricSpec], None]) -> None:
    register(
        MetricSpec(
            name="plugin-name",
            summary="do generated pictures have the colours of real ones?",
            source="the paper or the page it follows",
            build="plugin_name.metric:PluginName",  # imported when somebody measures with it
        )
    )
