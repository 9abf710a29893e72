"""Write the pages and notebooks of the lessons; docs/conf.py calls this.

A page contains the lesson's prose and code, and the output that docs/run_lesson.py saved. The prose
is Markdown, and `gankit lesson` reads the lessons with the same functions, so a lesson is the same
in the terminal, on the site and in a notebook.
"""

import json

import run_lesson
from gankit_lessons import lesson as reading

MINUTE = 60
NOT_RUN = "This page shows no output yet, because the whole lesson has not been run for it."
INDEX = """# Lessons

Each lesson teaches one idea in one file that you read and run; it takes some minutes on two cores.
Before a lesson runs, it asks you to predict the result. At the end it suggests what to break, and
has an exercise that checks your answer. The output on these pages comes from whole runs of the same
code. If a lesson has not been run for its page yet, the page says so.

Take the lessons in a terminal: `gankit lesson` lists them and shows your progress, and
`gankit lesson 1` starts the first. You can also run the files, or open the notebooks.

"""


def write_all(folder, wheel):
    """Write all pages and notebooks into `folder`, and delete those of lessons that are gone.

    Args:
        folder: a Path.
        wheel: the address or file name of the wheel that a notebook installs.

    Returns:
        A list of problems: one line for each lesson whose saved run is of older code.
    """
    problems = []
    cards = []
    stems = []
    for lesson in reading.read_all():
        try:
            record = run_lesson.load_output(lesson)
        except run_lesson.StaleOutputError as error:
            problems.append(str(error))
            record = None
        stem = lesson.path.stem
        notebook_text = json.dumps(notebook(lesson, wheel), indent=1)
        write_if_changed(folder / f"{stem}.md", lesson_page(lesson, record))
        write_if_changed(folder / f"{stem}.ipynb", notebook_text)
        cards.append(card(lesson, record))
        stems.append(stem)
    write_if_changed(folder / "index.md", index_page(cards, stems))
    current = {f"{stem}{suffix}" for stem in [*stems, "index"] for suffix in (".md", ".ipynb")}
    for path in folder.iterdir():
        if path.name not in current:
            path.unlink()
    return problems


def write_if_changed(path, text):
    """Write a page only if its text is new, because Sphinx reads every written page again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def index_page(cards, stems):
    """The overview of all lessons, as Markdown."""
    grid = "\n".join(cards)
    entries = "\n".join(stems)
    toctree = f"```{{toctree}}\n:hidden:\n\n{entries}\n```\n"
    return f"{INDEX}::::{{grid}} 1 2 2 3\n:gutter: 3\n\n{grid}\n::::\n\n{toctree}"


def card(lesson, record):
    """A lesson in the overview: its last still picture, its title, what it teaches."""
    cells = record["cells"] if record else []
    pictures = [name for cell in cells for name in cell["pictures"]]
    stills = [name for name in pictures if not name.endswith("-film.webp")]
    lines = [f":::{{grid-item-card}} {lesson.number}. {capitalize(lesson.title)}"]
    lines += [f":link: {lesson.path.stem}", ":link-type: doc"]
    if stills:
        lines.append(f":img-top: {output_path(lesson, stills[-1])}")
        lines.append(":img-alt: the lesson's picture")
    unit = "minute" if lesson.minutes in ("1", "a") else "minutes"
    lines += ["", capitalize(lesson.labels["You will learn"])]
    lines += ["```{card-footer}", f"{lesson.minutes} {unit}", "```", ":::", ""]
    return "\n".join(lines)


def capitalize(text):
    """`text` with a capital first letter; str.capitalize would make all others small."""
    return text[0].upper() + text[1:]


def lesson_page(lesson, record):
    """A lesson as a Markdown page; `record` is its saved run, or None."""
    labels = lesson.labels
    blocks = [f"# Lesson {lesson.number}: {lesson.title}", lesson.intro]
    for label in ("You will learn", "You should know", "It takes", "You will see"):
        blocks.append(f"{label}\n: {labels[label]}")
    blocks.append(admonition("Predict", "tip", labels["Predict"]))
    outputs = iter(record["cells"] if record else ())
    for cell in lesson.cells:
        blocks.append(cell.prose)
        if cell.code:
            blocks.append(fence(cell.code, "python"))
            blocks += cell_output(lesson, next(outputs, None))
    blocks.append(admonition("Break it", "warning", labels["Break it"]))
    blocks += ["## Exercise", lesson.exercise.prose.removeprefix("Exercise.").strip()]
    hint = f"`gankit lesson {lesson.number}` asks for your answer and checks it with this code:"
    blocks.append(
        f":::{{dropdown}} How your answer is checked\n"
        f"{hint}\n\n{fence(lesson.exercise.code, 'python')}\n:::"
    )
    blocks += ["## Take the lesson yourself", download_links(lesson)]
    blocks.append(run_summary(record) if record else NOT_RUN)
    return "\n\n".join(block for block in blocks if block) + "\n"


def cell_output(lesson, output):
    """The text and pictures of a cell as Markdown blocks; `output` may be None."""
    blocks = []
    if not output:
        return blocks
    if output["text"]:
        blocks.append(f"```{{code-block}} text\n:class: output\n\n{output['text']}\n```")
    alt = lesson.labels["You will see"].replace("`", "")
    for name in output["pictures"]:
        path = output_path(lesson, name)
        blocks.append(f"```{{image}} {path}\n:alt: {alt}\n:class: drawn\n```")
    return blocks


def output_path(lesson, name):
    """The path of a saved picture, relative to the lesson's page."""
    return f"../outputs/lesson-{lesson.number:02d}/{name}"


def download_links(lesson):
    """A sentence that links the lesson's script and notebook."""
    script = f"{{download}}`the script <../../lessons/{lesson.path.name}>`"
    notebook_file = f"{{download}}`the notebook <{lesson.path.stem}.ipynb>`"
    return (
        f"`gankit lesson {lesson.number}` takes you through it in a terminal. You can also "
        f"download {script} or {notebook_file}. The first cell of the notebook installs gankit, "
        "also on [Colab](../colab.md)."
    )


def run_summary(record):
    """How long the saved run took, and with which versions."""
    seconds = sum(cell["seconds"] for cell in record["cells"])
    minutes = seconds / MINUTE
    duration = f"{minutes:.0f} minutes" if minutes >= 2 else f"{seconds:.0f} seconds"
    versions = dict(record["made"])
    threads = versions.pop("threads")
    unit = "thread" if threads == 1 else "threads"
    names = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"The output on this page is from a run of {duration} on {threads} {unit}, with {names}."


def fence(code, language):
    """Code as a Markdown block; four backticks if the code itself contains three."""
    ticks = "````" if "```" in code else "```"
    return f"{ticks}{language}\n{code}\n{ticks}"


def admonition(title, kind, text):
    return f":::{{admonition}} {title}\n:class: {kind}\n\n{text}\n:::"


def notebook(lesson, wheel):
    """A lesson as a Jupyter notebook (nbformat 4.5); its first code cell installs gankit."""
    title = f"# Lesson {lesson.number}: {lesson.title}"
    labels = [f"- **{label}:** {text}" for label, text in lesson.labels.items()]
    is_address = "/" in wheel
    upload = "" if is_address else f" On Colab, first upload `{wheel}` (the folder on the left)."
    cells = [
        markdown_cell("\n\n".join([title, lesson.intro, "\n".join(labels)])),
        markdown_cell(f"This installs gankit if it is missing.{upload}"),
        code_cell(
            "import importlib.util\n\n"
            'if not importlib.util.find_spec("gankit"):\n'
            f"    %pip install --quiet {wheel}"
        ),
    ]
    for cell in (*lesson.cells, lesson.exercise):
        if cell.prose:
            cells.append(markdown_cell(cell.prose))
        if cell.code:
            cells.append(code_cell(cell.code))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def markdown_cell(text):
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def code_cell(text):
    return {
        "cell_type": "code",
        "metadata": {},
        "source": text,
        "execution_count": None,
        "outputs": [],
    }
