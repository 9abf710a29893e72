"""Runs the examples whose numbers stand in races.md and measures.md, and keeps what they print.

Run `python docs/run_examples.py` after a change in what they print; some minutes. The pages include
the files in docs/outputs/examples/, so no number there is typed.
"""

import shlex
import subprocess
import sys

import numpy as np
import run_lesson
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
COUNT = 250  # pictures in G's place


def typed(command):
    """A command and what it prints."""
    words = [sys.executable, "-m", "gankit", *shlex.split(command)[1:]]
    done = subprocess.run(words, cwd=PLACE, check=True, capture_output=True, text=True)
    return f"$ {command}\n{run_lesson.plain(done.stdout)}\n"


def table():
    """How the measures move when pictures are spoilt: a row for each way."""
    run = gankit.compose(dataset="petals", model="dcgan64:base_channels=8", length="1 steps",
                         out=str(PLACE / "one-step"))  # fmt: skip
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
    for name in sys.argv[1:] or [*COMMANDS, "measures"]:
        text, path = (table(), "measures.md") if name == "measures" else (
            typed(COMMANDS[name]), f"{name}.txt")  # fmt: skip
        (KEPT / path).write_text(text, encoding="utf-8")
        print(KEPT / path)


if __name__ == "__main__":
    main()
