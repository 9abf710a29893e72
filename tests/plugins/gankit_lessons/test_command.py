"""`gankit lesson`: reading lessons, the walk, stopping and resuming it, saved progress."""

import io
import json
import os
import re
import sys
import threading
from types import SimpleNamespace

import pytest
from gankit_lessons import lesson as reading
from gankit_lessons import progress, session
from gankit_lessons.view import View, discard_early_keys, find_page_break

from gankit.core.errors import GankitError

LESSON = '''"""Lesson 7: counting
=================

How *numbers* grow.

You will learn   what comes after 2.
You should know  nothing.
It takes         about 3 minutes on two cores.
You will see     `lesson-07.png`: nothing, in two
                 lines.
Predict          What comes out?
Break it         Divide by 0.
Exercise         What is twice the number?

Run it.
"""

# %%
# Numbers. The first is
# one.
import os
import re
from pathlib import Path

number = int(os.environ.get("GANKIT_LESSON_STEPS", 1))
with Path("ran.txt").open("a") as file:
    file.write("1")

# %%
number = number + 1
print(f"the number is {number}")
with Path("ran.txt").open("a") as file:
    file.write("2")
if Path("broken").exists():
    raise ValueError("no such\\nnumber")

# %%
# Was your prediction right?

# %%
# Exercise. What is twice the number?
answer = None
if answer is not None:
    print("Right: so it is." if answer == 2 * number else f"Not yet: it is not {answer}.")
'''

LINES = LESSON.splitlines()
ADDING = LINES.index("number = number + 1") + 1
RAISING = LINES.index('    raise ValueError("no such\\nnumber")') + 1


@pytest.fixture
def lesson_7(here, monkeypatch):
    """A folder with one lesson; progress is saved in the test's own folder."""
    (here / "lessons").mkdir()
    path = here / "lessons" / "07_counting.py"
    path.write_text(LESSON, encoding="utf-8")
    monkeypatch.setattr(reading, "lessons_folder", lambda: here / "lessons")
    monkeypatch.setattr(progress, "progress_file", lambda: here / "user" / "lessons.json")
    monkeypatch.setenv("GANKIT_LESSON_STEPS", "1")  # --steps sets it; put back after the test
    return path


@pytest.fixture
def walk(lesson_7, gankit_cli, monkeypatch):
    """`walk("they fall", "", "q")`: take the lesson, typing these lines."""

    def typed(*lines, args=()):
        monkeypatch.setenv("COLUMNS", "100")
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        return gankit_cli("lesson", "7", *args)

    return typed


def ran(here):
    return (here / "ran.txt").read_text()


def test_a_lesson_is_read_without_being_run(lesson_7, here):
    lesson = reading.read(lesson_7)
    assert (lesson.number, lesson.title, lesson.minutes) == (7, "counting", "3")
    assert (lesson.intro, lesson.closing) == ("How *numbers* grow.", "Run it.")
    assert lesson.labels["You will see"] == "`lesson-07.png`: nothing, in two lines."
    first, second, last = lesson.cells
    assert first.prose == "Numbers. The first is\none."
    assert first.code.startswith("import os\n")
    assert LINES[second.line - 1] == "number = number + 1"
    assert (second.prose, last.code) == ("", "")
    assert LINES[lesson.exercise.line - 1] == "answer = None"
    assert not (here / "ran.txt").exists()


def test_the_fingerprint_changes_with_the_code_alone(lesson_7):
    before = reading.read(lesson_7).fingerprint()
    for old, new, same in (
        ("How *numbers* grow", "What numbers are", True),
        ("# Numbers. The first is\n", "# The first number is\n", True),
        ("it is not", "twice it is not", True),
        ("number = number + 1", "number = number + 2", False),
        ("# %%\nnumber", "number", False),
    ):
        lesson_7.write_text(LESSON.replace(old, new), encoding="utf-8")
        assert (reading.read(lesson_7).fingerprint() == before) is same, new


@pytest.mark.parametrize("wrong", ["answer = None\n", "Lesson 7: ", "Predict  "])
def test_a_file_that_is_not_a_lesson_is_refused(lesson_7, wrong):
    lesson_7.write_text(LESSON.replace(wrong, ""), encoding="utf-8")
    with pytest.raises(GankitError, match=r"07_counting\.py"):
        reading.read(lesson_7)


def test_a_walk_to_the_end(walk, here, gankit_cli):
    code, out, err = walk("it grows", "", "", "", "5", "2 * number")
    assert (code, err) == (0, "")
    assert ran(here) == "12"
    expected = (
        *("Lesson 7: counting", "what comes after 2", "What comes out?", "Cell 1 of 4"),
        *("number = int(", "Cell 2 of 4", "the number is 2", 'You predicted: "it grows"'),
        *("Was your prediction right?", "Cell 4 of 4", "Not yet: it is not 5.", "Right: so it is."),
        *("Break it", "07_counting.py", "Lesson 7 is done"),
    )
    positions = [out.index(text) for text in expected]
    assert positions == sorted(positions)
    assert "if answer is not None" not in out  # the check would give the answer away
    assert "done, exercise right" in gankit_cli("lesson").out


def test_keys_pressed_while_a_cell_runs_are_discarded(monkeypatch):
    pytest.importorskip("termios")
    keyboard, terminal = os.openpty()
    with os.fdopen(terminal) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        os.write(keyboard, b"early\n")
        threading.Timer(0.5, os.write, (keyboard, b"late\n")).start()
        assert View().ask("") == "late"
    os.close(keyboard)


def test_keys_are_discarded_on_windows_too(monkeypatch):
    keys = list("early")
    keyboard = SimpleNamespace(kbhit=lambda: bool(keys), getwch=lambda: keys.pop(0))
    monkeypatch.setitem(sys.modules, "msvcrt", keyboard)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(sys, "platform", "win32")
    discard_early_keys()
    assert keys == []


def test_q_quits_at_every_question(walk, gankit_cli):
    assert "Cell 1" not in walk("q").out
    assert re.search(r"\b4\b", walk("", "", "", "", "q").out.splitlines()[-2])
    assert re.search(r"stopped .*\b4\b", gankit_cli("lesson").out)


@pytest.mark.parametrize(
    ("line", "rows"),
    [
        ("exactly twenty wide!", ["exactly twenty wide!"]),
        ("columns 0.5 of one  numbers 0.7", ["columns 0.5 of one", "    numbers 0.7"]),
        ("words without columns, many", ["words without", "    columns, many"]),
        ("          indented so far", ["          indented", "    so far"]),
        ("a" * 45, ["a" * 20, "    " + "a" * 16, "    " + "a" * 9]),
    ],
)
def test_a_line_wider_than_the_terminal_is_broken_between_its_columns(capsys, line, rows):
    view = View()
    view.terminal_width = 20
    view.print(line[:7], end="")
    view.print(line[7:], "\nbelow", sep="")
    assert capsys.readouterr().out.splitlines() == [*rows, "below"]


def test_cells_print_through_the_view(walk, monkeypatch):
    monkeypatch.setattr(View, "print", lambda self, *values, **options: print("seen", *values))
    assert "seen the number is 2" in walk("", "", "", "q").out
    assert "seen Right: so it is." in walk("", "", "4").out


def test_the_variable_of_scripts_becomes_an_option(walk, lesson_7):
    short = "on two cores. GANKIT_LESSON_STEPS=16 only tries it out."
    lesson_7.write_text(LESSON.replace("on two cores.", short), encoding="utf-8")
    assert "gankit lesson 7 --steps 16 only tries it out." in walk("q").out


def test_a_skipped_cell_is_named_if_its_variables_are_missing(walk, here):
    out = walk("", "s", "", "", "", "").out
    assert f"Cell 2: 07_counting.py, line {ADDING}: NameError: name 'number' is not defined" in out
    assert "    number = number + 1\n" in out
    assert re.search(r"'number'.* 1\b", out)
    assert "You predicted" not in out
    assert not (here / "ran.txt").exists()


def test_a_cell_that_raises_can_be_run_again_or_skipped(walk, here):
    (here / "broken").touch()
    out = walk("", "", "", "r", "", "", "").out
    assert out.count(f"line {RAISING}: ValueError: no such number") == 2
    assert ran(here) == "122"
    assert "Break it" in out


def test_stopping_and_resuming(walk, here, gankit_cli):
    out = walk("it grows", "", "q").out
    assert re.search(r"Stopped .*\b2\b", out)
    assert "gankit lesson 7" in out
    assert re.search(r"stopped .*\b2\b", gankit_cli("lesson").out)
    out = walk("", "", "", "4").out
    assert "before cell 2." in out
    assert "What comes out?" not in out
    assert "Cell 1 of 4" not in out
    assert '"it grows"' in out
    assert "Right: so it is." in out
    assert ran(here) == "112"  # the first cell ran again, for its variables


def test_resuming_reruns_only_the_cells_that_ran_and_hides_their_output(walk, here):
    walk("", "", "", "q")
    assert ran(here) == "12"
    assert "the number is" not in walk("", "q").out
    assert ran(here) == "1212"
    walk("b", "", "s", "s", "q")
    walk("", "", "")
    assert ran(here) == "1212"


def test_the_exercise_can_be_done_later(walk, gankit_cli):
    walk("", "", "", "", "")
    assert "done, exercise open" in gankit_cli("lesson").out
    assert "Right: so it is." in walk("", "4").out
    assert "done, exercise right" in gankit_cli("lesson").out


def test_only_an_exercise_that_needs_the_cells_runs_them_again(walk, lesson_7, here):
    walk("", "", "", "", "")
    assert "run again" in walk("q").out
    lesson_7.write_text(LESSON.replace("2 * number", "int(Path('2').name)"), encoding="utf-8")
    out = walk("", "number", "3", "2").out
    assert "run again" not in out
    assert re.search(r"'number'.* 1, 2\b", " ".join(out.split()))
    assert "Not yet: it is not 3." in out
    assert "Right: so it is." in out
    assert ran(here) == "12"


def test_an_exercise_without_its_cells_names_them(walk):
    out = walk("", "s", "s", "", "2", "").out
    assert "NameError: name 'number' is not defined" in out
    assert " 1, 2" in " ".join(out.split())
    assert "quotes" not in out


def test_resuming_uses_the_same_steps(walk, monkeypatch):
    monkeypatch.delenv("GANKIT_LESSON_STEPS")
    walk("", "", "q", args=["--steps", 4])
    monkeypatch.delenv("GANKIT_LESSON_STEPS")
    out = " ".join(walk("", "", "q").out.split())
    assert "0 seconds with --steps 4" in out
    assert "the number is 5" in out
    monkeypatch.delenv("GANKIT_LESSON_STEPS")
    assert "the number is 8" in walk("b", "", "", "", "q", args=["--steps", 7]).out


def test_a_changed_lesson_starts_at_the_beginning(walk, lesson_7):
    walk("", "", "q")
    lesson_7.write_text(LESSON.replace("number + 1", "number + 3"), encoding="utf-8")
    out = walk("", "", "", "", "").out
    assert "before cell" not in out
    assert "the number is 4" in out


def test_answers_that_cannot_be_checked_get_one_line(walk):
    out = walk("", "", "", "", "two words", "two", "'2' + 2", "4").out
    assert "not a Python expression" in out
    assert "NameError: name 'two' is not defined. Put text in quotes." in out
    assert "TypeError: can only concatenate str" in out
    assert "Right: so it is." in out


def test_unknown_keys_are_asked_again(walk):
    assert "Enter, s, q." in walk("", "x", "q").out


def test_the_end_of_a_piped_input_quits(walk):
    code, out, _ = walk("", "")
    assert code == 0
    assert re.search(r"Stopped .*\b2\b", out)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_cell_longer_than_the_window_is_shown_in_pages(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(sys, "stdout", screen)
    for name, value in {"COLUMNS": "80", "LINES": "20", "TERM": "xterm-256color"}.items():
        monkeypatch.setenv(name, value)
    code = "\n".join(f"number_{line} = {line}" if line % 10 else "" for line in range(1, 40))
    pages = []

    def pause():
        pages.append(screen.getvalue())
        screen.seek(0)
        screen.truncate()

    View().cell(reading.Cell("Prose.", code, 1), "Cell 1 of 2", pause)
    pages.append(screen.getvalue())
    assert max(page.count("\n") for page in pages) <= 18
    assert len(pages) == 4
    assert [f"number_{line}" in "".join(pages) for line in range(1, 40) if line % 10] == [True] * 36
    assert "number_9" in pages[0]
    assert "number_11" in pages[1]  # page breaks are at empty lines


def test_a_page_break_needs_an_empty_line_in_the_lower_half():
    assert find_page_break(["x = 1"] * 30, 10) == 10
    assert find_page_break(["x = 1"] * 7 + ["  8 "] + ["x = 1"] * 30, 10) == 8
    assert find_page_break(["x = 1", ""] + ["x = 1"] * 30, 10) == 10


def test_the_time_of_the_last_run_is_shown(walk, lesson_7):
    state = {"code": reading.read(lesson_7).fingerprint(), "steps": "1", "seconds": {"1": 45.0}}
    progress.save(7, state)
    assert "45 seconds" in walk("", "", "q").out
    progress.save(7, {**state, "steps": "480"})
    assert "45 seconds" not in walk("", "", "q").out


def test_a_warning_of_a_cell_that_redirects_stdout_is_shown(walk, lesson_7):
    source = """
import contextlib, io, logging
with contextlib.redirect_stdout(io.StringIO()):
    logging.getLogger("gankit").warning("this computer is busy")
"""
    lesson_7.write_text(LESSON.replace("number = number + 1", source), encoding="utf-8")
    assert walk("", "", "", "q").err == "gankit: this computer is busy\n"


@pytest.mark.parametrize("when", ["asked", "running"])
def test_ctrl_c(walk, lesson_7, monkeypatch, when):
    if when == "asked":
        monkeypatch.setattr("builtins.input", interrupt)
        code, out, err = walk()
        assert (code, err) == (130, "")
        assert out.endswith(" (Enter: none): \n")  # the shell's prompt begins a line of its own
    else:
        raises = LESSON.replace("number = number + 1", "raise KeyboardInterrupt")
        lesson_7.write_text(raises, encoding="utf-8")
        code, out, _ = walk("", "", "", "q")
        assert code == 0
        assert f"\n\nCell 2: 07_counting.py, line {ADDING}: interrupted" in out


def test_a_run_that_was_stopped_in_a_cell(walk, lesson_7):
    source = """
from gankit import RunStopped
raise RunStopped("stopped at step 3 of 8", 130)
"""
    lesson_7.write_text(LESSON.replace("number = number + 1", source), encoding="utf-8")
    code, out, _ = walk("", "", "", "q")
    assert code == 0
    assert "interrupted: stopped at step 3 of 8" in out
    code, _, err = walk(args=["--run"])
    assert code == 130
    assert "stopped at step 3 of 8" in err


def interrupt(prompt):
    print(prompt, end="")
    raise KeyboardInterrupt


def test_run_is_as_a_script(walk, here):
    assert walk(args=["--run", "--steps", 4]) == (0, "the number is 5\n", "")
    assert ran(here) == "12"
    (here / "broken").touch()
    code, _, err = walk(args=["--run"])
    assert code == 1
    assert err == f"gankit: 07_counting.py, line {RAISING}: ValueError: no such number\n"


def test_the_list(lesson_7, gankit_cli, monkeypatch):
    assert gankit_cli("lesson").out.splitlines()[0] == "  7  counting    3 min"
    state = {"at": 1, "ran": [], "seconds": {}}
    progress.save(7, state)
    monkeypatch.setenv("COLUMNS", "40")
    listed = gankit_cli("lesson").out
    assert "stopped at cell 2" in listed
    assert max(map(len, listed.splitlines())) <= 40
    assert "0 of 1 done" in listed
    assert "gankit lesson 7" in " ".join(listed.split())


@pytest.mark.parametrize(
    ("args", "fact"),
    [
        (["8"], "lesson 8"),
        (["count"], "'counting'"),
        (["--run"], "gankit lesson 1 --run"),
        (["7", "--steps", "0"], "'--steps'"),
    ],
)
def test_mistakes_get_one_line(lesson_7, gankit_cli, args, fact):
    code, out, err = gankit_cli("lesson", *args)
    assert (code, out) == (2, "")
    assert fact in err
    assert err.count("\n") == 1


def test_missing_lessons_are_an_error(lesson_7, gankit_cli):
    lesson_7.unlink()
    code, out, err = gankit_cli("lesson")
    assert (code, out) == (1, "")
    assert str(reading.lessons_folder()) in err


def test_a_lesson_has_a_name_too(lesson_7):
    for name in ("7", "07", "counting", "07_counting", "07_counting.py"):
        assert reading.find(name).number == 7


@pytest.mark.parametrize("damage", ["", "{", "[1]", '{"7": 3}'])
def test_a_damaged_progress_file_counts_as_empty(lesson_7, gankit_cli, damage):
    progress.progress_file().parent.mkdir()
    progress.progress_file().write_text(damage, encoding="utf-8")
    assert gankit_cli("lesson").code == 0
    assert progress.save(7, {"done": "today"}) == ""
    assert progress.load()["7"] == {"done": "today"}


@pytest.mark.parametrize(
    "state",
    [
        {"at": "2"}, {"at": True}, {"at": -1}, {"at": 10**30}, {"at": 1, "ran": [99]},
        {"at": 1, "ran": ["0"]}, {"at": 1, "ran": 3}, {"at": 1, "ran": [-1]},
        {"at": 1, "seconds": {"0": "x"}}, {"at": 1, "seconds": []}, {"at": 1, "steps": 5},
        {"at": 1, "prediction": ["x"]}, {"at": 1, "done": {}}, {"at": 1, "exercise": "x"},
        {"at": 1, "code": None},
    ],
)  # fmt: skip
def test_a_state_that_no_lesson_saved_does_no_harm(lesson_7, walk, gankit_cli, state):
    progress.save(7, {"code": reading.read(lesson_7).fingerprint(), **state})
    assert gankit_cli("lesson").code == 0
    assert walk("q").code == 0


def test_what_is_saved_is_whole_and_keeps_the_others(lesson_7, monkeypatch):
    assert progress.save(1, {"at": 2}) == ""
    assert progress.save(7, {"at": 1}) == ""
    before = progress.progress_file().read_text(encoding="utf-8")
    assert json.loads(before) == {"1": {"at": 2}, "7": {"at": 1}}

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert "No space left on device" in progress.save(7, {"at": 3})
    assert progress.progress_file().read_text(encoding="utf-8") == before
    assert [path.name for path in progress.progress_file().parent.iterdir()] == ["lessons.json"]


def test_a_lesson_continues_if_progress_cannot_be_saved(walk, here):
    (here / "user").write_text("a file in the folder's place")
    code, out, _ = walk("", "", "", "", "4")
    assert code == 0
    assert out.count("lessons.json") == 1
    assert "Break it" in out


def test_the_runs_of_a_lesson_have_the_same_number_of_threads(monkeypatch):
    numbers = [3, 4]
    monkeypatch.setattr("gankit.compute.threads.choose_threads", lambda: numbers.pop(0))
    monkeypatch.setenv("OMP_NUM_THREADS", "")  # restored after the test
    monkeypatch.delenv("OMP_NUM_THREADS")
    session.fix_threads.cache_clear()
    session.fix_threads()
    session.fix_threads()
    assert os.environ["OMP_NUM_THREADS"] == "3"
    session.fix_threads.cache_clear()
