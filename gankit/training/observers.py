"""Observers: plugins that are told what just happened in a run."""

import logging
import signal
from typing import Any

from gankit.core.registry import Registry
from gankit.core.stop import Stop

log = logging.getLogger("gankit")
CLOSED_PIPE = getattr(signal, "SIGPIPE", 13)  # Windows has no such signal


class Observers:
    """Tells plugins what happened. One that raises is named and left out; training goes on."""

    def __init__(self, registry: Registry, stop: Stop) -> None:
        self.plugins = list(registry.plugins)
        self.stop = stop  # asked once nobody reads our output any more

    def tell(self, hook: str, **what: Any) -> None:
        for plugin in [plugin for plugin in self.plugins if plugin.implements(hook)]:
            try:
                getattr(plugin.hook, hook)(**what)
            except BrokenPipeError:
                self.plugins.remove(plugin)
                self.stop.ask(CLOSED_PIPE)
            except Exception as error:
                self.plugins.remove(plugin)
                why = f"{type(error).__name__}: {error}"
                log.warning("plugin %r left out after failing in %s: %s", plugin.name, hook, why)
