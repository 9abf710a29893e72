"""Messages: through rich at a terminal, above the live view; plain lines elsewhere."""

import contextlib
import io
import logging
import re
import sys
from types import SimpleNamespace

import pytest

from gankit.cli.console.live import LiveView
from gankit.cli.terminal import log
from gankit.cli.terminal.log import show_log
from gankit.training.settings.compose import compose

LOG = logging.getLogger("gankit")
SCALARS = {"d_loss": 1.0, "g_loss": 2.0, "d_real": 0.5, "d_fake": 0.25}
SCALARS |= {"seconds": 1.0, "activity": {}}


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def fresh_console(monkeypatch):
    """Rich remembers the size and colours of the terminal it met first."""
    monkeypatch.setattr("rich._console", None)
    log._stderr_console.cache_clear()
    for name, value in {"COLUMNS": "60", "LINES": "50", "TERM": "xterm-256color"}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def streams(monkeypatch):
    """`streams(out, err)`: standard output and error from now on."""

    def replace(out, err):
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        return out, err

    return replace


@pytest.fixture
def view(registry, tiny, tmp_path):
    """`view()`: a live view that has drawn a step."""

    def start():
        run = compose(registry, **tiny(out=str(tmp_path / "run")))
        live = LiveView(run, SimpleNamespace(step=0, phase=0, phases=[]))
        live.step_done(1, SCALARS)
        return live

    return start


def plain(text):
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


def test_a_pipe_gets_warnings_as_plain_lines(streams):
    out, err = streams(io.StringIO(), io.StringIO())
    with show_log():
        LOG.info("preparing pictures")
        LOG.warning("skipped %d pictures: [bold]a.png[/bold], %s", 3, "x" * 200)
    LOG.warning("later")
    assert err.getvalue() == f"gankit: skipped 3 pictures: [bold]a.png[/bold], {'x' * 200}\n"
    assert out.getvalue() == ""


def test_a_terminal_shows_info_messages_too(streams):
    out, err = streams(io.StringIO(), Terminal())
    with show_log():
        LOG.info("preparing pictures")
        LOG.warning("skipped [bold]a.png[/bold]")
    assert out.getvalue() == ""
    assert re.fullmatch(
        r"INFO +preparing pictures *\nWARNING +skipped \[bold\]a.png\[/bold\] *\n",
        plain(err.getvalue()),
    )


def test_the_level_and_the_handlers_are_restored(streams, monkeypatch):
    streams(io.StringIO(), Terminal())
    monkeypatch.setattr(LOG, "level", logging.ERROR)
    before = LOG.level, list(LOG.handlers)
    with pytest.raises(ZeroDivisionError), show_log():
        raise ZeroDivisionError
    assert (LOG.level, LOG.handlers) == before


def test_a_message_stands_above_the_live_view(streams, view):
    out, err = streams(Terminal(), Terminal())
    with show_log():
        live = view()
        shown = len(out.getvalue())
        LOG.warning("skipped 3 pictures")
        update = out.getvalue()[shown:]
        live.live.stop()
    assert err.getvalue() == ""
    # the view is erased, the message written, the view drawn again below it
    assert update.startswith("\r\x1b[2K")
    assert re.search(r"WARNING.*skipped.*step 1/", plain(update), re.DOTALL)


def test_a_message_is_shown_while_stdout_is_redirected(streams):
    out, err = streams(Terminal(), Terminal())
    with show_log(), contextlib.redirect_stdout(io.StringIO()) as redirected:
        LOG.warning("this computer is busy")
    assert "busy" in plain(err.getvalue())
    assert redirected.getvalue() == out.getvalue() == ""


def test_a_message_goes_to_the_file_that_stderr_goes_to(streams, view):
    out, err = streams(Terminal(), io.StringIO())
    with show_log():
        live = view()
        LOG.warning("skipped 3 pictures")
        live.live.stop()
    assert err.getvalue() == "gankit: skipped 3 pictures\n"
    assert "skipped" not in out.getvalue()
