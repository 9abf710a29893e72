"""Write docs/results.md from the files of races and comparisons.

    gankit race ... --out races/flowers-tricks      (or gankit compare ... --out ...)
    python docs/write_races.py races/flowers-tricks

The script keeps each race in docs/races/ under its folder's name: the values from results.json, and
its picture, made smaller. The page is written from all kept races; intervals and verdicts are
computed from the values each time.
"""

import json
import re
import statistics
import sys
from pathlib import Path

import webp
from gankit_race import notes as writing
from gankit_race.format import format_number, table_cells
from gankit_race.results import Row, make_tables
from PIL import Image

HERE = Path(__file__).parent
WIDEST, LARGEST = 1000, 200_000  # px and bytes of a picture
MANY = 5  # rows of a table that needs a summary
SIX = ("the tutorials' DCGAN", "small-data")
TRICKS = ("no trick", "ema", "smooth-labels", "lr-decay", "diffaugment")
ABOUT = {  # by the name of a race's folder: heading, description, short names of its variants
    "flowers": (
        "Six minutes on flowers",
        "Photographs of five kinds of flowers, a part of `tf-flowers`. What a GAN learns in six "
        "minutes on two idle cores: the DCGAN of the tutorials, at the speed of their loop, and "
        "the recipe `small-data`. The speeds were measured in turns, six rounds: the recipe took "
        "338 to 404 pictures a second and the loop 66 to 74 (87 on a quieter day). In six minutes "
        "this is 122 thousand or more, and 24 to 31 thousand. The DCGAN saw 31.5 thousand "
        "pictures, `small-data` 120 thousand. Each run had one core.",
        SIX,
    ),
    "cells": (
        "Six minutes on stained cells",
        "The same for stained tissue and cytology from the Data Science Bowl of 2018. The race "
        "also has the modern networks of `modern64`, which take half as many pictures a second as "
        "`small-data`.",
        (*SIX, "modern64"),
    ),
    "art": (
        "Six minutes on paintings",
        "The same for 150 paintings by van Gogh. Only 90 of them are used for training.",
        (*SIX, "modern64"),
    ),
    "petals-tricks": (
        "Which tricks help? Petals",
        "A small DCGAN without tricks, and with each trick alone, on the flowers that gankit "
        "draws: `gankit race --recipe each-trick --metric modes --metric swd --metric kid "
        "--samples 500`. The tricks have gankit's default values, mostly from papers with other "
        "networks, losses and learning rates: if a trick is worse, it is worse with these values, "
        "here. Every run took the same time, 20 seconds; the speeds were measured in turns, so a "
        "slow trick saw fewer pictures. This is only a first look: a trick against late problems "
        "has nothing to do yet, and in 91 to 100 of 100 pictures no petals can be counted. "
        "`modes` uses only the other pictures; 0 means that there were none. With 22 comparisons "
        "of three seeds, few tricks get a verdict; those whose interval excludes 0 are candidates "
        "for another race.",
        (),
    ),
    "flowers-tricks": (
        "Which tricks help? Flowers",
        "The same on 2,500 photographs (`--data flowers --flip --holdout 0.3 --samples 500`).",
        (),
    ),
    "petals-lr-decay": (
        "lr-decay alone: petals",
        "`lr-decay` was added after these two races. It has the same settings, and is compared "
        "with their runs without a trick. It takes no time, so it saw as many pictures.",
        ("no trick", "lr-decay"),
    ),
    "flowers-lr-decay": (
        "lr-decay alone: flowers",
        "The same on the photographs of flowers.",
        ("no trick", "lr-decay"),
    ),
    "cells-tricks": (
        "Which tricks help? Stained cells",
        "The tricks that harmed least on flowers, `diffaugment` for few pictures, and `lr-decay`, "
        "each alone: a narrow DCGAN of 64 px (`--model dcgan64:base_channels=24 --batch-size 32 "
        "--lr 4e-4 --flip --holdout 0.4`). Every run took the same time, 30 seconds of one core; "
        "the speeds were measured in turns, so a slow trick saw fewer pictures. This is a first "
        "look, too.",
        TRICKS,
    ),
    "art-tricks": (
        "Which tricks help? Paintings",
        "The same on 150 paintings, of which 90 are used for training.",
        TRICKS,
    ),
    "precision": (
        "bf16 and float32: flowers",
        "`--precision auto` uses bf16 if it is faster. Are the pictures as good? Whole runs of "
        "`small-data` on the flowers above, 120,000 pictures in both (`--kimg 120 --holdout "
        "0.3`), three seeds of each. The better KID of bf16 is probably chance: the runs of the "
        "same recipe at the top of this page, also in bf16, got 0.388 to 0.437.",
        ("float32", "bf16"),
    ),
    "precision-cells": (
        "bf16 and float32: stained cells",
        "The same on the stained cells (`--holdout 0.4`).",
        ("float32", "bf16"),
    ),
}
HEAD = """# Results

Written by `docs/write_races.py` from the files of races and comparisons. [Races](races.md) explains
how to read the tables, and [Measures](measures.md) what the numbers mean. All pictures are compared
with the [hold-out](glossary.md#hold-out): real pictures that were not used for training. In
parentheses after each metric is its [floor](glossary.md#floor), the value of real against real
pictures. A [kimg](glossary.md#kimg) is a thousand real pictures that D saw. Single runs from tuning
the recipes are in [Tried and measured](notebook.md).
"""


def keep(folder):
    """Copy the results of a race into docs/races/, without paths of this machine."""
    record = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    for run in record["runs"]:
        run["folder"] = Path(run["folder"]).name
    name = folder.resolve().name
    if name not in ABOUT:
        sys.exit(f"{name}: say in ABOUT of {Path(__file__).name} what this race asks")
    computed = writing.notes_on_chance(compared(rows_of(record["runs"])))
    kept = [note for note in record["notes"] if note not in computed]
    (HERE / "races").mkdir(exist_ok=True)
    text = json.dumps({"runs": record["runs"], "notes": kept}, indent=1) + "\n"
    (HERE / "races" / f"{name}.json").write_text(text, encoding="utf-8")
    with Image.open(folder / "race.png") as picture:
        small = picture.convert("RGB")
        small.thumbnail((WIDEST, 4 * WIDEST))
    webp.save(small, HERE / "races" / f"{name}.webp", LARGEST)


def rows_of(runs):
    return [Row(**run) for run in runs]


def compared(rows):
    """The tables of a race, the baseline's variant first."""
    return make_tables(list(dict.fromkeys(row.variant for row in rows)), rows)


def page():
    """The text of results.md, from the kept races, in the order of ABOUT."""
    blocks = [HEAD]
    for name, (title, asks, short) in ABOUT.items():
        path = HERE / "races" / f"{name}.json"
        if path.exists():
            record = named(json.loads(path.read_text(encoding="utf-8")), short)
            rows = rows_of(record["runs"])
            # Races run in the background: how fast they were there says nothing.
            found = [each for each in compared(rows) if each.measure != "images/s"]
            blocks += [f"## {title}", asks, *(table(each, rows) for each in found), runs(rows)]
            blocks += [f"![{title}](races/{name}.webp)"]
            blocks += notes([*record["notes"], *writing.notes_on_chance(found)])
    return "\n\n".join(block.strip() for block in blocks) + "\n"


def named(record, short):
    """The record with short names for its variants, in their order."""
    text = json.dumps(record)
    variants = dict.fromkeys(run["variant"] for run in record["runs"])
    for label, name in zip(variants, short, strict=bool(short)):
        text = text.replace(json.dumps(label)[1:-1], name)
    return json.loads(text)


def table(found, rows):
    """A table of one metric for all variants."""
    about = f" ({found.about})" if found.about else ""
    lines = [f"**{found.measure}**, {found.better} is better{about}", ""]
    lines += ["| variant | median | mean | difference | 95 % interval | verdict |"]
    lines += ["|---|---|---|---|---|---|"]
    for variant, mean, difference, interval, verdict in table_cells(found):
        values = [row.value(found.measure) for row in rows if row.variant == variant]
        measured = [value for value in values if value is not None]
        middle = format_number(statistics.median(measured) if measured else None)
        cells = (variant, middle, mean, difference or "-", interval or "-", verdict)
        lines.append(f"| {' | '.join(cells)} |")
    verdicts = [(row.variant, row.verdict) for row in found.rows[1:]]
    return "\n".join([*lines, *summary(verdicts)])


def summary(verdicts):
    """For a long table, a sentence per verdict that lists its variants."""
    if len(verdicts) <= MANY:
        return []
    variants = {}
    for variant, verdict in verdicts:
        variants.setdefault(verdict, []).append(variant)
    said = [f"{verdict}: {', '.join(names)}." for verdict, names in variants.items()]
    return ["", " ".join(text[0].upper() + text[1:] for text in said)]


def runs(rows):
    """How many pictures D saw with each variant, and the number of seeds."""
    said = []
    for variant in dict.fromkeys(row.variant for row in rows):
        own = [row for row in rows if row.variant == variant]
        pictures = " or ".join(sorted({f"{row.images / 1000:,.4g} kimg" for row in own}))
        said.append(f"{variant}: {pictures}, {len(own)} seed{'s' * (len(own) > 1)}")
    return "Shown to D: " + "; ".join(said) + "."


def notes(sentences):
    """The notes as a Markdown list, with options as code."""
    lines = [re.sub(r"--\w[\w-]*", r"`\g<0>`", f"- {sentence}") for sentence in sentences]
    return ["\n".join(lines)] if lines else []


def main():
    for folder in map(Path, sys.argv[1:]):
        keep(folder)
    (HERE / "results.md").write_text(page(), encoding="utf-8")
    print(HERE / "results.md")


if __name__ == "__main__":
    main()
