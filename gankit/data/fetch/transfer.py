"""Downloads a file over HTTP, and continues where an earlier transfer ended.

The bytes received so far are in a part file, which is kept when the transfer is interrupted,
stopped or killed.
"""

import re
import shutil
import socket
import ssl
import time
from collections.abc import Iterator
from email.message import Message
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from typing import IO
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from gankit.core.files.atomic_write import write_atomically
from gankit.core.parts.specs import Download
from gankit.core.progress import Progress
from gankit.data.fetch import slow
from gankit.data.messages import MOVE_CACHE

TIMEOUT = 30  # seconds without a byte after which a transfer counts as interrupted
RETRY_DELAYS = (1, 2, 4, 8, 16)  # seconds before each retry; new bytes reset the count
CHUNK_BYTES = 1 << 18
MAX_BYTES = 200 << 30  # of a file whose size the data set does not state
MIN_FREE_BYTES = 256 << 20  # left free on the disk
# Errors that mean there is no connection at all: a quick retry does not help when you are offline.
OFFLINE_ERRORS = (socket.gaierror, ConnectionRefusedError, ssl.SSLCertVerificationError)


class TransferFailed(Exception):
    """The file cannot be downloaded; a retry would not help."""


class TransferInterrupted(Exception):
    """The transfer ended early; a retry may continue it."""

    is_offline = False


class _WebRedirects(HTTPRedirectHandler):
    """Follows redirects to http and https addresses only."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        if not is_web_url(newurl):  # urllib itself refuses file:, but would follow ftp:
            raise HTTPError(newurl, code, f"{msg}, to {newurl!r}", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def is_web_url(url: str) -> bool:
    """Whether the address is a well-formed http or https url."""
    try:
        parts = urlsplit(url)
        has_host = parts.hostname and parts.port != 0
    except ValueError:  # an invalid port or IPv6 address
        return False
    return bool(has_host and re.fullmatch(r"https?://[!-~]+", url, re.IGNORECASE))


def transfer(download: Download, part: Path, progress: Progress) -> None:
    """Download everything that `part` lacks, with retries; TransferFailed once they do not help."""
    retries = 0
    most_bytes = file_size(part)
    has_progressed = False
    while True:
        try:
            return _transfer_once(download, part, progress)
        except TransferInterrupted as error:
            new_bytes = file_size(part) - most_bytes
            most_bytes += max(0, new_bytes)
            if new_bytes >= slow.MIN_BYTES:  # a connection that often ends is not a dead one
                retries = 0
                has_progressed = True
            if retries == len(RETRY_DELAYS) or (error.is_offline and not has_progressed):
                tries = f"try {retries + 1} of {len(RETRY_DELAYS) + 1}"
                raise TransferFailed(f"{error}, {tries}") from error
        time.sleep(RETRY_DELAYS[retries])
        retries += 1


def file_size(path: Path) -> int:
    """The file's bytes, 0 if it does not exist."""
    return path.stat().st_size if path.exists() else 0


def _transfer_once(download: Download, part: Path, progress: Progress) -> None:
    """Send one request for the missing bytes, and append the response to the part file."""
    tag_file = part.with_suffix(".tag")
    start = file_size(part)
    tag = tag_file.read_text(encoding="utf-8") if start and tag_file.exists() else ""
    if (download.bytes and start > download.bytes) or not (download.sha256 or tag):
        start = 0  # without hash and tag, the rest could belong to another version of the file
    # With a hash, no If-Range: servers that share an address often disagree about tags.
    with _request(download.url, part, start, "" if download.sha256 else tag) as response:
        start, total = _read_range(response, part, start, download.bytes)
        max_bytes = _find_max_bytes(part, start, total, is_stated=download.bytes > 0)
        with part.open("ab" if start else "wb") as file:
            if start == 0:  # after the part was emptied, so that the tag never belongs to old bytes
                write_atomically(tag_file, _version_tag(response.headers))
            done = start
            for chunk in _read_chunks(response, total and total - start):
                done += len(chunk)
                if done > max_bytes:
                    raise TransferFailed(_too_large(max_bytes))
                file.write(chunk)
                progress(done, total)


def _find_max_bytes(part: Path, start: int, total: int, is_stated: bool) -> int:
    """How large the file may get; TransferFailed if it is known to be larger."""
    room = start + shutil.disk_usage(part.parent).free - MIN_FREE_BYTES
    max_bytes = room if is_stated else min(room, MAX_BYTES)
    if total > max_bytes:
        raise TransferFailed(_too_large(max_bytes))
    return max_bytes


def _too_large(max_bytes: int) -> str:
    if max_bytes == MAX_BYTES:
        return f"it is larger than {MAX_BYTES >> 30} GB, and its data set does not state its size"
    return f"this disk has room for {max(0, max_bytes) // 1_000_000:,} MB of it; {MOVE_CACHE}"


def _request(url: str, part: Path, start: int, tag: str) -> HTTPResponse:
    """The server's response to a request for everything from byte `start` on."""
    request = Request(url, headers={"User-Agent": "gankit"})
    if start:
        request.add_header("Range", f"bytes={start}-")
    if start and tag:  # continue only if the file on the server is still the same
        request.add_header("If-Range", tag)
    try:
        response: HTTPResponse = build_opener(
            _WebRedirects, slow.TimedHTTPHandler, slow.TimedHTTPSHandler
        ).open(request, timeout=TIMEOUT)
    except HTTPError as error:
        error.close()
        if error.code == 416:  # the part is longer than the file
            part.unlink(missing_ok=True)
        may_retry = error.code >= 500 or error.code in (408, 416, 429)
        error_type = TransferInterrupted if may_retry else TransferFailed
        raise error_type(f"the server answered {error.code} {error.reason}") from error
    except (OSError, HTTPException) as error:
        raise _interrupted_by(getattr(error, "reason", error)) from error
    return response


def _version_tag(headers: Message) -> str:
    """What identifies this version of the file; weak tags are not valid in If-Range."""
    tag = headers.get("ETag", "")
    return tag if tag.startswith('"') else headers.get("Last-Modified", "")


def _read_range(
    response: HTTPResponse, part: Path, requested_start: int, expected_bytes: int
) -> tuple[int, int]:
    """(the byte the response starts at, the length of the whole file or 0 if it is unknown)."""
    start = 0
    total = 0
    length = response.headers.get("Content-Length", "")
    if response.status == 206:
        content_range = response.headers.get("Content-Range", "")
        span = re.match(r"bytes (\d+)-\d+/(\d+|\*)", content_range)
        if not span or int(span[1]) != requested_start:
            part.unlink(missing_ok=True)  # the next try requests the whole file
            raise TransferInterrupted("the server sent other bytes than those requested")
        start = requested_start
        total = int(span[2]) if span[2] != "*" else 0
    elif length.isdigit():
        total = int(length)
    # A wrong length often means a login page: the part is kept.
    if expected_bytes and total and total != expected_bytes:
        raise TransferFailed(f"the server offers {total} bytes instead of {expected_bytes}")
    return start, total or expected_bytes


def _read_chunks(response: HTTPResponse, length: int) -> Iterator[bytes]:
    """The response's bytes as they arrive: `length` of them, or all of them if that is 0."""
    received = 0
    while not length or received < length:
        try:  # read1, because read would lose the bytes that came before a timeout
            chunk = response.read1(min(CHUNK_BYTES, length - received) if length else CHUNK_BYTES)
        except (OSError, HTTPException) as error:
            raise _interrupted_by(error) from error
        if not chunk and length:
            raise TransferInterrupted(f"the connection ended {length - received} bytes early")
        if not chunk:
            return
        received += len(chunk)
        yield chunk


def _interrupted_by(error: Exception) -> TransferInterrupted:
    """The network error as a TransferInterrupted, so that the transfer is tried again."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    line = f"no answer: {reason}"
    if isinstance(error, slow.TooSlow):
        line = f"the server is too slow: {reason}; what came is kept for the next try"
    interrupted = TransferInterrupted(line)
    interrupted.is_offline = isinstance(error, OFFLINE_ERRORS)
    return interrupted
