"""Writes docs/gallery.md from finished runs: what each recipe draws on each data set.

    gankit run --recipe flowergan --dataset folder --data .../flowers --kimg 88 \\
        --out gallery/flowergan--flowers
    python docs/write_gallery.py gallery/flowergan--flowers

A run's folder is called NAME--SET: NAME is a recipe or a model, SET is one of SETS. docs/gallery/
keeps a part of each run's last grid, and a json file with what the page says about the run. The
command under a picture follows from run.json: NAME, and every setting that changes the pictures and
differs from NAME's own.
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
from gankit.core.registry import load_registry
from gankit.core.settings import setting_to_argv
from gankit.runs.log import read_rows
from gankit.training.run_file import load_run

HERE = Path(__file__).parent
WIDEST, LARGEST = 400, 60_000  # px and bytes of a picture
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
and for far longer runs, so you see how they begin, not what they can do.

No picture was selected: each is the upper left part of its run's last grid, and the command names
the seed where it is not 0. Under the command you read how many pictures D, the
[discriminator](glossary.md#discriminator), was shown. The minutes were measured on two slow cores
that had other work too. [Results](results.md) has the numbers. (`docs/write_gallery.py` writes this
page from finished runs.)
"""
# Settings that change no picture, or follow from the pictures and the machine.
# fmt: off
SILENT = {"device", "threads", "precision", "channels", "steps", "log_every", "draw_every", "keep",
          "save_every", "metrics", "measure_every", "tensorboard", "out", "fingerprint"}
# fmt: on


def keep(folder):
    """Put what the page shows of a run into docs/gallery/."""
    name, _, pictures = folder.resolve().name.partition("--")
    if pictures not in SETS:
        sys.exit(f"{folder.name}: call it NAME--SET, with a SET of {', '.join(SETS)}")
    run = load_run(folder)
    last = read_rows(folder)[-1]
    if int(last["step"]) < run.steps:
        sys.exit(f"{folder.name} stopped at step {last['step']} of {run.steps}: --resume it first")
    prepared = json.loads((folder / "run.json").read_text(encoding="utf-8"))["prepared"]
    record = {"name": name, "set": pictures, "command": command(name, pictures, run)}
    record |= {"shown": round(1000 * float(last["kimg"])), "of": prepared["train"]}
    record |= {"seconds": round(float(last["seconds"])), "threads": run.threads}
    record["precision"] = run.precision
    (HERE / "gallery").mkdir(exist_ok=True)
    path = HERE / "gallery" / f"{name}--{pictures}.webp"
    webp.save(some(sorted((folder / "samples").glob("*.png"))[-1], run.image_size), path, LARGEST)
    text = json.dumps(record, indent=1) + "\n"
    path.with_suffix(".json").write_text(text, encoding="utf-8")


def command(name, pictures, run):
    """The command that makes the run: a recipe or model, and every setting that overrides it."""
    registry = load_registry()
    kind = "recipe" if name in names(registry, "recipe") else "model"
    asked = {kind: name, **({"data": run.data} if run.data else {})}
    try:
        same = compose(registry, **asked).dataset == run.dataset
    except GankitError:  # its own pictures need a login
        same = False
    if not same:
        asked = {kind: name, "dataset": run.dataset, **asked}
    brought = compose(registry, **asked)
    if brought.model != run.model:
        sys.exit(f"{run.out} is a run of {run.model}, but the {kind} {name} is {brought.model}")
    words = [
        word for key in asked for word in setting_to_argv(key, {**asked, "data": pictures}[key])
    ]
    for field in dataclasses.fields(run):
        value = getattr(run, field.name)
        if field.name not in SILENT and value != getattr(brought, field.name):
            number, unit = value.split() if field.name == "length" else (value, field.name)
            words += setting_to_argv(unit, number)
    return shlex.join(["gankit", "run", *words])


def some(path, side):
    """The upper left pictures of a grid, as many as fit into WIDEST without being shrunk."""
    with Image.open(path) as grid:
        many = max(1, (WIDEST - GAP) // (side + GAP))
        width, height = (min(length, many * (side + GAP) + GAP) for length in grid.size)
        return grid.convert("RGB").crop((0, 0, width, height))


def page():
    """The text of gallery.md: a section for each set, a card for each run in docs/gallery/."""
    registry, blocks = load_registry(), [HEAD]
    order = [*names(registry, "recipe"), *names(registry, "model")]
    for pictures, (title, about) in SETS.items():
        found = [HERE / "gallery" / f"{name}--{pictures}.json" for name in order]
        texts = [path.read_text(encoding="utf-8") for path in found if path.exists()]
        cards = [card(json.loads(text)) for text in texts]
        if cards:
            blocks += [f"## {title}", about, "::::{grid} 1 2 2 2\n:gutter: 3", *cards, "::::"]
    return "\n\n".join(block.strip() for block in blocks) + "\n"


def names(registry, kind):
    return [spec.name for spec in registry.specs(kind)]


def card(kept):
    """A run: its recipe, its picture, its command, how many pictures D saw, how long it took."""
    name, pictures = kept["name"], kept["set"]
    often = f"each of {kept['of']:,} about {max(1, round(kept['shown'] / kept['of'])):,} times"
    threads = f"{kept['threads']} thread{'s' * (kept['threads'] > 1)}"
    minutes = max(1, round(kept["seconds"] / 60))
    numbers = kept["precision"].replace("32", "float32")
    took = f"{minutes} minute{'s' * (minutes > 1)} on {threads}, in {numbers}"
    return f""":::{{grid-item-card}}
**[{name}](parts.md#{name})**

```{{image}} gallery/{name}--{pictures}.webp
:alt: {SETS[pictures][0]} drawn by a GAN trained with {name}
:class: drawn
```

{{.command}}
`{kept["command"]}`

D was shown {kept["shown"]:,} pictures, {often}; {took}.
:::"""


def main():
    for folder in map(Path, sys.argv[1:]):
        keep(folder)
    (HERE / "gallery.md").write_text(page(), encoding="utf-8")
    print(HERE / "gallery.md")


if __name__ == "__main__":
    main()
