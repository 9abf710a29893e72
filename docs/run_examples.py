"""Run the examples of races.md and measures.md, and save their output in docs/outputs/examples/.

Run `python docs/run_examples.py` after you change what an example prints; it takes some minutes.
`python docs/run_examples.py kid-scale` only writes the small pictures of measures.md.
"""

import shlex
import subprocess
import sys

import numpy as np
import run_lesson
import webp
from PIL import Image, ImageFilter

import gankit

OUTPUTS = run_lesson.OUTPUTS / "examples"
WORK_FOLDER = run_lesson.ROOT / "runs" / "examples"
COMMANDS = {  # name of the output file -> command; the second evaluates a run of the first
    "race": "gankit race --dataset petals:count=3000 --model dcgan64:base_channels=8 "
    "--image-size 32 --batch-size 16 --precision 32 --vary trick=none,ema,flip-labels --seeds 3 "
    "--budget 2kimg --samples 300 --metric swd --out tricks",
    "evaluate": "gankit evaluate tricks/no-trick/seed-0 --samples 300",
}
METRICS = ["kid", "fid", "swd", "precision", "recall", "density", "coverage", "diversity",
           "memorising"]  # fmt: skip
NUM_PICTURES = 250  # measured instead of pictures from G
STRIPS = {  # picture in measures.md -> the row of the table of measures that it shows
    "fresh": "fresh flowers",
    "little-blur": "a little blurred",
    "red": "red only, of six colours",
    "blur": "blurred",
    "noise": "some noise (sigma 10 of 255)",
    "much-noise": "much noise (sigma 25)",
}
# For a variant, the x position of its grid in docs/races/flowers.webp, in px.
RACE_GRIDS = {"dcgan": 18, "small-data": 300}
GRID_TOP = 179
SIDE = 64  # px of a picture
PITCH = SIDE + 2  # px from one picture of a grid to the next
PER_STRIP = 6


def run_command(command):
    """Run a `gankit ...` command, and return it with what it prints."""
    argv = [sys.executable, "-m", "gankit", *shlex.split(command)[1:]]
    done = subprocess.run(argv, cwd=WORK_FOLDER, check=True, capture_output=True, text=True)
    return f"$ {command}\n{run_lesson.clean_output(done.stdout)}\n"


def compose_short_run():
    """Settings of a run of one step: measures are computed for a run, whatever it has learned."""
    return gankit.compose(
        dataset="petals",
        model="dcgan64:base_channels=8",
        length="1 steps",
        out=str(WORK_FOLDER / "one-step"),
    )


def write_kid_scale():
    """Write a strip of pictures for each row of the KID scale in measures.md."""
    picture_sets = degrade(gankit.prepare(compose_short_run()))
    for name, row in STRIPS.items():
        save_strip(name, [Image.fromarray(array) for array in picture_sets[row][:PER_STRIP]])
    with Image.open(run_lesson.ROOT / "docs" / "races" / "flowers.webp") as race:
        for name, left in RACE_GRIDS.items():
            save_strip(name, [crop_race(race, left, index) for index in range(PER_STRIP)])


def crop_race(race, left, index):
    """Picture number `index` of a race's grid, which has four pictures in a row."""
    x = left + PITCH * (index % 4)
    y = GRID_TOP + PITCH * (index // 4)
    return race.crop((x, y, x + SIDE, y + SIDE))


def save_strip(name, pictures):
    strip = Image.new("RGB", (PITCH * len(pictures) - 2, SIDE), "white")
    for index, picture in enumerate(pictures):
        strip.paste(picture, (PITCH * index, 0))
    path = run_lesson.ROOT / "docs" / "pictures" / f"kid-{name}.webp"
    webp.save(strip, path, max_bytes=60_000)


def measure_degraded():
    """The table of measures.md: the metrics of each set of pictures from `degrade`."""
    run = compose_short_run()
    folder = gankit.train(run, resume=run.folder.exists())
    picture_sets = degrade(gankit.prepare(run))
    results = gankit.evaluate(folder, METRICS, samples=NUM_PICTURES, pictures=picture_sets)
    headings = " | ".join(f"`{name}`" for name in METRICS)
    lines = [f"| | {headings} |", "|---" * (1 + len(METRICS)) + "|"]
    for name, measured in results.items():
        values = " | ".join(f"{result.value:.3g}" for result in measured)
        lines.append(f"| {name} | {values} |")
    return "\n".join(lines) + "\n"


def degrade(prepared):
    """New flowers, and sets of flowers with one fault each.

    Returns:
        A dict from a row of the table to NUM_PICTURES pictures, as uint8 arrays (N, 64, 64, 3).
    """
    from gankit_flowers.petals import Petals
    from gankit_flowers.recognise import recognise

    first_new = 8192  # petals with smaller numbers are in the data set
    last_new = first_new + 8 * NUM_PICTURES  # enough to find NUM_PICTURES of one colour
    new = Petals(count=last_new).batch(range(first_new, last_new))
    fresh = new[:NUM_PICTURES]
    copies, other_copies = np.split(prepared.pixels[prepared.train[: 2 * NUM_PICTURES]], 2)
    mean = (copies.astype(int) + other_copies) // 2
    return {
        "fresh flowers": fresh,
        "a little blurred": blur(fresh, 0.7),
        "blurred": blur(fresh, 1.5),
        "some noise (sigma 10 of 255)": add_noise(fresh, 10),
        "much noise (sigma 25)": add_noise(fresh, 25),
        "red only, of six colours": new[recognise(new).colour == 0][:NUM_PICTURES],
        "copies of training pictures": copies,
        "copies, blurred": blur(copies, 0.7),
        "copies, moved by two pixels": np.roll(copies, 2, axis=2),
        "two copies laid over each other": mean.astype(np.uint8),
    }


def blur(pictures, radius):
    """Blur pictures, a uint8 array (N, height, width, 3), with a Gaussian; radius in px."""
    gaussian = ImageFilter.GaussianBlur(radius)
    return np.stack([np.asarray(Image.fromarray(array).filter(gaussian)) for array in pictures])


def add_noise(pictures, sigma):
    """Add Gaussian noise to pictures, a uint8 array; sigma is on the scale of 0 to 255."""
    noise = np.random.default_rng(0).normal(0, sigma, pictures.shape)
    return (pictures + noise).clip(0, 255).astype(np.uint8)


def main():
    for folder in (OUTPUTS, WORK_FOLDER):
        folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or [*COMMANDS, "measures", "kid-scale"]:
        if name == "kid-scale":
            write_kid_scale()
        elif name == "measures":
            (OUTPUTS / "measures.md").write_text(measure_degraded(), encoding="utf-8")
        else:
            (OUTPUTS / f"{name}.txt").write_text(run_command(COMMANDS[name]), encoding="utf-8")


if __name__ == "__main__":
    main()
