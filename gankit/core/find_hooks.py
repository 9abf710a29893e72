"""Find the hooks that a plugin implements, with a pluggy manager of its own."""

from typing import Any

import pluggy

from gankit.core import hookspecs

_HOOKS = {name: spec for name, spec in vars(hookspecs).items() if hasattr(spec, "gankit_spec")}


def find_hooks(implementation: Any, name: str) -> Any:
    """Pluggy's hook caller for a plugin's module or object; an error for a misspelt hook."""
    manager = pluggy.PluginManager("gankit")
    manager.register(implementation, name)
    used_hooks = {hook: spec for hook, spec in _HOOKS.items() if hasattr(manager.hook, hook)}
    if used_hooks:  # adding only these saves time
        manager.add_hookspecs(type("UsedHooks", (), used_hooks))
    manager.check_pending()  # a misspelt hook would never be called
    return manager.hook
