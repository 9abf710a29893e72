"""Reads zip and tar archives member by member, once and in order, believing as little as it can."""

from __future__ import annotations

import stat
import tarfile
import zipfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from io import BufferedIOBase, BufferedReader
from pathlib import Path
from types import SimpleNamespace
from typing import IO, NamedTuple, Self

CHUNK = 1 << 18
ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # with members, without
LONG_NAMES = (b"L", b"K", b"x", b"g", b"X")  # tar members that only describe the next one
NAME_BYTES = 1 << 16  # a name in a tar said to be longer would only fill the memory
MEMBER_BYTES = 1 << 38  # tarfile would look for the end of a larger one almost for ever
READ_AHEAD = 1 << 18  # archive bytes that may have been read before a member began


class Damaged(Exception):
    """This member, or all that follows, cannot be read."""


class Member(NamedTuple):
    """A file in an archive, or something else that is no folder."""

    name: str
    is_file: bool  # no link, device or pipe
    is_locked: bool  # by a password
    pieces: Callable[[], Iterator[bytes]]  # to be read before the next member; may raise Damaged
    packed: Callable[[], int]  # bytes of the archive that it has taken so far, or a few more
    done: int  # bytes of the archive before it


def is_archive(path: Path) -> bool:
    """Whether the file's bytes, not its name, are those of a zip or a tar, compressed or not."""
    try:
        with path.open("rb") as raw:
            if raw.read(4) in ZIP:
                return True
            with _damage(), _tar(raw):
                return True
    except (OSError, Damaged):
        return False


def members(path: Path) -> Generator[Member, None, None]:
    """Every member that is no folder; raises Damaged where the archive cannot be read further."""
    with path.open("rb") as raw, _damage():
        yield from _zip_members(raw) if raw.read(4) in ZIP else _tar_members(raw)


@contextmanager
def _damage() -> Iterator[None]:
    """Archives can be wrong in more ways than the libraries have errors of their own for."""
    try:
        yield
    except Exception as error:
        raise Damaged(f"cannot be read ({str(error) or type(error).__name__})") from error


def _pieces(open_member: Callable[[], IO[bytes]]) -> Iterator[bytes]:
    with _damage(), open_member() as file:
        while piece := file.read(CHUNK):
            yield piece


def _zip_members(raw: BufferedReader) -> Iterator[Member]:
    if not zipfile.is_zipfile(raw):
        raise ValueError("its table of contents, at its end, is missing; get it again")
    done = 0
    size = raw.seek(0, 2)
    with zipfile.ZipFile(raw) as archive:
        for entry in archive.infolist():
            packed = min(entry.compress_size, size)
            kind = stat.S_IFMT(entry.external_attr >> 16)
            if not entry.filename.endswith(("/", "\\")):
                yield Member(
                    name=entry.filename,
                    is_file=kind in (0, stat.S_IFREG),
                    is_locked=bool(entry.flag_bits & 1),
                    pieces=partial(_pieces, partial(archive.open, entry)),
                    packed=partial(int, packed),
                    done=min(done, size),
                )
            done += packed


def _tar_members(raw: BufferedReader) -> Iterator[Member]:
    with _tar(raw) as archive:
        while (entry := archive.next()) is not None:
            archive.members.clear()  # it would keep millions
            if not entry.isdir():
                yield Member(
                    name=entry.name,
                    is_file=entry.isreg(),
                    is_locked=False,
                    pieces=partial(_pieces, partial(archive.open_member, entry)),
                    packed=partial(_read_since, raw, raw.tell() - READ_AHEAD),
                    done=raw.tell(),
                )
        if not archive.ended:  # tarfile takes damage for the end
            raise ValueError("the archive ends too early")
        while piece := archive.fileobj.read(CHUNK):  # to the end, where gzip keeps a checksum
            if piece.strip(b"\0"):
                raise ValueError("there is more behind the archive's end")


def _read_since(raw: BufferedReader, start: int) -> int:
    return raw.tell() - start


@contextmanager
def _tar(raw: BufferedReader) -> Iterator[_Archive]:
    """The tar archive in the file, whichever way it is compressed, read as a stream."""
    raw.seek(0)
    head = raw.read(6)
    raw.seek(0)
    with _unpacking(raw, head) as stream:
        # Not tarfile's own gzip: as a stream it checks no sums and stops at a second part.
        # And read1, because read would lose what came before the damage.
        source = SimpleNamespace(read=stream.read1)
        with _Archive.open(fileobj=source, mode="r|", bufsize=1 << 16) as archive:
            yield archive


def _unpacking(raw: BufferedReader, head: bytes) -> BufferedIOBase:
    """The file, decompressed if it begins as a compressed one does; some Pythons lack a module."""
    if head.startswith(b"\x1f\x8b"):
        import gzip

        return gzip.open(raw)
    if head.startswith(b"BZh"):
        import bz2

        return bz2.open(raw)
    if head.startswith(b"\xfd7zXZ\x00"):
        import lzma

        return lzma.open(raw)
    return raw


class _Header(tarfile.TarInfo):
    """Notes the archive's proper end, and refuses sizes meant to fill the memory or never end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        header = super().frombuf(buf, encoding, errors)
        if header.type in LONG_NAMES and header.size > NAME_BYTES:
            raise tarfile.ReadError(f"a name of {header.size} bytes")
        return header

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        assert isinstance(archive, _Archive)
        archive.ended = False
        try:
            header = super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # typeshed lacks it
            archive.ended = True
            raise
        if not 0 <= header.size <= MEMBER_BYTES:
            raise tarfile.ReadError(f"a member of {header.size} bytes")
        return header


class _Archive(tarfile.TarFile):
    """A tar that knows whether its proper end was reached."""

    tarinfo = _Header
    members: list[tarfile.TarInfo]  # those read so far, a list of tarfile's own
    ended = False

    def open_member(self, entry: tarfile.TarInfo) -> IO[bytes]:
        """The bytes of a regular file."""
        file = self.extractfile(entry)
        if file is None:
            raise ValueError("it is no file")
        return file
