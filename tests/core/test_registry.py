"""Plugins load one at a time: a broken one is named and takes nothing with it."""

import json

import pytest

from gankit import GankitError
from gankit.core.registry import import_file, load_registry
from gankit.core.specs import KINDS

GOOD = """
    @hookimpl
    def register_tricks(register):
        register(TrickSpec(name="wobble", summary="wobbles", source="here", build=Trick))
"""
BROKEN = {
    "raises on import": ("1 / 0", "ZeroDivisionError"),
    "is no Python": ("def register(:", "SyntaxError"),
    "imports what is not there": ("import no_such_module_at_all", "no_such_module_at_all"),
    "misspells a hook": (
        """
        @hookimpl
        def register_trick(register):
            pass
        """,
        "register_trick",
    ),
    "asks a hook for what it does not give": (
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
        "the trick 'r1' is already there, from 'tricks'",
    ),
    "registers the wrong type": (
        """
        @hookimpl
        def register_tricks(register):
            register(LossSpec(name="odd", summary="s", source="s", build=Trick))
        """,
        "expected a TrickSpec",
    ),
    "registers no spec at all": (
        """
        @hookimpl
        def register_losses(register):
            register("odd")
        """,
        "expected a LossSpec",
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


def test_the_bundled_plugins_are_whole(registry):
    assert {plugin.name: plugin.error for plugin in registry.plugins if plugin.error} == {}
    assert {"commands", "console", "data", "dcgan", "flowers", "losses", "records", "tricks"} <= {
        plugin.name for plugin in registry.plugins
    }
    for kind in KINDS:
        names = [spec.name for spec in registry.specs(kind)]
        assert names
        assert names == sorted(set(names))
        assert all(registry.find(kind, name).name == name for name in names)


def test_every_registry_is_fresh(registry):
    other = load_registry()
    assert other is not registry
    assert not {id(p) for p in other.plugins} & {id(p) for p in registry.plugins}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_installed_plugin_is_named_and_nothing_else_suffers(how, installed, gankit_cli):
    source, why = BROKEN[how]
    name = "broken_" + "_".join(how.split())
    installed(name, source)
    code, out, err = gankit_cli("list", "--json")
    assert code == 0
    assert err.startswith(f"gankit: plugin '{name}' is left out: ")
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


def test_parts_of_gankit_and_of_others_are_told_apart(installed, plugin_file):
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


def test_our_own_names_win_over_a_strangers(installed):
    installed("aaa_first_in_the_alphabet", BROKEN["registers a taken name"][0])
    registry = load_registry()
    assert owner(registry, "r1") == "tricks"
    with pytest.raises(GankitError, match="there is no trick 'fine'"):
        registry.find("trick", "fine")  # a plugin is in or out as a whole


def test_of_two_strangers_with_one_name_both_are_named(installed):
    installed("foreign_one", GOOD)
    installed("foreign_two", GOOD)
    found = {p.name: p for p in load_registry().plugins if p.name.startswith("foreign_")}
    errors = [(plugin.name, plugin.error) for plugin in found.values() if plugin.error]
    assert len(errors) == 1
    (loser, error), *_ = errors
    (winner,) = set(found) - {loser}
    assert "'wobble'" in error
    assert winner in error


def test_a_stranger_cannot_take_the_place_of_a_default(installed, gankit_cli):
    source = GOOD.replace("build=Trick", "build=Trick, default=True")
    source = source.replace("trick", "dataset").replace("Trick", "Dataset")
    installed("pushy", source.replace("build=Dataset", "build=list"))
    assert load_registry().default("dataset") == "petals"


def test_a_stranger_cannot_replace_a_command(installed, gankit_cli):
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


def test_a_stranger_adds_a_command(installed, gankit_cli):
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


def test_a_one_file_plugin_is_one_more(plugin_file, gankit_cli):
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


@pytest.mark.parametrize("path", ["absent.py", "."])
def test_a_one_file_plugin_that_is_not_there(path, gankit_cli):
    code, _, err = gankit_cli("-p", path, "list")
    assert code == 2
    assert "there is no such .py file" in err


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("trick", "nosy-d", "there is no trick 'nosy-d'. Did you mean 'noisy-d'"),
        ("loss", "Hinge", "there is no loss 'Hinge'. Did you mean 'hinge'?"),
        ("trick", "mine", "there is no trick 'mine'. One from a file needs gankit -p FILE. See: "),
        ("loss", "r1", "'r1' is a trick, not a loss"),
        ("dataset", "zzz", "There is: art-by-ai, cezanne"),
        ("model", "dcgan65", "Did you mean 'dcgan64'"),
    ],
)
def test_a_wrong_name_is_answered_with_what_was_meant(registry, kind, name, message):
    with pytest.raises(GankitError) as error:
        registry.find(kind, name)
    assert message in str(error.value)


def test_checking_gives_the_canonical_text(registry):
    assert registry.check("trick", "noisy-d: sigma=.5") == "noisy-d:sigma=0.5"
    with pytest.raises(GankitError, match="Did you mean 'sigma'"):
        registry.check("trick", "noisy-d:sigm=1")


def test_a_models_options_reach_the_networks_that_know_them(registry):
    spec, networks = registry.networks("dcgan64:base_channels=8")
    assert spec.name == "dcgan64"
    assert networks == dict.fromkeys(("generator", "discriminator"), "dcgan:base_channels=8")
    with pytest.raises(GankitError, match="model 'dcgan64' has no option 'width'"):
        registry.networks("dcgan64:width=8")
