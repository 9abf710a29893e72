"""Finds plugins, each on its own, collects the parts they offer and looks names up."""

import contextlib
import importlib.metadata
import importlib.util
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pluggy

from gankit.core import hookspecs
from gankit.core.choice import Choice
from gankit.core.errors import GankitError, did_you_mean
from gankit.core.specs import KINDS, ModelSpec, Spec

_HOOKS = {name: spec for name, spec in vars(hookspecs).items() if hasattr(spec, "gankit_spec")}


@dataclass
class Plugin:
    """One plugin, in a plugin manager of its own so that it can break nobody else."""

    name: str
    hook: Any = None  # pluggy's caller; None for a plugin that did not load
    specs: list[Spec] = field(default_factory=list)
    load_ms: float = 0.0
    error: str = ""
    cause: BaseException | None = None  # of the error, for --debug
    distribution: importlib.metadata.Distribution | None = None

    def implements(self, hook: str) -> bool:
        return hasattr(self.hook, hook)


class Registry:
    """The plugins of this process and the parts they offer."""

    def __init__(self) -> None:
        self.plugins: list[Plugin] = []

    def load(self, name: str, find: Callable[[], Any], distribution: Any = None) -> Plugin:
        """Load one plugin; what goes wrong stays with it, in `Plugin.error`."""
        plugin = Plugin(name, distribution=distribution)
        started = time.perf_counter()
        try:
            manager, found = pluggy.PluginManager("gankit"), find()
            manager.register(found() if isinstance(found, type) else found, name)
            used = {hook: spec for hook, spec in _HOOKS.items() if hasattr(manager.hook, hook)}
            if used:  # the other hooks would only cost time
                manager.add_hookspecs(type("Used", (), used))
            manager.check_pending()  # a misspelt hook is an error, not a function never called
            plugin.hook = manager.hook
            self._collect(plugin)
        except (Exception, SystemExit) as error:  # a stranger's code: anything may come
            plugin.hook, plugin.specs, plugin.cause = None, [], error
            plugin.error = f"{type(error).__name__}: {error}".replace("\n", " ")
        plugin.load_ms = 1000 * (time.perf_counter() - started)
        self.plugins.append(plugin)
        return plugin

    def _collect(self, plugin: Plugin) -> None:
        def register(spec: Spec) -> None:
            if not isinstance(spec, expected):
                raise TypeError(f"expected a {expected.__name__}, got {spec!r}")
            for other in (*self.plugins, plugin):
                if spec.name in [there.name for there in other.specs if there.kind == spec.kind]:
                    taken = f"the {spec.kind} {spec.name!r} is already there"
                    raise GankitError(f"{taken}, from {other.name!r}")
            plugin.specs.append(spec)

        for kind, expected in KINDS.items():  # noqa: B007 - register reads it
            hook = "register_losses" if kind == "loss" else f"register_{kind}s"
            if plugin.implements(hook):
                getattr(plugin.hook, hook)(register=register)

    def specs(self, kind: str) -> list[Spec]:
        """Every part of a kind, by name."""
        found = [spec for plugin in self.plugins for spec in plugin.specs if spec.kind == kind]
        return sorted(found, key=lambda spec: spec.name)

    def find(self, kind: str, name: str) -> Spec:
        """The part of that kind and name, or an error that says what was meant."""
        known = {spec.name: spec for spec in self.specs(kind)}
        if name in known:
            return known[name]
        for other in [k for k in KINDS if name in [spec.name for spec in self.specs(k)]]:
            raise GankitError(f"{name!r} is a {other}, not a {kind}.")
        hint = did_you_mean(name, known) or " One from a file needs gankit -p FILE."
        raise GankitError(f"there is no {kind} {name!r}.{hint} See: gankit list {kind}")

    def comes_with_gankit(self, kind: str, name: str) -> bool:
        """Whether a part is gankit's own, rather than another package's or a file's."""
        for plugin in self.plugins:
            if plugin.distribution is None or plugin.distribution.name != "gankit":
                continue
            if any(spec.kind == kind and spec.name == name for spec in plugin.specs):
                return True
        return False

    def default(self, kind: str) -> str:
        """The part that is taken when the person names none: the first to call itself default."""
        for spec in (s for plugin in self.plugins for s in plugin.specs):  # gankit's own first
            if spec.kind == kind and spec.default:
                return spec.name
        raise GankitError(f"name a {kind}: none of those here is the default")

    def chosen(self, kind: str, text: str) -> tuple[Spec, Choice]:
        """The part that `name:options` chooses, and the choice; its options are not checked yet."""
        choice = Choice.parse(text)
        return self.find(kind, choice.name), choice

    def check(self, kind: str, text: str) -> Choice:
        """The choice that `name:options` makes, after checking its options against the part."""
        spec, choice = self.chosen(kind, text)
        with self.attribute_errors_to(kind, choice, passthrough=GankitError):
            spec.check(choice.options)
        return choice

    def make(self, kind: str, text: str, **filled_in: Any) -> Any:
        """Build the part that `name:options` chooses."""
        spec, choice = self.chosen(kind, text)
        with self.attribute_errors_to(kind, choice, passthrough=(GankitError, BrokenPipeError)):
            return spec.make(choice.options, **filled_in)

    @contextlib.contextmanager
    def attribute_errors_to(self, kind: str, text: str, passthrough: Any = ()) -> Iterator[None]:
        """Re-raise any error as a GankitError that names the part and its plugin.

        `text` is the part's name or its choice; errors of the types in `passthrough` pass through.
        """
        spec, _ = self.chosen(kind, text)
        plugin = next(plugin.name for plugin in self.plugins if spec in plugin.specs)
        try:
            yield
        except passthrough:
            raise
        except Exception as error:  # a stranger's code: anything may come
            what = " ".join(str(error).split()) or type(error).__name__
            raise GankitError(f"{kind} {spec.name!r} of plugin {plugin!r}: {what}") from error

    def networks(self, text: str) -> tuple[ModelSpec, dict[str, Choice]]:
        """A model's spec and its two networks, each with those options of `text` that it knows."""
        spec, model = self.chosen("model", text)
        assert isinstance(spec, ModelSpec)
        networks = {
            "generator": self.check("generator", spec.generator),
            "discriminator": self.check("discriminator", spec.discriminator),
        }
        known = {kind: self.find(kind, part.name).options() for kind, part in networks.items()}
        for option in model.options:
            if not any(option in options for options in known.values()):
                hint = did_you_mean(option, set().union(*known.values()))
                raise GankitError(f"model {spec.name!r} has no option {option!r}.{hint}")
        for kind, network in networks.items():
            given = {key: value for key, value in model.options.items() if key in known[kind]}
            networks[kind] = Choice(network.name, {**network.options, **given})
        return spec, networks


def load_registry() -> Registry:
    """A fresh registry with every installed plugin, gankit's own first."""
    registry = Registry()
    own = importlib.metadata.distribution("gankit").entry_points.select(group="gankit")
    every = importlib.metadata.entry_points(group="gankit")
    for entry in (*own, *(entry for entry in every if entry not in own)):
        registry.load(entry.name, entry.load, entry.dist)
    return registry


def import_file(path: Path) -> Any:
    """A one-file plugin as a module."""
    name = f"gankit_file_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise GankitError("there is no such .py file")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)  # inspect looks there
    spec.loader.exec_module(module)
    return module


def module_file(name: str) -> Path | None:
    """The file of a module that can be imported, without importing it; None if there is none."""
    try:
        found = importlib.util.find_spec(name)
    except ModuleNotFoundError:  # of the package it should be in
        return None
    return Path(found.origin) if found and found.origin else None
