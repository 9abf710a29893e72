"""Write docs/gallery.md from finished runs: what each recipe draws on each data set.

    gankit run --recipe flowergan --dataset folder --data .../flowers --kimg 88 \\
        --out gallery/flowergan--flowers
    python docs/write_gallery.py gallery/flowergan--flowers

A run's folder is called NAME--SET: NAME is a recipe or a model, SET is one of SETS. For each run,
docs/gallery/ stores a part of its last grid, and a JSON file with the facts on the page. The
command under a picture is computed from run.json: NAME, and every setting that changes the pictures
and differs from NAME's own.
"""

import dataclasses
import json
import shlex
import sys
from pathlib import Path

import webp
from PIL import Image

from gankit import compose
from gankit.core.errors import GankitError
from gankit.core.parts.registry import load_registry
from gankit.core.run.settings import setting_to_argv
from gankit.runs.grids import list_grids
from gankit.runs.log import read_rows
from gankit.training.run_folder.run_file import load_run

DOCS = Path(__file__).parent
MAX_WIDTH = 400  # px of a picture
MAX_BYTES = 60_000  # of a picture
GAP = 2  # px between the pictures of a grid
SETS = {  # by the second half of a folder's name
    "petals": ("Petals", "Flowers that gankit draws itself; you need no pictures of your own."),
    "flowers": (
        "Flowers",
        "2,500 photographs of daisies, dandelions, roses, sunflowers and tulips, a part of "
        "`tf-flowers`, in a folder `flowers`. They vary far more than petals.",
    ),
    "cells": (
        "Stained cells",
        "642 tiles of stained tissue and cytology (Data Science Bowl 2018), in a folder `cells`.",
    ),
    "paintings": ("Paintings", "150 paintings by van Gogh, in a folder `paintings`: very few."),
}
HEAD = """# Gallery

What each recipe draws after a short training on each set of pictures, with the command that you
type. [Parts](parts.md#recipes) says what is in each recipe. Most recipes were made for another set
and for far longer runs, so you see how they begin, not what they can do: [What more time
gives](longer.md) has a run of fifty minutes.

No picture was selected: each is the upper left part of its run's last grid, and the command names
the seed where it is not 0. Under the command you read how many pictures D, the
[discriminator](glossary.md#discriminator), was shown. The minutes were measured on one slow core of
a machine that had other work too. A command that names tricks is that of a recipe before it had
changed. [Results](results.md) has the numbers. (`docs/write_gallery.py` writes this page from
finished runs.)
"""
# Settings that do not change the pictures, or that follow from the pictures and the machine.
# fmt: off
HIDDEN_SETTINGS = {
    "device", "threads", "precision", "channels", "steps", "log_every", "draw_every", "keep",
    "save_every", "metrics", "measure_every", "tensorboard", "report", "out", "fingerprint",
}
# fmt: on


def add_run(folder):
    """Store a finished run's picture and facts in docs/gallery/; exit if it is not finished."""
    name, _, set_name = folder.resolve().name.partition("--")
    if set_name not in SETS:
        sys.exit(f"{folder.name}: call it NAME--SET, with a SET of {', '.join(SETS)}")
    run = load_run(folder)
    last_row = read_rows(folder)[-1]
    if int(last_row["step"]) < run.steps:
        sys.exit(
            f"{folder.name} stopped at step {last_row['step']} of {run.steps}: --resume it first"
        )
    run_json = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    record = {
        "name": name,
        "set": set_name,
        "command": make_command(name, set_name, run),
        "shown": round(1000 * float(last_row["kimg"])),
        "of": run_json["prepared"]["train"],
        "seconds": round(float(last_row["seconds"])),
        "threads": run.threads,
        "precision": run.precision,
    }
    last_grid = list_grids(folder)[-1][1]
    path = DOCS / "gallery" / f"{name}--{set_name}.webp"
    path.parent.mkdir(exist_ok=True)
    webp.save(crop_grid(last_grid, run.image_size), path, MAX_BYTES)
    text = json.dumps(record, indent=1) + "\n"
    path.with_suffix(".json").write_text(text, encoding="utf-8")


def make_command(name, set_name, run):
    """The command line of a run: a recipe or model, and every setting that overrides it."""
    registry = load_registry()
    kind = "recipe" if name in part_names(registry, "recipe") else "model"
    settings = {kind: name}
    if not is_default_dataset(registry, settings, run):
        settings["dataset"] = run.dataset
    if run.data:
        settings["data"] = run.data
    base = compose(registry, **settings)
    if base.model != run.model:
        sys.exit(f"{run.out} is a run of {run.model}, but the {kind} {name} is {base.model}")
    if run.data:
        settings["data"] = set_name  # instead of the paths on this machine
    settings |= overrides(run, base)
    argv = ["gankit", "run"]
    for key, value in settings.items():
        argv += setting_to_argv(key, value)
    return shlex.join(argv)


def overrides(run, base):
    """The settings that change pictures and differ between two runs, with the values of `run`."""
    settings = {}
    for field in dataclasses.fields(run):
        value = getattr(run, field.name)
        if field.name in HIDDEN_SETTINGS or value == getattr(base, field.name):
            continue
        if field.name == "zoom" and base.zoom == 0:  # auto, and what the run made of it
            continue
        if field.name == "length":
            number, unit = value.split()
            settings[unit] = number
        else:
            settings[field.name] = value
    return settings


def is_default_dataset(registry, settings, run):
    """Whether these settings, with the run's own pictures if any, imply the run's data set."""
    if run.data:
        settings = {**settings, "data": run.data}
    try:
        return compose(registry, **settings).dataset == run.dataset
    except GankitError:  # the recipe's own data set needs a login
        return False


def crop_grid(path, image_size):
    """The upper left pictures of a grid, as many as fit into MAX_WIDTH at their full size."""
    pitch = image_size + GAP
    per_side = max(1, (MAX_WIDTH - GAP) // pitch)
    with Image.open(path) as grid:
        width, height = (min(length, per_side * pitch + GAP) for length in grid.size)
        return grid.convert("RGB").crop((0, 0, width, height))


def page():
    """The text of gallery.md: a section for each set, a card for each run in docs/gallery/."""
    registry = load_registry()
    names = [*part_names(registry, "recipe"), *part_names(registry, "model")]
    blocks = [HEAD]
    for set_name, (title, description) in SETS.items():
        paths = [DOCS / "gallery" / f"{name}--{set_name}.json" for name in names]
        texts = [path.read_text(encoding="utf-8") for path in paths if path.exists()]
        cards = [card(json.loads(text)) for text in texts]
        if cards:
            blocks += [f"## {title}", description]
            blocks += ["::::{grid} 1 2 2 2\n:gutter: 3", *cards, "::::"]
    return "\n\n".join(block.strip() for block in blocks) + "\n"


def part_names(registry, kind):
    return [spec.name for spec in registry.specs(kind)]


def card(record):
    """A run as Markdown: its recipe, picture and command, how many pictures D saw, its time."""
    name = record["name"]
    set_name = record["set"]
    epochs = max(1, round(record["shown"] / record["of"]))
    minutes = max(1, round(record["seconds"] / 60))
    duration = f"{count_of(minutes, 'minute')} on {count_of(record['threads'], 'thread')}"
    precision = record["precision"].replace("32", "float32")
    pictures = f"{record['shown']:,} pictures, each of {record['of']:,} about {epochs:,} times"
    return f""":::{{grid-item-card}}
**[{name}](parts.md#{name})**

```{{image}} gallery/{name}--{set_name}.webp
:alt: {SETS[set_name][0]} drawn by a GAN trained with {name}
:class: drawn
```

{{.command}}
`{record["command"]}`

D was shown {pictures}; {duration}, in {precision}.
:::"""


def count_of(number, unit):
    """`1 minute`, `2 minutes`."""
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def main():
    for folder in map(Path, sys.argv[1:]):
        add_run(folder)
    (DOCS / "gallery.md").write_text(page(), encoding="utf-8")
    print(DOCS / "gallery.md")


if __name__ == "__main__":
    main()
