"""Tar files of pictures: finds them, counts their pictures and reads them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gankit.core.errors import GankitError, RunFailed, quote_value
from gankit.core.files.atomic_write import write_atomically
from gankit.core.files.read_json import has_type, read_json_object
from gankit.core.printable import printable
from gankit.core.progress import Progress
from gankit.data.messages import NOT_FOUND
from gankit.data.store.cache_folder import cache_folder

EXTENSIONS = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
MAX_SHARDS = 1_000_000  # of one pattern
TAR_EXTENSIONS = (".tar", ".tar.gz", ".tgz")


class Shard(NamedTuple):
    """One tar file."""

    path: Path
    count: int  # type: ignore[assignment]  # of pictures, broken ones too; tuple.count is unused


class EncodedPicture(NamedTuple):
    """One picture in a shard, not decoded yet."""

    name: str
    data: bytes


def find_tars(source: str) -> list[Path]:
    """The tar files that --data names: one, those in a folder, or `numbered-{000..099}.tar`."""
    with needs_webdataset():
        from braceexpand import braceexpand
    path = _expand_home(source)
    if os.path.isdir(path):  # noqa: PTH112 - this one never raises
        tars = sorted(file for file in path.iterdir() if file.name.endswith(TAR_EXTENSIONS))
        if not tars:
            raise GankitError(f"{printable(source)} holds no tar files; check --data")
        return tars
    count = _count_expansions(source)
    if count > MAX_SHARDS:
        what = f"--data {quote_value(source)} names {count:,} shards"
        raise GankitError(f"{what}; gankit takes at most {MAX_SHARDS:,}")
    try:
        paths = [_expand_home(name) for name in braceexpand(source)]
    except (ValueError, RecursionError) as error:
        reason = "too many braces" if isinstance(error, RecursionError) else error
        raise GankitError(f"--data {quote_value(source)}: {reason}") from error
    for shard in paths:
        if not os.path.isfile(shard):  # noqa: PTH113 - this one never raises
            raise GankitError(f"shard {printable(str(shard))} {NOT_FOUND}")
    return paths


def _count_expansions(source: str) -> int:
    """How many names braces stand for, or a few more if they are nested; 1 without braces."""
    count = 1
    for group in re.findall(r"\{([^{}]*)", source):
        numbers = re.fullmatch(r"(-?[0-9]+)\.\.(-?[0-9]+)(?:\.\.-?[0-9]+)?", group)
        if numbers:
            count *= abs(int(numbers[2]) - int(numbers[1])) + 1
        else:
            count *= group.count(",") + 1
    return count


def _expand_home(path: str) -> Path:
    return Path(os.path.expanduser(path))  # noqa: PTH111 - this one never raises


@contextlib.contextmanager
def needs_webdataset() -> Iterator[None]:
    """Name the optional extra if an import fails."""
    try:
        yield
    except ImportError as error:
        raise GankitError('shards need webdataset: pip install "gankit[webdataset]"') from error


def index_shards(paths: list[Path], progress: Progress) -> list[Shard]:
    """The shards with their numbers of pictures, without empty ones; counts are kept in the cache.

    `progress` is called with (shards counted, shards).
    """
    counts_file = cache_folder("shards.json")
    try:
        counts = read_json_object(counts_file, "the counts of shards")
    except GankitError:
        counts = {}
    keys = [repr((str(path.absolute()), *size_and_mtime(path))) for path in paths]
    shards = []
    for done, (path, key) in enumerate(zip(paths, keys, strict=True), start=1):
        if not has_type(counts.get(key), int):
            counts[key] = _count_in_tar(path)
        shards.append(Shard(path, counts[key]))
        progress(done, len(paths))
    with contextlib.suppress(OSError):  # then the next run counts them again
        write_atomically(counts_file, json.dumps(counts))
    if not any(shard.count for shard in shards):
        raise GankitError("the shards hold no pictures; check --data")
    return [shard for shard in shards if shard.count]


def size_and_mtime(path: Path) -> tuple[int, int]:
    """A shard's size in bytes and its time of change in ns."""
    try:
        info = path.stat()
    except OSError as error:
        raise _cannot_read(path, error) from error
    return info.st_size, info.st_mtime_ns


def _count_in_tar(path: Path) -> int:
    """How many pictures there are, by the names in the tar."""
    try:
        with tarfile.open(path) as tar:
            return sum(entry.isreg() and is_picture_name(entry.name) for entry in tar)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise _cannot_read(path, error) from error


def is_picture_name(name: str) -> bool:
    """Whether a file in a shard counts as a picture, by its name."""
    parts = name.removeprefix("./").split("/")
    is_hidden = any(part.startswith((".", "__")) for part in parts)  # webdataset skips __ too
    return not is_hidden and Path(name).suffix.lower() in EXTENSIONS


def iter_pictures(shard: Shard) -> Iterator[EncodedPicture]:
    """The pictures of a shard in its order, read by webdataset.

    Raises RunFailed if the shard cannot be read, or holds another number of pictures than counted.
    """
    with needs_webdataset():
        from webdataset import tariterators
    path = shard.path
    count = 0
    try:
        with path.open("rb", buffering=1 << 20) as file:
            source = [{"url": str(path), "stream": file}]
            for sample in tariterators.tar_file_expander(
                source, select_files=is_picture_name, eof_value=None
            ):
                yield EncodedPicture(f"{path.name}/{printable(sample['fname'])}", sample["data"])
                count += 1
    except (tarfile.TarError, OSError, EOFError) as error:
        raise _lost(path, _reason(error)) from error
    if count != shard.count:
        raise _lost(path, f"it holds {count} pictures now and had {shard.count}")


def _cannot_read(path: Path, error: Exception) -> GankitError:
    return GankitError(f"shard {path} cannot be read: {_reason(error)}")


def _lost(path: Path, reason: str) -> RunFailed:
    """The error for a shard that could be read when the run began."""
    line = f"shard {path} can no longer be read: {reason}"
    return RunFailed(f"{line}; restore it, then continue the run with --resume", 1)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or "it is cut off or not a tar file"
