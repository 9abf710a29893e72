"""Find the hooks that a plugin implements, with a pluggy manager of its own."""

from typing import Any

import pluggy

from gankit.core import hookspecs
from gankit.core.errors import GankitError, did_you_mean

HOOKS = {name: spec for name, spec in vars(hookspecs).items() if hasattr(spec, "gankit_spec")}
OBSERVERS = [name for name in HOOKS if not name.startswith("register_")]


def find_hooks(implementation: Any, name: str) -> Any:
    """Pluggy's hook caller for a plugin's module or object; GankitError for a misspelt hook."""
    manager = pluggy.PluginManager("gankit")
    manager.register(implementation, name)
    used_hooks = {hook: spec for hook, spec in HOOKS.items() if hasattr(manager.hook, hook)}
    if used_hooks:  # adding only these saves time
        manager.add_hookspecs(type("UsedHooks", (), used_hooks))
    for hook in vars(manager.hook):
        if not hook.startswith("_") and hook not in HOOKS:  # it would never be called
            raise GankitError(f"there is no hook {hook!r}.{did_you_mean(hook, HOOKS)}")
    return manager.hook
