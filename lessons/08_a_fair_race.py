"""Lesson 8: batch size, heads, workers: run a fair race
=====================================================

A student project trained four settings once each, two hours long, and looked at the pictures. Its
result: "Batch 128 with a dense head was slightly better." Was it? You can answer some questions by
thinking, some with a stopwatch, and some only with a race: it trains each setting with several
seeds, so that you can tell a real difference from luck.

You will learn   which settings can matter at all, what a race is, and what "no measurable
                 difference" means.
You should know  lessons 2 and 7. docs/races.md has the details.
It takes         about 2 minutes on two cores. GANKIT_LESSON_STEPS=16 makes it short, to try it out.
You will see     `lesson-08.png`: pictures of the four settings, all from the first seed. The race
                 prints its tables at the end; `race.html` in the race's folder shows all results.
Predict          Four settings see the same number of pictures: batch size 64 or 16, and a
                 convolution or a dense layer as the last layer of D. Rank them. Would you bet on
                 your order?
Break it         Race a setting against itself: `vary={"draw_every": [100, 101]}`. Does one of them
                 win? Then vary `threads` from 1 to 2, which only changes how sums are rounded.
Exercise         Three seeds gave three differences. Is the variant better? Work it out by hand.

Take it with `gankit lesson 8`, or run `python lessons/08_a_fair_race.py`.
"""

# %%
# First what all cells need. The networks are small and the pictures 32 pixels wide, because a race
# trains many times.
import io
import json
import os
import shutil
import time

import torch
from gankit_flowers.petals import Petals
from gankit_mathworks.nets import Discriminator
from PIL import Image

import gankit
from gankit.runs.figures import read_log

STEPS = int(os.environ.get("GANKIT_LESSON_STEPS", 384))  # with batch size 16
SEEDS = 3 if STEPS > 100 else 1  # one seed gives no verdict, but is enough for a short try
SHARED = {"dataset": "petals", "image_size": 32, "tricks": "none", "lr_g": 5e-4, "lr_d": 5e-4}


# %%
# Workers: a stopwatch gives the answer. Usually, loader workers open, decode and shrink pictures
# while the network computes. gankit does that once, before training, and keeps the pixels as bytes.
# How much work is left for workers?
def mean_milliseconds(function, times=50):
    """The mean time of one call of `function(number)`."""
    start = time.perf_counter()
    for number in range(times):
        function(number)
    return 1000 * (time.perf_counter() - start) / times


photo = io.BytesIO()
Image.fromarray(Petals(256)[0]).save(photo, "JPEG")
batches = gankit.Batches(gankit.prepare(gankit.compose(**SHARED)).pixels, 64, seed=0)
from_files = 64 * mean_milliseconds(lambda _: Image.open(photo).convert("RGB").resize((32, 32)))
from_bytes = mean_milliseconds(lambda number: batches[number])
print(f"a batch of 64: {from_files:.1f} ms from photos, {from_bytes:.2f} ms from prepared bytes")

# %%
# Heads: thinking gives the answer. The last feature map of D is 4 x 4. A 4 x 4 convolution and a
# dense layer both multiply each number by its own weight and add up: they are the same function.
# As a check, copy the weights of one D into the other and compare their answers.
conv = Discriminator(32, base_channels=16, head="conv")
dense = Discriminator(32, base_channels=16, head="dense")
for source, target in zip(conv.state_dict().values(), dense.state_dict().values(), strict=True):
    target.copy_(source.reshape(target.shape))
pictures = torch.randn(16, 3, 32, 32)
difference = (conv(pictures) - dense(pictures)).abs().max()
print(f"conv and dense head differ by {difference:.0e} at most")

# %%
# Batch size: only a race gives the answer. Each setting trains with three seeds. All runs of a seed
# start with the same weights and see the same pictures, as far as possible, so luck affects them
# alike, and the race compares them seed by seed. The budget is an equal *number of pictures*: batch
# size 16 takes four times as many steps as 64. The measure is swd: how much small patches of drawn
# and of real pictures differ, so lower is better. You already know the answer for the heads; they
# take part because a good race must find it too.
heads = [f"flowers-keras64:base_channels=16,head={head}" for head in ("conv", "dense")]
folder = gankit.race(
    {"batch_size": [64, 16], "model": heads},
    seeds=SEEDS,
    budget=f"{STEPS * 16 / 1000:g}kimg",
    metrics=["swd"],
    samples=min(150, 5 * STEPS),
    **SHARED,
)
shutil.copy(folder / "race.png", "lesson-08.png")

# %%
# What would you report if you had trained each setting only once? Here is the order within each
# seed, best first. And how far does luck alone move swd, compared with the head?
runs = json.loads((folder / "results.json").read_text())["runs"]
swd = {}  # "batch-size 64, conv" -> a list with one value for each seed
for run in runs:
    setting = run["variant"].replace("flowers-keras64:base_channels=16,head=", "")
    swd.setdefault(setting, []).append(run["measured"]["swd"]["value"])
for seed in range(SEEDS):
    values = {setting: by_seed[seed] for setting, by_seed in swd.items()}
    ranking = sorted(values, key=values.get)
    print(f"seed {seed}:", "; ".join(f"{setting} {values[setting]:.0f}" for setting in ranking))
for size in ("batch-size 64", "batch-size 16"):
    conv_swd = swd[f"{size}, conv"]
    dense_swd = swd[f"{size}, dense"]
    between_seeds = max(conv_swd) - min(conv_swd)
    between_heads = max(abs(a - b) for a, b in zip(conv_swd, dense_swd, strict=True))
    print(f"{size}: seeds differ by up to {between_seeds:.1f}, heads by up to {between_heads:.1f}")

# %%
# The workers again: how much of a training step is the making of its batch?
log = read_log(folder / runs[0]["folder"])
step = 1000 * log["seconds"][-1] / log["step"][-1]
print(f"a step of 64 took {step:.0f} ms, making its batch {from_bytes:.2f}: workers have no work")

# %%
# Was your prediction right? Batch size 16 is far better, in every seed, and its interval is far
# from 0. (But the training was very short, and batch size 16 took four times as many steps. It may
# also take more time: see images/s. Race again with a budget in minutes.)
#
# For the heads you know by thinking that there is no difference: with the same weights, both are
# the same function. Only rounding differs, but training makes tiny differences grow, until the
# heads may be as far apart as two seeds. So if you rank the heads after one run of each, you toss a
# coin. The race mostly says "no measurable difference", which means "smaller than this interval"
# and not "none". If it calls a head better or worse, it is wrong: at 95 %, that happens in one of
# 20 comparisons, even if everything is done right. More seeds correct it.

# %%
# Exercise. A race with three seeds gave the differences -6, +1 and -4 in swd (lower is better). The
# 95 % interval is mean +- 4.30 * s / sqrt(3): s is the standard deviation (divided by n - 1), and
# 4.30 is the value of the t distribution for three numbers. Write it: answer = (low, high)
answer = None
if answer is not None:
    low, high = answer
    right = abs(low + 11.95) < 0.1 and abs(high - 5.95) < 0.1
    print("Right: 0 is inside, so no verdict." if right else "Not yet.")
