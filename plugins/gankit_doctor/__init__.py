"""The doctor: looks at a run while it trains, says what goes wrong, and names the cure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gankit import hookimpl
from gankit_doctor.rules import RULES

if TYPE_CHECKING:
    from gankit.cli.main import PluginCommands
    from gankit.core.contracts.prepared import PreparedDataset
    from gankit.core.control import Control
    from gankit.core.gan import Gan
    from gankit.core.parts.registry import Registry
    from gankit.core.parts.specs import RuleSpec
    from gankit.core.recorder import StepRecord
    from gankit.core.run.settings import Run
    from gankit_doctor.observer import Watch

__all__ = ["Doctor", "examine"]


class Doctor:
    """The plugin: its rules, `gankit doctor`, and the observer of all runs."""

    watch_every = 1  # steps; `run_started` chooses it for each run
    watch_updates = True
    watch: Watch | None = None

    @hookimpl
    def register_rules(self, register: Callable[[RuleSpec], None]) -> None:
        for spec in RULES:
            register(spec)

    @hookimpl
    def register_commands(self, cli: PluginCommands) -> None:
        summary = "Say what goes wrong in a run, and how to cure it."
        cli.later("doctor", "gankit_doctor.command:doctor", summary)

    @hookimpl
    def run_started(
        self, run: Run, gan: Gan, registry: Registry, prepared: PreparedDataset
    ) -> None:
        from gankit_doctor.observer import Watch  # imports torch

        self.watch = Watch(run, gan, registry, prepared)
        self.watch_every = self.watch.interval

    @hookimpl
    def step_taken(self, step: int, record: StepRecord, control: Control) -> None:
        if self.watch:
            control.report(self.watch.look(step, record))

    @hookimpl
    def step_done(self, run: Run, step: int, scalars: dict[str, Any], control: Control) -> None:
        if self.watch:
            self.watch.run = run  # its length may have changed
            for line in self.watch.step_done(step, scalars):
                control.warn(line)

    @hookimpl
    def run_finished(self, outcome: dict[str, Any], control: Control) -> None:
        if self.watch and outcome["state"] != "stage":  # else the run goes on at once
            self.watch.finish(outcome, is_quiet=control.is_quiet)
        self.watch = None


def __getattr__(name: str) -> Any:
    """`examine`, imported when it is used, as it needs torch."""
    if name != "examine":
        raise AttributeError(f"module 'gankit_doctor' has no attribute {name!r}")
    from gankit_doctor.examination import examine

    return examine
