"""Lesson 6: a strong D, and was the trick on?
============================================

When D wins, d_loss goes to 0 and G learns little. Four old tricks hold D back. A student project on
flowers used one of them, noise, and saw no difference; after the report was written somebody read
the code: a slip, and no noise had ever been added. Nobody had looked.

You will learn   four tricks against a strong D, what each does to the numbers, and how to see that
                 a trick really acts.
You should know  lessons 2 and 5.
It takes         about 2 minutes on two cores. GANKIT_LESSON_STEPS=16 only tries it out.
You will see     `lesson-06.png`: what six runs draw from the same z: one without tricks, four with
                 one each, and one that is off: two of the six are the same to the last pixel.
Predict          Noise on D's input, flipped targets, targets of 0.9, dropout on D's input: which of
                 them will change d_loss most, and which D(G(z))? One line for each.
Break it         Mend the slip in MyNoise below, and let `activity` say "on" whatever happens. Put
                 the slip back. Would you have found it? A log must say what was done, not planned.
Exercise         How low can d_loss get when targets are flipped?

Take it with `gankit lesson 6`, or run `python lessons/06_a_strong_d.py`.
"""

# %%
# A trick of one's own, as that project had it: noise on all that D sees, fading over the run. One
# character is wrong. Python does not mind, and neither would the losses have looked strange.
import math
import os
from statistics import fmean

import torch
from PIL import Image

from gankit import Trick, TrickSpec, compose, hookimpl, load_registry, train
from gankit.runs.figures import read_log, sheet

STEPS = int(os.environ.get("GANKIT_LESSON_STEPS", 480))


class MyNoise(Trick):
    """Noise on D's input, they thought."""

    added = 0.0

    def d_input(self, images, gan):
        sigma = 0.3 * (gan.steps - gan.step) // gan.steps  # from 0.3 to 0
        noise = sigma * torch.randn(images.shape, generator=gan.draw("my-noise"))
        self.added = float(noise.std())  # measured, not believed
        return images + noise

    def activity(self):
        return f"noise of {self.added:.3f}" if self.added else None


class Plugin:
    """Hands the trick in, so that it has a name like any other."""

    @hookimpl
    def register_tricks(self, register):
        summary = "noise on D's input"
        register(TrickSpec(name="my-noise", summary=summary, source="a project", build=MyNoise))


registry = load_registry()
registry.load("mine", Plugin)

# %%
# A D that learns five times as fast as G: it wins. Then the same run with one trick each. They
# start from the same weights and see the same pictures, so what differs comes from the trick.
STRONG_D = {"dataset": "petals", "model": "dcgan64:base_channels=16", "image_size": 32}
STRONG_D |= {"batch_size": 32, "lr_g": 4e-4, "lr_d": 2e-3, "length": f"{STEPS} steps"}
TRICKS = ("none", "my-noise", "noisy-d:sigma=0.3", "flip-labels", "smooth-labels", "dropout-d")
logs, tiles = {}, {}
for trick in TRICKS:
    folder = train(compose(registry, **STRONG_D, tricks=trick), registry)
    logs[trick] = read_log(folder)
    grid = Image.open(folder / "samples" / f"{STEPS:06d}.png")
    tiles[trick] = grid.crop((0, 0, grid.width, grid.height // 2 + 1))  # 32 of 64
sheet(tiles, 3).save("lesson-06.png")

# %%
# First: was it on? Each trick has a column in log.csv that says what it did since the last row. An
# empty one means: nothing. (gankit warns of that at the end of a run, too; did you see it?)
for trick, log in logs.items():
    column = log.get(trick.partition(":")[0], ["no trick"])
    print(f"{trick:18} first: {column[0] or 'nothing':32} last: {column[-1] or 'nothing'}")
same = logs["my-noise"]["d_loss"] == logs["none"]["d_loss"]
print(f"my-noise and no trick have the same losses, digit for digit: {same}")


# %%
# Then: what did it change? The mean over the last quarter of the run.
def late(column):
    """The mean over the last quarter."""
    return fmean(column[-max(1, len(column) // 4) :])


print(f"{'':18}  d_loss  g_loss    D(x)  D(G(z))")
for trick, log in logs.items():
    columns = (log[name] for name in ("d_loss", "g_loss", "d_real", "d_fake"))
    print(trick.ljust(18), *(f"{late(column):7.2f}" for column in columns))

# %%
# Was your prediction right? Flipped targets change d_loss most, as they must: no answer suits
# targets that contradict each other. Smoothed ones and dropout raise it too, and all four make D
# less sure of real pictures, D(x). D(G(z)) stays low. And the pictures? Noise changed the
# numbers less than flips did, and the pictures far more: stronger colours, clearer petals. That
# numbers changed says that a trick is on, not that it helps. Whether it does, one run each cannot
# say, however clear it looks; lesson 8 shows what can.

# %%
# Exercise. flip-labels tells D "fake" for 35 of 100 real pictures, at random. The best that a
# perfect D can answer to a real picture is then 0.65, and to a fake still 0. What is its d_loss,
# -[t log D(x) + (1 - t) log(1 - D(x))] on average over t? Two digits: answer = 0.00
answer = None
if answer is not None:
    lowest = -(0.65 * math.log(0.65) + 0.35 * math.log(0.35))
    hint = "Not yet: fakes cost nothing, -log(1 - 0) is 0. Which t has a real one, how often?"
    print("Right: no D can do better." if abs(answer - lowest) < 0.006 else hint)
