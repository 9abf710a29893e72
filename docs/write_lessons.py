"""Writes the lessons' pages and notebooks, from the lessons and the whole runs that are kept.

docs/conf.py calls it. The lessons' prose is Markdown, and the reader is that of `gankit lesson`, so
a lesson is the same in the terminal, on the site and in a notebook.
"""

import json

import run_lesson
from gankit_lessons import lesson as reading

MINUTE = 60
NOT_RUN = "This page shows no output: the lesson has not been run whole for it yet."
INDEX = """# Lessons

Each lesson is one idea, one file to read and run, and some minutes on two cores. Before it runs it
asks you what will come out. At the end there is something to break, and an exercise that checks
itself. The output on these pages is that of a whole run of the lesson as it stands; a page whose
lesson has not been run whole yet says so.

Take them in a terminal with `gankit lesson`, which lists them and remembers how far you have come;
`gankit lesson 1` takes the first one. Or run the files, or open the notebooks.

"""


def write(folder, wheel):
    """All pages and notebooks; returns a line for each lesson whose kept run is not its own."""
    wrong, cards, pages = [], [], []
    for lesson in reading.read_all():
        try:
            found = run_lesson.kept(lesson)
        except run_lesson.Stale as stale:
            wrong.append(str(stale))
            found = None
        put(folder / f"{lesson.path.stem}.md", page(lesson, found))
        notebook_text = json.dumps(notebook(lesson, wheel), indent=1)
        put(folder / f"{lesson.path.stem}.ipynb", notebook_text)
        cards.append(card(lesson, found))
        pages.append(lesson.path.stem)
    listed = "\n".join(pages)
    grid = "\n".join(cards)
    tree = f"```{{toctree}}\n:hidden:\n\n{listed}\n```\n"
    put(folder / "index.md", f"{INDEX}::::{{grid}} 1 2 2 3\n:gutter: 3\n\n{grid}\n::::\n\n{tree}")
    known = {f"{stem}{suffix}" for stem in [*pages, "index"] for suffix in (".md", ".ipynb")}
    for path in folder.iterdir():
        if path.name not in known:
            path.unlink()  # of a lesson that has another name now
    return wrong


def put(path, text):
    """Write a page unless it is there already: Sphinx reads again only what is new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def card(lesson, found):
    """A lesson in the overview: its picture, its title, what it teaches."""
    lines = [f":::{{grid-item-card}} {lesson.number}. {lesson.title[0].upper()}{lesson.title[1:]}"]
    lines += [f":link: {lesson.path.stem}", ":link-type: doc"]
    pictures = [name for cell in (found or {"cells": []})["cells"] for name in cell["pictures"]]
    stills = [name for name in pictures if not name.endswith("-film.webp")]
    if stills:
        lines += [f":img-top: {source(lesson, stills[-1])}", ":img-alt: the lesson's picture"]
    learn = lesson.labels["You will learn"]
    unit = "minute" if lesson.minutes in ("1", "a") else "minutes"
    footer = ["```{card-footer}", f"{lesson.minutes} {unit}", "```"]
    lines += ["", learn[0].upper() + learn[1:], *footer, ":::", ""]
    return "\n".join(lines)


def page(lesson, found):
    """A lesson as a page of the site."""
    labels = lesson.labels
    blocks = [f"# Lesson {lesson.number}: {lesson.title}", lesson.intro]
    for label in ("You will learn", "You should know", "It takes", "You will see"):
        blocks.append(f"{label}\n: {labels[label]}")
    blocks.append(admonition("Predict", "tip", labels["Predict"]))
    kept = iter(found["cells"] if found else ())
    for cell in lesson.cells:
        blocks.append(cell.prose)
        if cell.code:
            blocks.append(fence(cell.code, "python"))
            blocks += output(lesson, next(kept, None))
    blocks.append(admonition("Break it", "warning", labels["Break it"]))
    blocks += ["## Exercise", lesson.exercise.prose.removeprefix("Exercise.").strip()]
    told = f"`gankit lesson {lesson.number}` asks for your answer and checks it. This is how:"
    check = f"{told}\n\n{fence(lesson.exercise.code, 'python')}"
    blocks.append(f":::{{dropdown}} How your answer is checked\n{check}\n:::")
    blocks += ["## Take it yourself", files(lesson)]
    blocks.append(made(found) if found else NOT_RUN)
    return "\n\n".join(block for block in blocks if block) + "\n"


def output(lesson, cell):
    """What a cell gave, when it was run whole."""
    if not cell:
        return
    if cell["text"]:
        yield f"```{{code-block}} text\n:class: output\n\n{cell['text']}\n```"
    for name in cell["pictures"]:
        alt = lesson.labels["You will see"].replace("`", "")
        yield f"```{{image}} {source(lesson, name)}\n:alt: {alt}\n:class: drawn\n```"


def source(lesson, name):
    return f"../outputs/lesson-{lesson.number:02d}/{name}"


def files(lesson):
    """How to get the lesson."""
    script = f"{{download}}`the script <../../lessons/{lesson.path.name}>`"
    notebook_file = f"{{download}}`the notebook <{lesson.path.stem}.ipynb>`"
    terminal = f"`gankit lesson {lesson.number}` walks through it in a terminal"
    colab = "whose first cell installs gankit, as on [Colab](../colab.md)"
    return f"{terminal}. Or download {script}, or {notebook_file}, {colab}."


def made(found):
    """When it was run: minutes and versions, from the record of the run."""
    minutes = sum(cell["seconds"] for cell in found["cells"]) / MINUTE
    how = ", ".join(f"{name} {what}" for name, what in found["made"].items() if name != "threads")
    threads = found["made"]["threads"]
    took = f"{minutes:.0f} minutes" if minutes >= 2 else f"{minutes * MINUTE:.0f} seconds"
    told = f"The output on this page is from a run of {took} on {threads} threads, with {how}."
    return told.replace(" 1 threads", " 1 thread")


def fence(code, language):
    ticks = "````" if "```" in code else "```"
    return f"{ticks}{language}\n{code}\n{ticks}"


def admonition(title, kind, text):
    return f":::{{admonition}} {title}\n:class: {kind}\n\n{text}\n:::"


def notebook(lesson, wheel):
    """A lesson as a notebook: its words and code, and before them what installs gankit."""
    labels = [f"- **{label}:** {text}" for label, text in lesson.labels.items()]
    title = f"# Lesson {lesson.number}: {lesson.title}"
    cells = [markdown("\n\n".join([title, lesson.intro, "\n".join(labels)]))]
    upload = "" if "/" in wheel else f" On Colab, upload `{wheel}` first (the folder on the left)."
    cells.append(markdown(f"This installs gankit where it is not yet.{upload}"))
    missing = 'import importlib.util\n\nif not importlib.util.find_spec("gankit"):'
    cells.append(code(f"{missing}\n    %pip install --quiet {wheel}"))
    for cell in (*lesson.cells, lesson.exercise):
        cells += [markdown(cell.prose)] if cell.prose else []
        cells += [code(cell.code)] if cell.code else []
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def markdown(text):
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def code(text):
    empty = {"execution_count": None, "outputs": []}
    return {"cell_type": "code", "metadata": {}, "source": text, **empty}
