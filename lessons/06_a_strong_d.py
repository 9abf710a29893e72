"""Lesson 6: a strong D, and was the trick on?
============================================

When D wins, d_loss goes to 0 and G learns little. Four old tricks hold D back. A student project on
flowers used one of them, noise, and saw no difference. After the report was written, somebody read
the code: because of a slip, no noise had ever been added. Nobody had looked.

You will learn   four tricks against a strong D, what each does to the numbers, and how to see that
                 a trick really acts.
You should know  lessons 2 and 5.
It takes         about 1 minute on two cores. GANKIT_LESSON_STEPS=16 only tries it out.
You will see     `lesson-06.png`: what six runs draw from the same z. One is without tricks, four
                 have one trick each, and in one the trick is off: two of the six are the same to
                 the last pixel. `lesson-06-step.html`: single steps of a D that is too strong.
Predict          Noise on D's input, flipped targets, targets of 0.9, dropout on D's input: which of
                 them will change d_loss most, and which will change D(G(z)) most?
Break it         Mend the slip in MyNoise below, and let `activity` always return "on". Put the slip
                 back. Would you have found it? A log has to say what was done, not what was meant.
Exercise         How low can d_loss get with flipped targets?

Start it with `gankit lesson 6`, or run `python lessons/06_a_strong_d.py`.
"""

# %%
# Settings. Here D learns five times as fast as G, so it tends to win.
import math
import os
from pathlib import Path
from statistics import median

import torch
from gankit_unfold import unfold
from PIL import Image

from gankit import Trick, TrickSpec, compose, hookimpl, load_registry, train
from gankit.runs.figures import read_log, sheet

STEPS = int(os.environ.get("GANKIT_LESSON_STEPS", 480))
STRONG_D = {"dataset": "petals", "model": "dcgan64:base_channels=16", "image_size": 32}
STRONG_D |= {"batch_size": 32, "lr_g": 4e-4, "lr_d": 2e-3, "log_every": 2}
STRONG_D |= {"length": f"{STEPS} steps", "device": "cpu"}  # a GPU may round differently each time

# %%
# A strong D at work. This cell trains without tricks, and then unfolds single steps of the run: the
# first, some in between, the last. Open the page in a browser and go through the last step. How
# sure is D of the reals and of the fakes (stop 2)? How much do D and G pay (stops 3 and 6)? How
# strong is what D tells G (stop 7), and does it look like a flower (stop 8)? Then compare it with
# the first step.
without_tricks = train(compose(**STRONG_D, tricks="none"))
page = unfold(without_tricks).write("lesson-06-step.html")
print(f"single steps: {page.resolve()}")


# %%
# The trick as that project had it: noise on all pictures that D sees, fading during the run. One
# character is wrong. Python accepts it, and the losses look as they always do.
class MyNoise(Trick):
    """Noise on D's input, or so they thought."""

    added = 0.0  # standard deviation of the last noise

    def d_input(self, images, gan):
        sigma = 0.3 * (gan.steps - gan.step) // gan.steps  # from 0.3 to 0
        draw = gan.draw("my-noise")
        noise = sigma * torch.randn(images.shape, generator=draw, device=images.device)
        self.added = float(noise.std())  # measured, not assumed
        return images + noise

    def activity(self):
        return f"noise of {self.added:.3f}" if self.added else None


class Plugin:
    """Registers the trick, so that you can use it by name like any other."""

    @hookimpl
    def register_tricks(self, register):
        summary = "noise on D's input"
        register(TrickSpec(name="my-noise", summary=summary, source="a project", build=MyNoise))


registry = load_registry()
registry.load("mine", Plugin)

# %%
# The run without tricks, and five with one trick each. All start from the same weights and see the
# same pictures in the same order.
TRICKS = ("none", "my-noise", "noisy-d:sigma=0.3", "flip-labels", "smooth-labels", "dropout-d")
folders = {"none": without_tricks}
for trick in TRICKS[1:]:
    folders[trick] = train(compose(registry, **STRONG_D, tricks=trick), registry)
logs = {}
tiles = {}
for trick, folder in folders.items():
    logs[trick] = read_log(folder)
    grid = Image.open(folder / "samples" / f"{STEPS:06d}.png")
    tiles[trick] = grid.crop((0, 0, grid.width, grid.height // 2 + 1))  # 32 of 64
sheet(tiles, 3).save("lesson-06.png")
print(f"six grids: {Path('lesson-06.png').resolve()}")

# %%
# First: was the trick on? Each trick has a column in log.csv that says what it did since the last
# row; an empty column means that it did nothing. (gankit also warned you at the end of that run.)
# Its doctor calls that an `idle-trick`: `gankit doctor RUN` finds it in any run.
for trick, log in logs.items():
    column = log.get(trick.partition(":")[0], ["no trick"])
    print(f"{trick:18} first: {column[0] or 'nothing':32} last: {column[-1] or 'nothing'}")
same = logs["my-noise"]["d_loss"] == logs["none"]["d_loss"]
print(f"my-noise and no trick have the same losses, digit for digit: {same}")

# %%
# Then: what did the trick change? Medians over the second half of the run, because a median does
# not follow single spikes.
COLUMNS = {"d_loss": "d_loss", "g_loss": "g_loss", "D(x)": "d_real", "D(G(z))": "d_fake"}
medians = {}
print(f"{'':18}  d_loss  g_loss    D(x)  D(G(z))")
for trick, log in logs.items():
    half = len(log["d_loss"]) // 2
    medians[trick] = {label: median(log[name][half:]) for label, name in COLUMNS.items()}
    print(f"{trick:18}", *(f"{value:7.2f}" for value in medians[trick].values()))

without = medians["none"]
for label in ("d_loss", "D(x)", "D(G(z))"):
    most = max(TRICKS, key=lambda trick: abs(medians[trick][label] - without[label]))
    change = f"from {without[label]:.2f} to {medians[most][label]:.2f}"
    print(f"in your run, {most} changed {label} most, {change}")

# %%
# Was your prediction right? The lines above say what happened in your run; another seed may say
# something else. What you can expect:
# - flip-labels raises d_loss most, and lowers D(x): no answer suits targets that contradict.
# - smooth-labels raises d_loss too: with a target of 0.9, it cannot fall below 0.325 (lesson 2).
# - noisy-d and dropout-d hide a part of each picture from D. What they do to the numbers varies
#   from seed to seed, and may be too little to see in these medians.
#
# Now compare the pictures. Noise often changes them most (stronger colours, clearer petals), though
# flips change the numbers more. A number that changed proves that a trick was on, not that it
# helps. And one run each proves nothing about help, however clear it looks: see lesson 8.

# %%
# When D has won in a run of your own: D(x) stays at 1, D(G(z)) at 0, g_loss is high, and the grids
# in `samples/` stay bad. Then train again with a slower D, or with one trick from above:
# - `gankit run --lr-d 0.0001`
# - `gankit run --trick noisy-d`
#
# `gankit doctor RUN` says whether D has won (`d-dominates`), with the numbers that prove it, and
# prints a command that holds D back. Try one at a time, and check its column in log.csv. `--trick`
# replaces the tricks that the model has by default (`gankit show skip64`): repeat those that you
# want to keep.

# %%
# Exercise. `flip-labels:p=0.2` tells D "fake" for 20 of 100 real pictures, at random. How low can
# the d_loss of a perfect D get, on average? Fakes cost it nothing. Two digits: answer = 0.00
answer = None
if answer is not None:
    lowest = -(0.8 * math.log(0.8) + 0.2 * math.log(0.2))
    hint = "Not yet: which answer to real pictures costs least, and what does it cost (lesson 2)?"
    print("Right: no D can do better." if abs(answer - lowest) < 0.006 else hint)
