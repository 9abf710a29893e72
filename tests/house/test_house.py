"""Who may import whom, what stays light, and how long functions may grow."""

import ast
import json
import os
import subprocess
import sys
import textwrap

import pytest
from imports import HOME, PLUGINS, circles, graph, imported_by, imports, modules, package, packages

FILES = sorted(modules().values())
RINGS = {  # each imports only rings to the right of its colon
    "core": "",
    "compute": "core",
    "distributed": "core",
    "data": "core",
    "training": "core compute distributed data",
    "runs": "core compute distributed data training",
    "testing": "core compute distributed data training",
    "cli": "core compute distributed data training runs testing",
}
IMPORTS_BY_NAME = {"gankit", "gankit.core.registry"}  # the face, and what finds plugins
LIGHT_CORE = {"choice", "errors", "hookspecs", "registry", "settings", "specs", "trick", "version"}
LIGHT_CORE |= {"atomic_write", "clock"}
LIGHT = {"gankit", "gankit.__main__", "gankit.cli", "gankit.data.datasets"}
LIGHT |= {"gankit.training.compose", "gankit.training.run_file"}
LIGHT |= {f"gankit.core.{name}" for name in LIGHT_CORE}
LIGHT |= {name for name in modules() if name.startswith("gankit_") and "." not in name}
LIGHT |= {f"gankit.cli.{n}" for n in ("main", "commands", "run", "list", "show", "read_source")}
LIGHT |= {
    f"gankit.cli.{n}" for n in ("param_types", "stop", "sample", "console", "log", "progress")
}
LIGHT |= {f"gankit.cli.{n}" for n in ("grouped_command", "options", "run_from_options")}
HEAVY = {"torch", "torchvision", "numpy", "PIL", "skimage", "safetensors", "imageio", "av", "rich"}
HEAVY |= {"jinja2"}


def name_of(path):
    return str(path.relative_to(HOME))


def tops(path, **how):
    return {name.partition(".")[0] for name in imported_by(path, **how)}


def test_the_walk_sees_what_there_is():
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
    assert {module for module, _ in imports(tree)} == {"a.b", "c.d", *"ghijkl"}
    assert {module for module, _ in imports(tree, everywhere=False)} == {"a.b", "c.d", *"ijkl"}
    assert {"gankit.core.step", "gankit_tricks.ema", "gankit"} <= set(modules())


def test_the_graph_sees_what_there_is(tmp_path):
    texts = {
        "a": "from a.b import c",
        "a.b": "def f():\n    import a.d",
        "a.d": "from a.b import c\nfrom a import e",
        "a.e": "",
    }
    files = {name: tmp_path / f"{name}.py" for name in texts}
    for name, text in texts.items():
        files[name].write_text(text)
    needs = graph(files)
    assert needs == {"a": {"a.b"}, "a.b": {"a.d"}, "a.d": {"a.b", "a.e"}, "a.e": set()}
    assert circles(needs) == ["a.b", "a.d"]


def test_no_file_needs_one_that_needs_it():
    """Imports in functions and for types count: who knows whom makes code hard to take apart."""
    needs = graph()
    assert "gankit.core.step" in needs["gankit.training.assemble"]
    assert circles(needs) == []


def test_no_package_needs_one_that_needs_it():
    needs = packages(graph())
    assert "gankit.core" in needs["gankit.training"]
    assert circles(needs) == []


def test_rings_import_only_rings_below():
    needs = packages(graph())
    assert {name for name in needs if name.startswith("gankit.")} == {
        *(f"gankit.{ring}" for ring in RINGS),
        "gankit.__main__",
    }
    for ring, below in RINGS.items():
        assert needs[f"gankit.{ring}"] <= {f"gankit.{name}" for name in below.split()}, ring


def test_nobody_inside_imports_the_face_or_a_plugin():
    for name, others in graph().items():
        if name.startswith("gankit."):
            above = {other for other in others if other == "gankit" or "_" in package(other)}
            assert not above, name


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_imports_lessons_or_tests(path):
    assert not tops(path) & {"lessons", "tests"}


def test_only_the_face_and_the_registry_import_by_name():
    for name, path in modules().items():
        imported = {other for other in imported_by(path) if other.startswith("importlib")}
        assert name in IMPORTS_BY_NAME or not imported, f"{name} imports {imported}"


@pytest.mark.parametrize("path", [p for p in FILES if p.name == "nets.py"], ids=name_of)
def test_networks_are_plain_pytorch(path):
    assert tops(path) - sys.stdlib_module_names == {"torch"}


@pytest.mark.parametrize("name", sorted(LIGHT))
def test_light_files_import_nothing_heavy(name):
    path = modules()[name]
    heavy = {name for name, path in modules().items() if tops(path, everywhere=False) & HEAVY}
    assert {"gankit.core.gan", "gankit.core.step", "gankit.runs.video"} <= heavy
    assert not tops(path, everywhere=False) & HEAVY
    assert not imported_by(path, everywhere=False) & heavy


CORE_ALONE = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        ours = name.split(".")[0].startswith("gankit") and not name.startswith("gankit.core")
        if ours and name != "gankit" or name in {libraries!r}:
            raise ImportError(f"{{name}} is blocked")

sys.meta_path.insert(0, Refuse())
import torch
from torch import nn
from gankit.core.device import setup_machine
from gankit.core.gan import Gan, Player
from gankit.core.loss import Loss
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
    """With every other room of the house blocked, and the libraries that only they need."""
    others = {"torchvision", "rich", "click", "imageio", "av", "PIL", "scipy", "skimage"}
    script = CORE_ALONE.format(libraries=others)
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "d_loss" in done.stdout


WATCH = """
import json, runpy, sys
heavy = [name for name in {heavy!r}]
try:
    {code}
except SystemExit as left:
    assert not left.code, left.code
finally:
    sys.stdout.flush()
    print(json.dumps([name for name in heavy if name in sys.modules]), file=sys.stderr)
"""


def loaded_by(code):
    """Which heavy packages a fresh Python has loaded after running some code."""
    script = WATCH.format(code=code, heavy=sorted(HEAVY))
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ}, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1])), done.stdout


def test_importing_gankit_loads_nothing_heavy():
    names = "GankitError, hookimpl, TrickSpec, DatasetSpec, ModelSpec, Trick, Targets, Run"
    assert loaded_by(f"from gankit import {names}") == (set(), "")


def test_looking_at_parts_loads_nothing_heavy(registry):
    """One fresh Python for all: list, help, plugins, and show for every part."""
    names = {spec.name for plugin in registry.plugins for spec in plugin.specs}
    calls = [["list"], ["list", "trick", "--json"], ["--help"], ["run", "--help"], ["plugins"]]
    calls += [["race", "--help"], ["race", "--list"], ["compare", "--help"]]
    calls += [["lesson"], ["lesson", "--help"]]
    calls += [["sample", "--help"], ["list", "--help"], *(["show", name] for name in sorted(names))]
    code = textwrap.indent(
        textwrap.dedent(f"""
            from gankit.cli.main import main
            for call in {calls!r}:
                try:
                    main(call)
                except SystemExit as left:
                    assert not left.code, call
        """),
        "    ",
    ).lstrip()
    loaded, out = loaded_by(code)
    assert loaded == set()
    assert all(name in out for name in names)


def test_the_watch_sees_what_is_loaded():
    assert loaded_by("import gankit, numpy")[0] == {"numpy"}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_functions_are_short(path):
    long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: length for name, length in long.items() if length > 40} == {}


def test_no_plugin_is_infrastructure():
    """Each registers something, or it belongs into the library."""
    for path in sorted(PLUGINS.glob("gankit_*/__init__.py")):
        assert "hookimpl" in path.read_text(encoding="utf-8"), path.parent.name
