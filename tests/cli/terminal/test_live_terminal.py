"""Live views only where the cursor can be moved; plain lines, at a sensible pace, elsewhere."""

import io
import os
import re
import subprocess
import sys

import pytest
from gankit_lessons.view import View
from gankit_race.live_view import LiveView as RaceLiveView
from gankit_race.runner import _default_view

import gankit
from gankit.cli.console.plain import seconds_between_lines
from gankit.cli.main import new_cli
from gankit.cli.terminal import log, progress
from gankit.cli.terminal.live_terminal import shows_live_view
from gankit.cli.terminal.progress import progress_bar
from gankit.training.settings.compose import compose

ESCAPE = "\x1b["
NOTEBOOK = {"JPY_PARENT_PID": "23955", "TERM": "xterm-color", "FORCE_COLOR": "1", "CLICOLOR": "1"}
COLAB = {"COLAB_RELEASE_TAG": "release-colab_20250101", "TERM": "xterm-color"}
KERNEL = {"TERM": "xterm-color", "PAGER": "cat", "GIT_PAGER": "cat"}
WITHOUT_CURSOR = {
    "jupyter": NOTEBOOK,
    "colab": COLAB,
    "kaggle": {"KAGGLE_KERNEL_RUN_TYPE": "Interactive"},
    "another kernel": KERNEL,
    "emacs": {"TERM": "dumb", "INSIDE_EMACS": "29.1,comint"},
    "unknown": {"TERM": "unknown"},
    "no TERM": {"TERM": None},
    "empty TERM": {"TERM": ""},
    "ci": {"CI": "true"},
    "chosen": {"GANKIT_PLAIN": "1"},
}
WITH_CURSOR = {
    "xterm": {},
    "tmux": {"TERM": "screen-256color"},
    "emacs term": {"TERM": "eterm-color", "INSIDE_EMACS": "29.1,term:0.96"},
    "vs code": {"TERM": "xterm-256color", "TERM_PROGRAM": "vscode"},
    "pycharm": {"TERM": "xterm-256color", "PYCHARM_HOSTED": "1"},
    "no colours": {"NO_COLOR": "1"},
    "old xterm": {"TERM": "xterm-color"},
    "not ci": {"CI": "false"},
    "chosen": {"GANKIT_PLAIN": "0", "CI": "true"},
}


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def environment(monkeypatch):
    """`environment(TERM="dumb")`: these variables; None deletes one."""
    monkeypatch.setattr("rich._console", None)
    log._stderr_console.cache_clear()

    def set_to(**variables):
        size = {"COLUMNS": "80", "LINES": "50"}
        for name, value in {"TERM": "xterm-256color", **size, **variables}.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)

    return set_to


@pytest.fixture
def screen(monkeypatch):
    """A terminal that is both stdout and stderr: `screen()`."""

    def replace():
        terminal = Terminal()
        monkeypatch.setattr(sys, "stdout", terminal)
        monkeypatch.setattr(sys, "stderr", terminal)
        return terminal

    return replace


def named(cases):
    return pytest.mark.parametrize("variables", cases.values(), ids=cases)


@named(WITHOUT_CURSOR)
def test_no_live_view_where_no_cursor_can_be_moved(environment, variables):
    environment(**variables)
    assert not shows_live_view(Terminal())


@named(WITH_CURSOR)
def test_a_live_view_in_a_terminal(environment, variables):
    environment(**variables)
    assert shows_live_view(Terminal())


@pytest.mark.parametrize("plain", [None, "0"])
def test_never_in_a_pipe_a_file_or_no_stream(environment, plain):
    environment(GANKIT_PLAIN=plain, FORCE_COLOR="1")
    closed = Terminal()
    closed.close()
    closed.isatty = lambda: io.StringIO.isatty(closed)  # raises ValueError, as files do
    for stream in (io.StringIO(), None, closed):
        assert not shows_live_view(stream)


def test_never_in_the_window_of_idle(environment):
    environment()
    output = type("StdOutputFile", (Terminal,), {"__module__": "idlelib.run"})()
    assert output.isatty()
    assert not shows_live_view(output)


@pytest.mark.parametrize(
    ("flag", "variables", "expected"),
    [
        ("--plain", {}, False),
        ("--plain", {"GANKIT_PLAIN": "0"}, False),
        ("--no-plain", NOTEBOOK, True),
        ("--no-plain", {"GANKIT_PLAIN": "1"}, True),
        ("--no-plain", {"TERM": "dumb"}, False),  # there is no cursor to move
        ("--debug", {}, True),
    ],
)
def test_an_option_chooses(environment, flag, variables, expected):
    environment(**variables)
    cli = new_cli()
    with cli.make_context("gankit", [flag, "list"]):
        assert shows_live_view(Terminal()) is expected
    assert shows_live_view(Terminal()) is (not variables or variables.get("GANKIT_PLAIN") == "0")


@pytest.mark.parametrize("where", ["before", "after"])
def test_the_option_may_stand_after_the_command(environment, screen, here, tiny, where):
    from gankit.cli.main import main

    environment()
    terminal = screen()
    words = ["run", "--dataset", "petals:count=64", "--model", "dcgan64:base_channels=4"]
    words += ["--image-size", "16", "--batch-size", "8", "--steps", "2", "--device", "cpu"]
    words.insert(0 if where == "before" else len(words), "--plain")
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 0
    assert ESCAPE not in terminal.getvalue()
    assert "step 2/2" in terminal.getvalue()


@named(WITHOUT_CURSOR)
def test_a_run_prints_plain_lines(environment, screen, variables, registry, tiny, here):
    environment(**variables)
    terminal = screen()
    settings = tiny(log_every=1, length="12 steps", tricks=["ema"], out="run")
    gankit.train(compose(registry, **settings), registry)
    text = terminal.getvalue()
    assert ESCAPE not in text
    assert "\r" not in text
    assert len(re.findall(r"^step ", text, re.M)) == 2  # the first and the last, and not all 12
    assert "gankit sample run" in text


def test_a_long_run_prints_fewer_lines():
    """Not thousands into a notebook."""
    assert seconds_between_lines(0) == seconds_between_lines(400) == 5
    assert seconds_between_lines(3600) == 36
    assert seconds_between_lines(36_000) == 60


def test_preparing_prints_lines_at_times(environment, screen, monkeypatch):
    environment(**NOTEBOOK)
    terminal = screen()
    now = iter(range(0, 3000, 3))  # each picture takes 3 seconds
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    with progress_bar("unpacking") as report:
        for done in range(1, 41):
            report(done, 40)
            report(done, 0)  # an unknown total
    lines = terminal.getvalue().splitlines()
    assert ESCAPE not in terminal.getvalue()
    assert all(re.search(r"unpacking: \d+%$", line) for line in lines)
    assert 5 <= len(lines) <= 20


def test_messages_are_lines(environment, screen):
    import logging

    environment(**NOTEBOOK)
    terminal = screen()
    with log.show_log():
        logging.getLogger("gankit").info("preparing %d pictures", 3)
    assert terminal.getvalue() == "gankit: preparing 3 pictures\n"


@pytest.mark.parametrize(("variables", "is_live"), [({}, True), (NOTEBOOK, False)])
def test_a_race_prints_plain_lines(environment, screen, variables, is_live):
    environment(**variables)
    screen()
    assert isinstance(_default_view(), RaceLiveView) is is_live


@pytest.mark.parametrize(("variables", "is_live"), [({}, True), (NOTEBOOK, False)])
def test_a_lesson_shows_no_spinner(environment, screen, variables, is_live):
    environment(**variables)
    terminal = screen()
    with View().status("cell 2 runs again"):
        pass
    text = terminal.getvalue()
    assert "cell 2 runs again" in text
    assert ("\r" in text) is is_live


@pytest.mark.parametrize(
    ("variables", "is_drawn"),
    [
        ({}, True),
        ({"NO_COLOR": "1"}, False),
        ({"GANKIT_PLAIN": "1"}, False),
        ({"LINES": "8"}, False),
    ],
)
def test_samples_are_shown_where_a_live_view_is(
    environment, screen, trained, here, variables, is_drawn
):
    from gankit.cli.main import main

    environment(**variables)
    terminal = screen()
    with pytest.raises(SystemExit) as ended:
        main(["sample", str(trained), "--show", "--count", "5", "--out", "a.png"])
    assert ended.value.code == 0
    assert "a.png" in terminal.getvalue().splitlines()[-1]
    assert ("▀" in terminal.getvalue()) is is_drawn
    assert ("--show" in terminal.getvalue()) is not is_drawn  # else a message says why not


@pytest.mark.parametrize(("columns", "rows"), [(20, 3), (40, 6), (12, 24)])
def test_a_live_view_stays_inside_a_small_window(
    environment, screen, columns, rows, registry, tiny, here
):
    """Rows that have left the window could not be drawn again."""
    environment(COLUMNS=str(columns), LINES=str(rows))
    terminal = screen()
    gankit.train(compose(registry, **tiny(log_every=1, tricks=["ema"], out="run")), registry)
    redraws = re.findall(r"(?:\x1b\[1A\x1b\[2K)+", terminal.getvalue())
    assert redraws
    assert max(redraw.count("1A") for redraw in redraws) < rows


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_a_command_in_a_cell_of_a_notebook(here):
    """As IPython runs `!gankit run`: in a pseudo-terminal, with the kernel's environment."""
    import pty

    reader, writer = pty.openpty()
    words = "-m gankit run --dataset petals:count=64 --model dcgan64:base_channels=4 --steps 3"
    words += " --image-size 16 --batch-size 8 --log-every 1 --device cpu --precision 32"
    process = subprocess.Popen(
        [sys.executable, *words.split()], stdin=writer, stdout=writer, stderr=writer,
        env={**os.environ, **NOTEBOOK}, cwd=here,
    )  # fmt: skip
    os.close(writer)
    output = b""
    try:
        while block := os.read(reader, 4096):
            output += block
    except OSError:  # Linux says so at the end
        pass
    os.close(reader)
    assert process.wait() == 0
    assert b"step 3/3" in output
    assert ESCAPE.encode() not in output
