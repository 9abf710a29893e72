"""Finds plugins, each on its own, collects the parts they offer and looks names up."""

import importlib.metadata
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pluggy

from gankit import hookspecs
from gankit.choice import Choice
from gankit.errors import GankitError, did_you_mean
from gankit.specs import KINDS, ModelSpec, Spec


@dataclass
class Plugin:
    """One plugin, in a plugin manager of its own so that it can break nobody else."""

    name: str
    hook: Any = None  # pluggy's caller; None for a plugin that did not load
    specs: list[Spec] = field(default_factory=list)
    load_ms: float = 0.0
    error: str = ""
    distribution: importlib.metadata.Distribution | None = None

    def implements(self, hook: str) -> bool:
        return self.hook is not None and bool(getattr(self.hook, hook).get_hookimpls())


class Registry:
    """The plugins of this process and the parts they offer."""

    def __init__(self) -> None:
        self.plugins: list[Plugin] = []
        self._parts: dict[tuple[str, str], Spec] = {}

    def load(self, name: str, find: Callable[[], Any], distribution: Any = None) -> Plugin:
        """Load one plugin; what goes wrong stays with it, in `Plugin.error`."""
        plugin = Plugin(name, distribution=distribution)
        started = time.perf_counter()
        try:
            plugin.hook = _hook_caller(name, find())
            _collect(plugin)
            self._admit(plugin)
        except Exception as error:  # a stranger's code: anything may come
            plugin.hook, plugin.specs = None, []
            plugin.error = f"{type(error).__name__}: {error}".replace("\n", " ")
        plugin.load_ms = 1000 * (time.perf_counter() - started)
        self.plugins.append(plugin)
        return plugin

    def _admit(self, plugin: Plugin) -> None:
        for spec in plugin.specs:
            if there := self._parts.get((spec.kind, spec.name)):
                owner = self.owner(there).name
                raise GankitError(f"the {spec.kind} {spec.name!r} is already there, from {owner!r}")
        self._parts |= {(spec.kind, spec.name): spec for spec in plugin.specs}

    def specs(self, kind: str) -> list[Spec]:
        """Every part of a kind, by name."""
        return [self._parts[key] for key in sorted(self._parts) if key[0] == kind]

    def owner(self, spec: Spec) -> Plugin:
        return next(plugin for plugin in self.plugins if spec in plugin.specs)

    def find(self, kind: str, name: str) -> Spec:
        """The part of that kind and name, or an error that says what was meant."""
        if (kind, name) in self._parts:
            return self._parts[(kind, name)]
        elsewhere = [k for k in KINDS if (k, name) in self._parts]
        if elsewhere:
            raise GankitError(f"{name!r} is a {elsewhere[0]}, not a {kind}.")
        hint = did_you_mean(name, [spec.name for spec in self.specs(kind)])
        raise GankitError(f"there is no {kind} {name!r}.{hint} See: gankit list {kind}")

    def default(self, kind: str) -> str:
        """The part of a kind that is taken when the person names none."""
        chosen = [spec.name for spec in self.specs(kind) if spec.default]
        if len(chosen) != 1:
            raise GankitError(f"name a {kind}: {len(chosen)} of those here call themselves default")
        return chosen[0]

    def check(self, kind: str, text: str) -> str:
        """Check a `name:options` text against the part; returns it in canonical form."""
        choice = Choice.parse(text)
        self.find(kind, choice.name).check(choice.options)
        return str(choice)

    def make(self, kind: str, text: str, **filled_in: Any) -> Any:
        """Build the part that `name:options` chooses."""
        choice = Choice.parse(text)
        return self.find(kind, choice.name).make(choice.options, **filled_in)

    def networks(self, text: str) -> tuple[ModelSpec, str, str]:
        """A model's spec and its two networks, each with those options of `text` that it knows."""
        choice = Choice.parse(text)
        spec = self.find("model", choice.name)
        assert isinstance(spec, ModelSpec)
        chosen = {"generator": spec.generator, "discriminator": spec.discriminator}
        parts = {kind: Choice.parse(text) for kind, text in chosen.items()}
        known = {kind: self.find(kind, part.name).options() for kind, part in parts.items()}
        for key, value in choice.options.items():
            takers = [kind for kind in parts if key in known[kind]]
            if not takers:
                hint = did_you_mean(key, set().union(*known.values()))
                raise GankitError(f"model {spec.name!r} has no option {key!r}.{hint}")
            for kind in takers:
                parts[kind].options[key] = value
        return spec, str(parts["generator"]), str(parts["discriminator"])


def _hook_caller(name: str, plugin: Any) -> Any:
    manager = pluggy.PluginManager("gankit")
    manager.add_hookspecs(hookspecs)
    manager.register(plugin() if isinstance(plugin, type) else plugin, name)
    manager.check_pending()  # a misspelt hook is an error, not a function never called
    return manager.hook


def _collect(plugin: Plugin) -> None:
    for kind, expected in KINDS.items():

        def register(spec: Spec, expected: type[Spec] = expected) -> None:
            if not isinstance(spec, expected):
                raise TypeError(f"expected a {expected.__name__}, got {spec!r}")
            plugin.specs.append(spec)

        hook = "register_losses" if kind == "loss" else f"register_{kind}s"
        getattr(plugin.hook, hook)(register=register)


def load_registry() -> Registry:
    """A fresh registry with every installed plugin, gankit's own first."""
    registry = Registry()
    own = importlib.metadata.distribution("gankit").entry_points.select(group="gankit")
    every = importlib.metadata.entry_points(group="gankit")
    for entry in (*own, *(entry for entry in every if entry not in own)):
        registry.load(entry.name, entry.load, entry.dist)
    return registry
