"""The server for pages of this computer: what it answers, and everything that it refuses."""

import contextlib
import socket
import threading

import pytest

from gankit import GankitError
from gankit.cli.page import loopback
from gankit.cli.page.loopback import Reply

PAGE = b"<!doctype html>the page"


def answer(path, query):
    """A page, a path that fails, a broken one, and one that gives back the query."""
    if path == "fail":
        raise GankitError("the run is <gone>")
    if path == "bug":
        raise ZeroDivisionError("a mistake")
    pages = {"": Reply(PAGE), "new": Reply(query.encode(), loopback.JSON)}
    return pages.get(path)


@contextlib.contextmanager
def serving(host=loopback.HOST):
    server = loopback.LoopbackServer(answer, host=host)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def server():
    with serving() as server:
        yield server


def connect(server):
    return socket.create_connection((loopback.HOST, server.server_port), timeout=5)


def receive(connection):
    """What the server sends until it closes the connection; a reset ends it, too."""
    received = b""
    try:
        while data := connection.recv(1 << 16):
            received += data
    except ConnectionError:
        pass
    return received


def ask(server, line, *headers, host=None):
    """The status (0 without one) and the reply to a request, byte for byte as it is given."""
    host = f"Host: 127.0.0.1:{server.server_port}" if host is None else host
    with connect(server) as connection:
        lines = [line, *([host] if host else []), *headers, "", ""]
        connection.sendall("\r\n".join(lines).encode("latin-1"))
        reply = receive(connection)
    return int(reply.split()[1]) if reply.startswith(b"HTTP/") else 0, reply


def test_the_page_and_its_paths(server):
    assert server.address.startswith(f"http://127.0.0.1:{server.server_port}/")
    assert server.server_address[0] == "127.0.0.1"
    status, reply = ask(server, f"GET /{server.word}/ HTTP/1.1")
    head, body = reply.split(b"\r\n\r\n", 1)
    assert (status, body) == (200, PAGE)
    for header in (b"Cache-Control: no-store", b"frame-ancestors 'none'", b"nosniff"):
        assert header in head
    assert b"Python" not in head
    status, reply = ask(server, f"HEAD /{server.word}/ HTTP/1.1")
    assert (status, reply.split(b"\r\n\r\n", 1)[1]) == (200, b"")
    assert f"Content-Length: {len(PAGE)}".encode() in reply
    status, reply = ask(server, f"GET /{server.word}/new?after=7 HTTP/1.1")
    assert (status, reply.split(b"\r\n\r\n", 1)[1]) == (200, b"after=7")
    localhost = f"Host: localhost:{server.server_port}"
    assert ask(server, f"GET /{server.word}/ HTTP/1.1", host=localhost)[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/", "/{word}", "/wrong/", "/{word}/../etc/passwd", "/{word}/%2e%2e/%2e%2e/etc/passwd",
        "/{word}/..%2f..%2fetc/passwd", "/{word}/%00", "/{word}/run.json", "//etc/passwd",
        "/{word}//etc/passwd", "http://[/", "*", "/{word}/\x00",
    ],
)  # fmt: skip
def test_nothing_else_is_readable(server, path):
    status, reply = ask(server, f"GET {path.format(word=server.word)} HTTP/1.1")
    assert status == 404
    assert b"root:" not in reply


@pytest.mark.parametrize(
    ("status", "method", "host", "headers"),
    [
        (405, "POST", None, []),
        (405, "OPTIONS", None, []),
        (405, "CONNECT", None, []),
        (405, "get", None, []),
        (403, "GET", "Host: evil.example", []),
        (403, "GET", "Host: 127.0.0.1", []),  # another port
        (403, "GET", "", []),
        (403, "GET", None, ["Host: evil.example"]),  # a second one
        (403, "GET", None, ["Origin: http://evil.example"]),
        (403, "GET", None, ["Origin: null"]),
        (413, "GET", None, ["Content-Length: 100000000000"]),
        (413, "GET", None, ["Transfer-Encoding: chunked"]),
        (431, "GET", None, [f"X-{number}: 1" for number in range(200)]),
        (431, "GET", None, ["X: " + 70_000 * "a"]),
    ],
)
def test_requests_that_no_page_of_ours_makes_are_refused(server, status, method, host, headers):
    line = f"{method} /{server.word}/ HTTP/1.1"
    received, reply = ask(server, line, *headers, host=host)
    assert received == status
    assert PAGE not in reply


def test_a_page_of_the_server_may_ask(server):
    origin = f"Origin: http://127.0.0.1:{server.server_port}"
    assert ask(server, f"GET /{server.word}/ HTTP/1.1", origin)[0] == 200


def test_a_line_that_is_too_long_or_no_request_is_refused(server):
    assert ask(server, f"GET /{'a' * 70_000} HTTP/1.1")[0] == 414
    assert ask(server, "\x16\x03\x01\x02 rubbish")[0] == 0  # a browser that wants https
    assert PAGE not in ask(server, f"GET /{server.word}/ HTTP/9.9")[1]


def test_what_fails_is_told_and_the_server_goes_on(server, caplog):
    status, reply = ask(server, f"GET /{server.word}/fail HTTP/1.1")
    assert status == 503
    assert b"the run is &lt;gone&gt;" in reply
    assert not caplog.records
    assert ask(server, f"GET /{server.word}/bug HTTP/1.1")[0] == 0
    (record,) = caplog.records
    assert "a mistake" in record.getMessage()
    assert ask(server, f"GET /{server.word}/ HTTP/1.1")[0] == 200


def test_slow_programs_and_too_many_connections_do_not_stop_it(server, monkeypatch):
    idle = [connect(server) for _ in range(2 * loopback.MAX_CONNECTIONS)]
    assert ask(server, f"GET /{server.word}/ HTTP/1.1")[0] == 200
    assert receive(idle[0]) == b""  # the oldest was closed
    monkeypatch.setattr(loopback, "MAX_SECONDS", 0.1)
    with connect(server) as slow:  # which sends, but never a whole request
        slow.sendall(b"GET / HTTP/1.1\r\nX: ")
        assert receive(slow) == b""
    for connection in idle:
        connection.close()


def test_a_port_that_is_taken(server):
    with pytest.raises(GankitError, match=str(server.server_port)) as caught:
        loopback.LoopbackServer(answer, server.server_port)
    assert caught.value.exit_code == 1


def test_a_server_for_other_computers_takes_addresses_but_no_foreign_names():
    expected = {"192.168.7.7": 200, "localhost": 200, "evil.example": 403, "1.2.3.4.evil": 403}
    with serving(loopback.ANY_HOST) as server:
        assert not server.is_loopback
        line = f"GET /{server.word}/ HTTP/1.1"
        for name, status in expected.items():
            host = f"{name}:{server.server_port}"
            assert ask(server, line, host=f"Host: {host}")[0] == status
            assert ask(server, line, f"Origin: http://{host}")[0] == status
        assert ask(server, "GET / HTTP/1.1")[0] == 404  # the word stays the key
