"""Lesson 2: the same through gankit
=================================

Lesson 1 in three lines, with the same losses to the last bit. Then the same training faster, and
then with three tricks, which you find again in the log. From here on you need no training loop of
your own, unless you want to change the loop.

You will learn   how to start a run from Python, what the fast settings change, and how to see that
                 a trick is on.
You should know  lesson 1. If this folder holds its `lesson-01.csv`, the losses are compared.
It takes         about 2 minutes on two cores. GANKIT_LESSON_STEPS=16 only tries it out.
You will see     `lesson-02.png`: flowers from the same 64 z, without tricks (left) and with tricks.
Predict          Three tricks: noise on all pictures that D sees; softer targets for D; pictures
                 drawn with an average of G's last weights. Which of them changes neither loss? What
                 is it good for, then?
Break it         Add `loss="hinge"` to the last `compose`. The hinge loss reads no targets, so
                 smooth-labels could not act. What does gankit say, and when? Then misspell sigma.
                 Then find out what each trick does alone: three runs, one trick each, the same
                 seed. More tricks: dropout-d, diffaugment, r1, spectral-norm. Other pictures:
                 `dataset="ihc"`, or your own folder with `data=["my-pictures"]`.
Exercise         Write the trick flip-labels so that 20 of 100 pictures get a wrong target.

Start it with `gankit lesson 2`, or run `python lessons/02_the_same_through_gankit.py`.
"""

# %%
# `compose` turns names into a Run: a record of every setting that decides a training. Settings that
# you omit get their defaults. `train` trains the run and returns its folder.
import csv
import os
from pathlib import Path

from PIL import Image

from gankit import compose, train
from gankit.runs.figures import sheet

STEPS = int(os.environ.get("GANKIT_LESSON_STEPS", 1024))


def read_log(folder):
    """A dict for each logged step; the columns have the names of lesson 1's variables."""
    with (folder / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def images_per_second(folder):
    last_row = read_log(folder)[-1]
    return 1000 * float(last_row["kimg"]) / max(float(last_row["seconds"]), 0.01)


# %%
# The same numbers. Lesson 1 used float32, the plain version of Adam, torch's own convolutions and
# the usual memory layout. With these settings gankit takes the same steps, bit for bit. (gankit
# keeps a tenth of a large data set out of training, to measure with; lesson 1 did not: `holdout`.)
lesson_1 = {"dataset": "petals", "model": "dcgan64:base_channels=16", "batch_size": 32, "seed": 0}
lesson_1 |= {"lr_g": 5e-4, "lr_d": 5e-4, "holdout": 0.0}
plain_arithmetic = {"optimizer": "plain", "memory_format": "contiguous", "convolutions": "plain",
                    "precision": "32", "device": "cpu"}  # fmt: skip
length = f"{min(STEPS, 128)} steps"
run = compose(**lesson_1, **plain_arithmetic, tricks="none", length=length, log_every=1)
same_folder = train(run)

losses = [f"{row['d_loss']},{row['g_loss']}" for row in read_log(same_folder)]  # with all digits
if Path("lesson-01.csv").exists():
    losses_by_hand = Path("lesson-01.csv").read_text().splitlines()
    steps = min(len(losses_by_hand), len(losses))
    equal = losses_by_hand[:steps] == losses[:steps]
    print(f"{steps} steps by hand and through gankit: {'equal' if equal else 'different'}")

# %%
# Faster. Without `plain_arithmetic`, gankit chooses a fused Adam (one kernel for all weights), the
# memory layout channels-last, faster versions of some convolutions and, on processors that compute
# faster with it, bf16 (numbers with a precision of 8 bits). Each of them rounds differently. A GAN
# amplifies small differences, so the losses soon differ. Compare the pictures, not the numbers.
plain_folder = train(compose(**lesson_1, tricks="none", length=f"{STEPS} steps"))
print(f"images a second: {images_per_second(same_folder):.0f} with lesson 1's settings,", end=" ")
print(f"{images_per_second(plain_folder):.0f} with the fast ones")

# %%
# Tricks are names, with options after a colon. On the command line: `--trick noisy-d:sigma=0.1`.
# - noisy-d adds noise to all pictures that D sees; the noise fades to 0 at the end of the run.
# - smooth-labels changes D's target for real pictures from 1 to 0.9.
# - ema draws pictures with an average of G's last weights.
tricks = ["noisy-d:sigma=0.1", "smooth-labels", "ema:decay=0.998"]
tricks_folder = train(compose(**lesson_1, tricks=tricks, length=f"{STEPS} steps"))

# %%
# Were the tricks on? Each trick has a column in log.csv that says what it did since the last row.
# gankit warns you at the end of a run if a trick never did anything.
log = read_log(tricks_folder)
for row in (log[0], log[len(log) // 2], log[-1]):
    activity = ", ".join(f"{name}: {row[name]}" for name in ("noisy-d", "smooth-labels", "ema"))
    print(f"step {row['step']:>5}  d_loss {float(row['d_loss']):.2f}  {activity}")

# %%
# The pictures, from the same 64 z: those of seeds 0 to 63, as `gankit sample RUN` draws them.
last_grid = f"samples/{STEPS:06d}.png"
grids = {
    "without tricks": Image.open(plain_folder / last_grid),
    "with tricks": Image.open(tricks_folder / last_grid),
}
sheet(grids).save("lesson-02.png")
print(f"both grids: {Path('lesson-02.png').resolve()}")

# %%
# Was your prediction right? ema changes neither loss. It takes no part in the training: it averages
# G's weights, which jump about from step to step, and only pictures are drawn with the average.
# noisy-d and smooth-labels hold D back. With a target of 0.9, d_loss cannot fall below 0.325: D's
# best answer to the target 0.9 is 0.9, and even that costs -0.9 log 0.9 - 0.1 log 0.1.
# With tricks, the flowers are mostly cleaner and more varied. But one run of each does not prove
# it: lesson 8 shows how to find out what a trick does.

# %%
# Exercise. The trick flip-labels gives D wrong targets for some pictures: "fake" for a real one.
# `gankit show flip-labels` lists its options. Write it as in the list of tricks above, in quotes,
# so that 20 of 100 pictures get a wrong target, real pictures and fakes alike.
answer = None
if answer is not None:
    (trick,) = compose(tricks=[answer]).tricks  # an error if there is no such trick or option
    right = (trick.name, trick.options) == ("flip-labels", {"p": 0.2, "which": "both"})
    print(
        "Right: `--trick` takes the same text." if right else f"Not yet: {trick} does not do that."
    )
