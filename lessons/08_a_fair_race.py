"""Lesson 8: batch size, heads, workers: run a fair race
=====================================================

"Batch 128 with a dense head was slightly better": so ended a student project that had trained each
of four modes once, for two hours, and looked. Was it? Some questions can be answered by thinking,
some by a stopwatch, and some only by a race in which luck is counted.

You will learn   which settings can matter at all, what a race is, and how to read "no measurable
                 difference".
You should know  lessons 2 and 7. docs/races.md has the details.
It takes         about 4 minutes on two cores. GANKIT_LESSON_STEPS=16 only tries it out.
You will see     `lesson-08.png`: what the four modes drew with the first seed. The tables come at
                 the end of the output; `race.html` in the race's folder has all of it.
Predict          Four modes, all shown equally many pictures: batch 64 or 16, each with a
                 convolution or a dense layer as D's last. Rank them. Would you bet on the order?
Break it         Race something against itself: `vary={"draw_every": [100, 101]}`. Does anything
                 win? Then change `threads` from 1 to 2 instead, which only changes the rounding.
Exercise         Three seeds gave three differences. Is the variant better? Work it out by hand.

Take it with `gankit lesson 8`, or run `python lessons/08_a_fair_race.py`.
"""

# %%
# Workers: answered with a stopwatch. Loader workers open, decode and shrink pictures while the
# network computes. gankit does that once, before training, and keeps plain bytes. What is left?
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

STEPS = int(os.environ.get("GANKIT_LESSON_STEPS", 384))  # of batch 16
SEEDS = 3 if STEPS > 100 else 1  # one seed gives no verdict: it only tries the lesson out
SMALL = {"dataset": "petals", "image_size": 32, "tricks": "none", "lr_g": 5e-4, "lr_d": 5e-4}


def milliseconds(do, times=50):
    """How long a call of `do` takes, on average."""
    start = time.perf_counter()
    for number in range(times):
        do(number)
    return 1000 * (time.perf_counter() - start) / times


photo = io.BytesIO()
Image.fromarray(Petals(256)[0]).save(photo, "JPEG")
ready = gankit.Batches(gankit.prepare(gankit.compose(**SMALL)).pixels, 64, seed=0)
from_files = 64 * milliseconds(lambda _: Image.open(photo).convert("RGB").resize((32, 32)))
from_bytes = milliseconds(lambda number: ready[number])
print(f"a batch of 64: {from_files:.1f} ms from photos, {from_bytes:.2f} ms from prepared bytes")

# %%
# Heads: answered by thinking. D's last map is 4x4. A convolution as large as its map and a dense
# layer both multiply each number by a weight of its own and add up: they are the same function.
conv, dense = (Discriminator(32, base_channels=16, head=head) for head in ("conv", "dense"))
pairs = zip(conv.state_dict().values(), dense.state_dict().values(), strict=True)
for there, here in pairs:
    here.copy_(there.reshape(here.shape))
pictures = torch.randn(16, 3, 32, 32)
print(f"conv and dense head differ by {(conv(pictures) - dense(pictures)).abs().max():.0e} at most")

# %%
# Batch size: nobody can know. So race: every mode with three seeds. In each seed all begin with the
# same weights and see the same pictures as far as they can, so luck hits all alike; differences are
# taken seed by seed. An equal *number of pictures* is the budget, so batch 16 gets four times the
# steps of batch 64. The heads race along, although we know the answer: a race should know it too.
heads = [f"flowers-keras64:base_channels=16,head={head}" for head in ("conv", "dense")]
folder = gankit.race(
    {"batch_size": [64, 16], "model": heads},
    seeds=SEEDS,
    budget=f"{STEPS * 16 / 1000:g}kimg",
    metrics=["swd"],
    samples=min(150, 5 * STEPS),
    **SMALL,
)
shutil.copy(folder / "race.png", "lesson-08.png")

# %%
# What would one run of each have told? The modes in each seed by themselves, best first. A reader
# of one line only, as the project was, would have reported that order.
runs = json.loads((folder / "results.json").read_text())["runs"]
for seed in range(SEEDS):
    swd = {run["variant"]: run["measured"]["swd"]["value"] for run in runs if run["seed"] == seed}
    order = ", ".join(f"{mode} {swd[mode]:.0f}" for mode in sorted(swd, key=swd.get))
    print(f"seed {seed}:", order.replace("flowers-keras64:base_channels=16,head=", ""))

# And the workers: a step, of which making the batch is a part.
log = read_log(folder / runs[0]["folder"])
step = 1000 * log["seconds"][-1] / log["step"][-1]
print(f"a step of 64 took {step:.0f} ms, making its batch {from_bytes:.2f}: workers have no work")

# %%
# Was your prediction right? Batch 16 is better by far, in every seed; the interval is far from 0.
# (After so few pictures! It took four times the steps. And it may be slower by the stopwatch, see
# images/s. Race again with a budget in minutes.) The heads: "no measurable difference", which is
# not "no difference", but "smaller than this interval". Here we know by thinking that it is none:
# they start equal, and only rounding drives them apart. Now look at one mode's three seeds: luck
# alone moves it further than the head does. Ranking the heads by one run each is tossing a coin.

# %%
# Exercise. A race of three seeds gave the differences -6, +1 and -4 in swd, where lower is better.
# The 95 % interval is mean +- 4.30 * s / sqrt(3), with s the standard deviation (divided by n - 1)
# and 4.30 what the t distribution says for three numbers. Write it: answer = (low, high)
answer = None
if answer is not None:
    low, high = answer
    right = abs(low + 11.95) < 0.1 and abs(high - 5.95) < 0.1
    print("Right: 0 is inside, so no verdict." if right else "Not yet.")
