"""The site: lessons with the output of whole runs, notebooks that hold the lesson, all commands."""

import json
import os
import re
from pathlib import Path

import click
import pytest
from gankit_lessons import lesson as reading
from PIL import Image

from gankit.cli.main import LazyCommand, new_cli

DOCS = Path(__file__).parents[2] / "docs"
LESSONS = reading.read_all()
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
# First some words.
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
    """A lesson in a folder of its own, whose runs are kept there."""
    (here / "lessons").mkdir()
    path = here / "lessons" / "07_drawing.py"
    path.write_text(LESSON, encoding="utf-8")
    monkeypatch.setattr(reading, "lessons_folder", lambda: here / "lessons")
    monkeypatch.setattr(docs["run_lesson"], "OUTPUTS", here / "outputs")
    monkeypatch.setattr(docs["run_lesson"], "PLACE", here / "runs" / "lessons")
    return path


# --- what is kept


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.path.stem)
def test_the_kept_run_is_of_the_lesson_as_it_stands(docs, lesson):
    found = docs["run_lesson"].kept(lesson)
    if found is None:
        pytest.skip("not run whole yet; its page says so")
    assert len(found["cells"]) == len([cell for cell in lesson.cells if cell.code])
    folder = docs["run_lesson"].OUTPUTS / f"lesson-{lesson.number:02d}"
    pictures = [folder / name for cell in found["cells"] for name in cell["pictures"]]
    assert pictures
    for picture in pictures:
        film = picture.name.endswith("-film.webp")
        largest = docs["run_lesson"].LARGEST_FILM if film else docs["run_lesson"].LARGEST
        assert 0 < picture.stat().st_size <= largest


def test_a_run_is_kept(docs, lesson_7, here):
    docs["run_lesson"].keep(reading.read(lesson_7))
    found = docs["run_lesson"].kept(reading.read(lesson_7))
    first, second = found["cells"]
    assert first["text"] == "one\n100 %"
    assert (second["text"], second["pictures"]) == ("", ["lesson-07.webp"])
    with Image.open(here / "outputs" / "lesson-07" / "lesson-07.webp") as picture:
        red, green, blue = picture.convert("RGB").getpixel((32, 32))
    assert red > 250
    assert max(green, blue) < 5
    assert found["made"]["threads"] >= 1


def test_what_was_kept_before_gives_way(docs, lesson_7, here):
    docs["run_lesson"].keep(reading.read(lesson_7))
    (here / "outputs" / "lesson-07" / "old.webp").touch()
    docs["run_lesson"].keep(reading.read(lesson_7))
    names = {path.name for path in (here / "outputs" / "lesson-07").iterdir()}
    assert names == {"lesson-07.webp", "output.json"}


def test_changed_code_is_noticed_and_changed_words_are_not(docs, lesson_7):
    kept = docs["run_lesson"].kept
    run_it = "run python docs/run_lesson.py 7"
    assert kept(reading.read(lesson_7)) is None
    docs["run_lesson"].keep(reading.read(lesson_7))
    lesson_7.write_text(LESSON.replace("# Then a", "# Now a"), encoding="utf-8")
    assert "cells" in kept(reading.read(lesson_7))
    lesson_7.write_text(LESSON.replace('"one"', '"two"'), encoding="utf-8")
    with pytest.raises(docs["run_lesson"].Stale, match=run_it):
        kept(reading.read(lesson_7))


def test_pictures_and_films_are_made_small_enough(docs, here, monkeypatch):
    run_lesson = docs["run_lesson"]
    monkeypatch.setattr(run_lesson, "LARGEST", 15_000)
    noise = Image.frombytes("RGB", (160, 160), os.urandom(160 * 160 * 3))
    noise.save(here / "lesson-07.png")
    reds = [Image.new("RGB", (64, 64), (red, 0, 0)) for red in (50, 150, 250)]
    reds[0].save(here / "lesson-07.gif", save_all=True, append_images=reds[1:], duration=50)
    (here / "kept").mkdir()
    assert run_lesson.picture(here / "lesson-07.png", here / "kept") == "lesson-07.webp"
    assert 5_000 < (here / "kept" / "lesson-07.webp").stat().st_size <= 15_000
    assert run_lesson.picture(here / "lesson-07.gif", here / "kept") == "lesson-07-film.webp"
    with Image.open(here / "kept" / "lesson-07-film.webp") as film:
        assert film.n_frames == 3
    monkeypatch.setattr(run_lesson, "LARGEST", 100)
    with pytest.raises(SystemExit, match=r"lesson-07\.webp is too large for the site"):
        run_lesson.picture(here / "lesson-07.png", here / "kept")


def test_outputs_name_no_folder_of_this_machine(docs, monkeypatch):
    place = docs["run_lesson"].PLACE
    monkeypatch.setenv("GANKIT_CACHE", "/home/somebody/cache")
    busy = "warning: this computer was busy in the last minute (load 9.0 on 2 cores)"
    text = f"{place}/runs/petals-1\n{busy}\n/home/somebody/cache/petals.npy\nin {place}\n"
    assert docs["run_lesson"].plain(text) == "runs/petals-1\npetals.npy\nin ."


# --- pages


def test_a_page_shows_words_code_and_output_in_order(docs, lesson_7, here):
    docs["run_lesson"].keep(reading.read(lesson_7))
    assert docs["write_lessons"].write(here / "pages", "gankit.whl") == []
    text = (here / "pages" / "07_drawing.md").read_text(encoding="utf-8")
    expected = ["# Lesson 7: drawing", "A picture.", "to draw.", "Is it red?", "First some words."]
    expected += [
        'print("one")',
        "one\n100 %",
        "Then a picture.",
        "../outputs/lesson-07/lesson-07.webp",
    ]
    expected += ["Was your prediction right?", "Make it blue.", "Which colour?", "answer = None"]
    expected += ["gankit lesson 7", "07_drawing.py", "07_drawing.ipynb"]
    places = [text.index(words) for words in expected]
    assert places[:-3] == sorted(places[:-3])
    index = (here / "pages" / "index.md").read_text(encoding="utf-8")
    assert "7. Drawing" in index
    assert "\n07_drawing\n" in index


def test_a_page_without_a_whole_run_shows_no_output_and_says_so(docs, lesson_7, here):
    assert docs["write_lessons"].write(here / "pages", "gankit.whl") == []
    text = (here / "pages" / "07_drawing.md").read_text(encoding="utf-8")
    assert docs["write_lessons"].NOT_RUN in text
    assert "First some words." in text
    assert "100 %\n```" not in text.partition("```python")[2].partition("```")[2].partition("##")[0]
    assert "from a run" not in text


def test_the_run_of_a_changed_lesson_is_not_shown_and_fails_the_build(docs, lesson_7, here):
    docs["run_lesson"].keep(reading.read(lesson_7))
    lesson_7.write_text(LESSON.replace('"one"', '"two"'), encoding="utf-8")
    (line,) = docs["write_lessons"].write(here / "pages", "gankit.whl")
    assert line.endswith("run python docs/run_lesson.py 7")
    assert "from a run" not in (here / "pages" / "07_drawing.md").read_text(encoding="utf-8")


def test_pages_of_lessons_that_are_gone_go_too(docs, lesson_7, here):
    (here / "pages").mkdir()
    (here / "pages" / "06_old.md").touch()
    docs["write_lessons"].write(here / "pages", "gankit.whl")
    names = sorted(path.name for path in (here / "pages").iterdir())
    assert names == ["07_drawing.ipynb", "07_drawing.md", "index.md"]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.path.stem)
def test_a_notebook_holds_the_lesson_and_first_installs_gankit(docs, lesson):
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


def test_a_notebook_says_what_to_upload_unless_the_site_is_known(docs, lesson_7):
    lesson = reading.read(lesson_7)
    said = docs["write_lessons"].notebook(lesson, "gankit-1.whl")["cells"][1]["source"]
    assert "upload `gankit-1.whl`" in said
    there = docs["write_lessons"].notebook(lesson, "https://example.org/gankit-1.whl")["cells"]
    assert "upload" not in there[1]["source"]
    assert "%pip install --quiet https://example.org/gankit-1.whl" in there[2]["source"]


def test_every_command_and_option_is_in_the_reference(docs):
    text = docs["write_commands"].commands()
    cli = new_cli()
    seen = 0
    for name in cli.list_commands(click.Context(cli)):
        command = cli.commands[name]
        command = command.load() if isinstance(command, LazyCommand) else command
        inner = command.commands if isinstance(command, click.Group) else {}
        for path, one in {name: command, **{f"{name} {k}": v for k, v in inner.items()}}.items():
            section = text.partition(f"\n## gankit {path}\n")[2].partition("\n## ")[0]
            assert section, path
            for parameter in one.params:
                for option in parameter.opts if isinstance(parameter, click.Option) else ():
                    assert re.search(rf"^\| `[^`]*{option}[ `,]", section, re.MULTILINE), option
                    seen += 1
    assert seen > 80
