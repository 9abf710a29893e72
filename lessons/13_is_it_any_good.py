"""Lesson 13: is it any good?
==========================

You can judge one picture well by eye, but not a thousand, and you easily like what you made
yourself. So measure. But first test the measures, on pictures with faults that you know, because
you put them in.

You will learn   what swd, kid, memorising and modes answer, which fault each of them does not see,
                 what a kid of 0.3 means, and why you need the floor of a number to read it.
You should know  lesson 10: held-out pictures. docs/measures.md explains every measure.
It takes         about 3 minutes on two cores if lesson 12 has trained `runs/garden`.
                 GANKIT_LESSON_STEPS=16 makes it short, to try it out; use another folder for that
                 if this one has a fully trained garden.
You will see     `lesson-13.png`: eight sets of pictures, with the numbers of each beside it.
Predict          Copies of training pictures are perfect flowers. Which of the four numbers detects
                 them? Which number notices that a set has red flowers only?
Break it         Measure 50 pictures instead of 400. Which numbers change, and how do their
                 intervals change? Then add some noise to the copies: does memorising still detect
                 them?
Exercise         Decide from the numbers alone.

Take it with `gankit lesson 13`, or run `python lessons/13_is_it_any_good.py`.
"""

# %%
# The G to judge is lesson 12's garden. If you have not trained it yet, it is trained now.
import os
from pathlib import Path

import numpy as np
from gankit_flowers.petals import Petals
from gankit_flowers.recognise import recognise
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from gankit import compose, evaluate, load, prepare, train
from gankit.runs.images import to_frames

STEPS = int(os.environ.get("GANKIT_LESSON_STEPS", 2000))
COUNT, PETALS = (400, "petals") if STEPS > 100 else (60, "petals:count=1200")
folder = Path("runs/garden")
run = compose(dataset=PETALS, model="dcgan64-quick", length=f"{STEPS} steps", out=folder)
garden = load(train(run, resume=folder.exists()))

# %%
# Eight sets of 400 pictures, as bytes (400, 64, 64, 3). Fresh flowers are what a perfect G would
# draw: of the same kind as the training pictures, but none of them. The faulty sets are made from
# fresh flowers, except the copies, which are training pictures. "red only" and "one flower" are two
# degrees of mode collapse: perfect pictures, but few kinds. The last set is from your own G.
prepared = prepare(garden.run)
fresh = Petals(count=8192 + 8 * COUNT).batch(range(8192, 8192 + 8 * COUNT))
red = fresh[recognise(fresh).colour == 0]


def blurred(picture):
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(1)))


random = np.random.default_rng(0)
noise = random.normal(0, 12, (COUNT, 64, 64, 3))
picture_sets = {
    "fresh flowers": fresh[:COUNT],
    "copies": np.array(prepared.pixels[prepared.train[:COUNT]]),
    "blurred": np.stack([blurred(picture) for picture in fresh[:COUNT]]),
    "noisy": (fresh[:COUNT] + noise).clip(0, 255).astype(np.uint8),
    "red only": red[:COUNT],
    "one flower": np.repeat(fresh[:1], COUNT, axis=0),
    "only noise": random.integers(0, 256, (COUNT, 64, 64, 3), dtype=np.uint8),
    "your G": to_frames(garden.images(garden.latents(range(COUNT)))),
}

# %%
# Measure all numbers that suit this run and are available here (None chooses them). Each has an
# interval: with 400 other pictures, the number would be in it 95 times out of 100. And each has a
# floor: what real pictures get, with as many pictures. No G can do better, so a number that reaches
# its floor cannot tell you more.
results = evaluate(folder, None, pictures=picture_sets)
texts = {
    name: [f"{m.metric} {m.value:.2f} ({m.low:.2f} to {m.high:.2f})" for m in measured]
    for name, measured in results.items()
}
for name, text in texts.items():
    print(f"{name:14} {'   '.join(text)}")
floors = [f"{m.metric} {m.floor:.2f}" for m in results["your G"]]
print(f"{'floor':14} {'   '.join(floors)}")

# %%
# A scale for kid, from your own pictures, best first: on these flowers, what does kid 0.3 mean?
kid = {name: m.value for name, measured in results.items() for m in measured if m.metric == "kid"}
for name in sorted(kid, key=kid.get):
    print(f"kid {kid[name]:5.2f}  {name}")
if not kid:
    print('kid is left out: its network comes with pip install "gankit[metrics]"')

# %%
# The picture: ten of each set, and its numbers.
sheet = Image.new("RGB", (960, 92 * len(picture_sets)), "white")
draw = ImageDraw.Draw(sheet)
font = ImageFont.load_default(13)
for row, (name, pictures) in enumerate(picture_sets.items()):
    strip = Image.fromarray(np.concatenate(list(pictures[:10]), axis=1))  # (64, 640, 3)
    sheet.paste(strip, (8, 92 * row + 14))
    draw.text((660, 92 * row), "\n".join([name.upper(), *texts[name]]), "black", font)
sheet.save("lesson-13.png")

# %%
# Was your prediction right? For kid, swd and modes, copies are as good as fresh flowers; only
# memorising detects them. It does not call one flower 400 times a copy, because this flower is a
# fresh one; and far below 0.5 it only says that pictures are far from all real ones. modes and
# memorising do not notice blur and noise. kid reacts far more to noise, which you hardly see, than
# to blur, which you see well. A kid of 0.3 would be better than either of them. Above 2, kid only
# says "far away" and no longer ranks well: it can place your G, whose flowers have a fine grid,
# behind pure noise, although swd and modes see the difference. With mode collapse kid and swd
# become worse, too, but only modes tells you the reason: 6 kinds of 36. So use one number for
# quality, one for variety and one for copies, and then look at the pictures again.

# %%
# Exercise. Three G were measured. The floors are swd 20, memorising 0.50, modes 33. The first G has
# swd 24, memorising 0.97, modes 31. The second has swd 26, memorising 0.52, modes 30. The third has
# swd 21, memorising 0.50, modes 6. Which one would you keep? Replace None with 1, 2 or 3.
answer = None
if answer is not None:
    print("Right: the first one copies, the third one draws 6 kinds of 36." if answer == 2
          else "Not yet: for each G, look at its worst number.")  # fmt: skip
