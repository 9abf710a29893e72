"""Lesson 2: the same through gankit
=================================

Lesson 1 in three lines, to the last bit. Then faster, and then with three tricks, whose work is
read in the log. From here on nobody writes a training loop again, unless to change it.

You will learn   how to ask gankit for a run from Python, what the fast settings change, and how
                 to see that a trick is on.
You should know  lesson 1. If its `lesson-01.csv` lies in this folder, the losses are compared.
It takes         about 12 minutes on two cores. GANKIT_LESSON_STEPS=16 only tries it out.
You will see     `lesson-02.png`: flowers of the same 64 z, without tricks (left) and with them.
Predict          Noise on all that D sees, softer targets for D, an average of G's last weights to
                 draw with: which of these three tricks changes no loss at all, and what for then?
Break it         Add `loss="hinge"` to the last `compose`. The hinge loss reads no targets, so
                 smooth-labels could not act. What does gankit say, and when? Then misspell sigma.
                 And what does each trick do on its own? Three runs, one trick each, the same
                 seed. Then others: dropout-d, diffaugment, r1, spectral-norm. And other pictures:
                 `dataset="ihc"`, or your own folder with `data=["my-pictures"]`.
Exercise         Write flip-labels so that D is lied to about a fifth of all pictures.

Take it with `gankit lesson 2`, or run `python lessons/02_the_same_through_gankit.py`.
"""

# %%
# `compose` turns names into a Run, a record of everything that decides a run; what is not named
# gets its default. `train` trains it, prints lines now and then, and returns the run's folder.
import csv
import os
from pathlib import Path

from PIL import Image

from gankit import compose, train

STEPS = int(os.environ.get("GANKIT_LESSON_STEPS", 2048))


def read_log(folder):
    """One dict a logged step; its columns have the names of lesson 1's variables."""
    with (folder / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def images_per_second(folder):
    last = read_log(folder)[-1]
    return 1000 * float(last["kimg"]) / max(float(last["seconds"]), 0.01)


# %%
# The same numbers. Lesson 1 used the plain kernel of Adam, the usual memory layout, torch's own
# convolutions and float32. Asked for this arithmetic, gankit takes the same steps: not nearly, but
# bit for bit. (Of a large set gankit keeps a tenth away from training, to measure with; lesson 1
# did not: `holdout`.)
lesson_1 = {"dataset": "petals", "model": "dcgan64:base_channels=32", "batch_size": 32, "seed": 0}
lesson_1["holdout"] = 0.0
slow = {"optimizer": "plain", "memory_format": "contiguous", "convolutions": "plain",
        "precision": "32", "device": "cpu"}  # fmt: skip
run = compose(**lesson_1, **slow, tricks="none", length=f"{min(STEPS, 128)} steps", log_every=1)
same = train(run)

history = [f"{row['d_loss']},{row['g_loss']}" for row in read_log(same)]  # with all their digits
if Path("lesson-01.csv").exists():
    by_hand = Path("lesson-01.csv").read_text().splitlines()
    steps = min(len(by_hand), len(history))
    equal = by_hand[:steps] == history[:steps]
    print(f"{steps} steps by hand and through gankit: {'equal' if equal else 'different'}")

# %%
# Faster. Without `slow`, gankit takes a fused Adam (one kernel for all weights), channels-last
# (the layout that convolutions like), layers of its own that compute some convolutions faster and,
# where the processor is faster in it, bf16 (numbers of 8 bits' precision). All round differently,
# bf16 most. So the losses soon part, for a GAN makes much of small differences. Compare the
# pictures, not the numbers.
plain = train(compose(**lesson_1, tricks="none", length=f"{STEPS} steps"))
slowly, quickly = images_per_second(same), images_per_second(plain)
print(f"images a second: {slowly:.0f} as in lesson 1, {quickly:.0f} with the fast settings")

# %%
# Tricks: names, with options after a colon. On the command line: `--trick noisy-d:sigma=0.1` and
# so on. noisy-d adds noise to all that D sees, less and less until the end. smooth-labels asks D
# for 0.9 instead of 1 on real pictures. ema draws from an average of G's last weights.
tricks = ["noisy-d:sigma=0.1", "smooth-labels", "ema:decay=0.998"]
tricked = train(compose(**lesson_1, tricks=tricks, length=f"{STEPS} steps"))

# %%
# Were they on? Every trick has a column in log.csv and says there what it did since the last row.
# One that did nothing all run is named at the end: nobody need wonder.
log = read_log(tricked)
for row in (log[0], log[len(log) // 2], log[-1]):
    acts = ", ".join(f"{trick}: {row[trick]}" for trick in ("noisy-d", "smooth-labels", "ema"))
    print(f"step {row['step']:>5}  d_loss {float(row['d_loss']):.2f}  {acts}")

# %%
# The pictures, from the same z. Any z can be drawn later: `gankit sample RUN --seed 7` does.
last = f"samples/{STEPS:06d}.png"
left, right = Image.open(plain / last), Image.open(tricked / last)
both = Image.new("RGB", (left.width + 16 + right.width, left.height), "white")
both.paste(left, (0, 0))
both.paste(right, (left.width + 16, 0))
both.save("lesson-02.png")

# %%
# Was your prediction right? ema touches no loss. It is not in the game: it watches G, and draws.
# The other two hold D back. At a target of 0.9, d_loss cannot fall below 0.325 any more: the best
# answer to 0.9 is 0.9, and even that costs -0.9 log 0.9 - 0.1 log 0.1.

# %%
# Exercise. The trick flip-labels tells D the opposite of the truth for some pictures, and
# `gankit show flip-labels` names its options. Write it as in the list of tricks above, in quotes,
# so that D is lied to about 20 of 100 pictures, real and fake alike.
answer = None
if answer is not None:
    (asked,) = compose(tricks=[answer]).tricks  # refuses what does not exist
    right = (asked.name, asked.options) == ("flip-labels", {"p": 0.2, "which": "both"})
    print("Right: so --trick takes it too." if right else f"Not yet: {asked} is something else.")
