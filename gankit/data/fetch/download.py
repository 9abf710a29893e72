"""Downloads a data set's file into the cache: complete and verified, or not at all."""

import contextlib
import hashlib
import logging
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gankit.core.errors import GankitError
from gankit.core.files.atomic_write import flush_and_rename, write_atomically
from gankit.core.files.file_lock import file_lock
from gankit.core.parts.specs import Download
from gankit.core.printable import printable
from gankit.core.progress import Progress
from gankit.data.fetch.transfer import TransferFailed, file_size, is_web_url, transfer
from gankit.data.messages import MOVE_CACHE
from gankit.data.store.cache_folder import cache_folder
from gankit.data.store.leftovers import remove_leftovers

log = logging.getLogger("gankit")


def download_to_cache(download: Download, progress: Progress, by_hand: str = "") -> Path:
    """The path of the file at `download.url`, downloaded into the cache if it is not there yet.

    Its length `download.bytes` and hash `download.sha256` are checked unless they are 0 or "".
    `by_hand` is added to the error if the download fails: how to get the file without gankit.
    """
    if not is_web_url(download.url):
        raise GankitError(f"{download.url!r} is not a web address (http:// or https://)", 1)
    final = cache_path(download)
    try:
        if not _is_verified(final, download):
            _download_verified(final, download, progress)
    except TransferFailed as error:
        size = f" ({max(1, round(download.bytes / 1e6))} MB)" if download.bytes else ""
        line = f"cannot download {download.url}{size}: {error}"
        cure = f"download it yourself and save it as {final}, or give it with --data PATH"
        more = f"; {by_hand}" if by_hand else ""
        raise GankitError(printable(f"{line}; {cure}{more}"), 1) from error
    except OSError as error:  # of the disk; network errors are TransferFailed
        reason = error.strerror or error
        line = f"cannot write {final.name} to {final.parent}: {reason}; {MOVE_CACHE}"
        raise GankitError(printable(line), 1) from error
    return final


def cache_path(download: Download) -> Path:
    """Where the downloaded file is kept: under its name in the url, after 8 digits of a hash."""
    digits = download.sha256 or hashlib.sha256(download.url.encode()).hexdigest()
    name = unquote(urlsplit(download.url).path).rpartition("/")[2]
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", name)[-100:].rstrip(".") or "file"
    return cache_folder("downloads", f"{digits[:8].lower()}-{name}")


def _is_verified(final: Path, download: Download) -> bool:
    """Whether the file exists. It is hashed when first seen: you may have put it there yourself.

    Raises GankitError if it is a different file.
    """
    if not final.exists():
        return False
    verified = final.with_name(final.name + ".verified")
    info = final.stat()
    mark = f"{info.st_size} {info.st_mtime_ns} {download.sha256}"
    if verified.exists() and verified.read_text(encoding="utf-8") == mark:
        return True
    mismatch = _find_mismatch(final, download)
    if mismatch:
        raise GankitError(printable(f"{final} has {mismatch}; delete it and try again"), 1)
    with contextlib.suppress(OSError):  # a read-only cache: the file is hashed every time
        write_atomically(verified, mark)
    return True


def _find_mismatch(path: Path, download: Download) -> str:
    """What is wrong with the file: "5 bytes, not 9", "sha256 ..., not ..."; "" if nothing is."""
    size = file_size(path)
    if size == 0 or download.bytes not in (0, size):
        expected = f", not {download.bytes}" if download.bytes else ""
        return f"{size} bytes{expected}"
    if download.sha256:
        expected = download.sha256.lower()
        with path.open("rb") as file:
            actual = hashlib.file_digest(file, "sha256").hexdigest()
        if actual != expected:
            return f"sha256 {actual[:12]}..., not {expected[:12]}..."
    return ""


def _download_verified(final: Path, download: Download, progress: Progress) -> None:
    """Download to a part file, verify it, and only then give it its final name."""
    final.parent.mkdir(parents=True, exist_ok=True)
    part = final.with_name(final.name + ".part")
    remove_leftovers()
    with file_lock(final, waiting=lambda: progress(file_size(part), download.bytes)):
        if _is_verified(final, download):  # another process downloaded it meanwhile
            progress(download.bytes, download.bytes)
            return
        is_complete = download.bytes and file_size(part) == download.bytes  # but not yet renamed
        if not is_complete:
            log.info("downloading %s", download.url)
            transfer(download, part, progress)
        mismatch = _find_mismatch(part, download)
        if mismatch:
            part.unlink()
            raise TransferFailed(f"the downloaded file has {mismatch}; it was deleted")
        flush_and_rename(part, final)
        part.with_suffix(".tag").unlink(missing_ok=True)
        _is_verified(final, download)  # writes the .verified file
