"""Writes docs/results.md from the files that races and comparisons left.

    gankit race ... --out races/flowers-tricks      (or gankit compare ... --out ...)
    python docs/write_races.py races/flowers-tricks

What is shown of a race is kept in docs/races/ under its folder's name: its numbers as they are in
results.json, and its picture, made smaller. The page is written from all that are kept; intervals
and verdicts are computed from the runs' numbers each time.
"""

import json
import re
import statistics
import sys
from pathlib import Path

import webp
from gankit_race import notes as writing
from gankit_race.format import as_rows, number
from gankit_race.results import Row, tables
from PIL import Image

HERE = Path(__file__).parent
WIDEST, LARGEST = 1000, 200_000  # px and bytes of a picture
MANY = 5  # rows of a table that needs a summary
SIX = ("the tutorials' DCGAN", "small-data")
TRICKS = ("no trick", "ema", "smooth-labels", "lr-decay", "diffaugment")
ABOUT = {  # by the name of a race's folder: its heading, what it asks, short names of its variants
    "flowers": (
        "Six minutes on flowers",
        "Photographs of five kinds of flowers, a part of `tf-flowers`. What six minutes teach on "
        "two cores with nothing else to do: the DCGAN of the tutorials at the speed of their loop, "
        "and the recipe `small-data`. Measured in turns, six rounds, the recipe took 338 to 404 "
        "pictures a second and the loop 66 to 74 (87 on a quieter day): 122 thousand or more in "
        "six minutes, and 24 to 31. The DCGAN was shown 31.5 thousand, `small-data` 120. Each run "
        "had one core.",
        SIX,
    ),
    "cells": (
        "Six minutes on stained cells",
        "The same for stained tissue and cytology from the Data Science Bowl of 2018; and the "
        "modern pair of networks, `modern64`, which takes half as many pictures a second as "
        "`small-data`.",
        (*SIX, "modern64"),
    ),
    "art": (
        "Six minutes on paintings",
        "The same for 150 paintings by van Gogh, of which 90 are learnt from: very few.",
        (*SIX, "modern64"),
    ),
    "petals-tricks": (
        "Which tricks earn their place? Petals",
        "A small DCGAN without tricks, and with each trick alone, on the flowers that gankit "
        "draws: `gankit race --recipe each-trick --metric modes --metric swd --metric kid "
        "--samples 500`. Tricks have gankit's default values, mostly a paper's for other networks, "
        "losses and learning rates: what is worse is worse with those values, here. Equal time, 20 "
        "seconds each: speeds were measured in turns, so a slow trick was shown fewer pictures. "
        "That is a first look: a trick against what goes wrong late has nothing to do yet, and 91 "
        "to 100 of 100 pictures show no flower whose petals can be counted. `modes` is of the few "
        "that do; 0 means that none could be read. With 22 comparisons of three seeds few get a "
        "verdict; those that are open are candidates for a race of their own.",
        (),
    ),
    "flowers-tricks": (
        "Which tricks earn their place? Flowers",
        "The same on 2,500 photographs (`--data flowers --flip --holdout 0.3 --samples 500`).",
        (),
    ),
    "petals-lr-decay": (
        "lr-decay alone: petals",
        "A trick that came after these two races, with their settings, beside their runs without "
        "a trick. It takes no time, so it was shown as many pictures.",
        ("no trick", "lr-decay"),
    ),
    "flowers-lr-decay": ("lr-decay alone: flowers", "The same.", ("no trick", "lr-decay")),
    "cells-tricks": (
        "Which tricks earn their place? Stained cells",
        "Those that harmed least on flowers, `diffaugment` for few pictures, and `lr-decay`, each "
        "alone: a narrow DCGAN of 64 px (`--model dcgan64:base_channels=24 --batch-size 32 --lr "
        "4e-4 --flip --holdout 0.4`). Equal time, 30 seconds of one core: speeds were measured in "
        "turns, so a slow trick was shown fewer pictures. It is a first look again.",
        TRICKS,
    ),
    "art-tricks": (
        "Which tricks earn their place? Paintings",
        "The same on 150 paintings, of which 90 are learnt from.",
        TRICKS,
    ),
    "precision": (
        "bf16 and float32: flowers",
        "`--precision auto` takes bf16 where it is faster. Are the pictures as good? Whole runs of "
        "`small-data` on the flowers above, 120,000 pictures in both (`--kimg 120 --holdout 0.3`), "
        "three seeds of each. That bf16 is better in KID looks like chance: the runs of the same "
        "recipe at the top of this page, in bf16 too, got 0.388 to 0.437.",
        ("float32", "bf16"),
    ),
    "precision-cells": (
        "bf16 and float32: stained cells",
        "The same on the stained cells (`--holdout 0.4`).",
        ("float32", "bf16"),
    ),
}
HEAD = """# Results

Written by `docs/write_races.py` from the files of races and comparisons. How to read such a table:
[Races](races.md); what the numbers measure: [Measures](measures.md). Every number is against
pictures that were held out, and comes with what real pictures get against other real ones. What was
tried in single runs while recipes were tuned is in [Tried and measured](notebook.md).
"""


def keep(folder):
    """Put what a race left into docs/races/, without what only its machine knows."""
    record = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    for run in record["runs"]:
        run["folder"] = Path(run["folder"]).name
    name = folder.resolve().name
    if name not in ABOUT:
        sys.exit(f"{name}: say in ABOUT of {Path(__file__).name} what this race asks")
    computed = writing.about_chance(compared(rows_of(record["runs"])))
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
    return tables(list(dict.fromkeys(row.variant for row in rows)), rows)


def page():
    """The text of results.md, from what is kept, in the order of ABOUT."""
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
            blocks += notes([*record["notes"], *writing.about_chance(found)])
    return "\n\n".join(block.strip() for block in blocks) + "\n"


def named(record, short):
    """The same with short names for its variants, in their order."""
    text = json.dumps(record)
    variants = dict.fromkeys(run["variant"] for run in record["runs"])
    for label, name in zip(variants, short, strict=bool(short)):
        text = text.replace(json.dumps(label)[1:-1], name)
    return json.loads(text)


def table(found, rows):
    """One measure of all variants as a table."""
    about = f" ({found.about})" if found.about else ""
    lines = [f"**{found.measure}**, {found.better} is better{about}", ""]
    lines += ["| variant | median | mean | difference | 95 % interval | verdict |"]
    lines += ["|---|---|---|---|---|---|"]
    for variant, mean, difference, interval, verdict in as_rows(found):
        values = [row.value(found.measure) for row in rows if row.variant == variant]
        measured = [value for value in values if value is not None]
        middle = number(statistics.median(measured) if measured else None)
        cells = (variant, middle, mean, difference or "-", interval or "-", verdict)
        lines.append(f"| {' | '.join(cells)} |")
    verdicts = [(row.variant, row.verdict) for row in found.rows[1:]]
    return "\n".join([*lines, *summary(verdicts)])


def summary(verdicts):
    """Of a long table, which variants got which verdict; the verdicts in words."""
    if len(verdicts) <= MANY:
        return []
    variants = {}
    for variant, verdict in verdicts:
        variants.setdefault(verdict, []).append(variant)
    said = [f"{verdict}: {', '.join(names)}." for verdict, names in variants.items()]
    return ["", " ".join(text[0].upper() + text[1:] for text in said)]


def runs(rows):
    """How long each variant learnt, and with how many seeds."""
    said = []
    for variant in dict.fromkeys(row.variant for row in rows):
        own = [row for row in rows if row.variant == variant]
        pictures = " or ".join(sorted({f"{row.images / 1000:,.4g} kimg" for row in own}))
        said.append(f"{variant}: {pictures}, {len(own)} seed{'s' * (len(own) > 1)}")
    return "Shown to D: " + "; ".join(said) + "."


def notes(sentences):
    """The notes as a list, options set as code."""
    lines = [re.sub(r"--\w[\w-]*", r"`\g<0>`", f"- {sentence}") for sentence in sentences]
    return ["\n".join(lines)] if lines else []


def main():
    for folder in map(Path, sys.argv[1:]):
        keep(folder)
    (HERE / "results.md").write_text(page(), encoding="utf-8")
    print(HERE / "results.md")


if __name__ == "__main__":
    main()
