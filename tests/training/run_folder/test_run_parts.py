"""A run that needs parts of other plugins says where they are from, and never loads them itself."""

import json
import shlex

import pytest

from gankit import GankitError, command_line, compose, load, load_run, train
from gankit.core.parts.registry import load_registry
from gankit.core.shell import join_command

WOBBLE = """
    class Wobble(Trick):
        def fakes(self, images, gan):
            return images * 0.9

        def activity(self):
            return "wobbled"

    @hookimpl
    def register_tricks(register):
        register(TrickSpec(name="wobble", summary="s", source="s", build=Wobble))
"""


@pytest.fixture
def run_of_a_file(gankit_run, plugin_file, here):
    """The folder of a run that used the trick of the file `my trick.py`, and that file."""
    path = plugin_file(WOBBLE, "my trick")
    assert gankit_run("--trick", "wobble", "--out", "a", before=("-p", path)).code == 0
    return here / "a", path


def read_record(folder):
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("command", [("run", "--resume"), ("sample",), ("evaluate",)])
def test_a_run_of_a_file_says_which_file_to_load(command, run_of_a_file, gankit_cli, monkeypatch):
    folder, path = run_of_a_file
    monkeypatch.chdir(path.parent)  # even if the file is there, it is not loaded
    code, out, err = gankit_cli(*command, folder)
    assert (code, out, err.count("\n")) == (2, "", 1)
    for fact in ("trick 'wobble'", "my trick.py", "gankit -p 'my trick.py'"):
        assert fact in err


def test_with_the_file_the_run_resumes(run_of_a_file, gankit_cli):
    folder, path = run_of_a_file
    assert gankit_cli("-p", path, "run", "--resume", folder, "--steps", 6).code == 0
    assert read_record(folder)["versions"]["plugins"] == {"trick wobble": "my trick.py"}


def test_a_file_in_another_folder_is_named_by_its_path(gankit_run, gankit_cli, plugin_file, here):
    path = plugin_file(WOBBLE)
    (here / "mis").mkdir()
    path.rename(here / "mis" / path.name)
    file = f"mis/{path.name}"
    assert gankit_run("--trick", "wobble", "--out", "a", before=("-p", here / file)).code == 0
    assert read_record(here / "a")["versions"]["plugins"] == {"trick wobble": file}
    assert f"gankit -p {file} " in gankit_cli("run", "--resume", "a").err


def test_a_run_of_a_package_names_the_package(installed, here, tiny):
    site = installed("foreign", WOBBLE)
    folder = train(compose(load_registry(), **tiny(tricks=["wobble"], out="a")))
    assert read_record(folder)["versions"]["plugins"] == {"trick wobble": "foreign-dist 1.2.3"}
    site.rename(here / "elsewhere")
    for use in (lambda: load(folder), lambda: train(load_run(folder), resume=True)):
        with pytest.raises(GankitError, match="trick 'wobble'.*foreign-dist 1.2.3"):
            use()


def test_an_older_or_changed_run_does_not_say_so(run_of_a_file, gankit_cli):
    folder, _ = run_of_a_file
    origins = ({"trick other": "x"}, {"trick wobble": 3}, {"trick wobble": "x.py\nall well"})
    for plugins in (None, 3, *origins):
        record = read_record(folder)
        record["versions"] = {"plugins": plugins} if plugins else {}
        (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
        code, _, err = gankit_cli("run", "--resume", folder)
        assert (code, err.count("\n")) == (2, 1)
        assert "trick 'wobble'" in err
        assert "gankit -p FILE" in err


def test_runs_of_bundled_parts_name_no_plugins(trained):
    assert "plugins" not in read_record(trained)["versions"]


def test_sampling_needs_neither_the_data_set_nor_the_loss(gankit_run, plugin_file, gankit_cli):
    source = """
        from gankit_losses.hinge import Hinge

        @hookimpl
        def register_losses(register):
            register(LossSpec(name="mine", summary="s", source="s", build=Hinge))
    """
    before = ("-p", plugin_file(source, "own_loss"))
    assert gankit_run("--loss", "mine", "--out", "a", before=before).code == 0
    assert gankit_cli("sample", "a", "--out", "a.png").code == 0
    code, _, err = gankit_cli("run", "--resume", "a", "--steps", 6)
    assert code == 2
    assert "loss 'mine'" in err


def test_the_command_of_a_run_loads_its_files_again(gankit_run, plugin_file, gankit_cli, here):
    path = plugin_file(WOBBLE, "my trick")
    watcher = plugin_file("@hookimpl\ndef step_done(step): pass", "watcher")
    before = ("-p", path, "-p", "watcher.py")
    out = gankit_run("--trick", "wobble", "--out", "a", before=before).out
    command = read_record(here / "a")["command"]
    assert command.startswith("gankit -p 'my trick.py' -p watcher.py run ")
    assert str(here) not in command
    assert command in out
    assert f"gankit -p 'my trick.py' -p {watcher.name} sample a" in out
    again = shlex.split(command)[1:]
    assert gankit_cli(*again, "--out", "b").code == 0
    assert read_record(here / "b")["command"] == command
    assert gankit_cli("-p", path, "run", "--resume", "b", "--steps", 6).code == 0
    assert read_record(here / "b")["command"].startswith("gankit -p 'my trick.py' run ")
    code, _, err = gankit_cli("run", "--config", "a/run.json", "--out", "c")
    assert code == 2
    for fact in ("a/run.json", "trick 'wobble'", "gankit -p 'my trick.py'"):
        assert fact in err
    from_python = compose(plugins=[path], tricks=["wobble"], steps=4)
    assert command_line(from_python).startswith("gankit -p 'my trick.py' run ")


def test_a_file_in_your_home_is_named_without_it(
    tiny, plugin_file, here, monkeypatch, tmp_path_factory, gankit_cli
):
    path = plugin_file(WOBBLE)
    monkeypatch.setenv("HOME", str(here))
    monkeypatch.setenv("USERPROFILE", str(here))
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    command = command_line(compose(plugins=[path], tricks=["wobble"], **tiny(length="4 steps")))
    assert command.startswith(f"{join_command(['gankit', '-p', '~/mine.py'])} run ")
    again = shlex.split(command)[1:]
    assert gankit_cli(*again, "--steps", 2, "--dry-run").code == 0


def test_the_command_of_a_race_loads_its_files_again(gankit_cli, plugin_file):
    path = plugin_file(WOBBLE)
    options = ("--dataset", "petals:count=64", "--image-size", 16, "--steps", 2, "--dry-run")
    code, out, _ = gankit_cli("-p", path, "race", *options, "--vary", "trick=none,wobble")
    assert code == 0
    assert out.startswith("gankit -p mine.py race ")
