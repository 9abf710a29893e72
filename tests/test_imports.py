"""Who may import whom, what stays light, and how large files may grow."""

import ast
import functools
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import gankit

CORE = Path(gankit.__file__).parent
HOME = CORE.parent
PLUGINS = HOME / "plugins"
ROOMS = sorted(path.name for path in PLUGINS.iterdir() if path.name.startswith("gankit_"))
FILES = [*CORE.rglob("*.py"), *(path for room in ROOMS for path in (PLUGINS / room).rglob("*.py"))]
LIGHT = [
    *("__init__", "__main__", "choice", "composing", "errors", "hookspecs", "registry", "settings"),
    *("specs", "trick"),
]
HEAVY = {"torch", "torchvision", "numpy", "PIL", "skimage", "safetensors", "imageio", "av", "rich"}


def name_of(path):
    return str(path.relative_to(HOME))


def imports(tree, *, everywhere=True):
    """`(module, names)` of the imports in a tree; at run time and module level, or everywhere."""
    nodes = [tree]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            yield node.module, tuple(alias.name for alias in node.names)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not everywhere:
            continue
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test) and not everywhere:
            nodes += node.orelse
        else:
            nodes += ast.iter_child_nodes(node)


@functools.cache
def tops(path, **how):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {module.partition(".")[0] for module, _ in imports(tree, **how)}


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
"""
    tree = ast.parse(source)
    assert {module for module, _ in imports(tree)} == {"a.b", "c.d", *"ghijk"}
    assert {module for module, _ in imports(tree, everywhere=False)} == {"a.b", "c.d", *"ijk"}
    assert len(FILES) > 30
    assert "gankit_tricks" in ROOMS


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_point_downwards(path):
    own = path.relative_to(HOME).parts[0 if path.is_relative_to(CORE) else 1]
    strangers = {top for top in tops(path) if top.startswith("gankit")} - {own, "gankit"}
    assert not strangers, "gankit imports no plugin; plugins do not import each other"
    assert not tops(path) & {"lessons", "tests"}


@pytest.mark.parametrize("path", [p for p in FILES if p.name == "nets.py"], ids=name_of)
def test_networks_are_plain_pytorch(path):
    assert tops(path) - sys.stdlib_module_names == {"torch"}


def core_modules():
    found = {}
    for path in CORE.rglob("*.py"):
        parts = path.relative_to(HOME).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def test_no_file_of_the_core_needs_one_that_needs_it():
    """Imports for types count as well: who knows whom is what makes code hard to take apart."""
    modules = core_modules()
    needs = {name: set() for name in modules}
    for name, path in modules.items():
        if name == "gankit":
            continue  # the shop window: shows names of the others, is needed by none of them
        for module, names in imports(ast.parse(path.read_text(encoding="utf-8"))):
            inner = {f"{module}.{n}" for n in names} & set(modules)
            needs[name] |= inner or ({module} & set(modules))
            if module == "gankit" and not inner:
                assert set(names) <= {"__version__"}, f"{name}: import it from its own file"
    assert needs["gankit.training"] >= {"gankit.assemble", "gankit.checkpoint"}
    reached = {name: set(others) for name, others in needs.items()}
    for middle, start in itertools.product(modules, modules):
        if middle in reached[start]:
            reached[start] |= reached[middle]
    assert [name for name in modules if name in reached[name] and name != "gankit"] == []


def light_files():
    paths = [CORE / f"{name}.py" for name in LIGHT]
    paths += [PLUGINS / room / "__init__.py" for room in ROOMS if room != "gankit_commands"]
    return [*paths, *(PLUGINS / "gankit_commands").glob("*.py")]


def later(path):
    """Whether it is imported only by the command that asks for it."""
    return path.name in ("plan.py", "preview.py", "memory.py")


@pytest.mark.parametrize("path", [p for p in light_files() if not later(p)], ids=name_of)
def test_light_files_import_nothing_heavy(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inner = {f"{module}.{n}" for module, names in imports(tree, everywhere=False) for n in names}
    inner |= {module for module, _ in imports(tree, everywhere=False)}
    modules = core_modules()
    heavy = {name for name in modules if "torch" in tops(modules[name], everywhere=False)}
    assert {"gankit.gan", "gankit.step"} <= heavy
    assert not tops(path, everywhere=False) & HEAVY
    assert not inner & heavy


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
    names = "GankitError, hookimpl, TrickSpec, DatasetSpec, ModelSpec, Trick, Targets"
    assert loaded_by(f"from gankit import {names}") == (set(), "")


def test_looking_at_parts_loads_nothing_heavy(registry):
    """One fresh Python for all: list, help, plugins, and show for every part."""
    names = {spec.name for plugin in registry.plugins for spec in plugin.specs}
    calls = [["list"], ["list", "trick", "--json"], ["--help"], ["run", "--help"], ["plugins"]]
    calls += [["race", "--help"], ["race", "--list"], ["compare", "--help"]]
    calls += [["lesson"], ["lesson", "--help"]]
    calls += [["sample", "--help"], ["list", "--help"], *(["show", name] for name in sorted(names))]
    code = f"""
    from gankit_commands.main import main
    for call in {calls!r}:
        try:
            main(call)
        except SystemExit as left:
            assert not left.code, call
"""
    loaded, out = loaded_by(code)
    assert loaded == set()
    assert all(name in out for name in names)


def test_the_watch_sees_what_is_loaded():
    assert loaded_by("import gankit, numpy")[0] == {"numpy"}


def lines(path):
    return len(path.read_text(encoding="utf-8").splitlines())


def test_the_core_is_small():
    assert sum(lines(path) for path in CORE.rglob("*.py")) < 1700


def test_a_step_fits_on_two_screens():
    assert lines(CORE / "step.py") < 130


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_and_functions_are_short(path):
    assert lines(path) <= 250
    long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: length for name, length in long.items() if length > 40} == {}
