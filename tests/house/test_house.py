"""The structure of the code: imports between layers, light imports, and short functions."""

import ast
import collections
import functools
import json
import subprocess
import sys

import pytest
from imports import (
    PLUGINS,
    ROOT,
    find_cycles,
    find_modules,
    imported_names,
    iter_imports,
    module_graph,
    package_graph,
    package_of,
)

FILES = sorted(find_modules().values())
LAYERS = {  # package of gankit -> the packages that it may import
    "core": "",
    "compute": "core",
    "distributed": "core",
    "data": "core",
    "training": "core compute distributed data",
    "runs": "core compute distributed data training",
    "testing": "core compute distributed data training",
    "cli": "core compute distributed data training runs testing",
}
IMPORT_BY_NAME = {"gankit", "gankit.core.parts.registry"}  # they may use importlib
LIGHT = {  # modules that every command imports, so they must not import torch and the like
    "gankit",
    "gankit.__main__",
    "gankit.cli",
    "gankit.cli.commands",
    "gankit.cli.console",
    "gankit.cli.terminal.encoding",
    "gankit.cli.grouped_command",
    "gankit.cli.show.list_parts",
    "gankit.cli.terminal.log",
    "gankit.cli.main",
    "gankit.cli.run.options",
    "gankit.cli.param_types",
    "gankit.cli.plugin_commands",
    "gankit.cli.terminal.progress",
    "gankit.cli.show.read_source",
    "gankit.cli.run.command",
    "gankit.cli.run.from_options",
    "gankit.cli.sample.command",
    "gankit.cli.show.command",
    "gankit.cli.stop_signals",
    "gankit.core.clock",
    "gankit.core.contracts.trick",
    "gankit.core.errors",
    "gankit.core.files.atomic_write",
    "gankit.core.files.read_file",
    "gankit.core.files.retried_write",
    "gankit.core.parts.choice",
    "gankit.core.parts.find_hooks",
    "gankit.core.parts.hookspecs",
    "gankit.core.parts.process_state",
    "gankit.core.parts.registry",
    "gankit.core.parts.spec_fields",
    "gankit.core.parts.specs",
    "gankit.core.run.carried",
    "gankit.core.run.setting_help",
    "gankit.core.run.settings",
    "gankit.core.shell",
    "gankit.core.version",
    "gankit.data.datasets",
    "gankit.training.settings.combine",
    "gankit.training.settings.compose",
    "gankit.training.settings.convert",
    "gankit.training.run_folder.run_file",
}
LIGHT |= {name for name in find_modules() if name.startswith("gankit_") and "." not in name}
HEAVY = {
    "PIL",
    "av",
    "imageio",
    "jinja2",
    "numpy",
    "rich",
    "safetensors",
    "skimage",
    "torch",
    "torchvision",
}


def relative_name(path):
    return str(path.relative_to(ROOT))


def imported_packages(path, *, everywhere=True):
    """The top-level packages that a file imports."""
    return {name.partition(".")[0] for name in imported_names(path, everywhere=everywhere)}


# --- the functions in imports.py


def test_iter_imports_finds_every_import():
    source = """
import a.b
from c.d import e, f
if TYPE_CHECKING:
    import g
def function():
    import h
class Thing:
    import i
try:
    import j
except ImportError:
    import k
if not TYPE_CHECKING:
    import l
"""
    tree = ast.parse(source)
    anywhere = {module for module, _ in iter_imports(tree)}
    assert anywhere == {"a.b", "c.d", "g", "h", "i", "j", "k", "l"}
    at_import = {module for module, _ in iter_imports(tree, everywhere=False)}
    assert at_import == {"a.b", "c.d", "i", "j", "k", "l"}


def test_find_modules_finds_library_and_plugins():
    assert {"gankit.core.step", "gankit_tricks.ema", "gankit"} <= set(find_modules())


def test_module_graph_and_find_cycles(tmp_path):
    sources = {
        "a": "from a.b import c",
        "a.b": "def f():\n    import a.d",
        "a.d": "from a.b import c\nfrom a import e",
        "a.e": "",
        "a.f": "from a import e, name",
    }
    modules = {name: tmp_path / f"{name}.py" for name in sources}
    for name, source in sources.items():
        modules[name].write_text(source)
    graph = module_graph(modules)
    assert graph == {
        "a": {"a.b"},
        "a.b": {"a.d"},
        "a.d": {"a.b", "a.e"},
        "a.e": set(),
        "a.f": {"a", "a.e"},
    }
    assert find_cycles(graph) == ["a.b", "a.d"]


# --- imports in gankit and its plugins


def test_modules_have_no_circular_imports():
    """Imports in functions and for types count, too: they also tie modules to each other."""
    graph = module_graph()
    assert "gankit.core.step" in graph["gankit.training.assemble"]
    assert find_cycles(graph) == []


def test_packages_have_no_circular_imports():
    graph = package_graph(module_graph())
    assert "gankit.core" in graph["gankit.training"]
    assert find_cycles(graph) == []


def test_layers_only_import_layers_below():
    graph = package_graph(module_graph())
    packages = {name for name in graph if name.startswith("gankit.")}
    assert packages == {"gankit.__main__", *(f"gankit.{layer}" for layer in LAYERS)}
    for layer, below in LAYERS.items():
        assert graph[f"gankit.{layer}"] <= {f"gankit.{name}" for name in below.split()}, layer


def test_the_library_imports_neither_gankit_itself_nor_plugins():
    for module, imported in module_graph().items():
        if module.startswith("gankit."):
            forbidden = {
                n for n in imported if n == "gankit" or package_of(n).startswith("gankit_")
            }
            assert not forbidden, module


@pytest.mark.parametrize("path", FILES, ids=relative_name)
def test_nothing_imports_lessons_or_tests(path):
    assert not imported_packages(path) & {"lessons", "tests"}


def test_only_gankit_and_the_registry_use_importlib():
    for module, path in find_modules().items():
        imported = {name for name in imported_names(path) if name.startswith("importlib")}
        assert module in IMPORT_BY_NAME or not imported, f"{module} imports {imported}"


def test_only_one_module_quotes_words_for_a_shell():
    """Quotes differ between shells, so commands for users come from gankit.core.shell only."""
    for module, path in find_modules().items():
        assert module == "gankit.core.shell" or "shlex" not in imported_names(path), module


@pytest.mark.parametrize("path", [p for p in FILES if p.name == "nets.py"], ids=relative_name)
def test_networks_only_import_torch(path):
    assert imported_packages(path) - sys.stdlib_module_names == {"torch"}


@functools.cache
def heavy_modules():
    """The modules of gankit and its plugins that import a heavy package at once."""
    return {
        module
        for module, path in find_modules().items()
        if imported_packages(path, everywhere=False) & HEAVY
    }


def test_some_modules_are_heavy():
    assert {"gankit.core.gan", "gankit.core.step", "gankit.runs.video"} <= heavy_modules()


@pytest.mark.parametrize("module", sorted(LIGHT))
def test_light_modules_import_nothing_heavy(module):
    path = find_modules()[module]
    assert not imported_packages(path, everywhere=False) & HEAVY
    assert not imported_names(path, everywhere=False) & heavy_modules()


CORE_SCRIPT = """
import sys

class BlockImports:
    def find_spec(self, name, path=None, target=None):
        is_ours = name.split(".")[0].startswith("gankit")
        is_core = name == "gankit" or name.startswith("gankit.core")
        if (is_ours and not is_core) or name in {libraries!r}:
            raise ImportError(f"{{name}} is blocked")

sys.meta_path.insert(0, BlockImports())
import torch
from torch import nn
from gankit.core.device import setup_machine
from gankit.core.gan import Gan, Player
from gankit.core.contracts.loss import Loss
from gankit.core.step import train_step

class Hinge(Loss):
    def d_loss(self, real, fake, targets):
        return (1 - real).relu().mean() + (1 + fake).relu().mean()

    def g_loss(self, fake, real):
        return -fake.mean()

G = Player("G", nn.Sequential(nn.Linear(4, 12), nn.Tanh(), nn.Unflatten(1, (3, 2, 2))))
D = Player("D", nn.Sequential(nn.Flatten(), nn.Linear(12, 1), nn.Flatten(0)))
for player in (G, D):
    player.adam = torch.optim.Adam(player.net.parameters(), 0.01)
gan = Gan(G, D, latent_dim=4, seed=0, steps=1, machine=setup_machine("cpu", "32"))
before = [p.clone() for player in (G, D) for p in player.net.parameters() if p.dim() > 1]
gan.begin_step(0)
print(train_step(gan, Hinge(), [], [torch.rand(8, 3, 2, 2) * 2 - 1]))
after = [p for player in (G, D) for p in player.net.parameters() if p.dim() > 1]
assert not any(torch.equal(a, b) for a, b in zip(before, after, strict=True))
assert not [name for name in sys.modules if name.startswith("gankit.") and "core" not in name]
"""


def test_the_core_alone_takes_a_training_step():
    """gankit's other packages, and the libraries that only they need, are blocked."""
    libraries = {"torchvision", "rich", "click", "imageio", "av", "PIL", "scipy", "skimage"}
    command = [sys.executable, "-c", CORE_SCRIPT.format(libraries=libraries)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "d_loss" in done.stdout


LOADED_SCRIPT = """
import json, runpy, sys
try:
    {code}
except SystemExit as stop:
    assert not stop.code, stop.code
finally:
    sys.stdout.flush()
    print(json.dumps([name for name in {heavy!r} if name in sys.modules]), file=sys.stderr)
"""


def run_and_list_heavy(code):
    """Run code in a new Python; return the heavy packages that it loaded, and what it printed."""
    script = LOADED_SCRIPT.format(code=code, heavy=sorted(HEAVY))
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1])), done.stdout


def test_importing_gankit_loads_nothing_heavy():
    names = "GankitError, hookimpl, TrickSpec, DatasetSpec, ModelSpec, Trick, Targets, Run"
    assert run_and_list_heavy(f"from gankit import {names}") == (set(), "")


def test_light_commands_load_nothing_heavy(registry):
    """Run all commands in one new Python, with `gankit show` for every part."""
    names = sorted({spec.name for plugin in registry.plugins for spec in plugin.specs})
    commands = [
        "list",
        "list trick --json",
        "list --help",
        "plugins",
        "--help",
        "run --help",
        "race --help",
        "race --list",
        "compare --help",
        "lesson",
        "lesson --help",
        "sample --help",
        *(f"show {name}" for name in names),
    ]
    code = f"""
    from gankit.cli.main import main
    for command in {commands!r}:
        try:
            main(command.split())
        except SystemExit as stop:
            assert not stop.code, command
"""
    heavy, output = run_and_list_heavy(code.strip())
    assert heavy == set()
    assert all(name in output for name in names)


def test_run_and_list_heavy_sees_numpy():
    heavy, _ = run_and_list_heavy("import gankit, numpy")
    assert heavy == {"numpy"}


# --- functions and plugins


def first_line(node):
    """Of a function; without the signature of `compose`, which is a table of all settings."""
    return node.body[0].lineno if node.name == "compose" else node.lineno


@pytest.mark.parametrize("path", FILES, ids=relative_name)
def test_functions_have_at_most_40_lines(path):
    lengths = {
        node.name: node.end_lineno - first_line(node) + 1
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: length for name, length in lengths.items() if length > 40} == {}


def test_a_folder_has_at_most_20_files():
    """More want folders that say what belongs together; the tricks are one list, a file each."""
    files = collections.Counter(path.parent for path in FILES)
    many = {relative_name(folder) for folder, count in files.items() if count > 20}
    assert many == {"plugins/gankit_tricks"}


def test_every_plugin_implements_a_hook():
    """A package without hooks is not a plugin; it belongs in gankit/."""
    for path in sorted(PLUGINS.glob("gankit_*/__init__.py")):
        assert "hookimpl" in path.read_text(encoding="utf-8"), path.parent.name
