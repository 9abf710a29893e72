"""Lesson 13: is it any good?
==========================

Eyes judge one picture well and a thousand badly, and they like what they made. So measure. But
first measure the measures, on pictures whose faults you know, for you have put them there.

You will learn   what swd, kid, memorising and modes answer, which fault each of them is blind to,
                 and why a number without its floor says nothing.
You should know  lesson 10: the hold-out. docs/measures.md is the long version of this lesson.
It takes         about 3 minutes on two cores, if `runs/garden` is there from lesson 12.
                 GANKIT_LESSON_STEPS=16 only tries it out; in a folder without a whole garden.
You will see     `lesson-13.png`: seven sets of flowers, each with its numbers beside it.
Predict          Copies of training pictures are perfect flowers. Which of the four numbers gives
                 them away? Which one will notice that a set has red flowers only?
Break it         Measure 50 pictures in place of 400. Which numbers move, and what do their
                 intervals do? Then copies with some noise on them: are they still copies?
Exercise         Decide from the numbers alone.

Take it with `gankit lesson 13`, or run `python lessons/13_is_it_any_good.py`.
"""

# %%
# The run to judge is lesson 12's garden; where it is not there, it is trained now.
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
# The suspects, 400 pictures each, as bytes (400, 64, 64, 3). Fresh flowers are what a perfect G
# would draw: of the same kind, and seen by nobody. The faulty ones are made from them, except
# copies, which are training pictures. And there is your own G.
prepared = prepare(garden.run)
fresh = Petals(count=8192 + 8 * COUNT).batch(range(8192, 8192 + 8 * COUNT))
red = fresh[recognise(fresh).colour == 0]


def blurred(picture):
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(1)))


noise = np.random.default_rng(0).normal(0, 12, (COUNT, 64, 64, 3))
suspects = {
    "fresh flowers": fresh[:COUNT],
    "copies": np.array(prepared.pixels[prepared.train[:COUNT]]),
    "blurred": np.stack([blurred(picture) for picture in fresh[:COUNT]]),
    "noisy": (fresh[:COUNT] + noise).clip(0, 255).astype(np.uint8),
    "red only": red[:COUNT],
    "one flower": np.repeat(fresh[:1], COUNT, axis=0),
    "your G": to_frames(garden.images(garden.latents(range(COUNT)))),
}

# %%
# Measure, with all numbers that suit this run and can be had here (that is None). Each has an
# interval: had you drawn 400 others, it would lie in there 95 times of 100. And a floor: what real
# pictures get at this size. Nothing is better, and a number that reaches it has no more to say.
rows = {}
for name, found in evaluate(folder, None, pictures=suspects).items():
    rows[name] = [f"{m.metric} {m.value:.2f} ({m.low:.2f} to {m.high:.2f})" for m in found]
    print(f"{name:14} {'   '.join(rows[name])}")
print(f"{'floor':14} {'   '.join(f'{m.metric} {m.floor:.2f}' for m in found)}")

# kid looks at pictures through a network that has seen ImageNet; the others need none.
if "kid" not in [m.metric for m in found]:
    print('kid is left out: its network comes with pip install "gankit[metrics]"')

# %%
# The picture: ten of each set, and its numbers.
sheet = Image.new("RGB", (960, 92 * len(suspects)), "white")
draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
for row, (name, pictures) in enumerate(suspects.items()):
    strip = Image.fromarray(np.concatenate(list(pictures[:10]), axis=1))  # (64, 640, 3)
    sheet.paste(strip, (8, 92 * row + 14))
    draw.text((660, 92 * row), "\n".join([name.upper(), *rows[name]]), "black", font)
sheet.save("lesson-13.png")

# %%
# Was your prediction right? To kid, swd and modes, copies are as good as fresh flowers; memorising
# alone gives them away. Blur and noise leave modes and memorising cold, and kid minds noise that
# one hardly sees far more than a blur that one does. Red flowers are sharp, and only modes can say
# what is wrong: 6 kinds of 36. One flower 400 times is no copy to memorising, for it is fresh. So
# ask one number for quality, one for variety and one for copies, and then look again.

# %%
# Exercise. Three G were measured; floors are swd 20, memorising 0.50, modes 33. The first: swd 24,
# memorising 0.97, modes 31. The second: swd 26, memorising 0.52, modes 30. The third: swd 21,
# memorising 0.50, modes 6. Which one would you keep? Put 1, 2 or 3 in the place of None.
answer = None
if answer is not None:
    print("Right: the first copies, the third draws 6 kinds of 36." if answer == 2
          else "Not yet: look at the number that each of them is worst at.")  # fmt: skip
