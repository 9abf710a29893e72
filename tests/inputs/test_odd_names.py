"""Folders of odd names: every command that names one of them works, and prints it in one line."""

import shutil
import sys

import pytest
from kinds import KINDS
from trial import TRAINING
from writers import Picture

NAMES = ("a b", "e\u0301", "花",
         "\u202egpj", "it's", 'say "x"', "a\nb", "\x1b[31mred", "$HOME", "%s",
         "{x}", "[/]", "a:b", "*", "a\\b", "~x", "con", "a.", "\udcff\udcfe", "é" * 90)  # fmt: skip

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="names that Windows refuses")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder of five pictures; copy it."""
    folder = tmp_path_factory.mktemp("odd-names") / "pictures"
    folder.mkdir()
    for number in range(5):
        picture = Picture(24, 24, "noise", number)
        (folder / f"{number}.jpg").write_bytes(KINDS["jpeg"].write(picture))
    return folder


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_folder_may_have_any_name(name, pictures, gankit_cli, here, monkeypatch):
    monkeypatch.setattr(
        "gankit.runs.video.write_video", lambda *args, **options: None
    )  # it is slow
    shutil.copytree(pictures, here / name)
    out = here / "runs" / name
    calls = [
        ("data", "check", name),
        ("data", "check", name, "--page", f"{name}.html"),
        ("run", "--data", name, *TRAINING, "--batch-size", 4, "--out", out),
        ("sample", out, "--count", 2, "--out", f"{name}-.png"),
    ]
    for call in calls:
        answer = gankit_cli(*call)
        assert (answer.code, answer.err) == (0, ""), call
    assert (here / f"{name}.html").exists()
