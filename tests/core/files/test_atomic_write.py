"""Files are whole or as they were before, whatever happens while they are written."""

import errno
import os
import sys
import threading
from pathlib import Path

import pytest

from gankit.core.files.atomic_write import (
    RENAME_DELAYS,
    flush_and_rename,
    open_atomically,
    try_to_create,
    write_atomically,
)


def test_bytes_and_text_are_written_as_they_are_into_a_new_folder(tmp_path):
    path = tmp_path / "new" / "folder" / "file"
    write_atomically(path, "ä\r\n\n")
    assert path.read_bytes() == b"\xc3\xa4\r\n\n"
    write_atomically(path, b"\x00\xff")
    assert path.read_bytes() == b"\x00\xff"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_an_error_leaves_the_file_as_it_was_and_nothing_beside_it(tmp_path, monkeypatch, step):
    path = tmp_path / "file"
    write_atomically(path, "before")

    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(*{"fsync": (os, "fsync"), "replace": (Path, "replace")}[step], full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, "after")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_ctrl_c_in_the_middle_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, "before")

    def interrupted():
        with open_atomically(path) as file:
            file.write(b"half of it")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_the_bytes_are_on_the_disk_before_the_name_is(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(os, "fsync", lambda handle: calls.append(os.fstat(handle).st_size))
    replace = Path.replace
    monkeypatch.setattr(Path, "replace", lambda *paths: calls.append("named") or replace(*paths))
    write_atomically(tmp_path / "file", "12345")
    assert calls == [5, "named"]
    (tmp_path / "part").write_bytes(b"123")
    flush_and_rename(tmp_path / "part", tmp_path / "file")
    assert calls[2:] == [3, "named"]
    assert (tmp_path / "file").read_bytes() == b"123"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no umask")
def test_others_may_read_it_as_the_umask_says(tmp_path):
    before = os.umask(0o022)
    try:
        write_atomically(tmp_path / "file", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644


def test_two_writers_at_once_leave_the_whole_of_one(tmp_path):
    path = tmp_path / "file"
    contents = [letter * 100_000 for letter in "ab"]
    started = threading.Barrier(2)

    def write(content):
        started.wait()
        for _ in range(20):
            write_atomically(path, content)

    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_text() in contents
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture
def refuse_renames(monkeypatch):
    """`refuse_renames(3)`: the next three renames fail as on Windows, while a scanner reads."""
    monkeypatch.setattr("gankit.core.files.atomic_write.time.sleep", lambda seconds: None)
    refused = []

    def install(count):
        def wrap(function):
            def rename(source, target, **options):
                if len(refused) < count:
                    refused.append(Path(target).name)
                    raise PermissionError(errno.EACCES, "Access is denied", str(source))
                return function(source, target, **options)

            return rename

        monkeypatch.setattr(os, "replace", wrap(os.replace))
        monkeypatch.setattr(os, "rename", wrap(os.rename))
        return refused

    return install


def test_a_file_that_a_scanner_holds_open_is_renamed_a_little_later(tmp_path, refuse_renames):
    refused = refuse_renames(4)
    write_atomically(tmp_path / "file", "x")
    assert (tmp_path / "file").read_text() == "x"
    assert refused == ["file"] * 4
    assert 3 <= sum(RENAME_DELAYS) <= 10  # seconds: a scan takes less, and a run waits no longer


def test_a_file_that_stays_locked_is_an_error(tmp_path, refuse_renames):
    write_atomically(tmp_path / "file", "before")
    refused = refuse_renames(1000)
    with pytest.raises(PermissionError, match="Access is denied"):
        write_atomically(tmp_path / "file", "after")
    assert len(refused) == len(RENAME_DELAYS) + 1
    assert (tmp_path / "file").read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_other_errors_of_a_rename_are_raised_at_once(tmp_path, monkeypatch):
    calls = []

    def full(*paths):
        calls.append(paths)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(tmp_path / "file", "x")
    assert len(calls) == 1


def test_text_that_utf_8_cannot_encode_is_replaced(tmp_path):
    write_atomically(tmp_path / "file", "caf\udce9 \U0001f33c")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "caf? \U0001f33c"


def test_a_drive_that_is_not_there_is_an_error(tmp_path, monkeypatch):
    """As E:\\ may be on Windows; here, no folder is there."""
    monkeypatch.setattr(Path, "exists", lambda path: False)
    with pytest.raises(FileNotFoundError):
        try_to_create(tmp_path / "runs" / "a")
