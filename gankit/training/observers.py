"""Observers: call the observer hooks of plugins."""

import logging
import signal
from typing import Any

from gankit.core.registry import Registry
from gankit.core.stop import Stop

log = logging.getLogger("gankit")
CLOSED_PIPE = getattr(signal, "SIGPIPE", 13)  # Windows has no such signal


class Observers:
    """Calls hooks of all plugins. A plugin that raises is ignored from then on, with a warning."""

    def __init__(self, registry: Registry, stop: Stop) -> None:
        self.plugins = list(registry.plugins)
        self.stop = stop  # requested if the output pipe is closed

    def notify(self, hook: str, **arguments: Any) -> None:
        """Call a hook of each plugin that implements it."""
        for plugin in [plugin for plugin in self.plugins if plugin.implements(hook)]:
            try:
                getattr(plugin.hook, hook)(**arguments)
            except BrokenPipeError:
                self.plugins.remove(plugin)
                self.stop.request(CLOSED_PIPE)
            except Exception as error:
                self.plugins.remove(plugin)
                why = f"{type(error).__name__}: {error}"
                message = "plugin %r failed in %s and is ignored for the rest of the run: %s"
                log.warning(message, plugin.name, hook, why)
