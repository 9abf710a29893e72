"""`gankit report`: a run as one HTML page that opens offline and that you can mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gankit.core.parts.hookspecs import hookimpl

if TYPE_CHECKING:
    import torch

    from gankit.cli.main import PluginCommands
    from gankit.core.contracts.prepared import PreparedDataset
    from gankit.core.control import Control
    from gankit.core.gan import Gan
    from gankit.core.parts.registry import Registry
    from gankit.core.run.settings import Run
    from gankit_report.record_d_view import DViewRecorder


class Reports:
    """The plugin: `gankit report`, and the observer that writes the page when a run ends."""

    d_view: DViewRecorder | None = None
    prints = False  # whether the run's last lines are printed

    @hookimpl
    def register_commands(self, cli: PluginCommands) -> None:
        summary = "Show a run, or two side by side, as one HTML page."
        cli.later("report", "gankit_report.command:report", summary)

    @hookimpl
    def run_started(
        self, run: Run, gan: Gan, registry: Registry, prepared: PreparedDataset, control: Control
    ) -> None:
        from gankit_report.record_d_view import DViewRecorder, forget_moments_after  # imports torch

        has_console = any(plugin.name == "console" for plugin in registry.plugins)  # no race
        self.prints = has_console and not control.is_quiet
        self.d_view = None
        forget_moments_after(run, gan.step)
        if run.report:
            self.d_view = DViewRecorder(run, gan, registry, prepared)

    @hookimpl
    def samples_drawn(self, run: Run, step: int, images: torch.Tensor) -> None:
        if self.d_view:
            self.d_view.record(run, step, images)

    @hookimpl
    def run_finished(self, run: Run, outcome: dict[str, Any]) -> None:
        if not run.report:
            return
        from gankit_report.end_of_run import write_at_end

        if self.d_view:
            self.d_view.write(run)
        self.d_view = None
        if outcome["state"] == "stage":  # the run goes on at once
            return
        write_at_end(run, prints=self.prints)
