"""A web server for pages of this computer: other computers, and other sites, cannot reach it.

It listens on the loopback address, unless the user names another host, and its address holds a
random word, so that others who can reach it cannot read the pages. It serves no files: a function
answers each path.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import logging
import os
import secrets
import socket
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from gankit.core.errors import GankitError, describe_error, quote_value

HOST = "127.0.0.1"
ANY_HOST = "0.0.0.0"  # every address of this computer
HTML = "text/html; charset=utf-8"
JSON = "application/json"
MAX_CONNECTIONS = 32  # at once; the oldest is closed for a new one
MAX_SECONDS = 30  # of a connection, so that a slow program holds it no longer
REFUSED = {
    "method": (405, "only GET and HEAD are answered"),
    "body": (413, "a request must have no body"),
    "host": (403, "the Host is not this server"),
    "origin": (403, "the Origin is not this server"),
}
HEADERS = {  # beside those that a page sets itself
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

log = logging.getLogger("gankit")


class Reply(NamedTuple):
    """What a path is answered with."""

    content: bytes
    kind: str = HTML  # of the content


# The reply to a path below the server's address and its query: ("", "") is the address itself.
# None: there is no such path. A GankitError is answered with its text.
Answer = Callable[[str, str], Reply | None]


class LoopbackServer(ThreadingHTTPServer):
    """Serves what `answer` returns, until it is closed."""

    allow_reuse_address = os.name != "nt"  # where two servers would share a port
    daemon_threads = True
    block_on_close = False
    request_queue_size = 4 * MAX_CONNECTIONS

    def __init__(self, answer: Answer, port: int = 0, host: str = HOST) -> None:
        """`port` 0: any free one. GankitError if the port is taken, or is not one of `host`.

        With another `host` than the loopback address, other computers can ask it, too.
        """
        if not host:  # which would be every address
            raise _no_host(host, "it is empty")
        self.answer = answer
        self.host = host
        self.word = secrets.token_urlsafe(12)
        self.connections: dict[socket.socket, None] = {}  # the oldest first
        self.lock = threading.Lock()
        try:
            super().__init__((host, port), _Handler)
        except (OSError, UnicodeError) as error:
            raise _explain_no_server(error, host, port) from error

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        host = find_own_address() if self.host == ANY_HOST else self.host
        return f"http://{host}:{self.server_port}/{self.word}/"

    def is_own_host(self, host: str) -> bool:
        """Whether the Host of a request names this server, such as `127.0.0.1:8000`.

        A site of somebody else can let its own name lead to this computer, but not an address.
        """
        name, _, port = host.lower().rpartition(":")
        if port != str(self.server_port):
            return False
        names = {self.host.lower(), str(self.server_address[0])}
        if self.is_loopback or self.host == ANY_HOST:
            names |= {HOST, "localhost"}
        if self.host == ANY_HOST:
            names.add(socket.gethostname().lower())
        return name in names or (self.host == ANY_HOST and _is_address(name))

    @property
    def is_loopback(self) -> bool:
        """Whether only this computer can ask it."""
        return ipaddress.ip_address(str(self.server_address[0])).is_loopback

    def serve_until_interrupted(self) -> None:
        """Serve until Ctrl-C."""
        with contextlib.suppress(KeyboardInterrupt), self:
            self.serve_forever()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Begin a connection; if there are too many, the oldest is closed."""
        with self.lock:
            oldest = next(iter(self.connections), None)
            if oldest is not None and len(self.connections) >= MAX_CONNECTIONS:
                del self.connections[oldest]
                _close(oldest)
            self.connections[request] = None
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self.lock:
            self.connections.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say in one line what failed; closed connections are not worth a line."""
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, OSError):
            log.warning("a page could not be served: %s", describe_error(error, with_place=True))


class _Handler(BaseHTTPRequestHandler):
    """Answers one request of one connection."""

    server: LoopbackServer
    server_version = "gankit"
    sys_version = ""
    timeout = 10  # seconds without a byte

    def setup(self) -> None:
        super().setup()
        self.timer = threading.Timer(MAX_SECONDS, _close, [self.connection])
        self.timer.daemon = True
        self.timer.start()

    def finish(self) -> None:
        self.timer.cancel()
        with contextlib.suppress(OSError):
            super().finish()

    def parse_request(self) -> bool:
        """Read the request; refuse one that a browser does not send for a page of this server."""
        if not super().parse_request():
            return False
        reason = self._find_fault()
        if reason:
            self.send_error(*REFUSED[reason])
        return not reason

    def _find_fault(self) -> str:
        """Why the request is refused, a key of REFUSED; empty if it is not."""
        headers = self.headers
        if self.command not in ("GET", "HEAD"):
            return "method"
        if "Transfer-Encoding" in headers or headers.get("Content-Length", "0") != "0":
            return "body"
        hosts = headers.get_all("Host", [])
        if len(hosts) != 1 or not self.server.is_own_host(hosts[0]):
            return "host"
        origins = headers.get_all("Origin", [])
        return "" if all(map(self._is_own_origin, origins)) else "origin"

    def _is_own_origin(self, origin: str) -> bool:
        scheme, _, host = origin.partition("://")
        return scheme == "http" and self.server.is_own_host(host)

    def do_GET(self) -> None:
        """Answer with the page of the path."""
        path, _, query = self.path.partition("?")
        start = f"/{self.server.word}/"
        try:
            is_ours = path.startswith(start)
            reply = self.server.answer(path.removeprefix(start), query) if is_ours else None
        except GankitError as error:
            self.send_error(503, explain=str(error))
            return
        if reply is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", reply.kind)
        self.send_header("Content-Length", str(len(reply.content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(reply.content)

    do_HEAD = do_GET

    def end_headers(self) -> None:
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing: a page that follows a run asks every few seconds."""


def find_own_address() -> str:
    """The address under which the network knows this computer; the loopback one without a network.

    Nothing is sent: connecting a datagram socket only chooses the address.
    """
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # of no computer: reserved for documents
        return str(probe.getsockname()[0])
    return HOST


def _is_address(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True


def _explain_no_server(error: OSError | UnicodeError, host: str, port: int) -> GankitError:
    """Why there can be no server at this host and port."""
    reason = getattr(error, "strerror", None) or "it is not a name or an address"
    is_unknown = isinstance(error, UnicodeError | socket.gaierror)
    if is_unknown or getattr(error, "errno", None) == errno.EADDRNOTAVAIL:
        return _no_host(host, reason)
    return GankitError(f"--port {port} cannot be used: {reason}; choose another --port", 1)


def _no_host(host: str, reason: str) -> GankitError:
    cure = f"give an IPv4 address of this computer, such as {HOST}; {ANY_HOST} means all of them"
    return GankitError(f"--host {quote_value(host)} cannot be used: {reason}; {cure}")


def _close(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
