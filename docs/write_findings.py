"""Write the pages of the doctor's findings, docs/doctor/NAME.md, from its rules.

Run `python docs/write_findings.py` after you change a rule or its text; a test compares the files.
It also writes the tables of docs/doctor.md. The pictures and the examples of what the doctor says
come from runs of the bench: `python docs/write_findings.py --runs runs/doctor-bench`.
"""

import argparse
import inspect
import json
import math
import re
from pathlib import Path

import webp
from gankit_doctor import examine
from gankit_doctor.cases.case import TUNING
from gankit_doctor.cases.ways import WAYS
from gankit_doctor.command import describe, describe_finding
from gankit_doctor.engine import WINDOW, YOUNG
from gankit_doctor.look.columns import COLUMNS, meaning_of
from gankit_doctor.rules import RULES
from PIL import Image

from gankit.cli.show.read_source import read_page
from gankit.core.shell import join_command
from gankit.runs.grids import list_grids

DOCS = Path(__file__).parent
PAGES = DOCS / "doctor"
OVERVIEW_PAGE = DOCS / "doctor.md"
EXAMPLES = PAGES / "examples.json"  # finding -> the lines that the doctor prints about a run
HEALTHY = "plain"  # the case that the pictures are compared with
MAX_PICTURE_BYTES = 30_000
CELLS = 6  # pictures in a row and a column of each grid that is shown
MARGIN = 2  # px between two pictures of a grid
GAP = 16  # px between the two grids
ZOOM = {"checkerboard": 3}  # finding -> how many times as large its pictures are shown
OVERVIEW = "overview"  # the example of doctor.md: all that the doctor prints about the next case
OVERVIEW_CASE = "strong-d"
WITHOUT_PICTURE = ("idle-trick", "too-few-pictures", "d-overfits")  # the pictures show nothing
THRESHOLDS = "## Thresholds"
OPTION = re.compile(r"^(\w+): (.*(?:\n(?!\w+: ).+)*)", re.MULTILINE)


def case_of(name):
    """The case of the bench that shows a finding; None without one."""
    cases = [way.cases()[0] for way in WAYS if way.expected[0] == name]
    return cases[0] if cases else None


def page(spec):
    """The page of a rule, as Markdown."""
    rule = spec.make({})
    meaning, what_to_do, thresholds = split_text(read_page(spec.build))
    blocks = [
        f"# {spec.name}",
        f"*{spec.summary[0].upper()}{spec.summary[1:]}.*",
        *meaning[:1],
        *picture_of(spec.name),
        *meaning[1:],
        what_to_do,
        *example_of(spec.name),
        "## When it is found",
        *when_found(rule, spec, thresholds),
        *numbers_of(rule),
        "## When it may be wrong",
        rule.why_wrong,
        "## Read more",
        read_more(rule, spec),
    ]
    written = "<!-- Written by docs/write_findings.py from the rule and its text. -->"
    return "\n\n".join([written, *filter(None, blocks)]) + "\n"


def split_text(text):
    """A rule's text: paragraphs up to "What to do", the rest, and option -> meaning."""
    text, _, thresholds = text.partition(THRESHOLDS)
    before, heading, what_to_do = text.strip().partition("## What to do")
    meaning, mark, rest = before.strip().partition("\n\n")
    options = {name: " ".join(words.split()) for name, words in OPTION.findall(thresholds)}
    return [meaning, (mark + rest).strip()], heading + what_to_do, options


def picture_of(name):
    """The picture of a finding, if there is one."""
    if (PAGES / f"{name}.webp").exists():
        yield f"![Pictures of a run with {name}, and of a healthy run]({name}.webp)"
        case = case_of(name)
        yield f"*Left: a run with this finding ({case.reason}). Right: a healthy run.*"


def example_of(name):
    """How to get the finding, and what the doctor then says."""
    case = case_of(name)
    examples = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    if case is None or name not in examples:
        return
    yield "## See it yourself"
    yield f"This run is broken on purpose ({case.reason}):"
    yield f"```bash\n{join_command(['gankit', 'run', *case.argv])}\n```"
    yield "Then `gankit doctor RUN`, with the run's folder for RUN, says:"
    yield "\n".join(["```text", *examples[name], "```"])


def when_found(rule, spec, thresholds):
    """The conditions under which the engine takes what the rule says for a finding."""
    times = "one look shows" if rule.patience == 1 else f"{rule.patience} of the last {WINDOW} show"
    starts = []
    if rule.warm_up:
        starts.append(f"{100 * rule.warm_up:.0f} % of the run")
    if rule.judges_pictures:
        starts.append(f"{math.ceil(YOUNG / math.sqrt(32))} steps of 32 pictures, or as much work")
    start = f" after {' and '.join(starts)}" if starts else ""
    yield f"gankit asks at each look{start}. It is a finding if {times} it. {kind_of(rule)}"
    options = spec.options()
    if options:
        rows = [f"| `{n}` | {o.default:g} | {thresholds[n]} |" for n, o in options.items()]
        yield "\n".join(["| threshold | default | meaning |", "|---|---|---|", *rows])
        first = next(iter(options))
        default = options[first].default
        other = type(default)(0.9 * default)
        example = f"gankit doctor RUN --rule {spec.name}:{first}={other:.4g}"
        yield f"`{example}` asks with a threshold of your own."


def kind_of(rule):
    """Whether a finding is an alarm or a note."""
    if rule.is_only_note and rule.causes:
        return "It is a note, or an alarm if it is the cause of one."
    if rule.is_only_note:
        return "It is only a note."
    if rule.is_always_alarm:
        return "It is always an alarm."
    return (
        "It is an alarm only while the pictures get no better, and only if they are bad or a "
        "setting explains it; else it is a note."
    )


def numbers_of(rule):
    """The columns of log.csv that the rule needs."""
    if rule.needs:
        yield "It reads these columns of `log.csv`:"
        rows = [f"| `{name}` | {meaning_of(name)} |" for name in rule.needs]
        yield "\n".join(["| column | meaning |", "|---|---|", *rows])


def read_more(rule, spec):
    """Source, lesson, code, and the findings that may follow from this one."""
    items = [f"- Source: {spec.source}"]
    if spec.lesson:
        (lesson,) = sorted((DOCS.parent / "lessons").glob(f"{spec.lesson:02d}_*.py"))
        items.append(f"- [Lesson {spec.lesson}](../../lessons/{lesson.name})")
    items.append(f"- `gankit show {spec.name}` prints this text and the rule's code.")
    links = ", ".join(f"[{name}]({name}.md)" for name in rule.causes)
    if links:
        items.append(f"- While it is an alarm, these count as its consequences: {links}.")
    return "\n".join(items)


def findings_table():
    """All findings in the order of causes before consequences."""
    rows = ["| finding | what it is | lesson |", "|---|---|---|"]
    for spec in RULES:
        rows.append(f"| [{spec.name}](doctor/{spec.name}.md) | {spec.summary} | {spec.lesson} |")
    return "\n".join(rows)


def columns_table():
    """All columns of a look, in groups."""
    blocks = []
    for group in dict.fromkeys(column.group for column in COLUMNS.values()):
        rows = [f"| {group} | unit | meaning |", "|---|---|---|"]
        for name, column in COLUMNS.items():
            if column.group == group:
                rows.append(f"| `doctor.{name}` | {column.unit} | {column.meaning} |")
        blocks.append("\n".join(rows))
    return "\n\n".join(blocks)


def fill_blocks(text):
    """doctor.md with what stands between `<!-- NAME -->` and `<!-- end -->` written anew."""
    examples = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    overview = "\n".join(["```text", *examples[OVERVIEW], "```"])
    blocks = {"example": overview, "findings": findings_table(), "columns": columns_table()}
    for name, block in blocks.items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
        text, count = re.subn(
            pattern, lambda m, block=block: f"{m[1]}{block}\n{m[2]}", text, flags=re.DOTALL
        )
        if count != 1:
            raise SystemExit(f"doctor.md has {count} places for {name}")
    return text


def pages():
    """All pages that this script writes: path -> text."""
    texts = {PAGES / f"{spec.name}.md": page(spec) for spec in RULES}
    return texts | {OVERVIEW_PAGE: fill_blocks(OVERVIEW_PAGE.read_text(encoding="utf-8"))}


def stale_pages():
    """The names of pages that differ from what this script would write."""
    texts = pages()
    return [p.name for p in texts if not p.exists() or p.read_text(encoding="utf-8") != texts[p]]


def read_cells(folder, zoom):
    """A square of the newest grid of a run, without its margin, as a PIL image."""
    newest = list_grids(folder)[-1][1]
    with Image.open(newest) as grid:
        size = json.loads((folder / "run.json").read_text(encoding="utf-8"))["image_size"]
        cells = -(-CELLS // zoom)
        side = cells * (size + MARGIN) - MARGIN
        part = grid.convert("RGB").crop((MARGIN, MARGIN, MARGIN + side, MARGIN + side))
    return part.resize((side * zoom, side * zoom), Image.Resampling.NEAREST)


def draw_picture(name, broken, healthy):
    """Two grids side by side, as docs/doctor/NAME.webp."""
    zoom = ZOOM.get(name, 1)
    parts = [read_cells(folder, zoom) for folder in (broken, healthy)]
    width = sum(part.width for part in parts) + GAP
    picture = Image.new("RGB", (width, parts[0].height), "white")
    picture.paste(parts[0], (0, 0))
    picture.paste(parts[1], (parts[0].width + GAP, 0))
    webp.save(picture, PAGES / f"{name}.webp", MAX_PICTURE_BYTES)


def read_runs(root):
    """Save pictures and examples from the runs of the bench in a folder."""
    examples = {OVERVIEW: describe(examine(root / f"{OVERVIEW_CASE}-0"))}
    for spec in RULES:
        case = case_of(spec.name)
        if case is None:
            continue
        folder = root / f"{case.name}-{case.seeds(TUNING)[0]}"
        findings = [f for f in examine(folder).findings if f.name == spec.name]
        (PAGES / f"{spec.name}.webp").unlink(missing_ok=True)
        if not findings:
            print(f"{folder.name}: {spec.name} was not found")
            continue
        examples[spec.name] = describe_finding(1, findings[0])
        if spec.name not in WITHOUT_PICTURE:
            draw_picture(spec.name, folder, root / f"{HEALTHY}-0")
    EXAMPLES.write_text(json.dumps(examples, indent=1) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=inspect.cleandoc(__doc__).partition("\n\n")[0])
    parser.add_argument("--runs", type=Path, help="the folder of the bench's runs")
    args = parser.parse_args()
    if args.runs:
        read_runs(args.runs)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
    print(PAGES)


if __name__ == "__main__":
    main()
