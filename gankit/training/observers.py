"""Observers: call the observer hooks of plugins, and of the objects that `train` was given."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pluggy

from gankit.core.control import Control
from gankit.core.errors import GankitError, describe_error, quote_value
from gankit.core.parts.find_hooks import find_observer_hooks, name_of_hook
from gankit.core.parts.registry import Plugin, Registry
from gankit.core.reported import to_float
from gankit.core.run.settings import Run
from gankit.core.stop import Stop
from gankit.training.checkpoints.best import BestSoFar

log = logging.getLogger("gankit")
STEP = "step_taken"
CONSOLE = "console"  # the plugin that prints how a run goes
CLOSED_PIPE = getattr(signal, "SIGPIPE", 13)  # Windows has no such signal


def observe_with(objects: Iterable[object] | object) -> list[Plugin]:
    """Make plugins of objects, or of one, with methods that are observer hooks. GankitError.

    Each is named after its class; a second one of the same class gets a number.
    """
    plugins: list[Plugin] = []
    for observer in objects if isinstance(objects, Iterable) else [objects]:
        name = type(observer).__name__
        count = sum(plugin.name.partition("-")[0] == name for plugin in plugins)
        name = f"{name}-{count + 1}" if count else name
        plugins.append(Plugin(name, hook=find_observer_hooks(observer, name)))
    return plugins


@dataclass(frozen=True)
class Watcher:
    """An observer of steps."""

    plugin: Plugin
    interval: int  # steps
    keeps_updates: bool  # whether it reads the sizes of updates

    @staticmethod
    def of(plugin: Plugin) -> Watcher:
        """Read `watch_every` and `watch_updates` of the object or module. GankitError."""
        holders = [impl.plugin for impl in plugin.hook.step_taken.get_hookimpls()]
        intervals = [getattr(holder, "watch_every", 1) for holder in holders]
        for interval in intervals:
            what = f"watch_every of the observer {plugin.name!r} is {quote_value(interval)}"
            if type(interval) is not int or interval < 1:
                raise GankitError(f"{what}; it must be a number of steps, 1 or more")
            if interval != intervals[0]:  # they are called together
                cure = "give all of its classes the same, or put them into files of their own"
                raise GankitError(f"{what}, and also {intervals[0]}: {cure}")
        keeps_updates = any(getattr(holder, "watch_updates", False) for holder in holders)
        return Watcher(plugin, intervals[0], keeps_updates)


class Observers:
    """Calls hooks of all plugins and observers, and warns of one that raises.

    A bundled plugin that raises is called again at the next event, because what it met, such as a
    full disk, may pass. Any other is ignored from then on: its module, or the object of one of its
    classes; the others of a file are called on. A BrokenPipeError of a bundled plugin
    means that nobody reads gankit's output any more; of any other, it is an error like all others.
    """

    def __init__(
        self, registry: Registry, stop: Stop, own: Sequence[Plugin] = (), quiet: bool = False
    ) -> None:
        self.own = own  # those of a program that calls `train`
        self.is_quiet = quiet
        plugins = [p for p in registry.plugins if not (quiet and p.name == CONSOLE)]
        self.plugins = [*plugins, *own]
        self.stop = stop  # requested if the output pipe is closed, or by an observer
        self.watchers = self._find_watchers()
        self.reported: dict[str, Any] = {}  # numbers for the next row of the log
        self.failing: set[tuple[str, str]] = set()  # (plugin, hook) of bundled plugins
        self.ignored: list[object] = []  # modules and objects with hooks, one of which has failed
        self.best = BestSoFar()  # of the measurements; the loop gives that of its trainer

    @staticmethod
    def none(stop: Stop) -> Observers:
        """For a process that notifies nobody."""
        return Observers(Registry(), stop)

    def notify(self, hook: str, **arguments: Any) -> None:
        """Call a hook of each plugin that implements it."""
        self._call([p for p in self.plugins if p.implements(hook)], hook, arguments)
        if hook == "run_started":  # where an observer may choose how often it watches
            self.watchers = self._find_watchers()
            self._warn_if_nothing_is_measured(arguments["run"])
        if hook == "run_finished":
            for plugin in self.own:
                if plugin not in self.plugins:
                    log.warning(
                        "observer %r has failed, so it has not seen all of the run", plugin.name
                    )

    def _warn_if_nothing_is_measured(self, run: Run) -> None:
        for plugin in self.own if not run.metrics else ():
            if plugin.implements("measured"):
                what = "observer %r waits for measured, but this run measures nothing: %s"
                log.warning(what, plugin.name, "give compose metrics")

    def _find_watchers(self) -> list[Watcher]:
        return [Watcher.of(plugin) for plugin in self.plugins if plugin.implements(STEP)]

    def watchers_of(self, step: int) -> list[Watcher]:
        """The observers that want to see this step, counted from 1."""
        return [watcher for watcher in self.watchers if step % watcher.interval == 0]

    def step_taken(self, step: int, **arguments: Any) -> None:
        """Call the observers of this step."""
        plugins = [watcher.plugin for watcher in self.watchers_of(step)]
        self._call(plugins, STEP, {"step": step, **arguments})

    def step_done(self, scalars: dict[str, Any], is_bundled: bool, **arguments: Any) -> None:
        """Call the observers that come with gankit, or all others.

        Call gankit's last: what others report is in the row that these write.
        """
        if is_bundled:
            scalars["numbers"] |= {name: to_float(value) for name, value in self.reported.items()}
            self.reported.clear()
        plugins = [p for p in self.plugins if p.is_bundled == is_bundled]
        plugins = [p for p in plugins if p.implements("step_done")]
        self._call(plugins, "step_done", {"scalars": scalars, **arguments})

    def measured(self, *, run: Run, step: int, measurements: Sequence[Any]) -> str:
        """Judge measurements, and call the event `measured`; returns the verdict in words."""
        best = None
        if run.keep_best:
            self.best.add(run, step, measurements)
            best = self.best.score
        self.notify("measured", run=run, step=step, measurements=measurements, best=best)
        if self.best.ends_because:
            self.stop.end(self.best.ends_because)
        return self.best.describe(run)

    def _call(self, plugins: Sequence[Plugin], hook: str, arguments: dict[str, Any]) -> None:
        for plugin in plugins:
            control = Control(plugin.name, self.stop, self.reported, self.measured, self.is_quiet)
            for implementation in self._implementations(plugin, hook):
                values = {"control": control, **arguments}
                self._call_one(plugin, hook, implementation, values)

    def _implementations(self, plugin: Plugin, hook: str) -> list[pluggy.HookImpl]:
        """What a plugin calls at an event, the last registered first, without what is ignored."""
        if not plugin.implements(hook):
            return []
        return [
            implementation
            for implementation in reversed(getattr(plugin.hook, hook).get_hookimpls())
            if not any(implementation.plugin is observer for observer in self.ignored)
        ]

    def _call_one(
        self, plugin: Plugin, hook: str, implementation: pluggy.HookImpl, values: dict[str, Any]
    ) -> None:
        try:
            implementation.function(*(values[name] for name in implementation.argnames))
        except KeyboardInterrupt as error:  # always taken for Ctrl-C
            self.stop.interrupt(error)
        except BaseException as error:  # a plugin may raise anything
            if plugin.is_bundled and isinstance(error, BrokenPipeError):
                self.plugins.remove(plugin)
                self.stop.request(CLOSED_PIPE)
            else:
                self._handle(plugin, hook, implementation.plugin, error)
        else:
            self._worked(plugin, hook)

    def _handle(self, plugin: Plugin, hook: str, observer: object, error: BaseException) -> None:
        message = "%s %r failed in %s and is ignored for the rest of the run: %s"
        if plugin.is_bundled:
            if (plugin.name, hook) in self.failing:
                return
            self.failing.add((plugin.name, hook))
            message = "%s %r failed in %s, and training continues: %s"
        else:
            self.ignored.append(observer)
            self.watchers = [w for w in self.watchers if self._implementations(w.plugin, STEP)]
            if any(self._implementations(plugin, event) for event in plugin.observes):
                message = "%s %r failed in %s, so this observer is ignored from now on: %s"
                hook = name_of_hook(observer, hook)
            else:
                self.plugins.remove(plugin)
        kind = "observer" if any(plugin is own for own in self.own) else "plugin"
        log.warning(message, kind, plugin.name, hook, describe_error(error, with_place=True))

    def _worked(self, plugin: Plugin, hook: str) -> None:
        if (plugin.name, hook) in self.failing:
            self.failing.remove((plugin.name, hook))
            log.warning("plugin %r works again in %s", plugin.name, hook)
