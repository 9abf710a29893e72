"""Tars of pictures: which there are, how many pictures each holds, and what is in them."""

from __future__ import annotations

import contextlib
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gankit.core.atomic_write import write_atomically
from gankit.core.errors import GankitError, RunFailed
from gankit.core.stop import Progress
from gankit.data.read.find import ENDINGS
from gankit.data.read.names import printable
from gankit.data.store.cache import cache_folder

TARS = (".tar", ".tar.gz", ".tgz")


class Shard(NamedTuple):
    """One tar file."""

    path: Path
    count: int  # type: ignore[assignment]  # of pictures, broken ones too; tuple.count is unused


class Member(NamedTuple):
    """One picture in a shard, as its file has it."""

    name: str
    data: bytes


def found(place: str) -> list[Path]:
    """The tars that a text names: one, those in a folder, or `numbered-{000..099}.tar`."""
    with needs_webdataset():
        from braceexpand import braceexpand
    path = Path(place).expanduser()
    if path.is_dir():
        tars = sorted(there for there in path.iterdir() if there.name.endswith(TARS))
        if not tars:
            raise GankitError(f"{printable(place)} holds no tar files")
        return tars
    try:
        named = [Path(name).expanduser() for name in braceexpand(place)]
    except ValueError as error:
        raise GankitError(f"{printable(place)!r}: {error}") from error
    for shard in named:
        if not shard.is_file():
            raise GankitError(f"shard {printable(str(shard))} does not exist; check --data")
    return named


@contextlib.contextmanager
def needs_webdataset() -> Iterator[None]:
    """Word a failed import of the optional extra."""
    try:
        yield
    except ImportError as error:
        raise GankitError('shards need webdataset: pip install "gankit[webdataset]"') from error


def counted(paths: list[Path], progress: Progress) -> list[Shard]:
    """Each shard with its number of pictures; those counted before are in a list in the cache."""
    list_of_counts = cache_folder("shards.json")
    try:
        known = dict(json.loads(list_of_counts.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        known = {}
    keys = [repr((str(path.absolute()), *stamp(path))) for path in paths]
    shards = []
    for done, (path, key) in enumerate(zip(paths, keys, strict=True), start=1):
        if not isinstance(known.get(key), int):
            known[key] = _count(path)
        shards.append(Shard(path, known[key]))
        progress(done, len(paths))
    with contextlib.suppress(OSError):  # then they are counted again
        write_atomically(list_of_counts, json.dumps(known))
    if not any(shard.count for shard in shards):
        raise GankitError("there are no pictures in these shards")
    return [shard for shard in shards if shard.count]


def stamp(path: Path) -> tuple[int, int]:
    """Size and time of change."""
    try:
        about = path.stat()
    except OSError as error:
        raise GankitError(f"shard {path} cannot be read: {_why(error)}") from error
    return about.st_size, about.st_mtime_ns


def _count(path: Path) -> int:
    """How many pictures there are, from the names in a tar."""
    try:
        with tarfile.open(path) as tar:
            return sum(there.isreg() and is_picture(there.name) for there in tar)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise GankitError(f"shard {path} cannot be read: {_why(error)}") from error


def is_picture(name: str) -> bool:
    """Whether a file in a shard is taken for a picture, by its name."""
    parts = name.removeprefix("./").split("/")
    hidden = any(part.startswith((".", "__")) for part in parts)  # webdataset passes __ over too
    return not hidden and Path(name).suffix.lower() in ENDINGS


def members(shard: Shard) -> Iterator[Member]:
    """The pictures of a shard in its order, as many as were counted, read by webdataset."""
    with needs_webdataset():
        from webdataset import tariterators
    path, count = shard.path, 0
    try:
        with path.open("rb", buffering=1 << 20) as file:
            source = [{"url": str(path), "stream": file}]
            for sample in tariterators.tar_file_expander(
                source, select_files=is_picture, eof_value=None
            ):
                yield Member(f"{path.name}/{printable(sample['fname'])}", sample["data"])
                count += 1
    except (tarfile.TarError, OSError, EOFError) as error:
        raise _lost(path, _why(error)) from error
    if count != shard.count:
        raise _lost(path, f"it holds {count} pictures now and had {shard.count}")


def _lost(path: Path, why: str) -> RunFailed:
    told = f"shard {path} cannot be read any more: {why}"
    return RunFailed(f"{told}; once it is back, --resume goes on", 1)


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or "it is cut off, or no tar"
