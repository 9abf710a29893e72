"""Closed and full outputs, pipes that end early, and strangers' text on a terminal."""

import contextlib
import ctypes
import errno
import io
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2] / "campaign"))
import terminals
from rich.table import Table
from rich.text import Text

from gankit.cli.console import Console
from gankit.cli.main import main
from gankit.cli.terminal import output
from gankit.cli.terminal.log import PlainHandler
from gankit.cli.terminal.rich_console import OutputConsole

# Every third case; the campaign of faults tries all of them.
CASES = [case for case in terminals.cases() if case.argv[0] != "run" or "--help" in case.argv][::3]
TITLE = "\x1b]0;owned\x07"  # sets the title of a terminal
HOSTILE = f"a{TITLE}b\x1b[31mred\x1b[2J\r\bx\x9b31m\u202e\u2028y\nforged: all is well"
FOREIGN = ("\x1b]", "\x07", "\x1b[31mred", "\x1b[2J", "\b", "\x9b", "\u202e", "\u2028")


def assert_harmless(text):
    assert not [sign for sign in FOREIGN if sign in text]
    assert not [line for line in text.splitlines() if line.lstrip().startswith("forged:")]


needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="streams of POSIX")


@needs_posix
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_odd_output_has_its_exit_code(case, tmp_path):
    assert terminals.run_case(case, tmp_path) == []


RUNS = [c for c in terminals.cases() if c.argv[0] == "run" and "--help" not in c.argv][::3]


@needs_posix
@pytest.mark.parametrize("case", RUNS, ids=lambda case: case.name)
def test_a_run_loses_nothing_with_its_output(case, tmp_path):
    assert terminals.run_case(case, tmp_path) == []


def test_text_of_others_does_not_control_a_stream():
    raw = io.StringIO()
    stream = output.PrintableStream(raw, output.OUTPUT)
    print(HOSTILE, file=stream)
    stream.writelines([HOSTILE])
    text = raw.getvalue()
    assert not [sign for sign in FOREIGN if sign in text]
    assert "red" in text


def test_text_of_others_does_not_control_a_console():
    raw = io.StringIO()
    console = OutputConsole(file=raw, force_terminal=True, width=60)
    table = Table(HOSTILE.replace("[", "\\["))
    table.add_row(Text(HOSTILE), Text("x", style="bold"))
    console.print(table)
    console.print(HOSTILE, markup=False)
    text = raw.getvalue()
    assert not [sign for sign in FOREIGN if sign in text]
    assert "\x1b[1m" in text  # rich's own


def test_a_message_is_one_line(caplog, capsys):
    import logging

    handler = PlainHandler(logging.INFO)
    handler.emit(logging.LogRecord("gankit", logging.WARNING, "", 0, HOSTILE, None, None))
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert_harmless(err)


PLUGIN = """
class Odd(Trick):
    "Does nothing."
    def activity(self):
        return TEXT

@hookimpl
def register_tricks(register):
    register(TrickSpec(name="odd", summary=TEXT, source=TEXT, build=Odd))

@hookimpl
def register_recipes(register):
    fields = {"settings": {"loss": TEXT}, "variants": {TEXT: TEXT}}
    register(RecipeSpec(name="odd-recipe", summary=TEXT, source=TEXT, **fields))

@hookimpl
def step_done(step):
    raise RuntimeError(TEXT)

@hookimpl
def register_commands(cli):
    import click

    @cli.command("odd", help=TEXT, short_help=TEXT)
    @click.option("--odd", help=TEXT)
    def odd(odd):
        print(TEXT)
        click.secho(TEXT, fg="red")
        raise ValueError(TEXT)
"""


def in_a_new_process(argv, folder):
    """What a terminal gets to see of a command."""
    case = terminals.Case("", tuple(map(str, argv)), "pty", "pty", columns=200)
    _, drawn, _ = terminals._call(case, folder)
    return drawn.decode("utf-8", "surrogateescape")


@pytest.fixture
def in_a_terminal(here, monkeypatch):
    """`in_a_terminal("list")`: the same of a command in this process, which starts at once."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")

    def call(*argv):
        Console.warned.clear()  # each call stands for a new process
        master, number = os.openpty()
        drawn = bytearray()
        reader = threading.Thread(target=read_all, args=(master, drawn))
        with os.fdopen(number, "w", encoding="utf-8") as terminal, monkeypatch.context() as patch:
            reader.start()
            patch.setattr(sys, "stdout", terminal)
            patch.setattr(sys, "stderr", terminal)
            with pytest.raises(SystemExit):
                main([str(arg) for arg in argv])
        reader.join()
        os.close(master)
        return drawn.decode("utf-8", "surrogateescape")

    return call


def read_all(master, drawn):
    """Read what is written to a terminal until it is closed, which is an error on Linux."""
    with contextlib.suppress(OSError):
        while data := os.read(master, 65536):
            drawn += data


@pytest.fixture
def hostile(tmp_path, pictures_folder):
    """A plugin, a folder of pictures and its class folder, all with hostile names and texts."""
    plugin = tmp_path / "hostile.py"
    plugin.write_text(f"from gankit import *\n\nTEXT = {HOSTILE!r}\n{PLUGIN}", encoding="utf-8")
    name = HOSTILE.replace("/", "")
    pictures = pictures_folder.rename(tmp_path / name)
    (pictures / name).mkdir()
    (pictures / "00.jpg").rename(pictures / name / f"{name}.jpg")
    (pictures / f"{name}.png").write_bytes(b"no picture")
    random = np.random.default_rng(1)
    for number in range(40):  # enough to measure
        pixels = random.integers(0, 256, (20, 20, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(pictures / f"more-{number}.png")
    return plugin, pictures


@needs_posix
@pytest.mark.parametrize("words", [
    ("list",), ("plugins",), ("--help",), ("show", "odd"), ("show", "odd-recipe"), ("odd",),
    ("odd", "--help"), ("run", "--recipe", "odd-recipe"), ("run", "--trick", HOSTILE),
    ("show", HOSTILE), ("sample", HOSTILE), ("evaluate", HOSTILE), ("lesson", HOSTILE),
    ("race", "--resume", HOSTILE), (HOSTILE,),
], ids=lambda words: words[0])  # fmt: skip
def test_a_hostile_plugin_and_names_in_a_terminal(words, hostile, in_a_terminal):
    plugin, _ = hostile
    drawn = in_a_terminal("-p", plugin, *words)
    assert "hostile.py: " not in drawn  # it was loaded
    if words[0] == "odd" and len(words) == 1:
        drawn = drawn.replace("\nforged: all is well", "")  # lines that its own command prints
    assert not [sign for sign in FOREIGN if sign in drawn]
    if words[0] != "odd":
        assert_harmless(drawn)


@needs_posix
@pytest.mark.parametrize("words", [("list",), ("--debug", "odd")], ids=lambda words: words[0])
def test_a_hostile_plugin_in_a_process_of_its_own(words, hostile, tmp_path):
    drawn = in_a_new_process(("-p", hostile[0], *words), tmp_path)
    assert "odd" in drawn
    assert "hostile.py: " not in drawn
    assert not [sign for sign in FOREIGN if sign in drawn]


@needs_posix
def test_hostile_pictures_and_a_run_of_them_in_a_terminal(hostile, in_a_terminal, tmp_path):
    plugin, pictures = hostile
    page = tmp_path / f"{pictures.name}.html"
    out = tmp_path / f"run-{pictures.name}"
    for words in (
        ("data", "check", pictures, "--page", page),
        ("run", "--data", pictures, "--model", "dcgan64:base_channels=4", "--trick", "odd",
         "--image-size", "16", "--batch-size", "4", "--steps", "3", "--device", "cpu",
         "--out", out),
        ("sample", out),
        ("evaluate", out, "--metric", "swd", "--samples", "8"),
    ):  # fmt: skip
        drawn = in_a_terminal("-p", plugin, *words)
        assert "hostile.py: " not in drawn
        assert_harmless(drawn)
    assert (out / "run.json").exists()


def test_markup_in_a_metric_is_printed_as_it_is(capsys):
    from gankit_metrics.command import print_table
    from gankit_metrics.measurement import Measurement

    numbers = dict.fromkeys(("value", "low", "high", "floor", "seconds"), 1.0)
    texts = {"metric": "[/red]x", "better": "lower", "features": "[link=a]y", "note": "[/]z"}
    fields = {"samples": 8, "reference": 8, "against": "training pictures", "step": 3}
    print_table([Measurement(**numbers, **texts, **fields)], Path("[/b]run"), 9)
    out = capsys.readouterr().out
    assert all(text in out for text in ("[/red]x", "[link=a]y", "[/]z", "[/b]run"))


@needs_posix
def test_a_closed_stream_keeps_its_number(tmp_path):
    """Else the next file that is opened would get it, with all that is printed."""
    script = "import os; from gankit.cli.terminal.output import safe_output\n"
    script += "with safe_output(): number = os.open('file', os.O_CREAT | os.O_WRONLY)\n"
    script += "raise SystemExit(number)"
    command = ["sh", "-c", 'exec "$@" >&- 2>&- <&-', "sh", sys.executable, "-c", script]
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode > 2


def test_a_stream_without_a_terminal_is_no_error(gankit_cli, monkeypatch):
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    from gankit.cli.main import main

    with pytest.raises(SystemExit) as ended:
        main(["list"])
    assert ended.value.code == 0


def test_streams_are_given_back(gankit_cli):
    before = (sys.stdin, sys.stdout, sys.stderr)
    assert gankit_cli("list").code == 0
    assert (sys.stdin, sys.stdout, sys.stderr) == before
    assert os.fstat(1)


def test_an_output_that_a_plugin_has_closed_is_named():
    raw = io.TextIOWrapper(io.BytesIO())
    stream = output.PrintableStream(raw, output.OUTPUT)
    raw.close()
    for use in (lambda: stream.write("a"), stream.flush):
        with pytest.raises(OSError, match="Bad file descriptor") as failed:
            use()
        assert output.is_output_error(failed.value)
    output.PrintableStream(raw, "").write("a message that nobody can read")


def test_a_closed_pipe_of_windows_is_one(monkeypatch):
    class Pipe(io.StringIO):
        def write(self, text):
            raise OSError(errno.EINVAL, "Invalid argument")

    stream = output.PrintableStream(Pipe(), output.OUTPUT)
    with pytest.raises(OSError, match="Invalid argument"):
        stream.write("a")
    monkeypatch.setattr(output, "IS_WINDOWS", True)
    with pytest.raises(output.OutputClosed):
        stream.write("a")


def test_click_does_not_write_past_the_stream_on_windows(monkeypatch):
    stream = output.PrintableStream(io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), "")
    assert stream.buffer
    monkeypatch.setattr(output, "IS_WINDOWS", True)
    assert not hasattr(stream, "buffer")


def test_the_classic_console_of_windows_obeys_escape_codes(monkeypatch):
    modes = {-11: 3, -12: None}  # stderr is a file
    kernel = SimpleNamespace(GetStdHandle=FunctionOfC(lambda number: -number))
    kernel.SetConsoleMode = lambda console, mode: modes.update({-console.value: mode})

    def get_mode(console, mode):
        mode._obj.value = modes[-console.value] or 0
        return modes[-console.value] is not None

    kernel.GetConsoleMode = get_mode
    monkeypatch.setattr(ctypes, "WinDLL", lambda name: kernel, raising=False)
    output.obey_escape_codes()
    assert modes == {-11: 3, -12: None}
    monkeypatch.setattr(sys, "platform", "win32")
    output.obey_escape_codes()
    assert modes == {-11: 7, -12: None}


class FunctionOfC:
    """A function that has a type of result, too."""

    def __init__(self, function):
        self.function = function

    def __call__(self, *args):
        return self.function(*args)
