"""`gankit explore` on the command line, and `sampler.explore()` in Python."""

import _thread
import shutil
import threading
import urllib.request

import pytest
from gankit_explore import command, show

import gankit
from gankit import GankitError
from gankit.cli.page import serve
from gankit.core.parts.registry import Registry
from gankit.training.run_folder.folder_lock import FolderLock


@pytest.fixture
def run(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "run")


@pytest.fixture
def visits(monkeypatch):
    """What was found at each address that was opened; each visit ends with Ctrl-C."""
    pages = []

    def visit(address):
        with urllib.request.urlopen(address, timeout=20) as reply:
            pages.append((address, reply.read()))
        _thread.interrupt_main()

    start = lambda address: threading.Thread(target=visit, args=[address]).start()  # noqa: E731
    monkeypatch.setattr(serve, "open_in_browser", start)
    return pages


def test_the_page_is_served_until_ctrl_c(gankit_cli, run, visits):
    code, out, err = gankit_cli("explore", run, "--checkpoint", "4")
    assert (code, err) == (0, "")
    ((address, page),) = visits
    assert address in out
    assert address.startswith("http://127.0.0.1:")
    assert b'id="weights-4"' in page
    assert b"connect-src" not in page  # there is nothing to wait for
    assert not (run / "explore.html").exists()


def test_another_host_is_warned_of(gankit_cli, run, visits):
    code, _, err = gankit_cli("explore", run, "--host", "0.0.0.0")
    assert code == 0
    assert "--host 0.0.0.0" in err
    assert len(visits) == 1


@pytest.mark.parametrize(
    ("words", "texts"),
    [
        (["--checkpoint", "newest"], ["--checkpoint", "newest", "all"]),
        (["--checkpoint", "5"], ["step-000005", "step-000008"]),
        (["--host", "no.such.host.invalid"], ["--host", "no.such.host.invalid", "127.0.0.1"]),
        (["--host", ""], ["--host", "empty"]),
        (["--host", "192.0.2.1"], ["--host", "192.0.2.1"]),  # of another computer
    ],
)
def test_bad_options_are_named(gankit_cli, run, words, texts):
    code, _, err = gankit_cli("explore", run, *words)
    assert code == 2
    assert len(err.splitlines()) == 1
    assert all(text in err for text in texts)


def test_a_run_without_a_checkpoint(gankit_cli, run, visits, monkeypatch):
    checkpoints = run / "checkpoints"
    aside = checkpoints.rename(run / "aside")
    code, _, err = gankit_cli("explore", run)
    assert code == 2
    assert "gankit run --resume" in err
    monkeypatch.setattr(command.time, "sleep", lambda seconds: aside.rename(checkpoints))
    with FolderLock(run).acquire(""):  # it trains
        code, out, _ = gankit_cli("explore", run)
    assert code == 0
    assert "waiting" in out.splitlines()[0]
    assert len(visits) == 1


def test_a_notebook_shows_the_page_in_its_cell(run, monkeypatch):
    monkeypatch.setattr(show, "shows_notebook_view", lambda: True)
    shown = gankit.load(run).explore()
    assert shown._repr_html_().count("<iframe") == 1
    assert "allow-same-origin" not in shown._repr_html_()
    assert '"' not in shown._repr_html_().partition('srcdoc="')[2].removesuffix('"></iframe>')
    assert not (run / "explore.html").exists()


def test_elsewhere_the_page_is_a_file_that_is_opened(run, monkeypatch):
    opened = []
    monkeypatch.setattr(show, "open_in_browser", opened.append)
    shown = gankit.load(run, step=4).explore()
    assert opened == [(run / "explore.html").as_uri()]
    assert str(run / "explore.html") in repr(shown)
    assert shown._repr_html_() is None


def test_without_a_plugin_that_shows_generators():
    with pytest.raises(GankitError, match="gankit plugins"):
        Registry().explorer()
