"""Brings a file over HTTP, going on where an earlier transfer ended.

What has come so far lies in a part file, kept when the transfer breaks, is stopped or is killed.
"""

import re
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

from gankit.core.specs import Download
from gankit.core.stop import Progress

TIMEOUT = 30  # seconds without a byte after which a transfer counts as broken
PAUSES = (1, 2, 4, 8, 16)  # seconds before each further try; all of them again once more has come
CHUNK = 1 << 18
# No connection at all: trying again at once will not help somebody who is offline.
OFFLINE = (socket.gaierror, ConnectionRefusedError, ssl.SSLCertVerificationError)


class Refused(Exception):
    """The file cannot be had this way, however often one tries."""


class Broken(Exception):
    """The transfer ended early; another try may go on."""

    offline = False


class _WebOnly(HTTPRedirectHandler):
    """Follows redirects to the web and nowhere else."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        if not is_web(newurl):  # urllib itself refuses file:, but would follow ftp:
            raise HTTPError(newurl, code, f"{msg}, to {newurl!r}", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def is_web(url: str) -> bool:
    """Whether the address is one of http or https, and well formed."""
    try:
        parts = urlsplit(url)
        named = parts.hostname and parts.port != 0
    except ValueError:  # a port or an IPv6 address that is none
        return False
    return bool(named and re.fullmatch(r"https?://[!-~]+", url, re.IGNORECASE))


def transfer(download: Download, part: Path, progress: Progress) -> None:
    """Ask again and again until everything has come; raises Refused once that is hopeless."""
    tries = 0
    furthest = size_of(part)
    begun = False
    while True:
        try:
            return _attempt(download, part, progress)
        except Broken as error:
            if size_of(part) > furthest:  # it moves on: a slow line is not a dead one
                tries = 0
                furthest = size_of(part)
                begun = True
            if tries == len(PAUSES) or (error.offline and not begun):
                raise Refused(f"{error}, at try {tries + 1}") from error
        time.sleep(PAUSES[tries])
        tries += 1


def size_of(path: Path) -> int:
    """Its bytes, 0 if there is no such file."""
    return path.stat().st_size if path.exists() else 0


def _attempt(download: Download, part: Path, progress: Progress) -> None:
    """Ask once, for what is missing, and append what comes to the part."""
    tag_file = part.with_suffix(".tag")
    start = size_of(part)
    tag = tag_file.read_text(encoding="utf-8") if start and tag_file.exists() else ""
    if (download.bytes and start > download.bytes) or not (download.sha256 or tag):
        start = 0  # nothing would tell whether the rest belongs to what is here
    # With a hash no If-Range: servers that share an address often disagree about tags.
    with _ask(download.url, part, start, "" if download.sha256 else tag) as answer:
        start, total = _what_comes(answer, part, start, download.bytes)
        with part.open("ab" if start else "wb") as file:
            if start == 0:  # the tag after the part was emptied: it must never be another's
                tag_file.write_text(_tag(answer.headers), encoding="utf-8")
            done = start
            for piece in _pieces(answer, total and total - start):
                file.write(piece)
                done += len(piece)
                progress(done, total)


def _ask(url: str, part: Path, start: int, tag: str) -> HTTPResponse:
    """The server's answer to a request for everything from byte `start` on."""
    request = Request(url, headers={"User-Agent": "gankit"})
    if start:
        request.add_header("Range", f"bytes={start}-")
    if start and tag:  # send the rest only if the file is still the same
        request.add_header("If-Range", tag)
    try:
        answer: HTTPResponse = build_opener(_WebOnly).open(request, timeout=TIMEOUT)
    except HTTPError as error:
        error.close()
        if error.code == 416:  # the part is longer than the file
            part.unlink(missing_ok=True)
        again = error.code >= 500 or error.code in (408, 416, 429)
        kind = Broken if again else Refused
        raise kind(f"the server answered {error.code} {error.reason}") from error
    except (OSError, HTTPException) as error:
        raise _broken(getattr(error, "reason", error)) from error
    return answer


def _tag(headers: Message) -> str:
    """What names this version of the file; weak tags may not be used to go on."""
    tag = headers.get("ETag", "")
    return tag if tag.startswith('"') else headers.get("Last-Modified", "")


def _what_comes(answer: HTTPResponse, part: Path, asked: int, expected: int) -> tuple[int, int]:
    """(the byte the answer starts at, the length of the whole file or 0 if nobody says)."""
    start = 0
    total = 0
    length = answer.headers.get("Content-Length", "")
    if answer.status == 206:
        span = re.match(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
        if not span or int(span[1]) != asked:
            part.unlink(missing_ok=True)  # the next try asks for everything
            raise Broken("the server sent another piece than the one asked for")
        start = asked
        total = int(span[2]) if span[2] != "*" else 0
    elif length.isdigit():
        total = int(length)
    if expected and total and total != expected:  # often a page to log in on: the part is kept
        raise Refused(f"the server offers {total} bytes instead of {expected}")
    return start, total or expected


def _pieces(answer: HTTPResponse, length: int) -> Iterator[bytes]:
    """The answer's bytes as they come: `length` of them, or all there are if that is 0."""
    received = 0
    while not length or received < length:
        try:  # read1, because read would lose what came before a timeout
            piece = answer.read1(min(CHUNK, length - received) if length else CHUNK)
        except (OSError, HTTPException) as error:
            raise _broken(error) from error
        if not piece and length:
            raise Broken(f"the connection ended {length - received} bytes early")
        if not piece:
            return
        received += len(piece)
        yield piece


def _broken(error: Exception) -> Broken:
    """The error as one that another try may mend."""
    why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    broken = Broken(f"no answer ({why})")
    broken.offline = isinstance(error, OFFLINE)
    return broken
