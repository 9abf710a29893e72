"""Find the hooks that a plugin implements, with a pluggy manager of its own."""

import difflib
import inspect
import logging
from types import ModuleType
from typing import Any

import pluggy

from gankit.core.errors import GankitError, did_you_mean, quote_value
from gankit.core.parts import hookspecs

log = logging.getLogger("gankit")
HOOKS = {name: spec for name, spec in vars(hookspecs).items() if hasattr(spec, "gankit_spec")}
REGISTER = "register_"
OBSERVERS = [name for name in HOOKS if not name.startswith(REGISTER)]
MARK = "gankit_impl"  # the attribute that @hookimpl sets
# Base classes of parts -> the hook that registers such a part.
REGISTERED_BY = {
    ("gankit.core.contracts.trick", "Trick"): "register_tricks",
    ("gankit.core.contracts.loss", "Loss"): "register_losses",
    ("gankit.core.contracts.metric", "Metric"): "register_metrics",
    ("torch.nn.modules.module", "Module"): "register_generators or register_discriminators",
}


def find_hooks(implementation: Any, name: str) -> Any:
    """Pluggy's hook caller for a plugin: a module, or an object with methods that are hooks.

    Of each class in a module that has hooks, an instance is created. GankitError for a misspelt
    hook or argument, a hook without `@hookimpl`, or a plugin without hooks.
    """
    holders = [implementation, *map(_create, _classes_with_hooks(implementation))]
    for holder in holders:
        _require_marks(holder)
    hook = _register(pluggy.PluginManager("gankit"), holders, name)
    _refuse_forgotten_hooks(implementation, holders, set(vars(hook)))
    if not vars(hook):
        is_module = isinstance(implementation, ModuleType)
        subject = "it" if is_module else quote_value(implementation)
        raise GankitError(f"{subject} has no hooks: {_explain_no_hooks(implementation)}")
    return hook


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
        if method not in OBSERVERS and difflib.get_close_matches(
            method, OBSERVERS, n=1, cutoff=0.75
        ):
            hint = did_you_mean(method, OBSERVERS)
            raise GankitError(f"{kind}.{method} of observers is not an event of a run.{hint}")
    if not set(methods) & set(OBSERVERS):
        cure = f"add a method with the name of an event: {', '.join(OBSERVERS)}"
        raise GankitError(f"observers has a {kind}, which observes nothing: {cure}")
    return _register(_ObserverManager("gankit"), [observer], name)


class _ObserverManager(pluggy.PluginManager):
    """Takes a method for a hook by its name, without `@hookimpl`."""

    def parse_hookimpl_opts(self, plugin: Any, name: str) -> Any:
        is_hook = name in OBSERVERS and callable(getattr(plugin, name))
        return {} if is_hook else None


def _register(manager: pluggy.PluginManager, holders: list[Any], name: str) -> Any:
    for number, holder in enumerate(holders):
        manager.register(holder, f"{name} {number}")
    used_hooks = {hook: spec for hook, spec in HOOKS.items() if hasattr(manager.hook, hook)}
    for hook in used_hooks:
        for implementation in getattr(manager.hook, hook).get_hookimpls():
            _check_call(hook, implementation)
            _check_arguments(hook, implementation)
    if used_hooks:  # adding only these saves time
        manager.add_hookspecs(type("UsedHooks", (), used_hooks))
    for hook in vars(manager.hook):
        if not hook.startswith("_") and hook not in HOOKS:  # it would never be called
            raise GankitError(f"there is no hook {hook!r}.{did_you_mean(hook, HOOKS)}")
    return manager.hook


def _check_call(hook: str, implementation: pluggy.HookImpl) -> None:
    """GankitError for a function that would do nothing, or fail, when gankit calls it."""
    function = implementation.function
    shown = name_of_hook(implementation.plugin, hook)
    if inspect.iscoroutinefunction(function):
        raise GankitError(f"{shown} is async, but gankit does not await it: write def {hook}")
    if inspect.isgeneratorfunction(function):
        raise GankitError(f"{shown} has a yield, so a call of it does nothing: remove the yield")
    passed = inspect.signature(HOOKS[hook]).parameters
    for parameter in inspect.signature(function).parameters.values():
        name = parameter.name
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty:
            raise GankitError(f"{shown} has a * before its argument {name!r}: omit the *")
        if parameter.default is parameter.empty:
            continue
        if name in passed:
            what = f"{shown} gives its argument {name!r} a default, so gankit does not pass it"
            raise GankitError(f"{what}: write only {name}")
        similar = difflib.get_close_matches(name, passed, n=1, cutoff=0.75)
        if similar:
            hint = did_you_mean(name, passed)
            raise GankitError(f"{shown} has an argument {name!r} that gankit does not pass.{hint}")


def _refuse_forgotten_hooks(implementation: Any, holders: list[Any], used: set[str]) -> None:
    """GankitError for a function beside the hooks that seems to be one, but is not called.

    It has nearly the name of a hook that the plugin does not use, and takes its arguments. A method
    with such a name in a class without hooks is only warned of: its objects may be observers that
    a program gives to `train`.
    """
    for holder in holders:
        for name, function in _functions_of(holder):
            hook = _nearly_named(name)
            if hook and hook not in used and _takes_arguments(function, hook):
                cure = f"rename it to {hook}, and mark it with @hookimpl"
                raise GankitError(f"{name_of_hook(holder, name)} is not a hook: {cure}")
    classes = _classes_of(implementation) if isinstance(implementation, ModuleType) else []
    for cls in classes:
        for hook in HOOKS.keys() - used:
            if not _has_hooks(cls) and _takes_arguments(vars(cls).get(hook), hook):
                log.warning("%s", _ask_for_mark(f"{cls.__name__}.{hook}"))


def _nearly_named(name: str) -> str:
    """The hook that a name is misspelt for: `step_done` for step_dnoe; empty if there is none."""
    if name.startswith("_") or "_" not in name:  # `measure` is a word of its own
        return ""
    # The beginning of register_tricks is most of its name, and the same in all of these.
    start = REGISTER if name.startswith(REGISTER) else ""
    endings = {hook.removeprefix(start): hook for hook in HOOKS if hook.startswith(start)}
    close = difflib.get_close_matches(name.removeprefix(start), endings, n=1, cutoff=0.8)
    return endings[close[0]] if close else ""


def _functions_of(holder: Any) -> list[tuple[str, Any]]:
    """The functions of a module, or the methods of an object's class, without a mark."""
    is_module = isinstance(holder, ModuleType)
    values = vars(holder) if is_module else vars(type(holder))
    return [
        (name, value)
        for name, value in values.items()
        if inspect.isfunction(value)
        and not hasattr(value, MARK)
        and not (is_module and value.__module__ != holder.__name__)
    ]


def _takes_arguments(function: Any, hook: str) -> bool:
    """Whether it is a function of arguments of a hook, and of no others."""
    if not inspect.isfunction(function):
        return False
    names = set(inspect.signature(function).parameters) - {"self"}
    return bool(names) and names <= set(inspect.signature(HOOKS[hook]).parameters)


def _check_arguments(hook: str, implementation: pluggy.HookImpl) -> None:
    """GankitError for an argument that the hook does not pass."""
    passed = inspect.signature(HOOKS[hook]).parameters
    function = implementation.function
    first = (
        next(iter(inspect.signature(function.__func__).parameters), "")
        if inspect.ismethod(function)
        else ""
    )
    if first in passed:
        shown = name_of_hook(implementation.plugin, hook)
        cure = f"write def {hook}(self, {first}, ...)"
        raise GankitError(
            f"{shown} is a method whose first parameter is {first!r}, not self: {cure}"
        )
    for name in implementation.argnames:
        if name not in passed:
            hint = did_you_mean(name, passed)
            if name == "self":
                hint = " Omit it: this is a function, not a method of a class."
            shown = name_of_hook(implementation.plugin, hook)
            raise GankitError(f"{shown} has an argument {name!r} that gankit does not pass.{hint}")


def name_of_hook(holder: Any, function: str) -> str:
    """A function of a module as messages name it, or a method: `Lowest.step_done`."""
    is_module = isinstance(holder, ModuleType)
    return function if is_module else f"{type(holder).__name__}.{function}"


def _classes_of(module: ModuleType) -> list[type]:
    """The classes that a module defines."""
    values = vars(module).values()
    classes = [v for v in values if isinstance(v, type) and v.__module__ == module.__name__]
    return list(dict.fromkeys(classes))


def _classes_with_hooks(implementation: Any) -> list[type]:
    """The classes of a module that have hooks; not those that another of them is derived from."""
    if not isinstance(implementation, ModuleType):
        return []
    classes = [cls for cls in _classes_of(implementation) if _has_hooks(cls)]
    bases = {base for cls in classes for base in cls.__mro__[1:]}
    return [cls for cls in classes if cls not in bases]


def _has_hooks(cls: type) -> bool:
    attributes = [value for base in cls.__mro__ for value in vars(base).values()]
    return any(inspect.isfunction(value) and hasattr(value, MARK) for value in attributes)


def _create(cls: type) -> Any:
    """An instance of a class with hooks; GankitError if it takes arguments."""
    for parameter in inspect.signature(cls).parameters.values():
        is_variable = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if parameter.default is parameter.empty and not is_variable:
            what = f"class {cls.__name__} has hooks, so gankit creates an instance of it"
            raise GankitError(f"{what}: give its parameter {parameter.name!r} a default")
    return cls()


def _require_marks(holder: Any) -> None:
    """GankitError if a function or method has the name of a hook, but no `@hookimpl`."""
    for hook in HOOKS:
        if isinstance(holder, ModuleType):
            function = vars(holder).get(hook)
            is_own = getattr(function, "__module__", "") == holder.__name__
        else:
            function = getattr(type(holder), hook, None)
            is_own = True
        if is_own and inspect.isfunction(function) and not hasattr(function, MARK):
            raise GankitError(_ask_for_mark(name_of_hook(holder, hook)))


def _ask_for_mark(function: str) -> str:
    return (
        f"{function} has the name of a hook: mark it with @hookimpl (from gankit import hookimpl)"
    )


def _explain_no_hooks(implementation: Any) -> str:
    """What the author of a plugin without hooks probably forgot."""
    if isinstance(implementation, ModuleType):
        for name, value in vars(implementation).items():
            similar = difflib.get_close_matches(name, HOOKS, n=1, cutoff=0.75)
            if inspect.isfunction(value) and similar:
                return f"rename {name} to {similar[0]}, and mark it with @hookimpl"
        for cls in _classes_of(implementation):
            methods = [hook for hook in HOOKS if hasattr(cls, hook)]
            if methods:
                return _ask_for_mark(f"{cls.__name__}.{methods[0]}")
            for base in cls.__mro__[1:]:
                hook = REGISTERED_BY.get((base.__module__, base.__name__))
                if hook:
                    return f"register {cls.__name__} in a function {hook}, marked with @hookimpl"
    return "mark its functions with @gankit.hookimpl"
