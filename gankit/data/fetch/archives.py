"""Reads zip and tar archives member by member, in order, without trusting their headers."""

from __future__ import annotations

import copy
import math
import os
import posixpath
import stat
import tarfile
import zipfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from io import BufferedIOBase, BufferedReader
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

from gankit.data.messages import shorten

CHUNK_BYTES = 1 << 18
PACKED_CHUNK_BYTES = 1 << 12  # zipfile unpacks all of a chunk's packed bytes at once, but deflated
ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")  # a zip with members, and one without
WINDOWS = 0  # the system that made a zip's member
UTF_8 = 0x800  # the flag of a zip's member whose name is in UTF-8
TAR_LONG_NAMES = (b"L", b"K", b"x", b"g", b"X")  # tar members that only describe the next member
MAX_NAME_BYTES = 1 << 16  # a longer name in a tar would only fill the memory
MAX_MEMBER_BYTES = 1 << 38  # tarfile would search almost forever for the end of a larger member
PACK_AGAIN = "unpack it yourself and give the folder with --data"
READ_AHEAD = 1 << 18  # archive bytes that may have been read before a member began
MAX_HEADER_BYTES = 1 << 20  # of one member of a tar, with its long names and its map of holes
MAX_RATIO = 200  # pictures, and a tar as a whole, seldom compress so well; a bomb does
MIN_STREAM_BYTES = 1 << 30  # that a small compressed tar may have, whatever its ratio
LIKE_A_BOMB = f"grows more than {MAX_RATIO}-fold, like a decompression bomb"


class DamagedArchive(Exception):
    """This member, or everything from here on, cannot be read."""


class LimitReached(Exception):
    """What is too much about the archive, and the cure."""


class Member(NamedTuple):
    """A file in an archive, or a link, device or pipe; never a folder."""

    name: str
    is_file: bool  # False for a link, a device or a pipe
    link_to: str  # the path in the archive that a link leads to; "" for others
    is_encrypted: bool  # protected by a password
    chunks: Callable[[], Iterator[bytes]]  # read before the next member; may raise DamagedArchive
    packed_bytes: Callable[[], int]  # archive bytes that it has used so far, or a few more
    offset: int  # archive bytes before it


def is_archive(path: Path) -> bool:
    """Whether the file's bytes, not its name, are those of a zip or a tar, compressed or not."""
    try:
        with path.open("rb") as raw:
            if raw.read(4) in ZIP_STARTS:
                return True
            with _raise_as_damaged(), _open_tar(raw):
                return True
    except (OSError, DamagedArchive):
        return False


def iter_members(path: Path) -> Generator[Member, None, None]:
    """Every member except folders; DamagedArchive where the archive cannot be read further."""
    with path.open("rb") as raw, _raise_as_damaged():
        if raw.read(4) in ZIP_STARTS:
            yield from _iter_zip(raw)
        else:
            yield from _iter_tar(raw)


@contextmanager
def _raise_as_damaged() -> Iterator[None]:
    """Re-raise any error as DamagedArchive: on bad bytes the libraries raise almost anything."""
    try:
        yield
    except (DamagedArchive, LimitReached):
        raise
    except NotImplementedError as error:  # of zipfile: Deflate64, for example
        raise DamagedArchive(f"is packed in a way that Python cannot read: {PACK_AGAIN}") from error
    except Exception as error:
        reason = str(error) or type(error).__name__  # zipfile's may quote a name of 64 KB
        raise DamagedArchive(f"cannot be read: {shorten(reason)}") from error


def _read_chunks(
    open_member: Callable[[], IO[bytes]], chunk_bytes: int = CHUNK_BYTES
) -> Iterator[bytes]:
    with _raise_as_damaged(), open_member() as file:
        while chunk := file.read(chunk_bytes):
            yield chunk


def _iter_zip(raw: BufferedReader) -> Iterator[Member]:
    if not zipfile.is_zipfile(raw):
        raise DamagedArchive(
            "cannot be read: the index at its end is missing, so it is cut off, or a part of a "
            "split zip; download it again, or unpack the parts together"
        )
    offset = 0
    archive_bytes = raw.seek(0, 2)
    with zipfile.ZipFile(raw) as archive:
        for entry in archive.infolist():
            packed_bytes = min(entry.compress_size, archive_bytes)
            file_type = stat.S_IFMT(entry.external_attr >> 16)
            is_limited = entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
            chunk_bytes = CHUNK_BYTES if is_limited else PACKED_CHUNK_BYTES
            name = _name_in_zip(entry)
            if not name.endswith("/"):
                yield Member(
                    name=name,
                    is_file=file_type in (0, stat.S_IFREG),
                    link_to="",
                    is_encrypted=bool(entry.flag_bits & 1),
                    chunks=partial(_read_chunks, partial(_open_entry, archive, entry), chunk_bytes),
                    packed_bytes=partial(int, packed_bytes),
                    offset=min(offset, archive_bytes),
                )
            offset += packed_bytes


def _name_in_zip(entry: zipfile.ZipInfo) -> str:
    """The name with slashes; on other systems than Windows, a backslash is a letter of a name.

    A name without the flag of UTF-8 is in the letters of DOS, as the format has it, but many
    programs write UTF-8 without the flag.
    """
    name = entry.filename
    if not entry.flag_bits & UTF_8:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode()
    return name.replace("\\", "/") if entry.create_system == WINDOWS else name


def _open_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> IO[bytes]:
    """The unpacked bytes of a zip's member."""
    if entry.compress_type != zipfile.ZIP_BZIP2:
        return archive.open(entry)
    import bz2

    # zipfile would unpack 4 KB of bzip2 at once, which can be 4 GB of zeros.
    packed = copy.copy(entry)
    packed.compress_type = zipfile.ZIP_STORED
    packed.file_size = entry.compress_size
    del packed.CRC  # of the unpacked bytes; bzip2 has its own
    return bz2.open(archive.open(packed))


def _iter_tar(raw: BufferedReader) -> Iterator[Member]:
    with _open_tar(raw) as archive:
        while (entry := archive.next()) is not None:
            archive.members.clear()  # tarfile would keep millions of them
            archive.pax_headers = {}  # and every key that an archive invents
            if not entry.isdir():
                yield Member(
                    name=entry.name,
                    is_file=entry.isreg(),
                    link_to=_link_target(entry),
                    is_encrypted=False,
                    chunks=partial(_read_chunks, partial(archive.open_member, entry)),
                    packed_bytes=partial(_bytes_read_since, raw, raw.tell() - READ_AHEAD),
                    offset=raw.tell(),
                )
        if not archive.reached_end:  # tarfile treats damage as the end
            raise ValueError("the archive ends too early")
        while chunk := archive.fileobj.read(CHUNK_BYTES):  # gzip checks its sum at the very end
            if chunk.strip(b"\0"):
                raise ValueError("there is more data after the archive's end")


def _link_target(entry: tarfile.TarInfo) -> str:
    """The path in the tar that a hard or a symbolic link leads to; "" if it is not one."""
    if entry.islnk():
        return posixpath.normpath(entry.linkname)
    if entry.issym():
        return posixpath.normpath(posixpath.join(posixpath.dirname(entry.name), entry.linkname))
    return ""


def _bytes_read_since(raw: BufferedReader, start: int) -> int:
    return raw.tell() - start


@contextmanager
def _open_tar(raw: BufferedReader) -> Iterator[_TarFile]:
    """The tar in the file, whichever way it is compressed, read as a stream."""
    raw.seek(0)
    first_bytes = raw.read(6)
    raw.seek(0)
    with _decompress(raw, first_bytes) as stream:
        # Not tarfile's own gzip, which checks no sums in a stream and stops at a second part.
        # And read1, because read would lose the bytes that came before the damage.
        source = _LimitedStream(stream, os.fstat(raw.fileno()).st_size)
        reader: Any = source  # tarfile's types ask for methods that it does not call
        with _TarFile.open(fileobj=reader, mode="r|", bufsize=1 << 16) as archive:
            yield archive


class _LimitedStream:
    """An unpacked tar, which ends with an error where it is larger than any real one."""

    def __init__(self, stream: BufferedIOBase, archive_bytes: int) -> None:
        self._stream = stream
        self._max_bytes = max(MIN_STREAM_BYTES, MAX_RATIO * archive_bytes)
        self.position = 0
        self.header_end: float = math.inf  # where the header that is being read must have ended

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; LimitReached or ReadError if there are too many."""
        data = self._stream.read1(size)
        self.position += len(data)
        if self.position > self._max_bytes:
            raise LimitReached(f"{LIKE_A_BOMB}; {PACK_AGAIN}")
        if self.position > self.header_end:
            raise tarfile.ReadError(f"a header of more than {MAX_HEADER_BYTES >> 20} MB")
        return data


def _decompress(raw: BufferedReader, first_bytes: bytes) -> BufferedIOBase:
    """The file, decompressed if its first bytes say so; some Pythons lack one of the modules."""
    if first_bytes.startswith(b"\x1f\x8b"):
        import gzip

        return gzip.open(raw)
    if first_bytes.startswith(b"BZh"):
        import bz2

        return bz2.open(raw)
    if first_bytes.startswith(b"\xfd7zXZ\x00"):
        import lzma

        return lzma.open(raw)
    return raw


class _TarInfo(tarfile.TarInfo):
    """Refuses sizes that would fill the memory, and notes where the archive really ends."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        header = super().frombuf(buf, encoding, errors)
        if header.type in TAR_LONG_NAMES and header.size > MAX_NAME_BYTES:
            raise tarfile.ReadError(f"a name of {header.size} bytes")
        return header

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        assert isinstance(archive, _TarFile)
        archive.reached_end = False
        source = archive.source
        source.header_end = source.position + MAX_HEADER_BYTES
        try:
            header = super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # typeshed lacks it
            archive.reached_end = True
            raise
        finally:
            source.header_end = math.inf
        if not 0 <= header.size <= MAX_MEMBER_BYTES:
            raise tarfile.ReadError(f"a member of {header.size} bytes")
        return header


class _TarFile(tarfile.TarFile):
    """A tar that knows whether its end marker was reached."""

    tarinfo = _TarInfo
    members: list[tarfile.TarInfo]  # tarfile's own list of the members read so far
    reached_end = False

    @property
    def source(self) -> _LimitedStream:
        """Where its bytes come from."""
        stream: Any = self.fileobj
        source: _LimitedStream = stream.fileobj
        return source

    def open_member(self, entry: tarfile.TarInfo) -> IO[bytes]:
        """The bytes of a regular file."""
        file = self.extractfile(entry)
        if file is None:
            raise ValueError("it is not a file")
        return file
