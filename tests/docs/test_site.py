"""The site: lesson pages with the output of whole runs, notebooks, and the command reference."""

import json
import os
import re
from pathlib import Path

import click
import pytest
from gankit_lessons import lesson as reading
from PIL import Image

from gankit.cli.main import new_cli
from gankit.cli.plugin_commands import LazyCommand

DOCS = Path(__file__).parents[2] / "docs"
LESSONS = reading.read_all()
RUN_LESSON_7 = "run python docs/run_lesson.py 7"
LESSON = '''"""Lesson 7: drawing
=================

A picture.

You will learn   to draw.
You should know  `print`.
It takes         about 1 minutes on two cores.
You will see     `lesson-07.png`: red.
Predict          Is it red?
Break it         Make it blue.
Exercise         Which colour?

Run it.
"""

# %%
# First some text.
print("one")
print("50 %\\r100 %")

# %%
# Then a picture.
from PIL import Image

Image.new("RGB", (64, 64), "red").save("lesson-07.png")

# %%
# Was your prediction right?

# %%
# Exercise. Which colour?
answer = None
if answer is not None:
    print("Right" if answer == "red" else "Not yet")
'''


@pytest.fixture(scope="module")
def docs(docs_script):
    """The scripts in docs/, as modules of these names."""
    return {name: docs_script(name) for name in ("run_lesson", "write_lessons", "write_commands")}


@pytest.fixture
def lesson_7(here, docs, monkeypatch):
    """The path of a lesson in a temporary folder, where its output is saved, too."""
    (here / "lessons").mkdir()
    path = here / "lessons" / "07_drawing.py"
    path.write_text(LESSON, encoding="utf-8")
    monkeypatch.setattr(reading, "lessons_folder", lambda: here / "lessons")
    monkeypatch.setattr(docs["run_lesson"], "OUTPUTS", here / "outputs")
    monkeypatch.setattr(docs["run_lesson"], "WORK_FOLDER", here / "runs" / "lessons")
    return path


# --- saved runs


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.path.stem)
def test_the_saved_run_is_of_the_current_code(docs, lesson):
    run_lesson = docs["run_lesson"]
    record = run_lesson.load_output(lesson)
    if record is None:
        pytest.skip("this lesson has not been run for its page")
    assert len(record["cells"]) == len([cell for cell in lesson.cells if cell.code])
    folder = run_lesson.output_folder(lesson)
    pictures = [folder / name for cell in record["cells"] for name in cell["pictures"]]
    assert pictures
    for picture in pictures:
        is_video = picture.name.endswith("-film.webp")
        max_bytes = run_lesson.MAX_VIDEO_BYTES if is_video else run_lesson.MAX_PICTURE_BYTES
        assert 0 < picture.stat().st_size <= max_bytes


def test_a_run_is_saved(docs, lesson_7, here):
    docs["run_lesson"].save_output(reading.read(lesson_7))
    record = docs["run_lesson"].load_output(reading.read(lesson_7))
    first, second = record["cells"]
    assert first["text"] == "one\n100 %"
    assert (second["text"], second["pictures"]) == ("", ["lesson-07.webp"])
    with Image.open(here / "outputs" / "lesson-07" / "lesson-07.webp") as picture:
        red, green, blue = picture.convert("RGB").getpixel((32, 32))
    assert red > 250
    assert max(green, blue) < 5
    assert record["made"]["threads"] >= 1


def test_a_new_run_replaces_all_files_of_the_old_run(docs, lesson_7, here):
    docs["run_lesson"].save_output(reading.read(lesson_7))
    (here / "outputs" / "lesson-07" / "old.webp").touch()
    docs["run_lesson"].save_output(reading.read(lesson_7))
    names = {path.name for path in (here / "outputs" / "lesson-07").iterdir()}
    assert names == {"lesson-07.webp", "output.json"}


def test_changed_code_makes_a_run_stale_but_changed_prose_does_not(docs, lesson_7):
    load_output = docs["run_lesson"].load_output
    assert load_output(reading.read(lesson_7)) is None
    docs["run_lesson"].save_output(reading.read(lesson_7))
    lesson_7.write_text(LESSON.replace("# Then a", "# Now a"), encoding="utf-8")
    assert "cells" in load_output(reading.read(lesson_7))
    lesson_7.write_text(LESSON.replace('"one"', '"two"'), encoding="utf-8")
    with pytest.raises(docs["run_lesson"].StaleOutputError, match=RUN_LESSON_7):
        load_output(reading.read(lesson_7))


def test_pictures_and_videos_are_made_small_enough(docs, here, monkeypatch):
    run_lesson = docs["run_lesson"]
    monkeypatch.setattr(run_lesson, "MAX_PICTURE_BYTES", 15_000)
    noise = Image.frombytes("RGB", (160, 160), os.urandom(160 * 160 * 3))
    noise.save(here / "lesson-07.png")
    reds = [Image.new("RGB", (64, 64), (red, 0, 0)) for red in (50, 150, 250)]
    reds[0].save(here / "lesson-07.gif", save_all=True, append_images=reds[1:], duration=50)
    (here / "web").mkdir()
    assert run_lesson.convert_picture(here / "lesson-07.png", here / "web") == "lesson-07.webp"
    assert 5_000 < (here / "web" / "lesson-07.webp").stat().st_size <= 15_000
    assert run_lesson.convert_picture(here / "lesson-07.gif", here / "web") == "lesson-07-film.webp"
    with Image.open(here / "web" / "lesson-07-film.webp") as video:
        assert video.n_frames == 3
    monkeypatch.setattr(run_lesson, "MAX_PICTURE_BYTES", 100)
    with pytest.raises(SystemExit, match=r"lesson-07\.webp is too large"):
        run_lesson.convert_picture(here / "lesson-07.png", here / "web")


def test_saved_text_has_no_folder_and_no_warning_of_this_machine(docs, monkeypatch):
    folder = docs["run_lesson"].WORK_FOLDER
    monkeypatch.setenv("GANKIT_CACHE", "/home/reader/cache")
    busy = "warning: this computer was busy in the last minute (load 9.0 on 2 cores)"
    text = f"{folder}/runs/petals-1\n{busy}\n/home/reader/cache/petals.npy\nin {folder}\n"
    assert docs["run_lesson"].clean_output(text) == "runs/petals-1\npetals.npy\nin ."


# --- pages


def test_a_page_shows_prose_code_and_output_in_order(docs, lesson_7, here):
    docs["run_lesson"].save_output(reading.read(lesson_7))
    assert docs["write_lessons"].write_all(here / "pages", "gankit.whl") == []
    text = (here / "pages" / "07_drawing.md").read_text(encoding="utf-8")
    in_order = [
        "# Lesson 7: drawing",
        "A picture.",
        "to draw.",
        "Is it red?",
        "First some text.",
        'print("one")',
        "one\n100 %",
        "Then a picture.",
        "../outputs/lesson-07/lesson-07.webp",
        "Was your prediction right?",
        "Make it blue.",
        "Which colour?",
        "answer = None",
    ]
    positions = [text.index(part) for part in in_order]
    assert positions == sorted(positions)
    for link in ("gankit lesson 7", "07_drawing.py", "07_drawing.ipynb"):
        assert link in text
    index = (here / "pages" / "index.md").read_text(encoding="utf-8")
    assert "7. Drawing" in index
    assert "\n07_drawing\n" in index


def test_a_page_without_a_saved_run_says_so(docs, lesson_7, here):
    assert docs["write_lessons"].write_all(here / "pages", "gankit.whl") == []
    text = (here / "pages" / "07_drawing.md").read_text(encoding="utf-8")
    assert docs["write_lessons"].NOT_RUN in text
    assert "First some text." in text
    assert ":class: output" not in text


def test_a_stale_run_is_not_shown_and_fails_the_build(docs, lesson_7, here):
    docs["run_lesson"].save_output(reading.read(lesson_7))
    lesson_7.write_text(LESSON.replace('"one"', '"two"'), encoding="utf-8")
    (problem,) = docs["write_lessons"].write_all(here / "pages", "gankit.whl")
    assert RUN_LESSON_7 in problem
    text = (here / "pages" / "07_drawing.md").read_text(encoding="utf-8")
    assert docs["write_lessons"].NOT_RUN in text
    assert ":class: output" not in text


def test_pages_of_deleted_lessons_are_deleted(docs, lesson_7, here):
    (here / "pages").mkdir()
    (here / "pages" / "06_old.md").touch()
    docs["write_lessons"].write_all(here / "pages", "gankit.whl")
    names = sorted(path.name for path in (here / "pages").iterdir())
    assert names == ["07_drawing.ipynb", "07_drawing.md", "index.md"]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.path.stem)
def test_a_notebook_contains_the_lesson_and_installs_gankit(docs, lesson):
    book = json.loads(json.dumps(docs["write_lessons"].notebook(lesson, "gankit-1.whl")))
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in book["cells"]]
    assert len(set(ids)) == len(ids)
    codes = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in codes)
    install, *codes = [cell["source"] for cell in codes]
    assert "%pip install --quiet gankit-1.whl" in install
    expected = [cell.code for cell in (*lesson.cells, lesson.exercise) if cell.code]
    assert codes == expected
    compile("\n".join(codes), "notebook", "exec")


def test_a_notebook_asks_for_an_upload_only_without_a_web_address(docs, lesson_7):
    lesson = reading.read(lesson_7)
    local = docs["write_lessons"].notebook(lesson, "gankit-1.whl")["cells"]
    assert "upload `gankit-1.whl`" in local[1]["source"]
    online = docs["write_lessons"].notebook(lesson, "https://example.org/gankit-1.whl")["cells"]
    assert "upload" not in online[1]["source"]
    assert "%pip install --quiet https://example.org/gankit-1.whl" in online[2]["source"]


# --- the command reference


def walk_commands():
    """Yield the name and the command of every command and subcommand."""
    cli = new_cli()
    for name in cli.list_commands(click.Context(cli)):
        command = cli.commands[name]
        if isinstance(command, LazyCommand):
            command = command.load()
        yield name, command
        if isinstance(command, click.Group):
            for subname, subcommand in command.commands.items():
                yield f"{name} {subname}", subcommand


def test_every_command_and_option_is_in_the_reference(docs):
    text = docs["write_commands"].page()
    num_options = 0
    for name, command in walk_commands():
        section = text.partition(f"\n## gankit {name}\n")[2].partition("\n## ")[0]
        assert section, name
        options = [param for param in command.params if isinstance(param, click.Option)]
        for spelling in [text for option in options for text in option.opts]:
            assert re.search(rf"^\| `[^`]*{spelling}[ `,]", section, re.MULTILINE), spelling
            num_options += 1
    assert num_options > 80
