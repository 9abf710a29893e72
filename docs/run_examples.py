"""Run the examples of races.md and measures.md, and keep what they print.

Run `python docs/run_examples.py` after a change in what they print; it takes some minutes. The
pages include the files in docs/outputs/examples/. `python docs/run_examples.py kid-scale` writes
only the small pictures of measures.md.
"""

import shlex
import subprocess
import sys

import numpy as np
import run_lesson
import webp
from PIL import Image, ImageFilter

import gankit

KEPT = run_lesson.OUTPUTS / "examples"
PLACE = run_lesson.ROOT / "runs" / "examples"
COMMANDS = {  # by the name of the kept file; the second looks at a run of the first
    "race": "gankit race --dataset petals:count=3000 --model dcgan64:base_channels=8 "
    "--image-size 32 --batch-size 16 --precision 32 --vary trick=none,ema,flip-labels --seeds 3 "
    "--budget 2kimg --samples 300 --metric swd --out tricks",
    "evaluate": "gankit evaluate tricks/no-trick/seed-0 --samples 300",
}
METRICS = ["kid", "fid", "swd", "precision", "recall", "density", "coverage", "diversity",
           "memorising"]  # fmt: skip
COUNT = 250  # pictures in place of G's
STRIPS = {  # pictures of measures.md, by their file's name: a row of the table of measures
    "fresh": "fresh flowers",
    "little-blur": "a little blurred",
    "red": "red only, of six colours",
    "blur": "blurred",
    "noise": "some noise (sigma 10 of 255)",
    "much-noise": "much noise (sigma 25)",
}
RACE_GRIDS = {"dcgan": 18, "small-data": 300}  # x of a variant's grid in docs/races/flowers.webp


def typed(command):
    """A command and what it prints."""
    words = [sys.executable, "-m", "gankit", *shlex.split(command)[1:]]
    done = subprocess.run(words, cwd=PLACE, check=True, capture_output=True, text=True)
    return f"$ {command}\n{run_lesson.plain(done.stdout)}\n"


def short_run():
    return gankit.compose(dataset="petals", model="dcgan64:base_channels=8", length="1 steps",
                          out=str(PLACE / "one-step"))  # fmt: skip


def kid_scale():
    """Write a strip of six pictures for each row of the KID scale in measures.md."""
    sets = spoilt(gankit.prepare(short_run()))
    for name, row in STRIPS.items():
        save_strip(name, [Image.fromarray(picture) for picture in sets[row][:6]])
    with Image.open(run_lesson.ROOT / "docs" / "races" / "flowers.webp") as grids:
        for name, left in RACE_GRIDS.items():
            corners = [(left + 66 * (i % 4), 179 + 66 * (i // 4)) for i in range(6)]
            save_strip(name, [grids.crop((x, y, x + 64, y + 64)) for x, y in corners])


def save_strip(name, pictures):
    strip = Image.new("RGB", (66 * len(pictures) - 2, 64), "white")
    for index, picture in enumerate(pictures):
        strip.paste(picture, (66 * index, 0))
    path = run_lesson.ROOT / "docs" / "pictures" / f"kid-{name}.webp"
    webp.save(strip, path, 60_000)


def table():
    """How the measures move when pictures are spoilt: a row for each way."""
    run = short_run()
    folder = gankit.train(run, resume=run.folder.exists())
    found = gankit.evaluate(folder, METRICS, samples=COUNT, pictures=spoilt(gankit.prepare(run)))
    lines = [f"| | {' | '.join(f'`{name}`' for name in METRICS)} |", "|---" * 10 + "|"]
    for name, measured in found.items():
        lines.append(f"| {name} | {' | '.join(f'{one.value:.3g}' for one in measured)} |")
    return "\n".join(lines) + "\n"


def spoilt(prepared):
    """Flowers that no network has seen, and what can be wrong with them."""
    from gankit_flowers.petals import Petals
    from gankit_flowers.recognise import recognise

    fresh = Petals(count=8192 + 8 * COUNT).batch(range(8192, 8192 + 8 * COUNT))
    copies, others = np.split(prepared.pixels[prepared.train[: 2 * COUNT]], 2)
    return {
        "fresh flowers": fresh[:COUNT],
        "a little blurred": blurred(fresh[:COUNT], 0.7),
        "blurred": blurred(fresh[:COUNT], 1.5),
        "some noise (sigma 10 of 255)": noisy(fresh[:COUNT], 10),
        "much noise (sigma 25)": noisy(fresh[:COUNT], 25),
        "red only, of six colours": fresh[recognise(fresh).colour == 0][:COUNT],
        "copies of training pictures": copies,
        "copies, blurred": blurred(copies, 0.7),
        "copies, moved by two pixels": np.roll(copies, 2, axis=2),
        "two copies laid over each other": ((copies.astype(int) + others) // 2).astype(np.uint8),
    }


def blurred(pictures, radius):
    blur = ImageFilter.GaussianBlur(radius)
    return np.stack([np.asarray(Image.fromarray(one).filter(blur)) for one in pictures])


def noisy(pictures, sigma):
    noise = np.random.default_rng(0).normal(0, sigma, pictures.shape)
    return (pictures + noise).clip(0, 255).astype(np.uint8)


def main():
    for folder in (KEPT, PLACE):
        folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or [*COMMANDS, "measures", "kid-scale"]:
        if name == "kid-scale":
            kid_scale()
        elif name == "measures":
            (KEPT / "measures.md").write_text(table(), encoding="utf-8")
        else:
            (KEPT / f"{name}.txt").write_text(typed(COMMANDS[name]), encoding="utf-8")


if __name__ == "__main__":
    main()
