"""Downloads over bad connections, from bad servers, two at a time, and killed half-way."""

import contextlib
import errno
import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from gankit import GankitError
from gankit.core.parts.specs import Download
from gankit.data.fetch import slow, transfer
from gankit.data.fetch.download import cache_path, download_to_cache

WHOLE = bytes(range(256)) * 2000  # 512,000 bytes
HALF = len(WHOLE) // 2
CUT = 200_000  # where a server that cuts stops


class Handler(BaseHTTPRequestHandler):
    """Serves WHOLE; the test plans how each request is answered."""

    def log_message(self, *args):
        pass

    def handle(self):
        with contextlib.suppress(ConnectionError):  # the client was killed, or gave up
            super().handle()

    def do_GET(self):
        server = self.server
        with server.lock:
            answer = server.plan.pop(0) if server.plan else "fine"
            server.ranges.append(self.headers.get("Range"))
            server.headers.append(self.headers)
        start = int(re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "bytes=0-"))[1])
        getattr(self, answer)(start)

    def fine(self, start, content=WHOLE, cut=None, pause=0, **headers):
        if start >= len(content):
            return self.refuse(416)
        self.send_response(206 if start else 200)
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.finish_headers({"Content-Length": len(content) - start, **headers})
        end = len(content) if cut is None else cut
        for at in range(start, end, 50_000):
            self.wfile.write(content[at : min(at + 50_000, end)])
            self.wfile.flush()
            time.sleep(pause)
        return None

    def finish_headers(self, headers):
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, str(value))
        self.end_headers()

    def refuse(self, code, **headers):
        self.send_response(code)
        self.finish_headers({"Content-Length": 0, **headers})

    def cut(self, start):
        self.fine(start, cut=start + CUT)

    def cut_tagged(self, start):
        self.fine(start, cut=start + CUT, ETag='"first"')

    def cut_weakly_tagged(self, start):
        self.fine(start, cut=start + CUT, ETag='W/"first"', **{"Last-Modified": "yesterday"})

    def changed(self, start):
        """A file that has changed; continues only for requests with its new tag."""
        content = WHOLE[::-1]
        self.fine(start if self.headers.get("If-Range") == '"second"' else 0, content)

    def cut_at_once(self, start):
        self.fine(start, cut=start)

    def cut_chunked(self, start):
        self.protocol_version = "HTTP/1.1"
        self.send_response(200)
        self.finish_headers({"Transfer-Encoding": "chunked", "Connection": "close"})
        self.wfile.write(b"c350\r\n" + WHOLE[:1000])

    def no_ranges(self, start):
        self.fine(0)

    def other_range(self, start):
        self.send_response(206)
        about = f"bytes {start + 1}-{len(WHOLE) - 1}/{len(WHOLE)}"
        self.finish_headers({"Content-Range": about})
        self.wfile.write(WHOLE[start + 1 :])

    def no_length(self, start):
        self.fine(start, **{"Content-Length": None})

    def empty(self, start):
        self.fine(start, cut=0, **{"Content-Length": None})

    def no_length_cut(self, start):
        self.fine(start, cut=start + CUT, **{"Content-Length": None})

    def wrong_bytes(self, start):
        self.fine(start, WHOLE[::-1])

    def wrong_length(self, start):
        self.fine(0, b"<html>Please log in</html>")

    def slow(self, start):
        self.fine(start, pause=0.05)

    def silent(self, start):
        self.server.over.wait(5)

    def stalls(self, start):
        self.fine(start, cut=start + CUT)
        self.server.over.wait(5)

    def trickle(self, start):
        """Sends a byte now and then, for as long as somebody listens."""
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(WHOLE) - 1}/{len(WHOLE)}")
        self.finish_headers({"Content-Length": len(WHOLE) - start})
        self.drip(WHOLE[start:])

    def trickle_header(self, start):
        self.drip(b"HTTP/1.0 200 OK\r\n" + b"X: y\r\n" * 50_000)

    def trickle_chunks(self, start):
        self.protocol_version = "HTTP/1.1"
        self.send_response(200)
        self.finish_headers({"Transfer-Encoding": "chunked", "Connection": "close"})
        self.drip(b"1;" + b"x" * 60_000)

    def drip(self, content):
        for at in range(0, len(content), 10):
            self.wfile.write(content[at : at + 10])
            self.wfile.flush()
            if self.server.over.wait(0.01):
                return

    def endless(self, start):
        self.send_response(200)
        self.end_headers()
        while not self.server.over.is_set():
            self.wfile.write(WHOLE)

    def to_file(self, start):
        self.refuse(302, Location="file:///etc/passwd")

    def to_ftp(self, start):
        self.refuse(302, Location="ftp://127.0.0.1:1/x.zip")

    def to_web(self, start):
        self.refuse(302, Location="/elsewhere.zip")


for code in (404, 403, 429, 500, 503):
    setattr(Handler, f"code_{code}", lambda self, start, code=code: self.refuse(code))


@pytest.fixture
def server(monkeypatch, tmp_path):
    """`server.plan = [...]`: how to answer; then `server.ranges`: the ranges requested."""
    monkeypatch.setenv("GANKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(transfer, "RETRY_DELAYS", (0, 0, 0))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    server.plan = []
    server.ranges = []
    server.headers = []
    server.lock = threading.Lock()
    server.over = threading.Event()
    server.url = f"http://127.0.0.1:{server.server_port}/sets/photos.tar.gz"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def progress_calls():
    """The (done, total) that progress was called with."""
    return []


@pytest.fixture
def get(server, progress_calls):
    """`get("cut", "fine")`: download from a server that gives these answers."""

    def call(*plan, by_hand="", **about):
        server.plan[:] = plan
        server.ranges.clear()
        return download_to_cache(
            described(server, **about), lambda *call: progress_calls.append(call), by_hand
        )

    return call


def described(server, **about):
    correct = {"bytes": len(WHOLE), "sha256": hashlib.sha256(WHOLE).hexdigest()}
    return Download(**{"url": server.url, **correct, **about})


def refusal(get, *plan, **about):
    """The one line that a failed download ends with."""
    with pytest.raises(GankitError) as caught:
        get(*plan, **about)
    assert caught.value.exit_code == 1
    assert "\n" not in str(caught.value)
    return str(caught.value)


def part_of(server, **about):
    final = cache_path(described(server, **about))
    return final.with_name(final.name + ".part")


def test_a_downloaded_file_needs_no_server_again(get, server, progress_calls):
    path = get("fine")
    assert path.read_bytes() == WHOLE
    assert path.name == hashlib.sha256(WHOLE).hexdigest()[:8] + "-photos.tar.gz"
    assert progress_calls[-1] == (len(WHOLE), len(WHOLE))
    assert [done for done, _ in progress_calls] == sorted(done for done, _ in progress_calls)
    assert get() == path
    assert server.ranges == []
    suffixes = {file.name.removeprefix(path.name) for file in path.parent.iterdir()}
    assert suffixes - {".lock"} == {"", ".verified"}


@pytest.mark.parametrize("answer", ["cut", "stalls", "no_length_cut"])
def test_only_the_missing_bytes_are_requested_again(get, server, monkeypatch, answer):
    monkeypatch.setattr(transfer, "TIMEOUT", 0.2)
    started = time.monotonic()
    assert get(answer, answer, "fine").read_bytes() == WHOLE
    assert server.ranges == [None, f"bytes={CUT}-", f"bytes={2 * CUT}-"]
    assert time.monotonic() - started < 4  # a server that stalls is not waited for


def test_new_bytes_reset_the_number_of_retries(get, server, monkeypatch):
    monkeypatch.setattr(transfer, "RETRY_DELAYS", (0, 0))
    answers = ["code_503", "code_503", "cut", "code_503", "cut", "code_503", "fine"]
    assert get(*answers).read_bytes() == WHOLE
    assert len(server.ranges) == len(answers)


@pytest.fixture
def impatient(monkeypatch):
    """A server may be slow for a moment only."""
    monkeypatch.setattr(slow, "SECONDS", 0.2)


@pytest.mark.parametrize("answer", ["trickle", "trickle_header", "trickle_chunks"])
def test_a_server_that_trickles_is_left_in_the_end(get, server, impatient, answer):
    line = refusal(get, *[answer] * 9)
    assert "too slow" in line
    assert "try 4" in line
    assert len(server.ranges) == 4


def test_what_trickled_is_kept_for_the_next_try(get, server, impatient):
    refusal(get, *["trickle"] * 9)
    received = part_of(server).stat().st_size
    assert 0 < received < 10_000
    assert server.ranges[1] not in (None, f"bytes={received}-")  # each try had gone on, too
    assert get("fine").read_bytes() == WHOLE
    assert server.ranges == [f"bytes={received}-"]


def test_a_slow_server_may_be_faster_at_the_next_try(get, server, impatient):
    assert get("trickle", "fine").read_bytes() == WHOLE


def test_connections_that_end_after_a_few_bytes_are_not_tried_for_ever(get, server, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "CUT", 1000)
    assert "try 4" in refusal(get, *["cut"] * 600)
    assert len(server.ranges) == 4


def test_a_file_without_an_end_is_refused(get, server, monkeypatch):
    monkeypatch.setattr(transfer, "MAX_BYTES", 2_000_000)
    line = refusal(get, "endless", bytes=0)
    assert "larger than" in line
    assert "state its size" in line
    assert part_of(server).stat().st_size <= 2_000_000


def test_a_size_that_is_offered_is_limited_too(get, server, monkeypatch):
    monkeypatch.setattr(transfer, "MAX_BYTES", 100_000)
    assert "state its size" in refusal(get, "fine", bytes=0)
    assert not part_of(server).exists()
    assert get("fine").read_bytes() == WHOLE  # its size is stated


@pytest.mark.parametrize("answer", ["fine", "no_length", "endless"])
@pytest.mark.parametrize("about", [{}, {"bytes": 0}])
def test_some_disk_space_stays_free(get, server, monkeypatch, answer, about):
    usage = SimpleNamespace(free=transfer.MIN_FREE_BYTES + 100_000)
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda path: usage)
    line = refusal(get, answer, **about)
    assert "GANKIT_CACHE" in line
    part = part_of(server)
    assert not part.exists() or part.stat().st_size <= 100_000


def test_a_download_that_cannot_continue_ends(get, server):
    assert "try 4" in refusal(get, *["cut"] * 9, sha256="")  # no tag, so it cannot go on
    assert server.ranges == [None] * 4


@pytest.mark.parametrize("answer", ["code_503", "code_500", "code_429", "silent", "cut_at_once"])
def test_temporary_errors_are_retried(get, server, monkeypatch, answer):
    monkeypatch.setattr(transfer, "TIMEOUT", 0.1)
    assert get(answer, answer, "fine").read_bytes() == WHOLE
    assert server.ranges == [None, None, None]


def test_retry_delays_grow_and_end(get, server, monkeypatch):
    delays = []
    monkeypatch.setattr(transfer, "RETRY_DELAYS", (1, 2, 4))
    monkeypatch.setattr(transfer.time, "sleep", lambda s: delays.append(s) if s >= 1 else None)
    assert "503" in refusal(get, *["code_503"] * 9)
    assert delays == [1, 2, 4]
    assert len(server.ranges) == 4


@pytest.mark.parametrize("code", [403, 404])
def test_permanent_errors_are_not_retried(get, server, code):
    line = refusal(get, f"code_{code}", by_hand="its page is https://example.org")
    assert len(server.ranges) == 1
    for fact in (str(code), server.url, "1 MB", "--data", str(cache_path(described(server)))):
        assert fact in line
    assert line.endswith("its page is https://example.org")


@pytest.mark.parametrize("answer", ["no_ranges", "other_range"])
def test_a_server_without_ranges_sends_everything(get, server, answer):
    assert get("cut", answer, "fine").read_bytes() == WHOLE
    assert server.ranges[:2] == [None, f"bytes={CUT}-"]
    assert server.ranges[2:] == ([] if answer == "no_ranges" else [None])


@pytest.mark.parametrize("bytes_known", [True, False])
def test_a_part_that_is_too_long_is_downloaded_again(get, server, bytes_known):
    about = {} if bytes_known else {"bytes": 0}
    part = part_of(server)
    part.parent.mkdir(parents=True)
    part.write_bytes(WHOLE + b"more")
    assert get(**about).read_bytes() == WHOLE
    assert server.ranges == ([None] if bytes_known else [f"bytes={len(WHOLE) + 4}-", None])


def test_a_whole_part_only_needs_its_name(get, server):
    part = part_of(server)
    part.parent.mkdir(parents=True)
    part.write_bytes(WHOLE)
    assert get().read_bytes() == WHOLE
    assert server.ranges == []


def test_wrong_bytes_are_removed(get, server):
    line = refusal(get, "wrong_bytes")
    assert hashlib.sha256(WHOLE).hexdigest()[:12] in line
    assert hashlib.sha256(WHOLE[::-1]).hexdigest()[:12] in line
    assert not part_of(server).exists()
    assert not cache_path(described(server)).exists()
    assert get().read_bytes() == WHOLE


def test_a_login_page_does_not_replace_the_part(get, server):
    refusal(get, "cut", "code_404")
    line = refusal(get, "wrong_length")
    assert " 26 " in line
    assert str(len(WHOLE)) in line
    assert part_of(server).read_bytes() == WHOLE[:CUT]


@pytest.mark.parametrize("about", [{"bytes": 0}, {"sha256": ""}, {"bytes": 0, "sha256": ""}])
@pytest.mark.parametrize("answer", ["fine", "no_length"])
def test_an_unknown_length_or_hash_is_not_checked(get, answer, about):
    assert get(answer, **about).read_bytes() == WHOLE


def test_an_empty_file_is_refused(get, server):
    assert " 0 " in refusal(get, "empty", sha256="", bytes=0)
    assert not part_of(server, sha256="").exists()


def test_a_cut_in_chunks_is_noticed(get, server):
    assert get("cut_chunked", "fine").read_bytes() == WHOLE
    assert server.ranges == [None, "bytes=1000-"]


def test_without_a_hash_a_tag_decides_whether_to_continue(get, server):
    assert get("cut_tagged", "fine", sha256="").read_bytes() == WHOLE
    assert server.ranges == [None, f"bytes={CUT}-"]
    assert server.headers[1]["If-Range"] == '"first"'


def test_a_weak_tag_is_not_used(get, server):
    assert get("cut_weakly_tagged", "fine", sha256="").read_bytes() == WHOLE
    assert server.headers[1]["If-Range"] == "yesterday"


def test_without_a_hash_a_changed_file_is_downloaded_again(get):
    assert get("cut_tagged", "changed", sha256="").read_bytes() == WHOLE[::-1]


def test_without_hash_and_tag_nothing_is_continued(get, server):
    assert get("cut", "fine", sha256="").read_bytes() == WHOLE
    assert server.ranges == [None, None]


def test_with_a_hash_tags_are_not_needed(get, server):
    assert get("cut_tagged", "fine").read_bytes() == WHOLE
    assert server.headers[1]["If-Range"] is None


def test_redirects_lead_to_the_web_only(get, server):
    assert "not allowed" in refusal(get, "to_file")
    assert "ftp://" in refusal(get, "to_ftp")
    assert len(server.ranges) == 1
    assert get("to_web").read_bytes() == WHOLE


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://example.org/x", "/etc/passwd", "", "http://", "https:///x.zip",
     "http://example.org:port/x", "http://[::1/x", "http://example.org/a b", "http://a/\nb",
     "http://a/\u00e9", "data:text/plain,x"],
)  # fmt: skip
def test_only_web_addresses(url, get):
    assert repr(url) in refusal(get, url=url)


@pytest.mark.parametrize(
    ("url", "ending"),
    [
        ("http://a/b/pictures.zip", "-pictures.zip"),
        ("http://a/b/pictures.zip?download=1#x", "-pictures.zip"),
        ("http://a", "-file"),
        ("http://a/b/", "-file"),
        ("http://a/b/..", "-file"),
        ("http://a/..%2f..%2fpasswd", "-passwd"),
        ("http://a/..%5c..%5cpasswd", "-.._.._passwd"),
        ("http://a/%C3%A9%20%3A.zip", "-_.zip"),
        ("http://a/" + "n" * 300 + ".tar.gz", "n.tar.gz"),
    ],
)
def test_cache_paths(url, ending, monkeypatch, tmp_path):
    monkeypatch.setenv("GANKIT_CACHE", str(tmp_path))
    path = cache_path(Download(url, 0, "ABCDEF" * 10))
    assert path.parent == tmp_path / "downloads"
    assert path.name.startswith("abcdefab-")
    assert path.name.endswith(ending)
    assert len(path.name) < 120
    other = cache_path(Download(url + "x", 0, ""))
    assert other.name[:8] != cache_path(Download(url, 0, "")).name[:8]


def test_no_server_at_all(get, monkeypatch):
    monkeypatch.setattr(transfer, "RETRY_DELAYS", (60,))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/x.zip"
    line = refusal(get, url=url)
    assert "refused" in line
    assert f"{url} (1 MB)" in line


def test_an_unknown_host(get, monkeypatch):
    def unknown(*args, **kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(transfer, "RETRY_DELAYS", (60,))
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert "Name or service not known" in refusal(get, url="http://nobody.invalid/x.zip")


def test_a_connection_lost_half_way_may_come_back(get, server, monkeypatch):
    build_opener = transfer.build_opener
    tries = []

    def opener(*handlers):
        tries.append(len(tries))
        if tries[-1] == 1:
            raise ConnectionRefusedError(111, "Connection refused")
        return build_opener(*handlers)

    monkeypatch.setattr(transfer, "build_opener", opener)
    assert get("cut", "fine").read_bytes() == WHOLE
    assert len(tries) == 3


@pytest.fixture
def by_hand(server):
    """`by_hand(content)`: write it to the path of the download."""

    def put(content):
        path = cache_path(described(server))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return put


def test_a_file_saved_by_hand_is_hashed_once(get, server, by_hand, monkeypatch):
    hashed = []
    file_digest = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda *a: hashed.append(a) or file_digest(*a))
    path = by_hand(WHOLE)
    assert get() == get() == path
    assert len(hashed) == 1
    assert server.ranges == []
    os.utime(path, ns=(1, 1))
    assert get() == path
    assert len(hashed) == 2


@pytest.mark.parametrize("content", [b"", b"<html>", WHOLE[:-1], WHOLE[:-1] + b"x"])
def test_a_wrong_file_saved_by_hand_is_refused_and_kept(get, server, by_hand, content):
    path = by_hand(content)
    assert str(path) in refusal(get)
    assert path.read_bytes() == content
    assert server.ranges == []


def test_a_length_alone_is_checked_too(get, server):
    path = cache_path(described(server, sha256=""))
    path.parent.mkdir(parents=True)
    path.write_bytes(WHOLE[:-1])
    line = refusal(get, sha256="")
    assert str(len(WHOLE) - 1) in line
    assert str(len(WHOLE)) in line


def test_a_file_changed_later_is_noticed(get):
    path = get("fine")
    path.write_bytes(WHOLE[:-1] + b"x")
    os.utime(path, ns=(1, 1))
    assert "sha256" in refusal(get)


def test_a_read_only_cache_is_enough(get, by_hand, monkeypatch):
    path = by_hand(WHOLE)

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "mkdir", refuse)
    assert get() == path


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110
def test_a_full_disk(get, server):
    part = part_of(server)
    part.parent.mkdir(parents=True)
    part.symlink_to("/dev/full")
    line = refusal(get, "fine")
    assert "No space left" in line
    assert "GANKIT_CACHE" in line
    assert len(server.ranges) == 1  # a full disk is not a network error


def test_a_cache_that_cannot_be_written(get, tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("GANKIT_CACHE", str(tmp_path / "file" / "cache"))
    line = refusal(get, "fine")
    assert "Not a directory" in line
    assert str(tmp_path / "file" / "cache") in line


def test_ctrl_c_leaves_the_part(server):
    def stop(done, total):
        if done >= HALF:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download_to_cache(described(server), stop)
    received = part_of(server).stat().st_size
    assert received >= HALF
    assert download_to_cache(described(server), lambda *call: None).read_bytes() == WHOLE
    assert server.ranges == [None, f"bytes={received}-"]


def test_two_threads_download_once(server):
    server.plan = ["slow"]
    paths, waited = [], []
    threads = [
        threading.Thread(
            target=lambda: paths.append(download_to_cache(described(server), lambda *n: None))
        ),
        threading.Thread(
            target=lambda: paths.append(
                download_to_cache(described(server), lambda *n: waited.append(n))
            )
        ),
    ]
    for thread in threads:
        thread.start()
        while not server.ranges:
            time.sleep(0.01)
    for thread in threads:
        thread.join()
    assert paths[0] == paths[1]
    assert paths[0].read_bytes() == WHOLE
    assert server.ranges == [None]
    assert (
        len({done for done, _ in waited}) > 1
    )  # the waiting thread sees the progress of the other
    assert waited[-1] == (len(WHOLE), len(WHOLE))


DOWNLOAD = """
import sys
from gankit.core.parts.specs import Download
from gankit.data.fetch.download import download_to_cache
url, length, sha256 = sys.argv[1:]
print(download_to_cache(Download(url, int(length), sha256), lambda done, total: None))
"""


def start_process(server):
    about = described(server)
    argv = [sys.executable, "-c", DOWNLOAD, about.url, str(about.bytes), about.sha256]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_three_processes_download_once(server):
    server.plan = ["slow"]
    others = [start_process(server) for _ in range(3)]
    ends = [other.communicate(timeout=20) for other in others]
    assert [other.returncode for other in others] == [0, 0, 0], ends
    assert {out.strip() for out, _ in ends} == {str(cache_path(described(server)))}
    assert cache_path(described(server)).read_bytes() == WHOLE
    assert server.ranges == [None]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_killed_in_the_middle(server):
    server.plan = ["slow"]
    other = start_process(server)
    part = part_of(server)
    while not part.exists() or part.stat().st_size < CUT:
        assert other.poll() is None
        time.sleep(0.01)
    other.kill()
    other.communicate(timeout=20)
    received = part.stat().st_size
    assert 0 < received < len(WHOLE)
    assert download_to_cache(described(server), lambda *call: None).read_bytes() == WHOLE
    assert server.ranges == [None, f"bytes={received}-"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")
def test_a_file_system_without_locks(get, monkeypatch):
    def unsupported(*args):
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", unsupported)
    assert get("cut", "fine").read_bytes() == WHOLE
