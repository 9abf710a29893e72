"""`gankit lesson`: read from files, walked through, left, taken up again, remembered."""

import io
import json
import os
import sys
import threading

import pytest
from gankit_lessons import lesson as reading
from gankit_lessons import progress
from gankit_lessons.view import View

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
    """A folder with one lesson, and a place to remember in that is the test's own."""
    (here / "lessons").mkdir()
    path = here / "lessons" / "07_counting.py"
    path.write_text(LESSON, encoding="utf-8")
    monkeypatch.setattr(reading, "folder", lambda: here / "lessons")
    monkeypatch.setattr(progress, "file", lambda: here / "user" / "lessons.json")
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
def test_what_is_no_lesson_is_refused(lesson_7, wrong):
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
        *("Break it", "07_counting.py", "Lesson 7 is done, and your answer was right."),
    )
    places = [out.index(words) for words in expected]
    assert places == sorted(places)
    assert "if answer is not None" not in out  # the check would give the answer away
    assert "done, exercise right" in gankit_cli("lesson").out


def test_what_is_pressed_while_a_cell_runs_answers_no_question(monkeypatch):
    pytest.importorskip("termios")
    keyboard, terminal = os.openpty()
    with os.fdopen(terminal) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        os.write(keyboard, b"early\n")
        threading.Timer(0.5, os.write, (keyboard, b"late\n")).start()
        assert View().ask("") == "late"
    os.close(keyboard)


def test_q_leaves_wherever_something_is_asked(walk, gankit_cli):
    assert "Cell 1" not in walk("q").out
    said = walk("", "", "", "", "q").out
    assert "Stopped before cell 4 of 4." in said
    assert "stopped at cell 4 of 4" in gankit_cli("lesson").out


@pytest.mark.parametrize(
    ("line", "rows"),
    [
        ("as wide as it may be", ["as wide as it may be"]),
        ("columns 0.5 of one  numbers 0.7", ["columns 0.5 of one", "    numbers 0.7"]),
        ("words without columns, many", ["words without", "    columns, many"]),
        ("          indented so far", ["          indented", "    so far"]),
        ("a" * 45, ["a" * 20, "    " + "a" * 16, "    " + "a" * 9]),
    ],
)
def test_a_line_wider_than_the_terminal_is_broken_between_its_columns(capsys, line, rows):
    view = View()
    view.screen = 20
    view.print(line[:7], end="")
    view.print(line[7:], "\nbelow", sep="")
    assert capsys.readouterr().out.splitlines() == [*rows, "below"]


def test_cells_print_through_the_view(walk, monkeypatch):
    monkeypatch.setattr(View, "print", lambda self, *values, **options: print("seen", *values))
    assert "seen the number is 2" in walk("", "", "", "q").out
    assert "seen Right: so it is." in walk("", "", "4").out


def test_what_a_script_reads_from_the_environment_is_an_option_here(walk, lesson_7):
    short = "on two cores. GANKIT_LESSON_STEPS=16 only tries it out."
    lesson_7.write_text(LESSON.replace("on two cores.", short), encoding="utf-8")
    assert "gankit lesson 7 --steps 16 only tries it out." in walk("q").out


def test_a_skipped_cell_is_named_when_its_variables_are_missed(walk, here):
    out = walk("", "s", "", "", "", "").out
    assert f"Cell 2: 07_counting.py, line {ADDING}: NameError: name 'number' is not defined" in out
    assert "    number = number + 1\n" in out
    assert "Cells share their variables, and cell 1 did not run." in out
    assert "You predicted" not in out
    assert not (here / "ran.txt").exists()


def test_a_cell_that_raises_can_be_run_again_or_passed(walk, here):
    (here / "broken").touch()
    out = walk("", "", "", "r", "", "", "").out
    assert out.count(f"line {RAISING}: ValueError: no such number") == 2
    assert ran(here) == "122"
    assert "Lesson 7 is done, and the exercise is open." in out


def test_leaving_and_going_on(walk, here, gankit_cli):
    said = walk("it grows", "", "q").out
    assert "Stopped before cell 2 of 4." in said
    assert "Go on with: gankit lesson 7" in said
    assert "stopped at cell 2 of 4" in gankit_cli("lesson").out
    said = walk("", "", "", "4").out
    assert "You stopped before cell 2." in said
    assert "What comes out?" not in said
    assert "Cell 1 of 4" not in said
    assert 'You predicted: "it grows"' in said
    assert "Right: so it is." in said
    assert ran(here) == "112"  # the first cell ran again, for its variables


def test_going_on_runs_again_quietly_and_only_what_ran(walk, here):
    walk("", "", "", "q")
    assert ran(here) == "12"
    said = walk("", "q").out
    assert "the number is" not in said
    assert ran(here) == "1212"
    walk("b", "", "s", "s", "q")
    walk("", "", "")
    assert ran(here) == "1212"


def test_the_exercise_can_be_taken_up_later(walk, gankit_cli):
    walk("", "", "", "", "")
    assert "done, exercise open" in gankit_cli("lesson").out
    assert "Right: so it is." in walk("", "4").out
    assert "done, exercise right" in gankit_cli("lesson").out


def test_only_an_exercise_that_needs_the_cells_runs_them_again(walk, lesson_7, here):
    walk("", "", "", "", "")
    assert "Enter: run them quietly, " in walk("q").out
    lesson_7.write_text(LESSON.replace("2 * number", "int(Path('2').name)"), encoding="utf-8")
    said = walk("", "number", "3", "2").out
    assert "You stopped before cell 4.\n" in said
    assert "variables, and cell 1, 2 did not run." in " ".join(said.split())
    assert "Not yet: it is not 3." in said
    assert "Right: so it is." in said
    assert ran(here) == "12"


def test_an_exercise_without_its_cells_names_them(walk):
    out = walk("", "s", "s", "", "2", "").out
    assert "NameError: name 'number' is not defined" in out
    assert "variables, and cell 1, 2 did not run." in " ".join(out.split())
    assert "Texts go in quotes." not in out


def test_going_on_is_as_short_as_it_was(walk, monkeypatch):
    monkeypatch.delenv("GANKIT_LESSON_STEPS")
    walk("", "", "q", args=["--steps", 4])
    monkeypatch.delenv("GANKIT_LESSON_STEPS")
    said = walk("", "", "q").out
    assert "They took 0 seconds with --steps 4." in said
    assert "the number is 5" in said
    monkeypatch.delenv("GANKIT_LESSON_STEPS")
    assert "the number is 8" in walk("b", "", "", "", "q", args=["--steps", 7]).out


def test_a_changed_lesson_begins_anew(walk, lesson_7):
    walk("", "", "q")
    lesson_7.write_text(LESSON.replace("number + 1", "number + 3"), encoding="utf-8")
    said = walk("", "", "", "", "").out
    assert "You stopped" not in said
    assert "the number is 4" in said


def test_answers_that_cannot_be_checked_get_one_line(walk):
    out = walk("", "", "", "", "two words", "two", "'2' + 2", "4").out
    assert "That is no Python expression." in out
    assert "NameError: name 'two' is not defined. Texts go in quotes." in out
    assert "TypeError: can only concatenate str" in out
    assert "Right: so it is." in out


def test_unknown_keys_are_asked_again(walk):
    assert "One of these, please: Enter, s, q." in walk("", "x", "q").out


def test_the_end_of_a_piped_input_leaves_the_lesson(walk):
    code, out, _ = walk("", "")
    assert code == 0
    assert "Stopped before cell 2 of 4." in out


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
    assert "0 of 1 done. Take one: gankit lesson 7" in listed


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["8"], "there is no lesson 8. There is: 7."),
        (["count"], "there is no lesson 'count'. Did you mean 'counting'?"),
        (["--run"], "say which lesson: gankit lesson 1"),
        (["7", "--steps", "0"], "Invalid value for '--steps'"),
    ],
)
def test_mistakes_get_one_line(lesson_7, gankit_cli, args, said):
    code, out, err = gankit_cli("lesson", *args)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_lessons_that_are_missing_are_missed(lesson_7, gankit_cli):
    lesson_7.unlink()
    code, out, err = gankit_cli("lesson")
    assert (code, out) == (1, "")
    assert err.startswith("gankit: no lesson is in ")


def test_a_lesson_has_a_name_too(lesson_7):
    for name in ("7", "07", "counting", "07_counting", "07_counting.py"):
        assert reading.find(name).number == 7


@pytest.mark.parametrize("damage", ["", "{", "[1]", '{"7": 3}'])
def test_a_damaged_memory_counts_as_none(lesson_7, gankit_cli, damage):
    progress.file().parent.mkdir()
    progress.file().write_text(damage, encoding="utf-8")
    assert gankit_cli("lesson").code == 0
    assert progress.save(7, {"done": "today"}) == ""
    assert progress.load()["7"] == {"done": "today"}


def test_what_is_saved_is_whole_and_keeps_the_others(lesson_7, monkeypatch):
    assert progress.save(1, {"at": 2}) == ""
    assert progress.save(7, {"at": 1}) == ""
    before = progress.file().read_text(encoding="utf-8")
    assert json.loads(before) == {"1": {"at": 2}, "7": {"at": 1}}

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert "No space left on device" in progress.save(7, {"at": 3})
    assert progress.file().read_text(encoding="utf-8") == before
    assert [path.name for path in progress.file().parent.iterdir()] == ["lessons.json"]


def test_a_lesson_goes_on_where_nothing_can_be_remembered(walk, here):
    (here / "user").write_text("a file in the folder's place")
    code, out, _ = walk("", "", "", "", "4")
    assert code == 0
    assert out.count("what you have done cannot be remembered") == 1
    assert "Lesson 7 is done" in out
