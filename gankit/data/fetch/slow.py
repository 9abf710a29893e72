"""HTTP answers that end with an error when they come too slowly, or never come to an end."""

import io
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.request import AbstractHTTPHandler, HTTPHandler, HTTPSHandler

MIN_BYTES = 60_000  # that must come within SECONDS, or the answer is too slow
SECONDS = 60.0


class TooSlow(OSError):
    """The server sends something, but too little."""


class _TimedReader(io.RawIOBase):
    """A connection's bytes, header or content; raises TooSlow."""

    def __init__(self, source: io.RawIOBase) -> None:
        self._source = source
        self._bytes = 0  # since `_start`
        self._start = time.monotonic()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        count = self._source.readinto(buffer)
        self._bytes += count or 0
        now = time.monotonic()
        if now - self._start > SECONDS:
            if self._bytes < MIN_BYTES:
                raise TooSlow(f"only {self._bytes:,} bytes came in {now - self._start:.0f} s")
            self._start = now
            self._bytes = 0
        return count

    def close(self) -> None:
        self._source.close()
        super().close()


class _TimedResponse(HTTPResponse):
    """A response that reads its status, its headers and its content through a _TimedReader."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        source: Any = self.fp.detach()  # a BufferedReader
        self.fp = io.BufferedReader(_TimedReader(source))


class _TimedHandler(AbstractHTTPHandler):
    def do_open(
        self, http_class: Callable[..., HTTPConnection], *args: Any, **options: Any
    ) -> HTTPResponse:
        def connect(*args: Any, **options: Any) -> HTTPConnection:
            connection = http_class(*args, **options)
            connection.response_class = _TimedResponse
            return connection

        return super().do_open(connect, *args, **options)


class TimedHTTPHandler(_TimedHandler, HTTPHandler):
    """For http addresses."""


class TimedHTTPSHandler(_TimedHandler, HTTPSHandler):
    """For https addresses."""
