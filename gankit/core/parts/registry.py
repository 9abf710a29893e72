"""Load plugins, collect the parts that they register, and look parts up by name."""

import contextlib
import importlib.metadata
import importlib.util
import sys
import time
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from gankit.core.errors import (
    GankitError,
    describe_error,
    describe_reason,
    did_you_mean,
    place_in_plugin,
    quote_value,
    similar_names,
)
from gankit.core.files.portable_path import path_from_here, real_path
from gankit.core.parts.choice import Choice
from gankit.core.parts.find_hooks import OBSERVERS, find_hooks
from gankit.core.parts.process_state import print_to_stderr, undo_global_changes
from gankit.core.parts.specs import KINDS, ModelSpec, Spec, no_such_option
from gankit.core.run.settings import Run

FILE_MODULE = "gankit_file_"  # begins the name of a one-file plugin's module
_FUNCTIONS = (FunctionType, MethodType, BuiltinFunctionType, partial)


@dataclass
class Plugin:
    """A plugin; each has its own pluggy manager, so a broken one cannot affect another."""

    name: str
    hook: Any = None  # pluggy's hook caller; None if loading failed
    specs: list[Spec] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)  # the names of those that it adds
    load_ms: float = 0.0
    error: str = ""  # why loading failed
    cause: BaseException | None = None  # the exception behind `error`, for --debug
    changed: list[str] = field(default_factory=list)  # global state that its import changed
    module: str = ""  # that holds its hooks
    file: str = ""  # the path of a one-file plugin, as it was given
    distribution: importlib.metadata.Distribution | None = None

    @cached_property  # because a distribution reads its metadata anew for each use of its name
    def is_bundled(self) -> bool:
        """Whether it comes with gankit, not from another package or a file."""
        return self.distribution is not None and self.distribution.name == "gankit"

    @property
    def origin(self) -> str:
        """What you install or load to get it: `my-package 0.1`, or `plugins/my_plugin.py`."""
        if self.distribution is not None:
            return f"{self.distribution.name} {self.version}".rstrip()
        return path_from_here(Path(self.file)) if self.file else self.name

    @property
    def version(self) -> str:
        """The version of its package; empty for a file, and for a package without one."""
        return (self.distribution and self.distribution.version) or ""

    @property
    def observes(self) -> list[str]:
        """The events of a run that it observes: `step_done`, `run_finished`, ..."""
        return [hook for hook in OBSERVERS if self.implements(hook)]

    def implements(self, hook: str) -> bool:
        return hasattr(self.hook, hook)

    @property
    def package(self) -> str:
        """The package, or the single module, that holds its code."""
        return self.module.partition(".")[0]

    def describe_additions(self) -> str:
        """Its parts, its commands, and the events that it observes, on one line."""
        items = [f"{spec.kind} {spec.name}" for spec in self.specs]
        items += [f"command {name}" for name in self.commands]
        if self.observes:
            items.append(f"observes {' '.join(self.observes)}")
        return ", ".join(items) or "nothing"

    def require_loaded(self) -> None:
        """GankitError if a one-file plugin is broken: you named the file, so gankit needs it."""
        if self.error:
            raise GankitError(f"plugin {self.file}: {self.error}") from self.cause

    def fail(self, error: BaseException) -> None:
        """Keep an error of the plugin's code; `gankit plugins` shows it."""
        self.error = describe_error(error, place=place_in_plugin(error))
        self.cause = error


class Registry:
    """Plugins and the parts that they register."""

    def __init__(self) -> None:
        self.plugins: list[Plugin] = []

    def load(self, name: str, implementation: Any, distribution: Any = None) -> Plugin:
        """Load one plugin from a module, a class or an object with its hooks.

        GankitError if it fails or has no hooks. A function that returns one of these may be given
        in its place; then errors are kept in `Plugin.error`, so that other plugins still load.
        """
        if isinstance(implementation, _FUNCTIONS):
            return self._load(Plugin(name, distribution=distribution), implementation)
        plugin = self._load(Plugin(name, distribution=distribution), lambda: implementation)
        if plugin.error:
            self.plugins.remove(plugin)
            raise GankitError(f"plugin {name!r}: {plugin.error}") from plugin.cause
        return plugin

    def load_file(self, path: Path) -> Plugin:
        """Load a one-file plugin; its errors are kept in `Plugin.error`."""
        files = [real_path(file) for file in self.files]

        def find() -> Any:
            if real_path(str(path)) in files:
                raise GankitError("this file is given twice: give it once")
            return import_file(path.expanduser())

        return self._load(Plugin(path.stem, file=str(path)), find)

    @property
    def files(self) -> tuple[str, ...]:
        """The paths of the one-file plugins, for `gankit -p FILE`."""
        return tuple(plugin.file for plugin in self.plugins if plugin.file)

    def _load(self, plugin: Plugin, find: Callable[[], Any]) -> Plugin:
        name = plugin.name
        started = time.perf_counter()
        try:
            with print_to_stderr(), undo_global_changes() as plugin.changed:
                implementation = find()
                plugin.module = _module_of(implementation)
                if isinstance(implementation, type):
                    implementation = implementation()
                plugin.hook = find_hooks(implementation, name)
                self._collect(plugin)
        except KeyboardInterrupt:  # always taken for Ctrl-C
            raise
        except BaseException as error:  # a plugin may raise anything
            plugin.hook = None
            plugin.specs = []
            plugin.fail(error)
        plugin.load_ms = 1000 * (time.perf_counter() - started)
        self.plugins.append(plugin)
        return plugin

    def with_plugins(self, plugins: Iterable[Plugin]) -> "Registry":
        """A registry with these plugins too; a plugin is left out if its parts are there already.

        A plugin without parts is left out if there is one of its name.
        """
        extended = Registry()
        extended.plugins = list(self.plugins)
        for plugin in plugins:
            parts = {(spec.kind, spec.name) for spec in plugin.specs}
            taken = {(spec.kind, spec.name) for p in extended.plugins for spec in p.specs}
            is_known = parts & taken if parts else plugin.name in [p.name for p in extended.plugins]
            if not is_known:
                extended.plugins.append(plugin)
        return extended

    def _collect(self, plugin: Plugin) -> None:
        def register(spec: Spec) -> None:
            if not isinstance(spec, expected):
                raise TypeError(f"expected a {expected.__name__}, got {quote_value(spec)}")
            for other in (*self.plugins, plugin):
                names = [
                    other_spec.name for other_spec in other.specs if other_spec.kind == spec.kind
                ]
                if spec.name in names:
                    taken = f"{spec.kind} {spec.name!r} is already registered by {other.name!r}"
                    raise GankitError(f"{taken}: choose another name")
            plugin.specs.append(spec)

        for kind, expected in KINDS.items():  # noqa: B007 - register reads it
            hook = "register_losses" if kind == "loss" else f"register_{kind}s"
            if plugin.implements(hook):
                returned = getattr(plugin.hook, hook)(register=register)
                if returned:
                    what = f"{hook} returns {quote_value(returned[0])}"
                    raise GankitError(f"{what}: call register(...) with it instead")

    def explorer(self) -> Callable[[Any], Any]:
        """The function of a plugin that shows a Sampler. GankitError if no plugin has one."""
        explorers: list[Callable[[Any], Any]] = []
        for plugin in self.plugins:
            if plugin.implements("register_explorers"):
                plugin.hook.register_explorers(register=explorers.append)
        if not explorers:
            raise GankitError("no plugin shows a generator: see gankit plugins")
        return explorers[0]

    def specs(self, kind: str) -> list[Spec]:
        """All parts of a kind, sorted by name."""
        specs = [spec for plugin in self.plugins for spec in plugin.specs if spec.kind == kind]
        return sorted(specs, key=lambda spec: spec.name)

    def find(self, kind: str, name: str) -> Spec:
        """The part of that kind and name; GankitError with a suggestion if there is none."""
        specs = {spec.name: spec for spec in self.specs(kind)}
        if name in specs:
            return specs[name]
        for other_kind in KINDS:
            if name in [spec.name for spec in self.specs(other_kind)]:
                raise GankitError(f"{quote_value(name)} is a {other_kind}, not a {kind}.")
        hint = self.explain_missing(name, specs)
        if not similar_names(name, specs):
            hint += " Or give an object of your own, in Python."
        if "," in name and kind in ("trick", "metric"):
            hint = f" Give each name on its own: repeat --{kind} NAME; in Python, give a list."
        raise GankitError(f"there is no {kind} {quote_value(name)}.{hint} See: gankit list {kind}")

    def explain_missing(self, name: str, choices: Collection[str]) -> str:
        """A hint to append to the error about a name that no plugin has.

        Similar names; what the loaded files add; or how to load a file.
        """
        hint = did_you_mean(name, choices)
        files = [plugin for plugin in self.plugins if plugin.file]
        for plugin in files:
            hint += f" {plugin.origin} adds {plugin.describe_additions()}."
        if files or similar_names(name, choices):
            return hint
        load = 'load the file: gankit -p FILE; in Python, plugins=["FILE"]'
        return f"{hint} If it is in a file, {load}."

    def owner(self, spec: Spec) -> Plugin:
        """The plugin that has registered a part."""
        return next(p for p in self.plugins if any(other is spec for other in p.specs))

    def comes_with_gankit(self, kind: str, name: str) -> bool:
        """Whether a part is bundled with gankit, not from another package or a file."""
        for plugin in self.plugins:
            names = [spec.name for spec in plugin.specs if spec.kind == kind]
            if plugin.is_bundled and name in names:
                return True
        return False

    def plugin_at_fault(self, error: BaseException) -> Plugin | None:
        """The plugin from outside gankit whose code raised an error, if it was one's.

        That is the owner of the last line in the traceback that is gankit's or a plugin's, so a
        library that a plugin calls with wrong values counts as the plugin.
        """
        owners: dict[str, Plugin | None] = {"gankit": None}  # package -> plugin from outside
        for plugin in self.plugins:  # bundled plugins come first
            owners.setdefault(plugin.package, None if plugin.is_bundled else plugin)
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        for frame in reversed(frames):
            package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
            if package in owners:
                return owners[package]
        return None

    def default(self, kind: str) -> str:
        """The name of the default part of a kind: the first that declares itself the default."""
        for plugin in self.plugins:  # bundled plugins come first, so theirs is found
            for spec in plugin.specs:
                if spec.kind == kind and spec.default:
                    return spec.name
        raise GankitError(f"there is no default {kind}: choose one with --{kind}")

    def parse(self, kind: str, text: str) -> tuple[Spec, Choice]:
        """Parse `name:options` and find the part; its options are not checked yet."""
        choice = Choice.parse(text)
        return self.find(kind, choice.name), choice

    def check(self, kind: str, text: str) -> Choice:
        """Parse `name:options` and check the options against the part."""
        spec, choice = self.parse(kind, text)
        with self.attribute_errors_to(kind, choice, passthrough=GankitError):
            options = spec.read_options(choice)
            spec.check(options)
        return Choice(choice.name, options)

    def make(self, kind: str, text: str, **filled_in: Any) -> Any:
        """Build the part of `name:options`. `filled_in`: values of the run, such as image_size."""
        choice = self.check(kind, text)
        spec = self.find(kind, choice.name)
        # A builder of gankit's own words its errors itself, and prints progress into a pipe.
        own = (GankitError, BrokenPipeError) if self.owner(spec).is_bundled else ()
        with self.attribute_errors_to(kind, choice, passthrough=own):
            return spec.make(choice.options, **filled_in)

    @contextlib.contextmanager
    def attribute_errors_to(self, kind: str, text: str, passthrough: Any = ()) -> Iterator[None]:
        """Re-raise any error as a GankitError that names the part and its plugin.

        `text` is the part's name or its choice. Errors of types in `passthrough` are not changed,
        nor is a KeyboardInterrupt, which is always taken for Ctrl-C.
        """
        spec, _ = self.parse(kind, text)
        try:
            yield
        except passthrough:
            raise
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a plugin may raise anything
            exit_code = error.exit_code if isinstance(error, GankitError) else 2
            message = f"{self.describe(spec)}: {describe_reason(error)}"
            raise GankitError(message, exit_code) from error

    def describe(self, spec: Spec) -> str:
        """A part as messages name it, with its plugin."""
        return describe_part(spec.kind, spec.name, self.owner(spec).name)

    def networks(self, text: str) -> tuple[ModelSpec, dict[str, Choice]]:
        """A model's spec and its two networks, each with the options of `text` that it has."""
        spec, model = self.parse("model", text)
        assert isinstance(spec, ModelSpec)
        with self.attribute_errors_to("model", text):
            for kind in ("generator", "discriminator"):
                self.parse(kind, getattr(spec, kind))
        networks = {
            "generator": self.check("generator", spec.generator),
            "discriminator": self.check("discriminator", spec.discriminator),
        }
        available = {kind: self.find(kind, part.name).options() for kind, part in networks.items()}
        all_options = set().union(*available.values())
        for option in model.options:
            if option not in all_options:
                raise no_such_option("model", spec.name, option, all_options)
        for kind, network in networks.items():
            given = {key: value for key, value in model.options.items() if key in available[kind]}
            options = {**network.options, **given}
            networks[kind] = self.check(kind, Choice(network.name, options, model.texts))
        return spec, networks


def load_registry() -> Registry:
    """Load all installed plugins into a new registry, bundled ones first."""
    registry = Registry()
    bundled = importlib.metadata.distribution("gankit").entry_points.select(group="gankit")
    installed = importlib.metadata.entry_points(group="gankit")
    for entry in (*bundled, *(entry for entry in installed if entry not in bundled)):
        registry.load(entry.name, entry.load, entry.dist)
    return registry


def registry_of(run: Run, registry: Registry | None = None) -> Registry:
    """The registry, by default of all installed plugins, with the plugins that a run carries."""
    registry = registry or load_registry()
    plugins = run.in_python.plugins
    return registry.with_plugins(plugins) if plugins else registry


def import_file(path: Path) -> Any:
    """Import a one-file plugin; returns the module."""
    name = f"{FILE_MODULE}{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if not path.is_file() or spec is None or spec.loader is None:
        file = Path(f"{path}.py")
        hint = f": did you mean {str(file)!r}?" if file.is_file() else ""
        raise GankitError(f"there is no such .py file{hint}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # inspect looks for source there
    spec.loader.exec_module(module)
    return module


def find_module_file(name: str) -> Path | None:
    """Find the file of a module without importing it; None if there is none."""
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:  # the package of the module is missing
        return None
    return Path(spec.origin) if spec and spec.origin else None


def describe_part(kind: str, name: str, plugin: str) -> str:
    """A part as messages name it: `trick 'noisy-d' of plugin 'tricks'`."""
    return f"{kind} {name!r} of plugin {plugin!r}"


def _module_of(implementation: Any) -> str:
    """The name of a module, or of the module of a class or an object."""
    if isinstance(implementation, ModuleType):
        return implementation.__name__
    return str(getattr(implementation, "__module__", ""))
