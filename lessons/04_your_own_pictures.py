"""Lesson 4: your own pictures
===========================

A GAN learns whatever is in the folder, faults included, and needs hours to show them. So look at
your pictures first. This lesson makes a messy folder of flowers, lets gankit find the faults,
removes them, and looks at a batch as D will see it. If you have pictures of your own, give `folder`
their path and begin at the data check.

You will learn   what is wrong with most folders of pictures, how to find it, and which options
                 decide size, shape, colour, flips, and which pictures are used.
You should know  lesson 2. Your own pictures can be in a folder or a zip, in any common format.
It takes         about 1 minute on two cores. No training, so GANKIT_LESSON_STEPS changes nothing.
You will see     `lesson-04.png`: sixteen flowers as they are in the folder, as three choices of
                 options prepare them (look at the edges), what was set aside, and a batch.
Predict          This lesson hides seven faults in a folder. The usual loop (open, resize, next)
                 stops at some of them with an error. At how many? A GAN would learn the rest.
Break it         Leave out the loop that moves pictures aside, train with the `run` of a later cell
                 (`gankit.train(run)`), and look for grey flowers among those that G draws.
Exercise         Which options give a batch of cold flowers, whole, grey, and 32 pixels wide?

Start it with `gankit lesson 4`, or run `python lessons/04_your_own_pictures.py`.
"""

# %%
# A messy folder: 300 flowers in two class folders. Photos are seldom square, so these are not.
import random
import shutil
from pathlib import Path

import numpy as np
import torch
from gankit_flowers.petals import Petals
from PIL import Image, ImageDraw, ImageOps

import gankit
from gankit.runs.figures import sheet
from gankit.runs.images import to_grid

folder = Path("lesson-04-pictures")
aside = Path("lesson-04-aside")
for old_folder in (folder, aside):
    shutil.rmtree(old_folder, ignore_errors=True)

petals = Petals(image_size=112, count=300)
files = []
for index, pixels in enumerate(petals.batch(range(len(petals)))):
    is_warm = petals.factors(index).colour in ("red", "yellow", "pink")
    file = folder / ("warm" if is_warm else "cold") / f"{index:03d}.png"
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels[14:98]).save(file)  # 112 wide, 84 high
    files.append(file)

# %%
# Seven common faults, in files chosen at random: grey scans, a broken file, a copy, another copy in
# a second format, a thumbnail, a transparent background, and a photo taken with a turned camera.
chosen = random.Random(4).sample(files, 36)
greys = chosen[:30]
broken, copied, saved_again, tiny, cut_out, turned = chosen[30:]
for file in greys:
    Image.open(file).convert("L").save(file)
broken.write_bytes(broken.read_bytes()[:500])  # as after a download that was cut off
shutil.copy(copied, copied.with_name("copy.png"))
Image.open(saved_again).save(saved_again.with_suffix(".jpg"), quality=60)  # other bytes
Image.open(tiny).resize((28, 21)).save(tiny)
mask = Image.new("L", (112, 84))
ImageDraw.Draw(mask).ellipse((20, 6, 92, 78), fill=255)
picture = Image.open(cut_out)
picture.putalpha(mask)  # transparent outside the ellipse
picture.save(cut_out)
exif = Image.Exif()
exif[0x0112] = 6  # orientation: "turn me by a quarter", which few programs do
sideways = Image.open(turned).transpose(Image.Transpose.ROTATE_90)
sideways.save(turned.with_suffix(".jpg"), exif=exif)
turned.unlink()

# %%
# The usual loop, and which faults it notices.
num_errors = 0
for file in sorted(folder.rglob("*.*")):
    try:
        with Image.open(file) as picture:
            picture.convert("RGB").resize((64, 64))
    except OSError:
        num_errors += 1
print(f"the usual loop stops at {num_errors} of 7 faults")

# %%
# The data check (`gankit data check FOLDER` on the command line) reads every picture once. It says
# what each fault means for a GAN, the worst one first, and names the option or action that helps.
report = gankit.check_data(folder)
for finding in report["findings"]:
    print(f"{finding['level']}: {finding['what']}\n    -> {finding['mend']}")
print(f"transparent in places: {report['transparent']}, grey: {report['grey']}")

# %%
# The findings name five of the seven faults. gankit repairs the other two while it reads: it turns
# a picture as its camera says, and puts a transparent one on white (or on your `background`).
#
# Now clean up. Set aside the pictures that a finding names, and of each group of copies all but the
# first. Delete nothing: a program has no taste. Look at the pictures that were set aside.
bad = set()
for finding in report["findings"]:
    bad.update(finding["names"])
for group in report["copies"]["groups"]:
    bad.update(group["pictures"][1:])
aside.mkdir()
for name in sorted(bad):
    (folder / name).rename(aside / name.replace("/", "-"))
report = gankit.check_data(folder)
num_left = report["pictures"]
print(f"{len(bad)} pictures set aside, {num_left} left, copies: {report['copies']['groups']}")


# %%
# Now gankit can prepare the pictures. The settings of the run decide what a picture becomes: its
# size (`image_size`), how an oblong picture becomes square (`fit`), and its colour (`channels`).
# They also decide which pictures are used: `classes`, `subset`, and `holdout`, the share that is
# kept out of training. Each picture is decoded once, to bytes that are ready for batches.
def prepare(**options):
    """The pictures of a run with these options: bytes (N, size, size, channels)."""
    return gankit.prepare(gankit.compose(data=str(folder), holdout=0.0, **options)).pixels


crop = prepare()
stretch = prepare(fit="stretch")
pad = prepare(fit="pad", background="black", channels=1, image_size=32)
print("crop", crop.shape, "stretch", stretch.shape, "pad", pad.shape)

# A batch is what D gets: in a new order each epoch and, if you ask for it, changed at random.
# `flip` mirrors half of the pictures. `dihedral` also turns them, for pictures without an up.
# `zoom=1.5`, the default for up to 2,000 pictures of your own, shows another part every time.
run = gankit.compose(data=str(folder), batch_size=16, dihedral=True, zoom=1.5,
                     tricks=["ema", "diffaugment"])  # fmt: skip
prepared = gankit.prepare(run)
batches = gankit.Batches(prepared.pixels, 16, seed=0, rows=prepared.train, flip=run.flip,
                         dihedral=run.dihedral, zoom=run.zoom)  # fmt: skip
batch = batches[0]  # (16, 3, 64, 64), -1 to 1


# %%
# The picture: sixteen of each, side by side.
def open_first(files):
    """The first sixteen files, small enough for the figure: bytes (16, 63, 84, 3)."""
    pictures = [ImageOps.exif_transpose(Image.open(file)) for file in sorted(files)[:16]]
    return np.stack([np.asarray(p.convert("RGB").resize((84, 63))) for p in pictures])


def draw_grid(pixels, zoom=1):
    """Sixteen pictures of bytes (N, H, W, C) as a grid."""
    images = torch.tensor(pixels[:16]).permute(0, 3, 1, 2) / 127.5 - 1
    grid = to_grid(images, gap=2 // zoom)
    return grid.resize((zoom * grid.width, zoom * grid.height), Image.Resampling.NEAREST)


readable = [file for file in aside.iterdir() if broken.name not in file.name]
tiles = {
    "in the folder": draw_grid(open_first(folder.rglob("*.*"))),
    "crop (the default)": draw_grid(crop),
    "stretch": draw_grid(stretch),
    "set aside": draw_grid(open_first(readable)),
    "pad with black, 32 px, grey": draw_grid(pad, zoom=2),
    "a batch, dihedral and zoom": to_grid(batch),
}
sheet(tiles, 3).save("lesson-04.png")

# %%
# Was your prediction right? One of seven: only the broken file stops a program. As to `fit`: crop
# cut off petals at the left and right, stretch made all flowers narrower, and pad kept everything,
# but added black edges that G will learn too. None of them is right for all pictures, so look.

# %%
# Exercise. Cold flowers only, each kept whole, grey, 32 px: write the options of `prepare` as a
# dict, answer = {"image_size": 32, ...}
answer = None
if answer is not None:
    pixels = prepare(**answer)
    num_cold = len(list(folder.glob("cold/*")))
    whole = answer.get("fit") in ("pad", "stretch")
    right = pixels.shape == (num_cold, 32, 32, 1) and whole
    verdict = "Right:" if right else "Not yet:"
    print(verdict, pixels.shape, "whole" if whole else "not whole")
