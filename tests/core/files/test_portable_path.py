"""Paths that mean the same elsewhere, and that do not name your home folder."""

import os
import re
from pathlib import Path

import pytest

from gankit.core.files import portable_path
from gankit.core.files.portable_path import hide_home, resolve_path, shorten_path


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Your home folder; the working directory is the folder `project` in it."""
    for folder in ("home/me/project/cats", "home/me/project/runs/a", "home/me/cats", "home/you",
                   "disk/cats", "disk/runs/a", "usb/all/cats", "usb/all/a"):  # fmt: skip
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home" / "me"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home" / "me"))
    monkeypatch.chdir(tmp_path / "home" / "me" / "project")
    monkeypatch.setattr(portable_path, "SHARED_PARTS", len((tmp_path / "disk").parts))
    return tmp_path / "home" / "me"


@pytest.mark.parametrize(
    ("path", "start", "written"),
    [
        ("cats", "runs/a", "../../cats"),  # in the working folder
        ("./cats/", "runs/a", "../../cats"),
        ("{top}/home/me/project/cats", "runs/a", "../../cats"),
        ("~/project/cats", "runs/a", "../../cats"),
        (".", "runs/a", "../.."),
        ("runs/a", "runs/a", "."),
        ("../cats", "runs/a", "~/cats"),  # elsewhere in your home
        ("cats", "{top}/disk/runs/a", "~/project/cats"),
        ("{top}/disk/cats", "runs/a", "{top}/disk/cats"),  # outside
        ("{top}/disk/cats", "{top}/disk/runs/a", "{top}/disk/cats"),  # ... as in /mnt
        ("{top}/usb/all/cats", "{top}/usb/all/a", "../cats"),  # a folder of yours outside
        ("cats-{{000..009}}.tar", "runs/a", "../../cats-{{000..009}}.tar"),
        ("nothing", "runs/a", "nothing"),  # names of other data sets, not paths
        ("https://example.org/cats", "runs/a", "https://example.org/cats"),
    ],
)
def test_a_path_is_written_and_read(home, path, start, written):
    top = home.parent.parent
    path, start, written = (text.format(top=top) for text in (path, start, written))
    start = Path(start)
    assert portable_path.portable_path(path, start, Path.cwd()) == written
    if written not in ("nothing", "https://example.org/cats"):
        again = resolve_path(written, start)
        assert os.path.realpath(again) == portable_path.real_path(path)


def test_in_your_home_as_working_folder_paths_are_relative(home, monkeypatch):
    monkeypatch.chdir(home)
    (home / "runs").mkdir()
    assert portable_path.portable_path("cats", Path("runs/a"), Path.cwd()) == "../../cats"


def test_above_your_home_its_name_is_not_written(home, monkeypatch):
    monkeypatch.chdir(home.parent)
    assert portable_path.portable_path("me/cats", Path("you/runs"), Path.cwd()) == "~/cats"
    assert portable_path.portable_path("me/cats", Path(), Path.cwd()) == "~/cats"
    assert shorten_path(str(home / "cats")) == str(home / "cats")


def test_links_do_not_change_what_a_path_means(home):
    (home / "project" / "linked").symlink_to(home.parent.parent / "disk" / "cats")
    (home.parent.parent / "link").symlink_to(home)
    written = portable_path.portable_path("linked", Path("runs/a"), Path.cwd())
    assert written == "../../linked"
    through_link = str(home.parent.parent / "link" / "cats")
    assert portable_path.portable_path(through_link, Path("runs/a"), Path.cwd()) == "~/cats"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{home}/cats/1.png: is broken", "~/cats/1.png: is broken"),
        ("--data={home} --vary data={home}/a,{home}/b", "--data=~ --vary data=~/a,~/b"),
        ('{{"folder": "{home}/cats"}}', '{{"folder": "~/cats"}}'),
        ("'{home}/my cats'", "'~/my cats'"),
        ("{home}-old/cats", "{home}-old/cats"),
        ("/mnt{home}/cats", "/mnt{home}/cats"),
    ],
)
def test_your_home_is_hidden_in_texts(home, text, shown):
    assert hide_home(text.format(home=home)) == shown.format(home=home)


@pytest.mark.parametrize("value", ["/", ""])
def test_without_a_home_of_your_own_nothing_is_hidden(home, monkeypatch, value):
    monkeypatch.setenv("HOME", value)
    monkeypatch.setattr(os.path, "expanduser", lambda path: str(path).replace("~", value or "~"))
    assert portable_path.home_folder() is None
    assert hide_home("/etc/passwd") == "/etc/passwd"
    assert portable_path.portable_path("cats", Path("runs/a"), Path.cwd()) == "../../cats"


def test_windows_reads_home_in_any_case(home, monkeypatch):
    text = f"{str(home).upper()}/cats"
    assert hide_home(text) == text
    monkeypatch.setattr(portable_path, "_CASE", re.IGNORECASE)
    assert hide_home(text) == "~/cats"
