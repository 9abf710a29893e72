"""A disk that is full in the middle of a write: the old file stays, and no other is left."""

import contextlib
import os
import stat
import sys

import pytest
from PIL import Image

from gankit.core.files.atomic_write import open_atomically, write_atomically

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no file's size")
LIMIT = 600  # bytes of a file: all that the tests write are larger


@pytest.fixture
def full_disk():
    """`with full_disk():` no file can grow above LIMIT bytes; what fits is written."""
    import resource

    @contextlib.contextmanager
    def limited():
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited


def listed(folder):
    return sorted(str(path) for path in folder.rglob("*"))


COMMANDS = {
    "page.html": ("data", "check", "{pictures}", "--page", "page.html"),
    "preview.png": (
        "data",
        "preview",
        "--data",
        "{pictures}",
        "--batch-size",
        "4",
        "--page",
        "preview.png",
    ),
    "grid.png": ("sample", "{run}", "--out", "grid.png"),
    "loop.gif": ("sample", "{run}", "--loop", "--count", "2", "--out", "loop.gif"),
    "loop.mp4": ("sample", "{run}", "--loop", "--count", "2", "--out", "loop.mp4"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_old_file_is_kept(
    gankit_cli, here, trained, pictures_folder, full_disk, name, monkeypatch
):
    words = [word.format(pictures=pictures_folder, run=trained) for word in COMMANDS[name]]
    assert gankit_cli(*words).code == 0  # the caches are filled, and the file is there
    (here / name).write_bytes(b"the old one")
    before = listed(here)
    with full_disk():
        answer = gankit_cli(*words)
    assert answer.code in (1, 2)
    assert name in answer.err
    assert answer.err.count("\n") == 1
    assert (here / name).read_bytes() == b"the old one"
    assert listed(here) == before


def test_a_new_plugin_is_complete_or_not_there(gankit_cli, here, full_disk):
    with full_disk():
        answer = gankit_cli("new", "plugin", "my-trick")
    assert answer.code == 1
    assert "my-trick" in answer.err
    assert listed(here) == []
    assert gankit_cli("new", "plugin", "my-trick").code == 0
    assert [path.name for path in here.iterdir()] == ["my-trick"]


def test_a_link_of_the_name_of_a_new_plugin_is_not_followed(gankit_cli, here):
    (here / "my-trick").symlink_to(here / "elsewhere")
    answer = gankit_cli("new", "plugin", "my-trick")
    assert answer.code == 2
    assert "my-trick" in answer.err
    assert listed(here) == [str(here / "my-trick")]


def test_a_page_in_a_folder_that_is_missing_is_refused_at_once(gankit_cli, here, pictures_folder):
    answer = gankit_cli("data", "check", pictures_folder, "--page", "reports/page.html")
    assert answer.code == 2
    assert "reports/page.html" in answer.err
    assert not (here / "reports").exists()


def test_a_device_is_written_and_never_replaced(tmp_path):
    device = tmp_path / "full"
    device.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        write_atomically(device, "x" * 10_000)
    assert stat.S_ISCHR(device.stat().st_mode)
    assert listed(tmp_path) == [str(device)]


def test_a_pipe_gets_the_bytes(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(pipe, "hello")
    assert os.read(reader, 100) == b"hello"
    os.close(reader)
    assert listed(tmp_path) == [str(pipe)]


@pytest.mark.parametrize("name", ["a" * 250, "ü" * 120])
def test_a_name_as_long_as_a_disk_allows_can_be_written(tmp_path, name):
    write_atomically(tmp_path / name, "x")
    assert listed(tmp_path) == [str(tmp_path / name)]


def test_a_link_is_replaced_not_followed(tmp_path):
    (tmp_path / "own").write_text("own")
    (tmp_path / "link").symlink_to("own")
    with open_atomically(tmp_path / "link") as file:
        Image.new("L", (8, 8)).save(file, "PNG")
    assert (tmp_path / "own").read_text() == "own"
    assert not (tmp_path / "link").is_symlink()
