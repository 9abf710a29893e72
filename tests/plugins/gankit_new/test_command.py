"""`gankit new plugin`: what it writes works as it stands."""

import importlib
import json
import os
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import gankit_new
import pytest
from gankit_new.command import KINDS, TEMPLATES

from gankit.core.registry import load_registry

PLACEHOLDERS = ("plugin-name", "plugin_name", "PluginName")


@pytest.fixture
def generated(gankit_cli, here, monkeypatch):
    """`generated("trick")`: the folder of a new plugin `my-own-trick`, which can be imported."""
    written = []

    def generate(kind):
        name = f"my-own-{kind}"
        code, out, err = gankit_cli("new", "plugin", name, "--kind", kind)
        assert (code, err) == (0, "")
        assert out.splitlines() == [
            f"{name}/ is a plugin with a {kind} that works as it stands. Next:",
            f"  cd {name} && pip install -e . pytest && python -m pytest",
            f"  gankit run --{kind} {name}",
        ]
        monkeypatch.syspath_prepend(here / name)
        written.append(name.replace("-", "_"))
        return here / name

    yield generate
    for module in [m for m in sys.modules if m.partition(".")[0] in written]:
        del sys.modules[module]


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_is_complete(kind, generated):
    folder = generated(kind)
    module = f"my_own_{kind}"
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    named = {f"{module}/__init__.py", f"tests/test_{module}.py", "pyproject.toml", "README.md"}
    assert named < files
    assert len(files) == 5
    for path in files:
        text = (folder / path).read_text(encoding="utf-8")
        assert not any(placeholder in text for placeholder in PLACEHOLDERS)
        assert path.endswith(".md") or max(map(len, text.splitlines())) <= 100
        if path.endswith(".md"):
            assert all(file in text for file in files - {"README.md"})
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["name"] == f"my-own-{kind}"
    assert project["entry-points"]["gankit"] == {f"my-own-{kind}": module}


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_passes_its_own_test(kind, generated):
    folder = generated(kind)
    (path,) = (folder / "tests").glob("test_*.py")
    tests = {n: f for n, f in runpy.run_path(str(path)).items() if n.startswith("test_")}
    assert tests
    for test in tests.values():
        test()


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_shows_up_and_trains(kind, generated, gankit_run, gankit_cli, here):
    folder = generated(kind)
    registry = load_registry()
    plugin = registry.load("new", lambda: importlib.import_module(folder.name.replace("-", "_")))
    assert not plugin.error
    assert {(spec.kind, spec.name) for spec in plugin.specs} == {
        (of, f"my-own-{kind}") for of in KINDS[kind][0]
    }
    path = folder / folder.name.replace("-", "_") / "__init__.py"
    words = (f"--{kind}", f"my-own-{kind}", "--steps", 2, "--out", "a")
    code, _, err = gankit_run(*words, before=("-p", path))
    assert (code, err) == (0, "")
    assert gankit_cli("-p", path, "show", f"my-own-{kind}").code == 0


def test_a_new_plugin_is_light(generated, here):
    for kind in KINDS:
        generated(kind)
    modules = ", ".join(f"my_own_{kind}" for kind in KINDS)
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    places = os.pathsep.join(str(here / f"my-own-{kind}") for kind in KINDS)
    environment = {**os.environ, "PYTHONPATH": places}
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 0


def test_a_new_plugin_installs(generated, here):
    """As pip does it, into a folder of its own; then gankit finds it by its entry point."""
    pytest.importorskip("hatchling")
    folder = generated("trick")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    pip += ["--disable-pip-version-check", "--no-compile", "--target", str(here / "site")]
    subprocess.run([*pip, str(folder)], check=True)
    environment = {**os.environ, "PYTHONPATH": str(here / "site")}
    words = [sys.executable, "-m", "gankit", "list", "tricks", "--json"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    (row,) = [row for row in json.loads(done.stdout) if row["name"] == "my-own-trick"]
    assert row["plugin"] == "my-own-trick"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("My-Trick", "'My-Trick' names no plugin: write lower-case-with-hyphens, as my-trick"),
        ("2-noises", "'2-noises' names no plugin"),
        ("a.b", "'a.b' names no plugin"),
        ("../a", "'../a' names no plugin"),
        ("a--b", "'a--b' names no plugin"),
        ("", "'' names no plugin"),
        ("class", "'class' names no plugin"),
        ("ema", "there is a trick 'ema' already: choose another name"),
        ("tricks", "there is a plugin 'tricks' already"),
        ("torch", "there is a Python package 'torch' already"),
        ("json", "there is a Python package 'json' already"),
        ("old", "old is there already: choose another name, or another place"),
    ],
)
def test_names_that_cannot_be(name, message, gankit_cli, here):
    (here / "old").mkdir()
    code, out, err = gankit_cli("new", "plugin", name)
    assert (code, out) == (2, "")
    assert err.startswith(f"gankit: {message}")
    assert err.count("\n") == 1
    assert list(here.iterdir()) == [here / "old"]


def test_a_name_is_only_taken_within_its_kind(gankit_cli, here):
    assert gankit_cli("new", "plugin", "hinge").code == 0  # a loss is called so, but no trick
    code, _, err = gankit_cli("new", "plugin", "dcgan", "--kind", "model")
    assert code == 2
    assert "'dcgan' already" in err


def test_underscores_are_hyphens(gankit_cli, here):
    assert gankit_cli("new", "plugin", "my_noise").code == 0
    assert (here / "my-noise" / "my_noise" / "__init__.py").is_file()


def test_a_place_that_cannot_be_written(gankit_cli, here, monkeypatch):
    def full(self, *args, **named):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    code, _, err = gankit_cli("new", "plugin", "my-noise")
    assert (code, err) == (1, "gankit: cannot write my-noise: No space left on device\n")


def test_a_kind_that_is_none(gankit_cli):
    code, _, err = gankit_cli("new", "plugin", "a", "--kind", "loss")
    assert (code, "'loss' is not one of 'trick', 'dataset', 'model', 'metric'" in err) == (2, True)
    code, _, err = gankit_cli("new", "loss", "a")
    assert (code, "'loss' is not 'plugin'" in err) == (2, True)


def test_templates_are_part_of_the_package():
    """hatch takes every file of a package into the wheel; so that is where they must lie."""
    assert Path(gankit_new.__file__).parent in TEMPLATES.parents
    assert {path.name for path in TEMPLATES.iterdir()} == {*KINDS, "every"}
    for path in TEMPLATES.rglob("*"):
        assert path.is_dir() or path.suffix in (".py", ".md", ".toml", ".pyc")
