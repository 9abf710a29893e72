"""Plugins load one at a time: an error names a broken one, and the others work."""

import json
import textwrap

import pytest

from gankit import GankitError, Trick, TrickSpec, hookimpl
from gankit.core.parts.registry import import_file, load_registry
from gankit.core.parts.specs import KINDS

GOOD = """
    @hookimpl
    def register_tricks(register):
        register(TrickSpec(name="wobble", summary="wobbles", source="here", build=Trick))
"""
BROKEN = {
    "raises on import": ("1 / 0", "ZeroDivisionError"),
    "is not Python": ("def register(:", "SyntaxError"),
    "imports a missing module": ("import no_such_module_at_all", "no_such_module_at_all"),
    "misspells a hook": (
        """
        @hookimpl
        def register_trick(register):
            pass
        """,
        "'register_trick'. Did you mean 'register_tricks'",
    ),
    "misspells an observer": (
        """
        @hookimpl
        def steps_done(scalars):
            pass
        """,
        "'steps_done'. Did you mean 'step_done'",
    ),
    "takes an argument that the hook does not have": (
        """
        @hookimpl
        def register_tricks(register, torch):
            pass
        """,
        "torch",
    ),
    "raises in a hook": (
        """
        @hookimpl
        def register_tricks(register):
            raise RuntimeError("on a Monday")
        """,
        "on a Monday",
    ),
    "registers a taken name": (
        """
        @hookimpl
        def register_tricks(register):
            register(TrickSpec(name="fine", summary="s", source="s", build=Trick))
            register(TrickSpec(name="r1", summary="mine", source="s", build=Trick))
        """,
        "trick 'r1'",
    ),
    "registers the wrong type": (
        """
        @hookimpl
        def register_tricks(register):
            register(LossSpec(name="odd", summary="s", source="s", build=Trick))
        """,
        "TrickSpec",
    ),
    "registers a string": (
        """
        @hookimpl
        def register_losses(register):
            register("odd")
        """,
        "LossSpec",
    ),
    "registers a name and a class": (
        """
        @hookimpl
        def register_tricks(register):
            register("odd", Trick)
        """,
        "takes one spec",
    ),
    "returns its part": (
        """
        @hookimpl
        def register_tricks(register):
            return TrickSpec(name="odd", summary="s", source="s", build=Trick)
        """,
        "register(...)",
    ),
    "registers one name twice": (
        """
        @hookimpl
        def register_tricks(register):
            for summary in "ab":
                register(TrickSpec(name="odd", summary=summary, source="s", build=Trick))
        """,
        "'odd'",
    ),
    "raises when it adds commands": (
        """
        @hookimpl
        def register_commands(cli):
            raise RuntimeError("no commands today")
        """,
        "no commands today",
    ),
}


def test_all_bundled_plugins_load(registry):
    assert {plugin.name: plugin.error for plugin in registry.plugins if plugin.error} == {}
    assert {"commands", "console", "data", "dcgan", "flowers", "losses", "records", "tricks"} <= {
        plugin.name for plugin in registry.plugins
    }
    for kind in KINDS:
        names = [spec.name for spec in registry.specs(kind)]
        assert names
        assert names == sorted(set(names))
        assert all(registry.find(kind, name).name == name for name in names)


def test_each_registry_is_new(registry):
    other = load_registry()
    assert other is not registry
    assert not {id(p) for p in other.plugins} & {id(p) for p in registry.plugins}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_installed_plugin_is_named_and_the_others_work(how, installed, gankit_cli):
    source, why = BROKEN[how]
    name = "broken_" + "_".join(how.split())
    installed(name, source)
    code, out, err = gankit_cli("list", "--json")
    assert code == 0
    assert f"plugin '{name}'" in err
    assert why in err
    assert err.count("\n") == 1
    offered = {(row["kind"], row["name"]): row for row in json.loads(out)}
    bundled = load_registry()
    for kind in KINDS:
        for spec in bundled.specs(kind):
            assert offered[kind, spec.name]["plugin"] != name
    assert not any(row["plugin"] == name for row in offered.values())
    code, out, _ = gankit_cli("plugins", "--json")
    row = {row["name"]: row for row in json.loads(out)}[name]
    assert code == 0
    assert why in row["error"]
    assert row["offers"] == []
    assert row["version"] == "1.2.3"


def test_a_broken_plugin_leaves_show_and_help_working(installed, gankit_cli):
    installed("broken_here", "1 / 0")
    assert gankit_cli("show", "r1").code == 0
    assert gankit_cli("--help").code == 0
    assert "broken: ZeroDivisionError" in gankit_cli("plugins").out


def owner(registry, trick):
    part = registry.find("trick", trick)
    return next(plugin.name for plugin in registry.plugins if part in plugin.specs)


def test_bundled_parts_and_parts_of_other_packages_are_distinguished(installed, plugin_file):
    installed("foreign_own", GOOD)
    registry = load_registry()
    registry.load("file", lambda: import_file(plugin_file(GOOD.replace("wobble", "wiggle"))))
    assert registry.comes_with_gankit("trick", "r1")
    assert not registry.comes_with_gankit("trick", "wobble")
    assert not registry.comes_with_gankit("trick", "wiggle")
    assert not registry.comes_with_gankit("loss", "r1")


def test_an_installed_plugin_offers_its_parts(installed, gankit_cli):
    installed("foreign_good", GOOD)
    code, out, err = gankit_cli("list", "trick")
    assert (code, err) == (0, "")
    assert "wobble" in out
    registry = load_registry()
    assert owner(registry, "wobble") == "foreign_good"


def test_bundled_names_win_over_those_of_another_package(installed):
    installed("aaa_first_in_the_alphabet", BROKEN["registers a taken name"][0])
    registry = load_registry()
    assert owner(registry, "r1") == "tricks"
    with pytest.raises(GankitError, match="trick 'fine'"):
        registry.find("trick", "fine")  # all of the plugin is left out


def test_an_error_names_both_plugins_that_register_one_name(installed):
    installed("foreign_one", GOOD)
    installed("foreign_two", GOOD)
    plugins = {p.name: p for p in load_registry().plugins if p.name.startswith("foreign_")}
    errors = [(plugin.name, plugin.error) for plugin in plugins.values() if plugin.error]
    assert len(errors) == 1
    (rejected, error), *_ = errors
    (accepted,) = set(plugins) - {rejected}
    assert "'wobble'" in error
    assert accepted in error


def test_another_package_cannot_replace_a_default(installed, gankit_cli):
    source = GOOD.replace("build=Trick", "build=Trick, default=True")
    source = source.replace("trick", "dataset").replace("Trick", "Dataset")
    installed("pushy", source.replace("build=Dataset", "build=list"))
    assert load_registry().default("dataset") == "petals"


def test_another_package_cannot_replace_a_command(installed, gankit_cli):
    installed(
        "usurper",
        """
        import click

        @hookimpl
        def register_commands(cli):
            cli.add_command(click.Command("list", callback=lambda: click.echo("mine now")))
        """,
    )
    code, out, _ = gankit_cli("list")
    assert code == 0
    assert "mine now" not in out


def test_another_package_can_add_a_command(installed, gankit_cli):
    installed(
        "helper",
        """
        import click

        @hookimpl
        def register_commands(cli):
            cli.add_command(click.Command("greet", callback=lambda: click.echo("good morning")))
        """,
    )
    assert gankit_cli("greet") == (0, "good morning\n", "")
    assert "greet" in gankit_cli("--help").out


def test_a_one_file_plugin_is_added(plugin_file, gankit_cli):
    path = plugin_file(GOOD)
    assert "wobble" in gankit_cli("-p", path, "list", "trick").out
    assert "wobble" not in gankit_cli("list", "trick").out
    code, out, _ = gankit_cli("--plugin", path, "show", "wobble")
    assert code == 0
    assert "wobbles" in out


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("command", ["list", "--help"])
def test_a_broken_one_file_plugin_is_an_error(how, command, plugin_file, gankit_cli):
    source, why = BROKEN[how]
    path = plugin_file(source)
    code, _, err = gankit_cli("-p", path, command)
    assert code == 2
    assert err.startswith(f"gankit: plugin {path}: ")
    assert why in err
    assert err.count("\n") == 1


class Greeter:
    @hookimpl
    def register_tricks(self, register):
        register(TrickSpec(name="greet", summary="s", source="s", build=Trick))


class Misspelt:
    @hookimpl
    def register_trick(self, register):
        pass


@pytest.mark.parametrize("form", [Greeter, Greeter(), lambda: Greeter, lambda: Greeter()])
def test_a_class_an_object_or_a_function_that_returns_one_is_loaded(form):
    registry = load_registry()
    assert not registry.load("mine", form).error
    assert registry.find("trick", "greet")


@pytest.mark.parametrize(
    ("form", "fact"),
    [
        (Misspelt(), "register_trick"),
        (Misspelt, "register_trick"),
        (object(), "@gankit.hookimpl"),
        (json, "@gankit.hookimpl"),
        (Trick(), "<Trick> has no hooks"),
        (5, "5 has no hooks"),
        (None, "None has no hooks"),
    ],
)
def test_what_cannot_be_a_plugin_is_refused_loudly(form, fact):
    registry = load_registry()
    plugins = list(registry.plugins)
    with pytest.raises(GankitError) as error:
        registry.load("mine", form)
    assert "plugin 'mine'" in str(error.value)
    assert fact in str(error.value)
    assert registry.plugins == plugins


@pytest.mark.parametrize("path", ["absent.py", "."])
def test_a_missing_one_file_plugin_is_an_error(path, gankit_cli):
    code, _, err = gankit_cli("-p", path, "list")
    assert code == 2
    assert path in err
    assert ".py file" in err


def test_a_plugin_file_without_its_ending_is_named(gankit_cli, plugin_file):
    plugin_file(GOOD, name="mixup")
    code, _, err = gankit_cli("-p", "mixup", "list")
    assert code == 2
    assert "'mixup.py'" in err


@pytest.mark.parametrize(
    ("kind", "name", "fact"),
    [
        ("trick", "nosy-d", "'noisy-d'"),
        ("loss", "Hinge", "'hinge'"),
        ("trick", "mine", "gankit -p FILE"),
        ("loss", "r1", "a trick"),
        ("dataset", "zzz", "art-by-ai, cezanne"),
        ("model", "dcgan65", "'dcgan64'"),
    ],
)
def test_an_unknown_name_is_an_error_with_a_suggestion(registry, kind, name, fact):
    with pytest.raises(GankitError) as error:
        registry.find(kind, name)
    assert repr(name) in str(error.value)
    assert fact in str(error.value)


def test_checking_gives_the_canonical_text(registry):
    assert registry.check("trick", "noisy-d: sigma=.5") == "noisy-d:sigma=0.5"
    with pytest.raises(GankitError, match="'sigm'.*'sigma'"):
        registry.check("trick", "noisy-d:sigm=1")


def test_a_models_options_reach_the_networks_that_have_them(registry):
    spec, networks = registry.networks("dcgan64:base_channels=8")
    assert spec.name == "dcgan64"
    assert networks == dict.fromkeys(("generator", "discriminator"), "dcgan:base_channels=8")
    with pytest.raises(GankitError, match="'dcgan64'.*'width'"):
        registry.networks("dcgan64:width=8")


def test_gankit_plugins_names_commands_and_observed_events(installed, gankit_cli):
    source = (
        GOOD
        + """
    @hookimpl
    def register_commands(cli):
        cli.later("wobbling", "wobbling:wobbling", "Wobble.")
        cli.later("wavering", "wobbling:wavering", "Waver.")

    @hookimpl
    def step_done(scalars):
        pass
    """
    )
    installed("foreign_all", source)
    installed_row = {"commands": ["wavering", "wobbling"], "observes": ["step_done"]}
    row = {row["name"]: row for row in json.loads(gankit_cli("plugins", "--json").out)}
    assert {key: row["foreign_all"][key] for key in installed_row} == installed_row
    assert row["tricks"]["commands"] == row["tricks"]["observes"] == []
    (line,) = [line for line in gankit_cli("plugins").out.splitlines() if "foreign_all" in line]
    for fact in ("trick wobble", "command wavering, command wobbling", "step_done"):
        assert fact in line


def test_a_command_that_is_taken_is_not_listed(installed, gankit_cli):
    source = """
    @hookimpl
    def register_commands(cli):
        cli.later("run", "mine:run", "Mine.")
    """
    installed("foreign_run", source)
    row = {row["name"]: row for row in json.loads(gankit_cli("plugins", "--json").out)}
    assert row["foreign_run"]["commands"] == []
    assert "run" in row["foreign_run"]["error"]


def test_what_a_plugin_prints_at_its_import_is_not_in_the_output(plugin_file, gankit_cli):
    path = plugin_file('print("loading")\n' + textwrap.dedent(GOOD))
    code, out, err = gankit_cli("-p", path, "list", "--json")
    assert code == 0
    assert "wobble" in [part["name"] for part in json.loads(out)]
    assert err == "loading\n"


def test_a_file_that_is_given_twice(plugin_file, gankit_cli, here):
    path = plugin_file(GOOD)
    code, _, err = gankit_cli("-p", path, "-p", f"./{path.name}", "list")
    assert code == 2
    assert err == f"gankit: plugin {path.name}: this file is given twice: give it once\n"


NOT_HERE = ["dataset", "generator", "discriminator", "model", "loss", "trick", "metric", "recipe"]


@pytest.mark.parametrize("kind", NOT_HERE)
def test_a_name_that_is_nowhere_may_be_in_a_file(kind, registry, plugin_file):
    with pytest.raises(GankitError) as error:
        registry.find(kind, "zzz")
    for fact in (f"{kind} 'zzz'", "gankit -p FILE", "plugins=", f"gankit list {kind}"):
        assert fact in str(error.value)
    loaded = load_registry()
    loaded.load_file(plugin_file(GOOD))
    with pytest.raises(GankitError) as error:
        loaded.find(kind, "zzz")
    assert "mine.py adds trick wobble" in str(error.value)
    assert "-p FILE" not in str(error.value)


@pytest.mark.parametrize("command", [("zzz",), ("show", "zzz")])
def test_a_command_or_a_part_that_is_nowhere_may_be_in_a_file(command, gankit_cli, plugin_file):
    code, _, err = gankit_cli(*command)
    assert code == 2
    assert "gankit -p FILE" in err
    code, _, err = gankit_cli("-p", plugin_file(GOOD), *command)
    assert code == 2
    assert "mine.py adds trick wobble" in err


def test_a_misspelt_name_is_not_looked_for_in_files(registry):
    with pytest.raises(GankitError) as error:
        registry.find("trick", "nosy-d")
    assert "-p FILE" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "facts"),
    [
        (("--metric", "swd,kid"), ("'swd,kid'", "--metric NAME")),
        (("--trick", "ema,r1"), ("'ema,r1'", "--trick NAME")),
        (("--trick", "ema:decay=0.9,r1"), ("'r1'", "each name on its own")),
    ],
)
def test_names_with_commas_between_them(options, facts, gankit_cli):
    code, _, err = gankit_cli("run", *options)
    assert code == 2
    assert err.count("\n") == 1
    for fact in facts:
        assert fact in err
