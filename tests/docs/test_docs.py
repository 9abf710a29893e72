"""The docs describe every hook, part, command and option, and every example in them runs."""

import importlib
import importlib.util
import inspect
import re
import shlex
import subprocess
import sys
import tomllib
import types
from pathlib import Path

import click
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from gankit_race.recipes import find_race

from gankit import Trick, TrickSpec, hookimpl, testing
from gankit.cli.main import new_cli
from gankit.cli.plugin_commands import LazyCommand
from gankit.cli.run.from_options import resumed
from gankit.core.parts import hookspecs
from gankit.core.parts.registry import Registry, load_registry
from gankit.core.parts.specs import KINDS
from gankit.testing.rules import healthy_log
from gankit.training.settings.compose import compose
from gankit.training.train import train

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
EXAMPLE = DOCS / "examples" / "gankit-hinge"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("doctor/*.md"))]
HOOKS = [name for name, value in vars(hookspecs).items() if hasattr(value, "gankit_spec")]
WRITTEN_BY_BUILD = ("lessons/index.md", "reference/commands.md")
TRICK_ATTRIBUTES = ("name", "excludes", "preview_state", "needs_trained_d", "overrides")
TRICK_METHODS = [n for n in vars(Trick) if not n.startswith("_") and n not in TRICK_ATTRIBUTES]


def import_file(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def code_blocks(text, language="python"):
    """The contents of the fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def read_sections(path):
    """The text under each `###` heading: heading -> text."""
    _, *parts = re.split(r"^### ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    sections = {}
    for part in parts:
        heading, _, text = part.partition("\n")
        sections[heading.strip()] = re.split(r"^## ", text, flags=re.MULTILINE)[0]
    return sections


SETTING_OF_KIND = {"trick": "tricks", "metric": "metrics"}  # others are called as their kind
SECTIONS = read_sections(DOCS / "hooks.md")
EXAMPLES = [
    pytest.param(block, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, block in enumerate(code_blocks(page.read_text(encoding="utf-8")))
]
PLUGINS = [example for example in EXAMPLES if "@hookimpl" in example.values[0]]
TRICKS = [e for e in EXAMPLES if "(Trick):" in e.values[0] and e not in PLUGINS]
SCRIPTS = [e for e in EXAMPLES if e not in PLUGINS and e not in TRICKS]


@pytest.fixture
def load_source(tmp_path):
    """`load_source(source, registry)`: save an example as a file, and load it as a plugin."""

    def load(source, registry):
        path = tmp_path / "example.py"
        path.write_text(source, encoding="utf-8")
        module = import_file(path, "docs_example")
        return registry.load("example", module)

    return load


def trick_of(source):
    """The class of an example that is a trick."""
    names = {}
    exec(source, names)
    (trick,) = [v for v in names.values() if isinstance(v, type) and v.__base__ is Trick]
    return trick


@pytest.fixture
def train_briefly(here, tiny, caplog):
    """`train_briefly(registry, loss="margin")` trains a few steps; a plugin's warning fails it."""

    def run(registry, **settings):
        settings = {"tricks": "none", "log_every": 1, **settings}
        folder = train(compose(registry, **tiny(**settings)), registry)
        assert not caplog.records, caplog.text
        return folder

    return run


def data_of(spec):
    """What `--data` may be for a data set that reads files of arrays; {} for another part."""
    if spec.kind != "dataset" or "data" not in spec.parameters():
        return {}
    pictures = np.random.RandomState(0).randint(0, 256, (20, 16, 16, 3), dtype=np.uint8)
    np.savez("mine.npz", images=pictures)
    return {"data": ("mine.npz",)}


# --- completeness


@pytest.mark.parametrize("name", [*HOOKS, *TRICK_METHODS])
def test_every_hook_and_trick_method_has_a_section(name):
    assert name in SECTIONS
    assert "*When:*" in SECTIONS[name]


def test_hooks_md_has_no_other_sections():
    assert list(SECTIONS) == [*HOOKS, *TRICK_METHODS]


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_an_example_that_implements_it(hook, load_source):
    registry = Registry()
    assert load_source(code_blocks(SECTIONS[hook])[0], registry).implements(hook)


@pytest.mark.parametrize("method", TRICK_METHODS)
def test_every_trick_method_has_an_example_that_defines_it(method):
    source = "".join(code_blocks(SECTIONS[method]) or code_blocks(SECTIONS["load_state_dict"]))
    assert f"def {method}(self" in source


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_used_by_a_bundled_plugin(hook, registry):
    assert any(plugin.implements(hook) for plugin in registry.plugins)


def test_every_argument_of_a_hook_is_in_its_section():
    for hook in HOOKS:
        for argument in inspect.signature(getattr(hookspecs, hook)).parameters:
            assert f"`{argument}`" in SECTIONS[hook], f"{hook}: {argument}"


def test_every_part_and_option_is_in_parts_md(registry):
    documented = read_sections(DOCS / "parts.md")
    for kind in KINDS:
        for spec in registry.specs(kind):
            assert spec.name in documented
    text = (DOCS / "parts.md").read_text(encoding="utf-8")
    specs = [spec for kind in KINDS if kind != "model" for spec in registry.specs(kind)]
    options = {option for spec in specs for option in spec.options()}
    assert not [option for option in options if f"| `{option}` |" not in text]


def test_the_pages_of_findings_are_up_to_date(docs_script):
    assert docs_script("write_findings").stale_pages() == [], "run python docs/write_findings.py"


def test_parts_md_is_up_to_date(docs_script):
    write_parts = docs_script("write_parts")
    text = (DOCS / "parts.md").read_text(encoding="utf-8")
    assert text == write_parts.page(write_parts.bundled_registry()), (
        "run python docs/write_parts.py"
    )


@pytest.fixture(scope="module")
def cli():
    """The command line with all commands, also those of plugins."""
    group = new_cli()
    group.list_commands(click.Context(group))
    return group


def load_lazy(commands):
    """The commands, with each LazyCommand replaced by the command that it loads."""
    return [command.load() if isinstance(command, LazyCommand) else command for command in commands]


def leaf_commands(commands):
    """Yield the commands that do something: for a group such as `gankit data`, its subcommands."""
    for command in load_lazy(commands):
        if isinstance(command, click.Group):
            yield from leaf_commands(command.commands.values())
        else:
            yield command


def option_names(command):
    """The spellings of all options of a command: `--seed`, ..."""
    options = [param for param in command.params if isinstance(param, click.Option)]
    return [name for option in options for name in option.opts]


def test_lazy_commands_load_the_command_of_their_name(cli):
    lazy = [command for command in cli.commands.values() if isinstance(command, LazyCommand)]
    assert {"list", "run", "show"} <= {command.name for command in lazy}
    for command in lazy:
        assert command.load().name == command.name
        help_text = CliRunner().invoke(cli, [command.name, "--help"]).output
        assert f"Usage: cli {command.name}" in help_text


def test_every_command_and_option_is_in_running_md(cli):
    text = (DOCS / "running.md").read_text(encoding="utf-8")
    commands = load_lazy(cli.commands.values())
    for command in commands:
        assert f"`gankit {command.name}" in text
    for command in [cli, *commands]:
        for option in option_names(command):
            assert re.search(rf"(?<![\w-]){option}(?![\w-])", text), option


def test_readme_has_two_commands_that_ci_can_find():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found_commands = dict(
        re.findall(r"^<!-- command: (\w+) -->\n```bash\n(.*)\n```$", text, re.MULTILINE)
    )
    assert list(found_commands) == ["train", "test"]
    assert len(code_blocks(text, "bash")) == 2
    for command in found_commands.values():
        assert command.startswith("python3 -m venv .venv && . .venv/bin/activate && pip install ")
    assert found_commands["train"].endswith(" && gankit run")
    assert found_commands["test"].endswith(" && pytest -n auto --dist loadfile")


def test_readme_shows_the_tree():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    tree = text.partition("## The tree")[2].partition("\n## ")[0]
    in_readme = set(re.findall(r"^      ([\w./-]+)", tree, re.MULTILINE))
    packages = [
        *(ROOT / "gankit").glob("*/__init__.py"),
        *(ROOT / "plugins").glob("gankit_*/__init__.py"),
    ]
    expected = {f"{path.parent.name}/" for path in packages} | {"examples/gankit-hinge/"}
    expected |= {path.name for path in (ROOT / "gankit").glob("*.py")}
    expected |= {path.name for path in DOCS.glob("*_*.py")}
    assert in_readme == expected


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_have_a_target(page):
    text = page.read_text(encoding="utf-8")
    for target, _, anchor in re.findall(r"(?<!!)\[[^\]]*\]\(([^)#]*)(#?)([^)]*)\)", text):
        if target.startswith("https://"):
            continue  # tests use no network
        path = page.parent / target if target else page
        assert path.exists() or target in WRITTEN_BY_BUILD, target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {h.lower().replace(" ", "-") for h in headings}, anchor


def test_the_table_of_tricks_md_leads_to_every_finding(registry):
    text = (DOCS / "tricks.md").read_text(encoding="utf-8")
    links = set(re.findall(r"\]\(doctor/([\w-]+)\.md\)", text))
    assert links == {spec.name for spec in registry.specs("rule")}


def test_api_md_has_every_public_name():
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    names = re.findall(r" as (\w+)$", (ROOT / "gankit" / "__init__.py").read_text(), re.MULTILINE)
    assert {"compose", "train", "hookimpl"} <= set(names)
    for name in set(names) - {"testing", "__version__"}:  # testing is a section of its own
        assert f":: gankit.{name}\n" in text, f"{name}: describe it in docs/api.md"


# --- examples run, commands parse


@pytest.mark.parametrize("source", PLUGINS)
def test_plugin_examples_train(source, load_source, train_briefly):
    registry = load_registry()
    settings = {"image_size": 16}
    for spec in load_source(source, registry).specs:
        if isinstance(spec.build, str) and spec.build.startswith("my_"):
            return  # it names a module that only the reader's own plugin would have
        if getattr(spec, "downloads", ()):
            return  # its archive does not exist; test_named_sets.py tests downloads
        if spec.kind != "rule":  # the doctor asks all rules; no setting names one
            settings[SETTING_OF_KIND.get(spec.kind, spec.kind)] = spec.name
        settings |= data_of(spec)
    folder = train_briefly(registry, **settings)
    assert (folder / "checkpoints" / "last").is_file()


@pytest.mark.parametrize("source", TRICKS)
def test_trick_examples_train_and_resume(source, train_briefly):
    trick = trick_of(source)

    class Plugin:
        @hookimpl
        def register_tricks(self, register):
            register(TrickSpec(name="example", summary="", source="", build=trick))

    registry = load_registry()
    registry.load("example", Plugin)
    folder = train_briefly(registry, tricks="example", length="3 steps")
    train(resumed(folder, length="5 steps"), registry, resume=True)
    log = (folder / "log.csv").read_text().splitlines()
    assert [line.partition(",")[0] for line in log] == ["step", "1", "2", "3", "4", "5"]
    assert trick.activity is Trick.activity or log[-1].rpartition(",")[2]


def bad_log(rule):
    """The log of a run in which what a rule of the examples finds is wrong."""
    log = healthy_log()
    changes = {"slow-g": {"update_g": 1e-9}, "no-gain": {"far": 0.5, "texture": 0.5, "turnover": 0}}
    for name, value in changes[rule].items():
        log[f"doctor.{name}"] = [value] * len(log["step"])
    return log


@pytest.mark.parametrize("source", PLUGINS)
def test_parts_of_plugin_examples_pass_the_kit(source, load_source, here):
    for spec in load_source(source, Registry()).specs:
        is_imaginary = isinstance(spec.build, str) and spec.build.startswith("my_")
        if is_imaginary or getattr(spec, "downloads", ()):
            continue  # see test_plugin_examples_train
        options = {"beside": ()} if spec.kind == "trick" else data_of(spec)
        if spec.kind == "rule":
            options = {"fires_on": bad_log(spec.name)}
        testing.check(spec.kind, spec.name, plugin=sys.modules["docs_example"], **options)


@pytest.mark.parametrize("source", TRICKS)
def test_trick_examples_pass_the_kit(source):
    spec = TrickSpec(name="example", summary="s", source="s", build=trick_of(source))
    testing.check_trick(spec, beside=())


@pytest.mark.parametrize(("hook", "batches"), [("reals", 1), ("fakes", 2)])
def test_examples_that_mix_pictures_keep_the_class_of_each(hook, batches):
    """Each picture has the value of its class, so a mixture of two classes has another one."""
    (source,) = code_blocks(SECTIONS[hook])
    trick = trick_of(source)()
    draw = torch.Generator().manual_seed(0)
    for batch in range(batches):
        labels = (torch.arange(8) + batch * (torch.arange(8) % 3)) % 4
        gan = types.SimpleNamespace(labels=labels, draw=lambda purpose: draw)
        images = labels.float().reshape(-1, 1, 1, 1).expand(8, 3, 4, 4).clone()
        trick.begin_batch(gan, None)
        torch.testing.assert_close(getattr(trick, hook)(images, gan), images)


def test_observer_examples_print_and_write(load_source, train_briefly, capsys):
    registry = load_registry()
    for hook in HOOKS:
        if not hook.startswith("register_"):
            for source in code_blocks(SECTIONS[hook]):
                load_source(source, registry)
    folder = train_briefly(registry, lr_d=0.01, length="20 steps")
    output = capsys.readouterr().out
    for text in ("G has", "weights", "D hardly errs", "pictures differ by", "MB in", "the lowest"):
        assert text in output
    assert (folder / "outcome.txt").read_text() == "finished at step 20\n"


def test_scripts_run(here, capsys, monkeypatch):
    assert len(SCRIPTS) == 19
    drive = types.SimpleNamespace(mount=print, flush_and_unmount=print)
    colab = types.SimpleNamespace(drive=drive)  # only exists there
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    for script in SCRIPTS:
        source = script.values[0].replace("500 steps", "2 steps").replace("steps=500", "steps=2")
        exec(source.replace('"petals"', '"petals:count=64"'), {})
    written = "best between blue flower garden large like-12 reds three"
    assert {path.stem for path in here.glob("*.png")} == set(written.split())


def find_commands(text):
    """Every `gankit ...` in a page: in the prose, in fenced blocks and in indented blocks."""
    lines = [" ".join(inline.split()) for inline in re.findall(r"`(gankit [^`]+)`", text)]
    for block in [*code_blocks(text, "bash"), *re.findall(r"^    .*$", text, re.MULTILINE)]:
        lines += re.findall(r"^\s*(gankit .*)$", block, re.MULTILINE)
    for block in code_blocks(text, "text"):  # the cells of a notebook
        lines += re.findall(r"^!(gankit .*)$", block, re.MULTILINE)
    return [re.split(r"\s{3,}|\s\\?\|", line)[0] for line in lines]  # without a comment or a pipe


COMMANDS = [
    pytest.param(command, id=f"{page.stem}: {command}")
    for page in PAGES
    for command in find_commands(page.read_text(encoding="utf-8"))
]
for path in sorted((DOCS / "outputs" / "examples").glob("*.txt")):
    first_line = path.read_text(encoding="utf-8").partition("\n")[0]
    command = first_line.removeprefix("$ ")
    COMMANDS.append(pytest.param(command, id=f"{path.stem}: {command}"))


@pytest.fixture(scope="module")
def full_registry():
    """A registry with the bundled parts and those of all examples."""
    registry = load_registry()
    for number, example in enumerate(PLUGINS):
        module = types.ModuleType(f"example_{number}")
        exec(example.values[0], vars(module))
        registry.load(f"example {number}", module)
    load_example(registry)
    return registry


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_parse(command, cli, full_registry, here, monkeypatch):
    calls = []
    for leaf in leaf_commands(cli.commands.values()):
        if leaf.name != "preview":  # it passes its options on to `gankit run`
            monkeypatch.setattr(leaf, "callback", lambda *context, **params: calls.append(params))
    argv = shlex.split(command)[1:]
    CliRunner().invoke(cli, argv, standalone_mode=False, catch_exceptions=False)
    (params,) = calls  # the command was parsed, and its replaced callback did nothing
    for kind in KINDS:
        texts = params.get(SETTING_OF_KIND.get(kind, kind)) or ()
        for text in (texts,) if isinstance(texts, str) else texts:
            assert text == "none" or is_valid_part(full_registry, kind, text.removeprefix("+"))


def is_valid_part(registry, kind, text):
    """Whether `name:option=value` names a part with valid options; an invalid one may raise."""
    if kind == "recipe" and find_race(text):
        return True  # a recipe of `gankit race`
    return registry.networks(text) if kind == "model" else registry.check(kind, text)


# --- the example plugin package


def load_example(registry):
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(EXAMPLE))
        plugin = registry.load("hinge-margin", lambda: importlib.import_module("gankit_hinge"))
        assert not plugin.error
        importlib.import_module("gankit_hinge.parts")
    return plugin


def test_the_example_package_trains(train_briefly):
    registry = load_registry()
    load_example(registry)
    folder = train_briefly(registry, loss="hinge-margin:margin=0.5", tricks="drift")
    assert "D(x)^2" in (folder / "log.csv").read_text()


def test_the_example_package_passes_the_conformance_checks():
    load_example(load_registry())
    package = sys.modules["gankit_hinge"]
    testing.check_loss("hinge-margin:margin=0.5", plugin=package)
    testing.check_trick("drift", plugin=package, loss="hinge-margin", beside=("ema",))


def test_the_example_package_does_not_import_torch():
    code = "import sys, gankit_hinge; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=EXAMPLE).returncode == 0


def test_the_example_package_has_the_entry_point():
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["gankit"] == {"hinge-margin": "gankit_hinge"}
