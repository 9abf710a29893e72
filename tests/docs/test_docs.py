"""The docs: complete, true, and every example in them runs."""

import importlib
import importlib.util
import inspect
import re
import shlex
import subprocess
import sys
import tomllib
import types
from functools import partial
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from gankit_race.recipes import find_race

from gankit import Trick, TrickSpec, hookimpl, testing
from gankit.cli.main import LazyCommand, new_cli
from gankit.cli.run_from_options import resumed
from gankit.core import hookspecs
from gankit.core.registry import Registry, load_registry
from gankit.core.specs import KINDS
from gankit.training.compose import compose
from gankit.training.loop import train

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
EXAMPLE = DOCS / "examples" / "gankit-hinge"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
HOOKS = [name for name, value in vars(hookspecs).items() if hasattr(value, "gankit_spec")]
WRITTEN = ("lessons/index.md", "reference/commands.md")  # by the build, from the code
ATTRIBUTES = ("name", "excludes", "overrides")
PLACES = [n for n in vars(Trick) if not n.startswith("_") and n not in ATTRIBUTES]


def import_file(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def blocks(text, language="python"):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def sections(path):
    """The text under each `###` heading."""
    _, *parts = re.split(r"^### ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = {}
    for part in parts:
        heading, _, text = part.partition("\n")
        found[heading.strip()] = re.split(r"^## ", text, flags=re.MULTILINE)[0]
    return found


SECTIONS = sections(DOCS / "hooks.md")
EXAMPLES = [
    pytest.param(block, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, block in enumerate(blocks(page.read_text(encoding="utf-8")))
]
PLUGINS = [example for example in EXAMPLES if "@hookimpl" in example.values[0]]
TRICKS = [e for e in EXAMPLES if "(Trick):" in e.values[0] and e not in PLUGINS]
SCRIPTS = [e for e in EXAMPLES if e not in PLUGINS and e not in TRICKS]


@pytest.fixture
def loaded(tmp_path):
    """`loaded(source)`: an example, saved as a file and loaded, beside all that is bundled."""

    def load(source, registry):
        path = tmp_path / "example.py"
        path.write_text(source, encoding="utf-8")
        module = import_file(path, "docs_example")
        classes = [value for value in vars(module).values() if isinstance(value, type)]
        observers = [c for c in classes if any(hasattr(v, "gankit_impl") for v in vars(c).values())]
        plugin = registry.load("example", lambda: (observers or [module])[0])
        assert not plugin.error
        return plugin

    return load


@pytest.fixture
def short_run(here, tiny, caplog):
    """`short_run(registry, loss="margin")` trains a few steps; no plugin may fail in it."""

    def run(registry, **asked):
        asked = {"tricks": "none", "log_every": 1, **asked}
        folder = train(compose(registry, **tiny(**asked)), registry)
        assert not caplog.records, caplog.text
        return folder

    return run


# --- completeness


@pytest.mark.parametrize("name", [*HOOKS, *PLACES])
def test_every_hook_and_place_has_a_section(name):
    assert name in SECTIONS
    assert "*When:*" in SECTIONS[name]


def test_hooks_md_describes_nothing_else():
    assert list(SECTIONS) == [*HOOKS, *PLACES]


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_an_example_that_implements_it(hook, loaded):
    registry = Registry()
    assert loaded(blocks(SECTIONS[hook])[0], registry).implements(hook)


@pytest.mark.parametrize("place", PLACES)
def test_every_place_has_an_example_that_acts_there(place):
    source = "".join(blocks(SECTIONS[place]) or blocks(SECTIONS["load_state_dict"]))
    assert f"def {place}(self" in source


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_used_by_a_bundled_plugin(hook, registry):
    assert any(plugin.implements(hook) for plugin in registry.plugins)


def test_what_a_hook_is_given_is_named_in_its_section():
    for hook in HOOKS:
        for argument in inspect.signature(getattr(hookspecs, hook)).parameters:
            assert f"`{argument}`" in SECTIONS[hook], f"{hook}: {argument}"


def test_every_part_and_option_is_in_parts_md(registry):
    documented = sections(DOCS / "parts.md")
    for kind in KINDS:
        for spec in registry.specs(kind):
            assert spec.name in documented
    text = (DOCS / "parts.md").read_text(encoding="utf-8")
    specs = [spec for kind in KINDS if kind != "model" for spec in registry.specs(kind)]
    options = {option for spec in specs for option in spec.options()}
    assert not [option for option in options if f"| `{option}` |" not in text]


def test_parts_md_is_up_to_date(docs_script):
    write_parts = docs_script("write_parts")
    written = (DOCS / "parts.md").read_text(encoding="utf-8")
    assert written == write_parts.page(write_parts.bundled_registry()), (
        "run python docs/write_parts.py"
    )


@pytest.fixture(scope="module")
def cli():
    """The command line with every command gathered."""
    group = new_cli()
    group.list_commands(click.Context(group))
    return group


def real(commands):
    """The commands themselves, where a later one stands in until it is called."""
    return [command.load() if isinstance(command, LazyCommand) else command for command in commands]


def ends(commands):
    """The commands that do something: those of a group such as `gankit data`, not the group."""
    for command in real(commands):
        if isinstance(command, click.Group):
            yield from ends(command.commands.values())
        else:
            yield command


def test_later_commands_are_what_they_stand_in_for(cli):
    later = [command for command in cli.commands.values() if isinstance(command, LazyCommand)]
    assert {"list", "run", "show"} <= {command.name for command in later}
    for command in later:
        assert command.load().name == command.name
        told = CliRunner().invoke(cli, [command.name, "--help"]).output
        assert f"Usage: cli {command.name}" in told


def test_every_command_and_option_is_in_running_md(cli):
    text = (DOCS / "running.md").read_text(encoding="utf-8")
    for command in [cli, *real(cli.commands.values())]:
        assert command is cli or f"`gankit {command.name}" in text
        for parameter in command.params:
            for option in parameter.opts if isinstance(parameter, click.Option) else ():
                assert re.search(rf"(?<![\w-]){option}(?![\w-])", text), option


def test_readme_has_two_commands_that_ci_can_find():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.findall(r"^<!-- command: (\w+) -->\n```bash\n(.*)\n```$", text, re.MULTILINE)
    assert [name for name, _ in found] == ["train", "test"]
    assert len(blocks(text, "bash")) == 2
    ends = ("gankit run", "pytest -n auto --dist loadfile")
    for (_, command), end in zip(found, ends, strict=True):
        assert command.startswith("python3 -m venv .venv && . .venv/bin/activate && pip install ")
        assert command.endswith(f" && {end}")


def test_readme_shows_the_tree():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    tree = text.partition("## The tree")[2].partition("\n## ")[0]
    there = {path.name for path in (ROOT / "gankit").glob("*.py")}
    there |= {f"{path.parent.name}/" for path in (ROOT / "gankit").glob("*/__init__.py")}
    there |= {f"{path.parent.name}/" for path in (ROOT / "plugins").glob("gankit_*/__init__.py")}
    named = set(re.findall(r"^      ([\w./-]+)", tree, re.MULTILINE))
    scripts = {path.name for path in DOCS.glob("*_*.py")}
    assert named == there | scripts | {"examples/gankit-hinge/"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target, _, anchor in re.findall(r"(?<!!)\[[^\]]*\]\(([^)#]*)(#?)([^)]*)\)", text):
        if target.startswith("https://"):
            continue  # there is no network here
        goal = page.parent / target if target else page
        assert goal.exists() or target in WRITTEN, target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", goal.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {h.lower().replace(" ", "-") for h in headings}, anchor


def test_what_tricks_md_says_to_try_exists(cli, registry):
    text = (DOCS / "tricks.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\|.*\|.*\|(.*)\|$", text, re.MULTILINE)[2:]
    named = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    options = {option for p in cli.commands["run"].load().params for option in p.opts}
    assert len(rows) > 4
    assert len(named) > 10
    assert named <= options | {spec.name for spec in registry.specs("trick")}


def test_api_md_has_every_public_name():
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    names = re.findall(r" as (\w+)$", (ROOT / "gankit" / "__init__.py").read_text(), re.MULTILINE)
    assert {"compose", "train", "hookimpl"} <= set(names)
    for name in set(names) - {"testing", "__version__"}:  # testing is a section of its own
        assert f":: gankit.{name}\n" in text, f"{name}: describe it in docs/api.md"


# --- truth: examples run, commands parse


@pytest.mark.parametrize("source", PLUGINS)
def test_plugin_examples_train(source, loaded, short_run):
    registry = load_registry()
    asked = {"image_size": 16}
    for spec in loaded(source, registry).specs:
        if isinstance(spec.build, str) and spec.build.startswith("my_"):
            return  # stands for a file of the reader's own
        if getattr(spec, "downloads", ()):
            return  # the archive is nowhere; test_named_sets.py downloads one that is somewhere
        several = {"trick": "tricks", "metric": "metrics"}
        asked[several.get(spec.kind, spec.kind)] = spec.name
    folder = short_run(registry, **asked)
    assert (folder / "checkpoints" / "last").is_file()


@pytest.mark.parametrize("source", TRICKS)
def test_trick_examples_train_and_resume(source, short_run):
    names = {}
    exec(source, names)
    (trick,) = [v for v in names.values() if isinstance(v, type) and v.__base__ is Trick]

    class Plugin:
        @hookimpl
        def register_tricks(self, register):
            register(TrickSpec(name="example", summary="", source="", build=trick))

    registry = load_registry()
    registry.load("example", Plugin)
    folder = short_run(registry, tricks="example", length="3 steps")
    train(resumed(folder, length="5 steps"), registry, resume=True)
    log = (folder / "log.csv").read_text().splitlines()
    assert [line.partition(",")[0] for line in log] == ["step", "1", "2", "3", "4", "5"]
    assert trick.activity is Trick.activity or log[-1].rpartition(",")[2]


def test_observer_examples_say_what_they_saw(loaded, short_run, capsys):
    registry = load_registry()
    for hook in HOOKS:
        if not hook.startswith("register_"):
            for source in blocks(SECTIONS[hook]):
                loaded(source, registry)
    folder = short_run(registry, lr_d=0.01, length="20 steps")
    said = capsys.readouterr().out
    for words in ("G has", "weights", "D hardly errs", "pictures differ by", "MB in", "the lowest"):
        assert words in said
    assert (folder / "outcome.txt").read_text() == "finished at step 20\n"


def test_scripts_run(here, capsys, monkeypatch):
    assert len(SCRIPTS) == 6
    mounted = types.SimpleNamespace(drive=types.SimpleNamespace(mount=print))  # Colab's own
    monkeypatch.setitem(sys.modules, "google.colab", mounted)
    for script in SCRIPTS:
        short = script.values[0].replace("500 steps", "2 steps")
        exec(short.replace('"petals"', '"petals:count=64"'), {})
    assert {path.name for path in here.glob("*.png")} == {"between.png", "flower.png", "garden.png"}


def commands(text):
    """Every `gankit ...` in a page: in running text, in fences, in indented blocks."""
    found = [" ".join(inline.split()) for inline in re.findall(r"`(gankit [^`]+)`", text)]
    for block in [*blocks(text, "bash"), *re.findall(r"^    .*$", text, re.MULTILINE)]:
        found += re.findall(r"^\s*(gankit .*)$", block, re.MULTILINE)
    for block in blocks(text, "text"):  # a notebook's cells
        found += re.findall(r"^!(gankit .*)$", block, re.MULTILINE)
    return [re.split(r"\s{3,}|\s\\?\|", command)[0] for command in found]


COMMANDS = [(page, command) for page in PAGES for command in commands(page.read_text("utf-8"))]
for example in sorted((DOCS / "outputs" / "examples").glob("*.txt")):
    COMMANDS.append((example, example.read_text("utf-8").partition("\n")[0].removeprefix("$ ")))


@pytest.fixture(scope="module")
def everything():
    """A registry with the bundled parts and those of all examples."""
    registry = load_registry()
    for number, example in enumerate(PLUGINS):
        names = {}
        exec(example.values[0], names)
        module = types.SimpleNamespace(**names)
        assert not registry.load(f"example {number}", lambda module=module: module).error
    load_example(registry)
    return registry


@pytest.mark.parametrize("command", [pytest.param(c, id=f"{p.stem}: {c}") for p, c in COMMANDS])
def test_commands_parse(command, cli, everything, here, monkeypatch):
    calls = []
    for found in ends(cli.commands.values()):
        if found.name != "preview":  # which hands its options on to `gankit run`
            monkeypatch.setattr(found, "callback", lambda *context, **given: calls.append(given))
    words = shlex.split(command)[1:]
    CliRunner().invoke(cli, words, standalone_mode=False, catch_exceptions=False)
    (given,) = calls  # it was understood, and nothing ran
    for kind in KINDS:
        texts = given.get({"trick": "tricks", "metric": "metrics"}.get(kind, kind)) or ()
        for text in (texts,) if isinstance(texts, str) else texts:
            if kind == "recipe" and find_race(text):
                continue  # one of `gankit race`
            known = everything.networks if kind == "model" else partial(everything.check, kind)
            assert text == "none" or known(text)


# --- the example plugin package


def load_example(registry):
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(EXAMPLE))
        plugin = registry.load("hinge-margin", lambda: importlib.import_module("gankit_hinge"))
        assert not plugin.error
        importlib.import_module("gankit_hinge.parts")
    return plugin


def test_the_example_package_trains(short_run):
    registry = load_registry()
    load_example(registry)
    folder = short_run(registry, loss="hinge-margin:margin=0.5", tricks="drift")
    assert "D(x)^2" in (folder / "log.csv").read_text()


def test_the_example_package_keeps_to_its_contracts():
    load_example(load_registry())
    package = sys.modules["gankit_hinge"]
    testing.check_loss("hinge-margin:margin=0.5", plugin=package)
    testing.check_trick("drift", plugin=package, loss="hinge-margin", beside=("ema",))


def test_the_example_package_is_light():
    code = "import sys, gankit_hinge; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=EXAMPLE).returncode == 0


def test_the_example_package_has_the_entry_point():
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["gankit"] == {"hinge-margin": "gankit_hinge"}
