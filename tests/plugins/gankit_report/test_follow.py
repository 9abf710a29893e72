"""`gankit report --follow`: the page of a run that trains, and what it asks for."""

import _thread
import json
import shutil
import sys
import threading
import urllib.request

import pytest
from gankit_report import follow
from gankit_report.follow import FollowedRuns
from gankit_report.page import render_report

from gankit import GankitError
from gankit.cli.page import serve
from gankit.runs.log import NAME


@pytest.fixture
def followed(trained, tmp_path):
    """A copy of a run with grids of steps 0, 2, 4, 6 and 8, which a test lets go on."""
    folder = shutil.copytree(trained, tmp_path / "followed")
    (folder / "report.html").unlink()
    return folder


def news_of(runs, known=""):
    reply = runs.answer("new", known)
    assert reply.kind == "application/json"
    news = json.loads(reply.content)
    return news["version"], news["page"]


def test_the_page_may_ask_its_server_and_no_other_page_may(followed):
    page = FollowedRuns([followed]).answer("", "").content.decode()
    assert "connect-src 'self'" in page
    assert all(f'id="grid-0-{step}"' in page for step in (0, 2, 4, 6, 8))
    ordinary = render_report([followed])
    assert "connect-src" not in ordinary
    assert "fetch(" not in ordinary


def test_it_gets_what_is_new_and_nothing_twice(followed, monkeypatch):
    monkeypatch.setattr(follow, "PAUSE", 0)
    runs = FollowedRuns([followed])
    version, page = news_of(runs)
    assert 'id="numbers"' in page
    assert 'id="grid-0-8"' not in page  # grids are asked for one by one
    assert news_of(runs, version) == (version, "")
    log = followed / NAME
    row = log.read_text().splitlines()[-1].replace("8,", "10,", 1)
    log.write_text(log.read_text() + row + "\n")
    shutil.copy(followed / "samples" / "000008.png", followed / "samples" / "000010.png")
    newer, page = news_of(runs, version)
    assert newer != version
    assert '"last": 10' in page
    assert runs.answer("grids/0/10", "") == runs.answer("grids/0/8", "")
    assert f'id="grid-0-8">{runs.answer("grids/0/8", "").content.decode()}<' in render_report(
        [followed]
    )


def test_pages_are_not_made_so_often_that_training_slows_down(followed):
    runs = FollowedRuns([followed])
    version, _ = news_of(runs)
    (followed / NAME).touch()
    assert news_of(runs, version) == (version, "")


def test_only_the_runs_files_can_be_asked_for(followed):
    runs = FollowedRuns([followed])
    for path in (
        "grids/1/8", "grids/0/9", "grids/0/", "grids/0/../run.json", "grids/0/8/", "run.json",
        "samples/000008.png", "new/", "grids/0/8%00", "grids/0/8\0",
    ):  # fmt: skip
        assert runs.answer(path, "") is None


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
@pytest.mark.parametrize("name", ["samples/000008.png", "doctor.json", "d-view"])
def test_a_link_out_of_the_run_is_refused(followed, tmp_path, name):
    secret = tmp_path / "secret"
    if (followed / name).exists():
        (followed / name).rename(secret)
    (followed / name).symlink_to(secret)
    for path in ("", "new", "grids/0/8"):
        with pytest.raises(GankitError, match="secret"):
            FollowedRuns([followed]).answer(path, "")


def test_the_command_serves_until_ctrl_c(gankit_cli, followed, monkeypatch):
    pages = []
    addresses = []

    def visit(address):
        with urllib.request.urlopen(address, timeout=20) as reply:
            pages.append(reply.read())
        _thread.interrupt_main()  # as Ctrl-C

    def open_in_browser(address):
        addresses.append(address)
        threading.Thread(target=visit, args=[address]).start()

    monkeypatch.setattr(serve, "open_in_browser", open_in_browser)
    code, out, err = gankit_cli("report", followed, "--follow")
    assert (code, err) == (0, "")
    first, last = out.splitlines()
    assert addresses == [word for word in first.split() if word.startswith("http://127.0.0.1:")]
    assert b"connect-src" in pages[0]
    assert "stopped" in last
    assert not (followed / "report.html").exists()


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["--follow", "--out", "a.html"], "--out"),
        (["--port", "8000"], "--port"),
        (["--no-open"], "--no-open"),
        (["--follow", "--port", "99999"], "--port"),
    ],
)
def test_options_that_do_not_go_together(gankit_cli, followed, words, option):
    code, _, err = gankit_cli("report", followed, *words)
    assert code == 2
    assert option in err
