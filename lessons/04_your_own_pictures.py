"""Lesson 4: your own pictures
===========================

A GAN learns whatever lies in the folder, faults included, and takes hours to show them. So look
first. This lesson makes a messy folder of flowers, has gankit find the mess, clears it up, and
looks at a batch as D will see it. With pictures of your own, name their `folder` instead and start
at the data doctor.

You will learn   what is wrong with most folders of pictures, how to find it, and which options
                 decide size, shape, colour, flips and which pictures are taken.
You should know  lesson 2. Your pictures lie in a folder or a zip, in any kind of file.
It takes         about 1 minute on two cores. No training, so GANKIT_LESSON_STEPS changes nothing.
You will see     `lesson-04.png`: sixteen flowers as they came and as three choices of options
                 prepare them (look at the edges), what was set aside, and a batch.
Predict          The next cell hides seven faults. The usual loop, open, resize, next, stops at
                 some of them with an error. At how many? The others would be learnt in silence.
Break it         Leave out the cell that clears up, train with the `run` at the end
                 (`gankit.train(run)`), and look for grey flowers among what G draws.
Exercise         A batch of cold flowers, whole ones, in grey, 32 pixels wide: which options?

Take it with `gankit lesson 4`, or run `python lessons/04_your_own_pictures.py`.
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

folder, aside = Path("lesson-04-pictures"), Path("lesson-04-aside")
for old in (folder, aside):
    shutil.rmtree(old, ignore_errors=True)
petals, files = Petals(image_size=112, count=300), []
for index, pixels in enumerate(petals.batch(range(len(petals)))):
    warm = petals.factors(index).colour in ("red", "yellow", "pink")
    files.append(folder / ("warm" if warm else "cold") / f"{index:03d}.png")
    files[-1].parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels[14:98]).save(files[-1])  # 112 wide, 84 high

# %%
# Seven faults, as one meets them, in files chosen at random.
chosen = random.Random(4).sample(files, 36)
greys, (broken, copied, saved_again, tiny, cut_out, turned) = chosen[:30], chosen[30:]
for file in greys:  # scans of a black-and-white book
    Image.open(file).convert("L").save(file)
broken.write_bytes(broken.read_bytes()[:500])  # a download that ended early
shutil.copy(copied, copied.with_name("copy.png"))
Image.open(saved_again).save(saved_again.with_suffix(".jpg"), quality=60)  # not the same bytes
Image.open(tiny).resize((28, 21)).save(tiny)  # a thumbnail
mask = Image.new("L", (112, 84))
ImageDraw.Draw(mask).ellipse((20, 6, 92, 78), fill=255)
picture = Image.open(cut_out)
picture.putalpha(mask)  # transparent outside
picture.save(cut_out)
camera = Image.Exif()
camera[0x0112] = 6  # "held upright: turn me by a quarter", which few programs do
sideways = Image.open(turned).transpose(Image.Transpose.ROTATE_90)
sideways.save(turned.with_suffix(".jpg"), exif=camera)
turned.unlink()

# The usual loop, and what it notices.
errors = 0
for file in sorted(folder.rglob("*.*")):
    try:
        with Image.open(file) as picture:
            picture.convert("RGB").resize((64, 64))
    except OSError:
        errors += 1
print(f"the usual loop stops at {errors} of 7 faults")

# %%
# The data doctor: `gankit data check FOLDER` on the command line. It reads every picture once and
# says what it means for a GAN, the worst first, each with the option or action that mends it.
found = gankit.check_data(folder)
for one in found["findings"]:
    print(f"{one['level']}: {one['what']}\n    -> {one['mend']}")

# %%
# Five of the seven are named. The other two are mended on the way: a picture is turned as its
# camera says, and what is transparent is laid on white (`background` names another colour).
print(f"transparent in places: {found['transparent']}, grey: {found['grey']}")

# Clear up: what a finding names goes aside, and of each group of copies all but the first. Nothing
# is deleted, for a program has no taste; look at what lies aside.
bad = {name for one in found["findings"] for name in one["names"]}
bad |= {name for group in found["copies"]["groups"] for name in group["pictures"][1:]}
aside.mkdir()
for name in sorted(bad):
    (folder / name).rename(aside / name.replace("/", "-"))
found = gankit.check_data(folder)
print(f"{len(bad)} pictures aside, {found['pictures']} left, copies: {found['copies']['groups']}")


# %%
# Now gankit may prepare them. What a picture becomes is up to the run: its size (`image_size`), how
# an oblong one becomes square (`fit`), its colour (`channels`). Which ones are taken, too:
# `classes`, `subset`, and `holdout`, the share that training never sees. Each picture is decoded
# once; what comes of it is plain bytes, ready for batches.
def prepared(**options):
    """The pictures of a run with these options: (N, size, size, channels) bytes."""
    return gankit.prepare(gankit.compose(data=str(folder), holdout=0.0, **options)).pixels


def opened(files):
    """The first sixteen files, as small as they fit into the figure."""
    pictures = [ImageOps.exif_transpose(Image.open(file)) for file in sorted(files)[:16]]
    return np.stack([np.asarray(one.convert("RGB").resize((84, 63))) for one in pictures])


def grid(pixels, zoom=1):
    """Sixteen pictures of bytes as one."""
    images = torch.tensor(pixels[:16]).permute(0, 3, 1, 2) / 127.5 - 1
    whole = to_grid(images, gap=2 // zoom)
    return whole.resize((zoom * whole.width, zoom * whole.height), Image.Resampling.NEAREST)


crop, stretch = prepared(), prepared(fit="stretch")
pad = prepared(fit="pad", background="black", channels=1, image_size=32)
print("crop", crop.shape, "stretch", stretch.shape, "pad", pad.shape)

# %%
# A batch is what D gets: shuffled anew each epoch and, if asked for, turned over. `flip` mirrors
# half of the pictures; `dihedral`, for pictures without an up, turns them as well. `zoom=1.5` shows
# a part of each, another one each time. It is on for pictures of your own: few become more.
run = gankit.compose(data=str(folder), batch_size=16, dihedral=True, tricks=["ema", "diffaugment"])
ready = gankit.prepare(run)
turns = {"flip": run.flip, "dihedral": run.dihedral, "zoom": run.zoom}
batch = gankit.Batches(ready.pixels, 16, seed=0, rows=ready.train, **turns)[0]  # in [-1, 1]
readable = [file for file in aside.iterdir() if broken.name not in file.name]
tiles = {"as they came": grid(opened(folder.rglob("*.*")))}
tiles |= {"crop (the default)": grid(crop), "stretch": grid(stretch)}
tiles |= {"set aside": grid(opened(readable)), "pad with black, 32 px, grey": grid(pad, 2)}
tiles["a batch, dihedral and zoom"] = to_grid(batch)
sheet(tiles, 3).save("lesson-04.png")

# %%
# Was your prediction right? One of seven: only the broken file stops a program. Crop cut off the
# petals at the left and right, stretch made all flowers narrower, pad kept everything and
# added edges that G will learn too. There is no right one; there is only looking.

# %%
# Exercise. Cold flowers only, each kept whole, grey, 32 px: write the options of `prepared` as a
# dict, answer = {"image_size": 32, ...}
answer = None
if answer is not None:
    made, wanted = prepared(**answer), len(list(folder.glob("cold/*")))
    whole = answer.get("fit") in ("pad", "stretch")
    right = made.shape == (wanted, 32, 32, 1) and whole
    print("Right:" if right else "Not yet:", made.shape, "whole" if whole else "not whole")
