"""Find the hooks that a plugin implements, with a pluggy manager of its own."""

import difflib
import inspect
from typing import Any

import pluggy

from gankit.core import hookspecs
from gankit.core.errors import GankitError, did_you_mean

HOOKS = {name: spec for name, spec in vars(hookspecs).items() if hasattr(spec, "gankit_spec")}
OBSERVERS = [name for name in HOOKS if not name.startswith("register_")]


def find_hooks(implementation: Any, name: str) -> Any:
    """Pluggy's hook caller for a plugin's module or object; GankitError for a misspelt hook."""
    return _register(pluggy.PluginManager("gankit"), implementation, name)


def find_observer_hooks(observer: object, name: str) -> Any:
    """Pluggy's hook caller for an object with methods that have the names of observer hooks.

    GankitError if it has no such method, or if a method or an argument seems to be misspelt.
    """
    kind = type(observer).__name__
    if isinstance(observer, type):
        kind = observer.__name__
        raise GankitError(f"observers has the class {kind}, not an object: write {kind}()")
    methods = [n for n in dir(observer) if not n.startswith("_") and callable(getattr(observer, n))]
    for method in methods:
        if method in OBSERVERS:
            _check_arguments(observer, method)
        elif difflib.get_close_matches(method, OBSERVERS, n=1, cutoff=0.75):
            hint = did_you_mean(method, OBSERVERS)
            raise GankitError(f"{kind}.{method} of observers is not an event of a run.{hint}")
    if not set(methods) & set(OBSERVERS):
        cure = f"add a method with the name of an event: {', '.join(OBSERVERS)}"
        raise GankitError(f"observers has a {kind}, which observes nothing: {cure}")
    return _register(_ObserverManager("gankit"), observer, name)


def _check_arguments(observer: object, hook: str) -> None:
    """GankitError for an argument that the hook does not pass."""
    passed = inspect.signature(HOOKS[hook]).parameters
    for name, parameter in inspect.signature(getattr(observer, hook)).parameters.items():
        is_needed = parameter.default is parameter.empty
        if is_needed and name not in passed and parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            what = f"{type(observer).__name__}.{hook} of observers has an argument {name!r}"
            raise GankitError(f"{what} that gankit does not pass.{did_you_mean(name, passed)}")


class _ObserverManager(pluggy.PluginManager):
    """Takes a method for a hook by its name, without `@hookimpl`."""

    def parse_hookimpl_opts(self, plugin: Any, name: str) -> Any:
        is_hook = name in OBSERVERS and callable(getattr(plugin, name))
        return {} if is_hook else None


def _register(manager: pluggy.PluginManager, implementation: Any, name: str) -> Any:
    manager.register(implementation, name)
    used_hooks = {hook: spec for hook, spec in HOOKS.items() if hasattr(manager.hook, hook)}
    if used_hooks:  # adding only these saves time
        manager.add_hookspecs(type("UsedHooks", (), used_hooks))
    for hook in vars(manager.hook):
        if not hook.startswith("_") and hook not in HOOKS:  # it would never be called
            raise GankitError(f"there is no hook {hook!r}.{did_you_mean(hook, HOOKS)}")
    return manager.hook
