"""Downloads from a server that trickles, lies, cuts and never ends."""

import hashlib
import os
import sys
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from outcome import Case, Kind, Outcome, Setup

sys.path.insert(0, str(Path(__file__).parents[1] / "data" / "fetch"))
from test_download import WHOLE, Handler

from gankit.core.errors import GankitError
from gankit.core.parts.specs import Download
from gankit.data.fetch import slow, transfer
from gankit.data.fetch.download import cache_path, download_to_cache

JUDGED = (
    "The file is complete and the right one, or the download ends with one line (exit code 1) and "
    "no file stays under its name; after that, a good server gives the right file."
)
ANSWERS = (
    "fine", "cut", "cut_tagged", "cut_weakly_tagged", "changed", "cut_at_once", "cut_chunked",
    "no_ranges", "other_range", "no_length", "empty", "no_length_cut", "wrong_bytes",
    "wrong_length", "slow", "silent", "stalls", "trickle", "trickle_header", "trickle_chunks",
    "endless", "to_file", "to_ftp", "to_web", "code_404", "code_403", "code_429", "code_500",
    "code_503",
)  # fmt: skip


def prepare(setup: Setup) -> None:
    """Be less patient than gankit is, so that a case takes a second."""
    transfer.RETRY_DELAYS = (0, 0, 0)  # type: ignore[assignment]
    transfer.TIMEOUT = 0.2  # type: ignore[assignment]
    transfer.MAX_BYTES = 2_000_000
    slow.SECONDS = 0.2
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]


def try_case(case: Case) -> Outcome:
    os.environ["GANKIT_CACHE"] = str(case.folder / "cache")
    plan = [case.rng.choice(ANSWERS) for _ in range(case.rng.choice((1, 2, 3, 6)))]
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    server.plan = list(plan)
    server.ranges = []
    server.headers = []
    server.lock = threading.Lock()
    server.over = threading.Event()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    try:
        return _download(case, server, plan)
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()


def _download(case: Case, server: Any, plan: list[str]) -> Outcome:
    url = f"http://127.0.0.1:{server.server_port}/sets/photos.tar.gz"
    digest = hashlib.sha256(WHOLE).hexdigest() if case.rng.random() < 0.7 else ""
    wanted = Download(url=url, bytes=len(WHOLE), sha256=digest)
    complaints = []
    try:
        path = download_to_cache(wanted, lambda done, total: None)
        what = "downloaded"
        # Without a hash, gankit cannot know which of the server's versions is meant, nor that a
        # server continues with another one although it was asked not to.
        versions = (WHOLE,) if digest else (WHOLE, WHOLE[::-1])
        is_unknowable = not digest and "wrong_bytes" in plan
        if path.read_bytes() not in versions and not is_unknowable:
            complaints.append(f"{plan}: a wrong file")
    except GankitError as error:
        what = "one line"
        if error.exit_code != 1 or not str(error).isprintable():
            complaints.append(f"{plan}: {error.exit_code}, {str(error)[:200]!r}")
        if cache_path(wanted).exists():
            complaints.append(f"{plan}: a file under its name after an error")
        server.plan = []
        if download_to_cache(wanted, lambda done, total: None).read_bytes() not in (
            WHOLE,
            WHOLE[::-1],
        ):
            complaints.append(f"{plan}: a wrong file afterwards")
    return Outcome(what, tuple(complaints))


KIND = Kind("downloads", JUDGED, try_case, short=12, long=200, prepare=prepare, is_silent=False)
