"""Observers: call the observer hooks of plugins."""

import logging
import signal
from typing import Any

from gankit.core.errors import describe_error
from gankit.core.registry import Plugin, Registry
from gankit.core.stop import Stop

log = logging.getLogger("gankit")
CLOSED_PIPE = getattr(signal, "SIGPIPE", 13)  # Windows has no such signal


class Observers:
    """Calls hooks of all plugins, and warns of one that raises.

    A bundled plugin that raises is called again at the next event, because what it met, such as a
    full disk, may pass. Any other is ignored from then on. A BrokenPipeError of a bundled plugin
    means that nobody reads gankit's output any more; of any other, it is an error like all others.
    """

    def __init__(self, registry: Registry, stop: Stop) -> None:
        self.plugins = list(registry.plugins)
        self.stop = stop  # requested if the output pipe is closed
        self.failing: set[tuple[str, str]] = set()  # (plugin, hook) of bundled plugins

    def notify(self, hook: str, **arguments: Any) -> None:
        """Call a hook of each plugin that implements it."""
        for plugin in [plugin for plugin in self.plugins if plugin.implements(hook)]:
            try:
                getattr(plugin.hook, hook)(**arguments)
            except KeyboardInterrupt:  # always taken for Ctrl-C
                raise
            except BaseException as error:  # a plugin may raise anything
                if plugin.is_bundled and isinstance(error, BrokenPipeError):
                    self.plugins.remove(plugin)
                    self.stop.request(CLOSED_PIPE)
                else:
                    self._handle(plugin, hook, error)
            else:
                self._worked(plugin, hook)

    def _handle(self, plugin: Plugin, hook: str, error: BaseException) -> None:
        message = "plugin %r failed in %s and is ignored for the rest of the run: %s"
        if plugin.is_bundled:
            if (plugin.name, hook) in self.failing:
                return
            self.failing.add((plugin.name, hook))
            message = "plugin %r failed in %s, and training continues: %s"
        else:
            self.plugins.remove(plugin)
        log.warning(message, plugin.name, hook, describe_error(error))

    def _worked(self, plugin: Plugin, hook: str) -> None:
        if (plugin.name, hook) in self.failing:
            self.failing.remove((plugin.name, hook))
            log.warning("plugin %r works again in %s", plugin.name, hook)
