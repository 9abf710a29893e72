"""Write docs/results.md from the files of races and comparisons.

    gankit race ... --out races/flowers-tricks      (or gankit compare ... --out ...)
    python docs/write_races.py races/flowers-tricks

The script stores each race in docs/races/ under its folder's name: the values from results.json,
and its picture, made smaller. The page is written from all stored races; intervals and verdicts are
computed from the values each time.
"""

import json
import re
import statistics
import sys
from pathlib import Path

import webp
from gankit_race.report import notes as race_notes
from gankit_race.report.format import format_number, table_cells
from gankit_race.results import Row, make_tables
from PIL import Image

DOCS = Path(__file__).parent
MAX_WIDTH = 1000  # px of a picture
MAX_BYTES = 200_000  # of a picture
MAX_ROWS = 5  # of a table without a summary
NETWORKS = ("the tutorials' DCGAN", "small-data")
TRICKS = ("no trick", "ema", "smooth-labels", "lr-decay", "diffaugment")
RACES = {  # by the name of a race's folder: heading, description, short names of its variants
    "flowers": (
        "Six minutes on flowers",
        "Photographs of five kinds of flowers, a part of `tf-flowers`. What a GAN learns in six "
        "minutes on two idle cores: the DCGAN of the tutorials, at the speed of their loop, and "
        "the recipe `small-data`. The speeds were measured in turns, six rounds: the recipe took "
        "338 to 404 pictures a second and the loop 66 to 74 (87 on a quieter day). In six minutes "
        "this is 122 thousand or more, and 24 to 31 thousand. So the DCGAN was trained on 31.5 "
        "thousand pictures and `small-data` on 120 thousand; the runs themselves had one core each "
        "and took longer.",
        NETWORKS,
    ),
    "cells": (
        "Six minutes on stained cells",
        "The same for stained tissue and cytology from the Data Science Bowl of 2018. The race "
        "also has the modern networks of `modern64`, which take half as many pictures a second as "
        "`small-data`.",
        (*NETWORKS, "modern64"),
    ),
    "art": (
        "Six minutes on paintings",
        "The same for 150 paintings by van Gogh. Only 90 of them are used for training.",
        (*NETWORKS, "modern64"),
    ),
    "init-art": (
        "Beginning from another run: paintings",
        "`small-data` on the paintings, new, and with `--init` from a run on the photographs of "
        "flowers above, which were shown a million times ([What more time gives](longer.md)). "
        "`docs/measure_init.py` makes all of these runs. Both saw 120 thousand pictures, as many "
        "as in six minutes on two idle cores.",
        ("new", "with a base"),
    ),
    "init-cells": (
        "Beginning from another run: stained cells",
        "The same on the stained cells, with the same base. Its mean KID is under a third. New "
        "runs differ so much from seed to seed (0.149 to 0.397; with the base 0.073 to 0.096) that "
        "three seeds are too few for a verdict.",
        ("new", "with a base"),
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
pictures; `memorising` is best at 0.5, and towards 1, G copies. A [kimg](glossary.md#kimg) is a
thousand real pictures that D saw. Single runs from tuning the recipes are in [Tried and
measured](notebook.md).
"""


def add_race(folder):
    """Store the results of a race in docs/races/, without paths of this machine."""
    name = folder.resolve().name
    if name not in RACES:
        sys.exit(f"{name}: add an entry for this race to RACES in docs/{Path(__file__).name}")
    record = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    for run in record["runs"]:
        run["folder"] = Path(run["folder"]).name
    # The page computes these notes again from the values.
    computed = race_notes.notes_on_chance(make_all_tables(make_rows(record["runs"])))
    stored = {
        "runs": record["runs"],
        "notes": [note for note in record["notes"] if note not in computed],
    }
    path = DOCS / "races" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    with Image.open(folder / "race.png") as picture:
        small = picture.convert("RGB")
        small.thumbnail((MAX_WIDTH, 4 * MAX_WIDTH))
    webp.save(small, path.with_suffix(".webp"), MAX_BYTES)


def make_rows(runs):
    return [Row(**run) for run in runs]


def make_all_tables(rows):
    """The tables of a race, one per metric; the baseline is the variant of the first row."""
    variants = list(dict.fromkeys(row.variant for row in rows))
    return make_tables(variants, rows)


def page():
    """The text of results.md, from the stored races, in the order of RACES."""
    blocks = [HEAD]
    for name, (title, description, short_names) in RACES.items():
        path = DOCS / "races" / f"{name}.json"
        if not path.exists():
            continue
        record = shorten_variants(json.loads(path.read_text(encoding="utf-8")), short_names)
        rows = make_rows(record["runs"])
        # These races shared the machine with other programs, so their speed means nothing.
        tables = [table for table in make_all_tables(rows) if table.measure != "images/s"]
        blocks += [f"## {title}", description]
        blocks += [format_table(table, rows) for table in tables]
        blocks += [count_pictures(rows), f"![{title}](races/{name}.webp)"]
        notes = [*record["notes"], *race_notes.notes_on_chance(tables)]
        if notes:
            blocks.append(format_notes(notes))
    return "\n\n".join(block.strip() for block in blocks) + "\n"


def shorten_variants(record, short_names):
    """The record with short names for its variants, in their order; no names, no change."""
    if not short_names:
        return record
    variants = dict.fromkeys(run["variant"] for run in record["runs"])
    text = json.dumps(record)
    for variant, short_name in zip(variants, short_names, strict=True):
        text = text.replace(json.dumps(variant)[1:-1], short_name)  # also inside notes
    return json.loads(text)


def format_table(table, rows):
    """A table of one metric for all variants, as Markdown."""
    details = f" ({table.about})" if table.about else ""
    lines = [
        f"**{table.measure}**, {table.better} is better{details}",
        "",
        "| variant | median | mean | difference | 95 % interval | verdict |",
        "|---|---|---|---|---|---|",
    ]
    for variant, mean, difference, interval, verdict in table_cells(table):
        values = [row.value(table.measure) for row in rows if row.variant == variant]
        measured = [value for value in values if value is not None]
        median = format_number(statistics.median(measured) if measured else None)
        cells = (variant, median, mean, difference or "-", interval or "-", verdict)
        lines.append(f"| {' | '.join(cells)} |")
    verdicts = [(row.variant, row.verdict) for row in table.rows[1:]]
    if len(verdicts) > MAX_ROWS:
        lines += ["", summarize(verdicts)]
    return "\n".join(lines)


def summarize(verdicts):
    """One sentence per verdict that lists its variants; `verdicts` are (variant, verdict)."""
    variants = {}
    for variant, verdict in verdicts:
        variants.setdefault(verdict, []).append(variant)
    sentences = [f"{verdict}: {', '.join(names)}." for verdict, names in variants.items()]
    return " ".join(sentence[0].upper() + sentence[1:] for sentence in sentences)


def count_pictures(rows):
    """How many pictures D saw with each variant, and the number of seeds."""
    counts = []
    for variant in dict.fromkeys(row.variant for row in rows):
        variant_rows = [row for row in rows if row.variant == variant]
        pictures = sorted({f"{row.images / 1000:,.4g} kimg" for row in variant_rows})
        seeds = "1 seed" if len(variant_rows) == 1 else f"{len(variant_rows)} seeds"
        counts.append(f"{variant}: {' or '.join(pictures)}, {seeds}")
    return "Shown to D: " + "; ".join(counts) + "."


def format_notes(notes):
    """The notes as a Markdown list, with options as code."""
    return "\n".join(re.sub(r"--\w[\w-]*", r"`\g<0>`", f"- {note}") for note in notes)


def main():
    for folder in map(Path, sys.argv[1:]):
        add_race(folder)
    (DOCS / "results.md").write_text(page(), encoding="utf-8")
    print(DOCS / "results.md")


if __name__ == "__main__":
    main()
