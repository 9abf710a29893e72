"""What killed processes left is removed; what others work on is not."""

import errno
import operator
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from gankit.data.read.fit import fit
from gankit.data.store.leftovers import DAY_SECONDS, DAYS_FOR_PARTS, remove_leftovers
from gankit.data.store.prepared_pictures import PixelSettings, load_or_prepare

PREPARE = """
import sys, time
import numpy as np
from gankit.data.read.fit import fit
from gankit.data.store.prepared_pictures import PixelSettings, load_or_prepare

class Slow(list):
    fingerprint = "slow"
    def __getitem__(self, index):
        if index == 3:
            print("half", flush=True)
            time.sleep(60)
        return np.zeros((8, 8, 3), np.uint8)

settings = PixelSettings("slow", 8, 3, "crop", "white")
load_or_prepare(Slow(range(4)), settings, lambda p: [(fit(p, 8, 3), None)], lambda *call: None)
"""

HOLD = """
import sys, time
from pathlib import Path
from gankit.core.files.file_lock import file_lock
with file_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache."""
    monkeypatch.setenv("GANKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def start():
    """`start(program, *arguments)`: another process, which has printed its first line."""
    processes = []

    def start_process(program, *arguments):
        argv = [sys.executable, "-c", program, *map(str, arguments)]
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout.readline()
        return process

    yield start_process
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


def prepare(name="pictures"):
    class Pictures(list):
        fingerprint = name

        def __getitem__(self, index):
            return np.full((8, 8, 3), operator.index(index), np.uint8)

    settings = PixelSettings(name, 8, 3, "crop", "white")
    transform = lambda picture: [(fit(picture, 8, 3), None)]  # noqa: E731
    return load_or_prepare(Pictures(range(4)), settings, transform, lambda *call: None)


def unfinished(cache):
    return [path.name for path in (cache / "pictures").glob("preparing-*")]


def test_a_killed_preparation_is_removed_by_the_next(cache, start):
    process = start(PREPARE)
    assert len(unfinished(cache)) == 2  # the folder and its lock
    prepare()
    assert len(unfinished(cache)) == 2  # still in progress
    process.kill()
    process.wait()
    prepare("others")
    assert unfinished(cache) == []


def test_the_leftovers_of_earlier_versions_are_removed_too(cache):
    left = cache / "pictures" / "preparing-abc"
    left.mkdir(parents=True)
    (left / ".pixels.u8.1234.writing").write_bytes(bytes(1000))
    prepare()
    assert unfinished(cache) == []


def test_a_preparation_that_was_killed_before_it_had_a_folder_is_removed(cache):
    (cache / "pictures").mkdir(parents=True)
    (cache / "pictures" / "preparing-abc.lock").touch()
    prepare()
    assert unfinished(cache) == []


def test_leftovers_of_an_archive_that_is_never_used_again_are_removed(cache, start):
    left = [cache / "unpacked" / f"{key}.5678.aside" for key in ("0123abcd", "4567abcd")]
    for folder in left:
        (folder / "files").mkdir(parents=True)
    start(HOLD, cache / "unpacked" / "4567abcd")
    prepare()
    assert [folder.exists() for folder in left] == [False, True]


@pytest.mark.parametrize("is_old", [False, True])
@pytest.mark.parametrize("is_held", [False, True])
def test_a_download_may_continue_for_some_days(cache, start, is_old, is_held):
    part = cache / "downloads" / "01234567-a.zip.part"
    tag = part.with_suffix(".tag")
    part.parent.mkdir(parents=True)
    for file in (part, tag):
        file.write_bytes(b"x")
    if is_old:
        modified = time.time() - DAYS_FOR_PARTS * DAY_SECONDS - 60
        os.utime(part, (modified, modified))
    if is_held:
        start(HOLD, part.with_suffix(""))
    prepare()
    assert part.exists() == tag.exists() == (not is_old or is_held)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")
def test_without_locks_nothing_is_removed_and_pictures_are_prepared(cache, monkeypatch):
    def unsupported(*args):
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", unsupported)
    left = cache / "pictures" / "preparing-abc"
    left.mkdir(parents=True)
    assert len(prepare().pixels) == 4
    assert left.exists()


def test_finished_work_is_never_removed(cache):
    prepared = prepare()
    before = sorted(cache.rglob("*"))
    remove_leftovers()
    assert sorted(cache.rglob("*")) == before
    assert np.array_equal(prepare().pixels, prepared.pixels)
