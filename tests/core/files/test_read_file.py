"""Only regular files of a sensible size are read; nothing hangs, and each refusal has a reason."""

import os
import socket
import sys
from pathlib import Path

import pytest

from gankit import GankitError
from gankit.core.files.read_file import read_regular_file

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no such files")


def test_a_file_of_up_to_the_limit_is_read(tmp_path):
    path = tmp_path / "a.json"
    for content in (b"", b"12\r\n34\x1a5", b"12345678"):
        path.write_bytes(content)
        assert read_regular_file(path, 8) == content


def test_a_larger_file_is_refused_with_its_size_and_the_limit(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b"123456789")
    with pytest.raises(GankitError, match=r"a\.json.* 9 .* 8") as refused:
        read_regular_file(path, 8)
    assert refused.value.exit_code == 2


@posix
def test_an_enormous_sparse_file_is_not_read(tmp_path):
    path = tmp_path / "a.json"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(GankitError, match="1,099,511,627,776"):
        read_regular_file(path, 1000)


@posix
def test_a_link_to_a_file_is_followed(tmp_path):
    (tmp_path / "a").write_bytes(b"content")
    (tmp_path / "link").symlink_to("a")
    assert read_regular_file(tmp_path / "link", 100) == b"content"


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


@posix
@pytest.mark.parametrize(
    "make",
    [
        os.mkdir,
        os.mkfifo,
        make_socket,
        lambda path: path.symlink_to("/dev/zero"),
        lambda path: path.symlink_to("/dev/tty"),
        lambda path: path.symlink_to(path.name),
        lambda path: None,
    ],
    ids=["folder", "fifo", "socket", "zero", "terminal", "loop", "missing"],
)
def test_what_is_not_a_regular_file_is_refused_at_once(tmp_path, monkeypatch, make):
    monkeypatch.chdir(tmp_path)  # a socket's name may have about 100 letters
    path = Path("odd")
    make(path)
    with pytest.raises(GankitError, match="cannot read odd: "):
        read_regular_file(path, 100)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc/self/status")
def test_a_file_without_a_size_is_refused():
    with pytest.raises(GankitError, match="/proc/self/status"):
        read_regular_file(Path("/proc/self/status"), 100_000)


@pytest.mark.parametrize("name", ["nul\0l", "x" * 5000], ids=["null", "long"])
def test_a_name_that_no_file_can_have_is_refused(name):
    with pytest.raises(GankitError, match="cannot read"):
        read_regular_file(Path(name), 100)
