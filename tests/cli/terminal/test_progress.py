"""The bar: at a terminal only, gone when done, and never left behind."""

import io
import logging
import sys

import pytest

from gankit.cli.terminal import log
from gankit.cli.terminal.progress import progress_bar

HIDE_CURSOR = "\x1b[?25l"
SHOW_CURSOR = "\x1b[?25h"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def at_a_terminal(monkeypatch):
    """What is drawn on stderr, which is a terminal from here on; pytest would undo it earlier."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    log._stderr_console.cache_clear()
    return screen


def test_elsewhere_it_is_silent(capsys):
    with progress_bar("unpacking") as progress:
        progress(1, 2)
        progress(2, 2)
    assert capsys.readouterr() == ("", "")


def test_it_says_what_is_done_and_how_much_of_it(monkeypatch):
    terminal = at_a_terminal(monkeypatch)
    with progress_bar("unpacking") as progress:
        progress(1, 4)
        progress(4, 4)
        drawn = terminal.getvalue()
        assert "unpacking" in drawn
        assert " 25%" in drawn
        assert drawn.count(SHOW_CURSOR) == 1  # what follows may draw a view of its own


def test_it_comes_again_for_what_follows(monkeypatch):
    terminal = at_a_terminal(monkeypatch)
    with progress_bar("preparing") as progress:
        for total in (10, 20):
            progress(1, total)
            progress(total, total)
    assert terminal.getvalue().count(HIDE_CURSOR) == terminal.getvalue().count(SHOW_CURSOR) == 2


def test_an_error_takes_it_away(monkeypatch):
    terminal = at_a_terminal(monkeypatch)

    def fail():
        with progress_bar("preparing") as progress:
            progress(1, 10)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert terminal.getvalue().count(SHOW_CURSOR) == 1


@pytest.mark.parametrize(("done", "total"), [(5, 0), (5, 5)])
def test_where_nothing_is_left_or_known_there_is_no_bar(monkeypatch, done, total):
    terminal = at_a_terminal(monkeypatch)
    with progress_bar("preparing") as progress:
        progress(done, total)
    assert terminal.getvalue() == ""


@pytest.mark.parametrize("is_piped", [False, True])
def test_a_message_stands_above_the_bar(monkeypatch, is_piped):
    terminal = at_a_terminal(monkeypatch)
    monkeypatch.setattr("rich._console", None)
    if not is_piped:
        monkeypatch.setattr(sys, "stdout", terminal)
    with log.show_log(), progress_bar("preparing") as progress:
        progress(1, 4)
        before = len(terminal.getvalue())
        logging.getLogger("gankit").warning("3 pictures skipped")
        update = terminal.getvalue()[before:]
    assert update.startswith("\r\x1b[2K")  # the bar is erased first
    assert update.index("skipped") < update.index("preparing")
