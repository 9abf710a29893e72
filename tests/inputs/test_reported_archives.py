"""Archives of pictures as people report them, with the right outcome beside each."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Iterable
from typing import NamedTuple

import pytest
from kinds import KINDS
from trial import look
from writers import Picture


class Row(NamedTuple):
    """The bytes of an archive, and what gankit has to do with it."""

    data: bytes
    taken: int  # pictures; 0: the archive is refused
    named: int = 0  # other files that are named
    facts: tuple[str, ...] = ()  # of what is said about the files that are not taken
    name: str = "set.zip"


def photo(seed: int) -> bytes:
    return KINDS["jpeg"].write(Picture(24, 24, "noise", seed))


PHOTOS = [(f"{number}.jpg", photo(number)) for number in range(5)]


def zip_of(files: Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in files:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return file.getvalue()


def tar_of(files: Iterable[tuple[str, bytes | str]]) -> bytes:
    """A tar of files, and of links where the content is text."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, data in files:
            info = tarfile.TarInfo(name)
            if isinstance(data, str):
                info.type = tarfile.SYMTYPE
                info.linkname = data
                data = b""
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def patched(data: bytes, offset: int, value: int) -> bytes:
    """A zip with another byte in all its headers; `offset` is from the version on."""
    headers = bytearray(data)
    for mark, version in ((b"PK\x03\x04", 4), (b"PK\x01\x02", 6)):
        start = headers.find(mark)
        while start >= 0:
            headers[start + version + offset] = value
            start = headers.find(mark, start + 4)
    return bytes(headers)


FLAGS = 2  # bytes after the version in the headers of a zip
METHOD = 4

REPORTED = {
    "a zip": Row(zip_of(PHOTOS), 5),
    "a zip named as a picture": Row(zip_of(PHOTOS), 5, name="set.jpg"),
    "a zip without an ending": Row(zip_of(PHOTOS), 5, name="download"),
    "a zip with folders and what macOS adds": Row(
        zip_of([("a/", b""), *PHOTOS, ("__MACOSX/._0.jpg", b"\0\5\x16\7"), (".DS_Store", b"x")]), 5
    ),
    "a zip with a password": Row(patched(zip_of(PHOTOS), FLAGS, 1), 0, facts=("password",)),
    "a zip of Windows' explorer, Deflate64": Row(
        patched(zip_of(PHOTOS), METHOD, 9), 0, facts=("set.zip", "--data")
    ),
    "a zip without its end": Row(zip_of(PHOTOS)[:-60], 0, facts=("set.zip", "cut off")),
    "an empty zip": Row(zip_of([]), 0, facts=("set.zip",)),
    "a zip of texts": Row(zip_of([("a.txt", b"words")]), 0, facts=("set.zip",)),
    "a zip of a zip": Row(zip_of([("in.zip", zip_of(PHOTOS))]), 0, facts=("in.zip",)),
    "a zip of a zip and pictures": Row(zip_of([*PHOTOS, ("in.zip", zip_of(PHOTOS))]), 5, 1),
    "a zip with a film": Row(zip_of([*PHOTOS, ("a.mp4", KINDS["mp4"].write(None))]), 5, 1),
    "a zip of names that differ by case": Row(zip_of([*PHOTOS, ("0.JPG", photo(9))]), 6),
    "a zip with a path that leads out": Row(zip_of([*PHOTOS, ("../x.jpg", photo(9))]), 5, 1),
    "a zip with an absolute path": Row(zip_of([*PHOTOS, ("/etc/x.jpg", photo(9))]), 5, 1),
    "a zip of Windows' paths": Row(zip_of([(f"a\\{name}", data) for name, data in PHOTOS]), 5),
    "a zip of long names": Row(zip_of([*PHOTOS, ("x" * 300 + ".jpg", photo(9))]), 5, 1),
    "a tar": Row(tar_of(PHOTOS), 5, name="set.tar"),
    "a part of a split zip": Row(
        zip_of(PHOTOS)[:3000], 0, facts=("set.zip.001", "split", "together"), name="set.zip.001"
    ),
    "a tar named as a zip": Row(tar_of(PHOTOS), 5),
    "a tar.gz": Row(gzip.compress(tar_of(PHOTOS)), 5, name="set.tgz"),
    "a tar that is cut off": Row(tar_of(PHOTOS)[:3000], 1, 2, name="set.tar"),
    "a tar with a link": Row(tar_of([*PHOTOS, ("x.jpg", "0.jpg")]), 6, name="set.tar"),
    "a tar with a link out": Row(tar_of([*PHOTOS, ("x.jpg", "/0.jpg/9")]), 5, 1, name="set.tar"),
    "a picture that is compressed": Row(gzip.compress(photo(1)), 0, 0, ("0.jpg.gz",), "0.jpg.gz"),
    "a 7z": Row(KINDS["7z"].write(None), 0, facts=("set.7z",), name="set.7z"),
    "a rar": Row(KINDS["rar"].write(None), 0, facts=("set.rar",), name="set.rar"),
}


@pytest.mark.parametrize("name", REPORTED)
def test_a_reported_archive_has_its_outcome(name, gankit_cli, here):
    row = REPORTED[name]
    (here / row.name).write_bytes(row.data)
    seen = look(gankit_cli, row.name)
    if row.taken:
        assert seen.taken.total() == row.taken
        assert len(seen.listed) == row.named, seen.listed
    else:
        assert seen is None
    answer = gankit_cli("data", "check", row.name)
    said = answer.err if seen is None else " ".join(seen.listed)
    assert [fact for fact in row.facts if fact not in said] == [], said
