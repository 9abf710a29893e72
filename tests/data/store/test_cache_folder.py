"""The cache folder: the user's, the one of GANKIT_CACHE or, without a home, a temporary one."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from gankit import GankitError, check_data
from gankit.data.store.cache_folder import _temporary_folder, cache_folder


@pytest.fixture(autouse=True)
def no_cache_yet(tmp_path, monkeypatch):
    """No GANKIT_CACHE, a home and a temporary folder of the test, and no warning so far."""
    monkeypatch.delenv("GANKIT_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    _temporary_folder.cache_clear()
    yield
    _temporary_folder.cache_clear()


needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="homes of POSIX")


@pytest.fixture
def no_home(monkeypatch):
    """As in a container with a user number that /etc/passwd does not list."""
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os, "getuid", lambda: 54321)


def unwritable(tmp_path):
    """A path below a file: nobody can create it, not even root."""
    (tmp_path / "file").touch()
    return tmp_path / "file" / "cache"


@needs_posix
def test_a_home_that_does_not_exist_yet_is_used(tmp_path, caplog):
    assert cache_folder("a").is_relative_to(tmp_path / "home")
    assert not (tmp_path / "home").exists()
    assert caplog.text == ""


@needs_posix
def test_without_a_home_the_temporary_folder_is_used_and_named_once(tmp_path, no_home, caplog):
    folders = {cache_folder("pictures", "x"), cache_folder("pictures", "x")}
    assert folders == {tmp_path / "tmp" / "gankit-54321" / "pictures" / "x"}
    (line,) = caplog.messages
    assert str(tmp_path / "tmp" / "gankit-54321") in line
    assert "GANKIT_CACHE" in line
    assert (tmp_path / "tmp" / "gankit-54321").stat().st_mode & 0o777 == 0o700


@needs_posix
@pytest.mark.parametrize("home", ["relative", ""])
def test_an_odd_home_counts_as_none(tmp_path, no_home, monkeypatch, home):
    monkeypatch.setenv("HOME", home)
    assert cache_folder().is_relative_to(tmp_path / "tmp")


@needs_posix
@pytest.mark.parametrize("variable", ["HOME", "XDG_CACHE_HOME"])
def test_a_folder_that_cannot_be_written_is_replaced(tmp_path, monkeypatch, variable, caplog):
    monkeypatch.setenv(variable, str(unwritable(tmp_path)))
    assert cache_folder("a").is_relative_to(tmp_path / "tmp")
    (line,) = caplog.messages
    assert str(unwritable(tmp_path)) in line


@needs_posix
def test_what_a_read_only_cache_holds_is_still_used(tmp_path, monkeypatch):
    prepared = cache_folder("pictures", "prepared")
    prepared.mkdir(parents=True)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert cache_folder("pictures", "prepared") == prepared
    assert cache_folder("pictures", "new").is_relative_to(tmp_path / "tmp")


@needs_posix
def test_without_any_folder_the_error_names_gankit_cache(tmp_path, no_home, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(unwritable(tmp_path)))
    with pytest.raises(GankitError, match="^.*GANKIT_CACHE.*$") as refused:
        cache_folder("a")
    assert refused.value.exit_code == 2


def test_gankit_cache_is_used_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("GANKIT_CACHE", str(unwritable(tmp_path)))
    assert cache_folder("a") == unwritable(tmp_path) / "a"
    monkeypatch.setenv("GANKIT_CACHE", "~/mine")
    assert cache_folder() == Path("~/mine").expanduser()


@needs_posix
def test_a_tilde_in_gankit_cache_needs_a_home(no_home, monkeypatch):
    monkeypatch.setenv("GANKIT_CACHE", "~/mine")
    with pytest.raises(GankitError, match=r"^GANKIT_CACHE is '~/mine'.*home.*$"):
        cache_folder()


@needs_posix
def test_commands_work_without_a_home(tmp_path, no_home, gankit_run, gankit_cli, pictures_folder):
    code, out, err = gankit_run("--dataset", "folder", "--data", pictures_folder, "--batch-size", 4)
    assert code == 0
    assert "finished" in out
    assert "GANKIT_CACHE" in err
    for args in (("lesson",), ("data", "clean"), ("list",), ("plugins",)):
        assert gankit_cli(*args).code == 0, args
    for path in ("~/x", "~nobody-has-this-name/x"):
        for args in (("run", "--data", path), ("data", "check", path)):
            code, _, err = gankit_cli(*args)
            assert code == 2, args
            assert path in err
            assert err.count("\n") == 1
    assert not list(tmp_path.glob("~*"))


# As in a container whose disk is read-only, except for the folders that are mounted.
NO_TEMPORARY_FOLDER = """
import sys, tempfile
def refuse():
    raise FileNotFoundError(2, "No usable temporary directory found")
tempfile._get_default_tempdir = refuse
from gankit.cli.main import main
main(sys.argv[1:])
"""


def test_a_run_trains_without_a_temporary_folder(tmp_path, pictures_folder):
    environment = {**os.environ, "GANKIT_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    environment.pop("TORCHINDUCTOR_CACHE_DIR", None)
    options = f"run --model dcgan64:base_channels=4 --image-size 16 --steps 1 --out {tmp_path}/run"
    argv = [*options.split(), "--batch-size", "4", "--data", str(pictures_folder)]
    done = subprocess.run(
        [sys.executable, "-c", NO_TEMPORARY_FOLDER, *argv],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.count("unexpected")) == (0, 0), done.stderr
    assert (tmp_path / "cache" / "temporary").is_dir()


@pytest.mark.parametrize("name", ["~", "~old"])
def test_a_folder_whose_name_starts_with_a_tilde(name, here, pictures_folder):
    pictures_folder.rename(here / name)
    given = name if name == "~old" else f"./{name}"
    assert check_data(given)["pictures"] == 12


@needs_posix
def test_a_current_folder_that_was_deleted(here, gankit_cli):
    (here / "gone").mkdir()
    os.chdir(here / "gone")
    (here / "gone").rmdir()
    for args in (("list",), ("run", "--steps", 2), ("data", "check", "x")):
        code, out, err = gankit_cli(*args)
        assert (code, out) == (2, "")
        assert "current folder" in err
        assert err.count("\n") == 1
