"""Brings a data set's file from the web into the cache: whole and verified, or not at all."""

import contextlib
import hashlib
import logging
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gankit.core.atomic_write import flush_and_rename
from gankit.core.errors import GankitError
from gankit.core.specs import Download
from gankit.core.stop import Progress
from gankit.data.fetch.transfer import Refused, is_web, size_of, transfer
from gankit.data.read.names import printable
from gankit.data.store.cache import cache_folder
from gankit.data.store.lock import file_lock

log = logging.getLogger("gankit")


def fetch(download: Download, progress: Progress, by_hand: str = "") -> Path:
    """The path of the file at `download.url`, fetched into the cache unless it is there already.

    Its length `download.bytes` and hash `download.sha256` are checked where known (not 0, not "").
    `by_hand` is what else to tell a person who has to fetch the file without us.
    """
    if not is_web(download.url):
        raise GankitError(f"{download.url!r} is not a web address (http:// or https://)", 1)
    final = place(download)
    try:
        if not _is_there(final, download):
            _bring(final, download, progress)
    except Refused as error:
        size = f" ({max(1, round(download.bytes / 1e6))} MB)" if download.bytes else ""
        way = f"download {download.url}{size} yourself and put it at {final}"
        more = f"; {by_hand}" if by_hand else ""
        line = f"{final.name}: {error}; {way}, or give it with --data <path>{more}"
        raise GankitError(printable(line), 1) from error
    except OSError as error:  # the disk's; those of the network never get here
        why = error.strerror or error
        line = f"cannot keep {final.name} in {final.parent}: {why}; GANKIT_CACHE moves the cache"
        raise GankitError(printable(line), 1) from error
    return final


def place(download: Download) -> Path:
    """Where the file lies once it is there: its name in the url, after 8 digits of its own."""
    digits = download.sha256 or hashlib.sha256(download.url.encode()).hexdigest()
    name = unquote(urlsplit(download.url).path).rpartition("/")[2]
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", name)[-100:].rstrip(".") or "file"
    return cache_folder("downloads", f"{digits[:8].lower()}-{name}")


def _is_there(final: Path, download: Download) -> bool:
    """Whether the file is there; one put there by hand is hashed when it is first seen."""
    if not final.exists():
        return False
    seen = final.with_name(final.name + ".verified")
    about = final.stat()
    mark = f"{about.st_size} {about.st_mtime_ns} {download.sha256}"
    if seen.exists() and seen.read_text(encoding="utf-8") == mark:
        return True
    wrong = _wrong(final, download)
    if wrong:
        raise Refused(f"the file at its place is {wrong}; remove it and try again")
    with contextlib.suppress(OSError):  # a shared cache, only to be read: hashed each time
        seen.write_text(mark, encoding="utf-8")
    return True


def _wrong(path: Path, download: Download) -> str:
    """In words, how the file differs from the one described; "" if it does not."""
    size = size_of(path)
    if size == 0 or download.bytes not in (0, size):
        wanted = f", not {download.bytes}" if download.bytes else ""
        return f"another one: {size} bytes{wanted}"
    if download.sha256:
        with path.open("rb") as file:
            got = hashlib.file_digest(file, "sha256").hexdigest()
        if got != download.sha256.lower():
            return f"another one: sha256 {got[:12]}..., not {download.sha256[:12].lower()}..."
    return ""


def _bring(final: Path, download: Download, progress: Progress) -> None:
    """Download to the part, verify it, and only then give it its name."""
    final.parent.mkdir(parents=True, exist_ok=True)
    part = final.with_name(final.name + ".part")
    with file_lock(final, waiting=lambda: progress(size_of(part), download.bytes)):
        if _is_there(final, download):  # the process waited for has brought it
            progress(download.bytes, download.bytes)
            return
        if not download.bytes or size_of(part) != download.bytes:  # else it was only not renamed
            log.info("downloading %s", download.url)
            transfer(download, part, progress)
        wrong = _wrong(part, download)
        if wrong:
            part.unlink()
            raise Refused(f"what came is {wrong}; it was removed")
        flush_and_rename(part, final)
        part.with_suffix(".tag").unlink(missing_ok=True)
        _is_there(final, download)  # leaves its mark
