"""`gankit new plugin`: the package that it writes works."""

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

from gankit.core.parts.registry import load_registry

COMBINATIONS = [*((kind,) for kind in KINDS), tuple(KINDS)]
PLACEHOLDERS = (
    "KIND_NAMES",
    "TRY_COMMANDS",
    "FILE_ROWS",
    "plugin-name",
    "plugin_name",
    "PluginName",
)


@pytest.fixture
def generated(gankit_cli, here, monkeypatch):
    """`generated("trick")`: the folder of a new plugin `my-own-trick`, which can be imported."""
    written = []

    def generate(*kinds):
        name = f"my-own-{kinds[0] if len(kinds) == 1 else 'parts'}"
        options = [word for kind in kinds for word in ("--kind", kind)]
        code, out, err = gankit_cli("new", "plugin", name, *options)
        assert (code, err) == (0, "")
        lines = [f"  cd {name}", "  pip install -e . pytest", "  python -m pytest"]
        of_parts = "".join(f" --{kind} {name}" for kind in kinds if KINDS[kind].parts)
        if of_parts or "observer" in kinds:
            lines.append(f"  gankit run{of_parts}")
        if "metric" in kinds:
            lines.append(f"  gankit evaluate RUN --metric {name}")
        if "command" in kinds:
            lines.append(f"  gankit {name} RUN")
        assert out.splitlines()[1:] == lines
        assert all(KINDS[kind].name in out for kind in kinds)
        monkeypatch.syspath_prepend(here / name)
        written.append(name.replace("-", "_"))
        return here / name

    yield generate
    for module in [m for m in sys.modules if m.partition(".")[0] in written]:
        del sys.modules[module]


@pytest.mark.parametrize("kinds", COMBINATIONS, ids="+".join)
def test_a_new_plugin_is_complete(kinds, generated):
    folder = generated(*kinds)
    module = folder.name.replace("-", "_")
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    own = {f"{module}/{KINDS[kind].file}.py" for kind in kinds if KINDS[kind].file}
    common = {f"{module}/__init__.py", f"tests/test_{module}.py", "pyproject.toml", "README.md"}
    assert files == common | own
    for path in files:
        text = (folder / path).read_text(encoding="utf-8")
        assert not any(placeholder in text for placeholder in PLACEHOLDERS)
        assert path.endswith(".md") or max(map(len, text.splitlines())) <= 100
        if path.endswith(".md"):
            assert all(file in text for file in files - {"README.md"})
            assert all(KINDS[kind].name in text for kind in kinds)
            assert ("gankit.testing" in text) == any(KINDS[kind].parts for kind in kinds)
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["name"] == folder.name
    assert project["entry-points"]["gankit"] == {folder.name: module}


@pytest.mark.parametrize("kinds", COMBINATIONS, ids="+".join)
def test_a_new_plugin_passes_its_own_test(kinds, generated):
    folder = generated(*kinds)
    (path,) = (folder / "tests").glob("test_*.py")
    tests = {n: f for n, f in runpy.run_path(str(path)).items() if n.startswith("test_")}
    assert len(tests) >= len(kinds)
    for test in tests.values():
        test()


@pytest.mark.parametrize("kinds", COMBINATIONS, ids="+".join)
def test_a_new_plugin_shows_up_and_trains(kinds, generated, gankit_run, gankit_cli, here):
    folder = generated(*kinds)
    name = folder.name
    registry = load_registry()
    plugin = registry.load("new", lambda: importlib.import_module(name.replace("-", "_")))
    assert not plugin.error
    assert {(spec.kind, spec.name) for spec in plugin.specs} == {
        (part, name) for kind in kinds for part in KINDS[kind].parts
    }
    path = folder / name.replace("-", "_") / "__init__.py"
    options = [word for kind in kinds if KINDS[kind].parts for word in (f"--{kind}", name)]
    code, _, err = gankit_run(*options, "--steps", 2, "--out", "a", before=("-p", path))
    assert (code, err) == (0, "")
    if plugin.specs:
        assert gankit_cli("-p", path, "show", name).code == 0
    if "command" in kinds:
        code, out, _ = gankit_cli("-p", path, name, "a", "--picture", "a.png")
        assert (code, out.partition(",")[0]) == (0, "2")
        assert (here / "a.png").is_file()
        code, _, err = gankit_cli(name, "a", "-p", path)
        assert code == 2
        assert "-p must come before" in err
        code, _, err = gankit_cli("-p", path, name, "b")
        assert (code, err.count("\n")) == (2, 1)
    if "observer" in kinds:
        assert (here / "a" / f"{name}.csv").read_text(encoding="utf-8").startswith("2,")


@pytest.mark.parametrize("kinds", COMBINATIONS, ids="+".join)
def test_a_new_plugin_is_formatted(kinds, generated):
    folder = generated(*kinds)
    ruff = [sys.executable, "-m", "ruff"]
    format_ = ["format", "--isolated", "--no-cache", "--line-length", "100", "--check"]
    subprocess.run([*ruff, *format_, str(folder)], check=True)
    subprocess.run(
        [*ruff, "check", "--isolated", "--no-cache", "--select", "F", str(folder)], check=True
    )


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
    argv = [sys.executable, "-m", "gankit", "list", "tricks", "--json"]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True)
    (row,) = [row for row in json.loads(done.stdout) if row["name"] == "my-own-trick"]
    assert row["plugin"] == "my-own-trick"


@pytest.mark.parametrize(
    ("name", "fact"),
    [
        ("My-Trick", "my-trick"),
        *((name, repr(name)) for name in ("2-noises", "a.b", "../a", "a--b", "class", "nul")),
        ("ema", "trick 'ema'"),
        ("tricks", "plugin 'tricks'"),
        ("torch", "package 'torch'"),
        ("json", "package 'json'"),
        ("old", "old "),
    ],
)
def test_invalid_or_taken_names_are_refused(name, fact, gankit_cli, here):
    (here / "old").mkdir()
    code, out, err = gankit_cli("new", "plugin", name)
    assert (code, out) == (2, "")
    assert fact in err
    assert err.count("\n") == 1
    assert list(here.iterdir()) == [here / "old"]


def test_a_name_is_only_taken_within_its_kind(gankit_cli, here):
    assert gankit_cli("new", "plugin", "hinge").code == 0  # a loss has this name, but not a trick
    code, _, err = gankit_cli("new", "plugin", "dcgan", "--kind", "model")
    assert code == 2
    assert "'dcgan'" in err


def test_underscores_are_hyphens(gankit_cli, here):
    assert gankit_cli("new", "plugin", "my_noise").code == 0
    assert (here / "my-noise" / "my_noise" / "__init__.py").is_file()


def test_a_folder_that_cannot_be_written(gankit_cli, here, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    code, _, err = gankit_cli("new", "plugin", "my-noise")
    assert code == 1
    assert "my-noise: No space left on device" in err


def test_a_name_without_the_word_plugin_is_refused(gankit_cli, here):
    code, _, err = gankit_cli("new", "brightness", "--kind", "command")
    assert code == 2
    assert "gankit new plugin brightness" in err


def test_an_unknown_kind_is_refused(gankit_cli):
    code, _, err = gankit_cli("new", "plugin", "a", "--kind", "recipe")
    assert code == 2
    for fact in ("'recipe'", *KINDS):
        assert fact in err
    code, _, err = gankit_cli("new", "loss", "a")
    assert code == 2
    for fact in ("'loss'", "gankit new plugin NAME --kind loss"):
        assert fact in err


def test_a_kind_that_is_given_twice_counts_once(gankit_cli, here):
    argv = ("new", "plugin", "my-noise", "--kind", "trick", "--kind", "trick")
    assert gankit_cli(*argv).out == gankit_cli("new", "plugin", "my-sound").out.replace(
        "my-sound", "my-noise"
    )


def test_a_command_must_have_a_new_name(gankit_cli, here):
    code, _, err = gankit_cli("new", "plugin", "sample", "--kind", "loss", "--kind", "command")
    assert code == 2
    assert "command 'sample'" in err
    assert gankit_cli("new", "plugin", "sample", "--kind", "loss").code == 0


def test_templates_are_part_of_the_package():
    """hatch takes every file of a package into the wheel; so that is where they must lie."""
    assert Path(gankit_new.__file__).parent in TEMPLATES.parents
    assert {path.name for path in TEMPLATES.iterdir()} == {*KINDS, "common"}
    for path in TEMPLATES.rglob("*"):
        assert path.is_dir() or path.suffix in (".py", ".md", ".toml", ".pyc")
