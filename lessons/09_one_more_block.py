"""Lesson 9: 64, 128, 256, or what one more block costs
====================================================

For pictures twice as wide, a DCGAN gets one more block in each network. That sounds cheap. Here it
is weighed: weights, work, time and memory of one training step.

You will learn   why naive doubling gives G 48 million weights at 256 pixels, what a cap on the
                 width saves and what it does not, and what makes large pictures affordable.
You should know  lesson 3: what a block is, and what its channels are.
It takes         about 1 minute on two cores. Nothing is trained to its end.
You will see     `lesson-09.png`: a flower at 64, 128 and 256 pixels, and what three ways to build
                 its networks cost, as bars.
Predict          From 64 to 256 pixels, by what factor do the weights grow, and the work? Which of
                 the two does a cap on the width, `max_channels=512`, bring down?
Break it         Ask for `cost(96, "max_channels=512")`. Why does gankit refuse 96 pixels? Then what
                 would a run need? `gankit run --model dcgan256 --batch-size 2 --dry-run` measures
                 it, without training. Ask again for a batch of 8: which lines grow, and how much?
Exercise         Without a cap, how many weights would the largest layer of G have at 512 pixels?

Take it with `gankit lesson 9`, or run `python lessons/09_one_more_block.py`.
"""

# %%
# `compose` says what would be built, as in lesson 2, and `build_gan` builds it.
import os
import time

import torch
from gankit_flowers.petals import Petals
from PIL import Image, ImageDraw, ImageFont
from torch.utils.flop_counter import FlopCounterMode

from gankit import compose, load_registry
from gankit.training.assemble import build_gan

BATCH = 2  # small, because of 256 pixels; work, time and memory are given for one picture
SIZES = (64, 128, 256)
if int(os.environ.get("GANKIT_LESSON_STEPS", 1000)) < 100:
    SIZES = (16, 32, 64)  # a short try: the same blocks, fewer of them
registry = load_registry()


# %%
# The two networks for pictures of this size, with these options, and nothing else. To weigh them no
# pictures are needed: noise costs as much as flowers.
def build(image_size, options):
    run = compose(registry, model=f"dcgan64:{options}", image_size=image_size, channels=3,
                  tricks="none", memory_format="contiguous", convolutions="plain",
                  device="cpu")  # fmt: skip
    gan, _ = build_gan(run, registry)
    return gan.G.net, gan.D.net


# One training step, in the order of `gankit/core/step.py`: D looks at real and fake, then G at what
# D thinks of the fakes. The losses are as simple as can be; here only their cost counts.
def step(G, D, z, real):
    fakes = G(z)
    (D(fakes.detach()).mean() - D(real).mean()).backward()
    (-D(fakes).mean()).backward()


# %%
# What it costs. Weights: counted; each costs 16 bytes, for itself, its gradient, and the two
# averages that Adam keeps of it. Work: torch counts sums and products while a step runs.
# Memory: on its way forward, every layer puts aside what its way back will need, and torch lets us
# look at each such tensor; D's turn needs most. Time: the better of two steps.
def cost(image_size, options):
    """Weights of G and D; work, memory and seconds for one picture."""
    G, D = build(image_size, options)
    z, real = torch.randn(BATCH, 100), torch.rand(BATCH, 3, image_size, image_size)
    aside = {}  # by address, for two layers may keep the same tensor

    def look(tensor):
        aside[tensor.data_ptr()] = tensor.nbytes
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(look, lambda tensor: tensor):
        fakes = G(z)
        held = fakes, D(fakes.detach()), D(real)  # until they are counted
    with FlopCounterMode(display=False) as counter:
        step(G, D, z, real)
    seconds = []
    for _ in range(2):
        started = time.perf_counter()
        step(G, D, z, real)
        seconds.append(time.perf_counter() - started)
    for kept in (*G.parameters(), *D.parameters(), z, real):
        aside.pop(kept.data_ptr(), None)  # these are there anyway
    del held
    weights = [sum(p.numel() for p in net.parameters()) for net in (G, D)]
    work, memory = counter.get_total_flops() / BATCH, sum(aside.values()) / BATCH
    return {"weights": weights[0], "of D": weights[1], "work": work, "memory": memory,
            "time": min(seconds) / BATCH}  # fmt: skip


# %%
# Three ways up. Naive: as the paper goes on, each block towards z is twice as wide as the one after
# it: 512 channels at 64 pixels, 1,024 at 128, 2,048 at 256. Capped: at most 512, gankit's default.
# Narrow: half as wide everywhere, with the cap; `dcgan256` is that. In the table, GFLOP (thousand
# million operations), ms and MB are for one picture; "fixed" are the MB of weights, 16 bytes each.
WAYS = {"naive": "max_channels=2048", "capped": "max_channels=512",
        "narrow": "base_channels=32,max_channels=512"}  # fmt: skip
costs = {(size, way): cost(size, options) for size in SIZES for way, options in WAYS.items()}
print("pixels way     weights of G        of D  GFLOP      ms     MB  fixed")
for (size, way), c in costs.items():
    fixed = 16 * (c["weights"] + c["of D"]) / 1e6
    print(f"{size:6} {way:6} {c['weights']:13,} {c['of D']:11,} {c['work'] / 1e9:6.2f}"
          f" {1000 * c['time']:7.1f} {c['memory'] / 1e6:6.1f} {fixed:6.0f}")  # fmt: skip

# %%
# The same as factors, from the smallest pictures to the largest.
small, large = SIZES[0], SIZES[-1]
for way in WAYS:
    grown = {name: costs[large, way][name] / costs[small, "naive"][name] for name in c}
    print(f"{large} pixels, {way:6}: weights x {grown['weights']:.1f}, work x {grown['work']:.1f},"
          f" time x {grown['time']:.1f}, memory x {grown['memory']:.1f}")  # fmt: skip

# %%
# The picture: what all this is paid for, and a bar for each cost. The longest bar of each column is
# the naive one at the largest size.
sheet = Image.new("RGB", (800, 600), "white")
draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
columns = {"weights": 300, "work": 470, "memory": 640}
for name, left in columns.items():
    draw.text((left, 8), name, "black", font)
for row, size in enumerate(SIZES):
    flower = Image.fromarray(Petals(image_size=size)[5])
    sheet.paste(flower.resize((180, 180), Image.Resampling.NEAREST), (10, 34 + 190 * row))
    for line, way in enumerate(WAYS):
        top = 64 + 190 * row + 40 * line
        draw.text((204, top), f"{size} {way}", "black", font)
        for name, left in columns.items():
            length = 150 * costs[size, way][name] / costs[large, "naive"][name]
            draw.rectangle((left, top, left + max(length, 1), top + 20), (92, 64, 160))
sheet.save("lesson-09.png")

# %%
# Was your prediction right? Each doubling makes the work about five times as much: four times as
# many pixels, and a block more. The memory becomes four times as much, for nearly all of it lies in
# the large maps near the picture. The new block is at the other end, where maps are small: hardly
# any memory, but the widest layers of all, and weights grow with the product of two widths. A cap
# cuts just these: three quarters of the weights, a quarter of the work, no memory. It leaves less
# to learn a small set by heart with. For the rest there are narrower networks and smaller batches.

# %%
# Exercise. Without a cap, G at 512 pixels would begin with 4,096 channels at 4 x 4, then 2,048 at
# 8 x 8. How many weights has the 4 x 4 convolution between the two? Put the number in the place of
# None; `costs[256, "naive"]["weights"]` is what all of G has at 256.
answer = None
if answer is not None:
    print("Right: more than all of G at 256." if answer == 4096 * 2048 * 16 else "Not yet: every "
          "output channel looks at every input channel, through 4 x 4 numbers.")  # fmt: skip
