"""Lesson 9: 64, 128, 256, or what one more block costs
====================================================

To draw pictures twice as wide, a DCGAN gets one more block in each network. That sounds cheap.
This lesson measures the cost of one training step: weights, work, time and memory.

You will learn   why naive doubling gives G 48 million weights at 256 pixels, what a cap on the
                 width saves and what it does not save, and what makes large pictures affordable.
You should know  lesson 3: what a block is, and what its channels are.
It takes         about 1 minute on two cores. It measures single steps and trains nothing.
You will see     `lesson-09.png`: a flower at 64, 128 and 256 pixels, and bars that show what three
                 designs of the networks cost at each size.
Predict          From 64 to 256 pixels, by what factors do the weights and the work grow? Which of
                 the two does a cap on the width, `max_channels=512`, reduce?
Break it         Call `measure_cost(96, "max_channels=512")`. Why does gankit refuse 96 pixels? Then
                 measure a whole run without training it: `gankit run --model dcgan256 --batch-size
                 2 --dry-run`. Which lines grow with batch size 8, and how much?
Exercise         Without a cap, how many weights would the largest layer of G have at 512 pixels?

Take it with `gankit lesson 9`, or run `python lessons/09_one_more_block.py`.
"""

# %%
# As in lesson 2, `compose` fills in the settings of a run; `build_gan` builds its networks.
import os
import time

import torch
from gankit_flowers.petals import Petals
from PIL import Image, ImageDraw, ImageFont
from torch.utils.flop_counter import FlopCounterMode

from gankit import compose, load_registry
from gankit.training.assemble import build_gan

BATCH_SIZE = 2  # small, because of 256 pixels; all costs below are for one picture
SIZES = (64, 128, 256)
if int(os.environ.get("GANKIT_LESSON_STEPS", 1000)) < 100:
    SIZES = (16, 32, 64)  # for a short try: the same design with fewer blocks
registry = load_registry()


# %%
# G and D for pictures of this size, with these options. You need no pictures to measure the cost:
# noise costs as much as flowers.
def build(image_size, options):
    run = compose(registry, model=f"dcgan64:{options}", image_size=image_size, channels=3,
                  tricks="none", memory_format="contiguous", convolutions="plain",
                  device="cpu")  # fmt: skip
    gan, _ = build_gan(run, registry)
    return gan.G.net, gan.D.net


# One training step in the order of `gankit/core/step.py`: D sees real pictures and fakes, then D
# judges the fakes for G. The losses are the simplest possible, because only their cost counts here.
def training_step(G, D, z, real):
    fakes = G(z)
    (D(fakes.detach()).mean() - D(real).mean()).backward()
    (-D(fakes).mean()).backward()


# %%
# Memory: in the forward pass every layer saves the tensors that its backward pass will need. torch
# can call a function with each saved tensor. The update of D needs the most memory.
def saved_bytes(G, D, z, real):
    """Bytes that the forward passes of D's update save, without weights, z and real pictures."""
    sizes = {}  # by address, because two layers may save the same tensor

    def record(tensor):
        sizes[tensor.data_ptr()] = tensor.nbytes
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(record, lambda tensor: tensor):
        fakes = G(z)
        in_use = [fakes, D(fakes.detach()), D(real)]  # keeps the saved tensors alive
    for tensor in (*G.parameters(), *D.parameters(), z, real):
        sizes.pop(tensor.data_ptr(), None)
    del in_use
    return sum(sizes.values())


# %%
# Weights: count the parameters. Work: torch counts the floating-point operations of a step. Time:
# the faster of two steps.
def measure_cost(image_size, options):
    """Weights of G and D; work (operations), memory (bytes) and time (seconds) for one picture."""
    G, D = build(image_size, options)
    z = torch.randn(BATCH_SIZE, 100)
    real = torch.rand(BATCH_SIZE, 3, image_size, image_size)
    memory = saved_bytes(G, D, z, real)
    with FlopCounterMode(display=False) as counter:
        training_step(G, D, z, real)
    seconds = []
    for _ in range(2):
        started = time.perf_counter()
        training_step(G, D, z, real)
        seconds.append(time.perf_counter() - started)
    weights = [sum(weight.numel() for weight in network.parameters()) for network in (G, D)]
    return {"weights": weights[0], "weights of D": weights[1], "memory": memory / BATCH_SIZE,
            "work": counter.get_total_flops() / BATCH_SIZE,
            "time": min(seconds) / BATCH_SIZE}  # fmt: skip


# %%
# Three designs. Naive, as in the paper: each new block next to z is twice as wide as the one after
# it, 512 channels at 64 pixels, 1,024 at 128, 2,048 at 256. Capped: at most 512 channels, gankit's
# default. Narrow: half as wide everywhere, and capped, as in `dcgan256`. GFLOP (billions
# of operations), ms and MB are for one picture. "fixed" is in MB: 16 bytes for each weight, that
# is, the weight, its gradient and Adam's two averages.
DESIGNS = {"naive": "max_channels=2048", "capped": "max_channels=512",
           "narrow": "base_channels=32,max_channels=512"}  # fmt: skip
costs = {}
print("pixels design  weights of G        of D  GFLOP      ms     MB  fixed")
for size in SIZES:
    for design, options in DESIGNS.items():
        cost = costs[size, design] = measure_cost(size, options)
        fixed = 16 * (cost["weights"] + cost["weights of D"]) / 1e6
        print(f"{size:6} {design:6} {cost['weights']:13,} {cost['weights of D']:11,}"
              f" {cost['work'] / 1e9:6.2f} {1000 * cost['time']:7.1f}"
              f" {cost['memory'] / 1e6:6.1f} {fixed:6.0f}")  # fmt: skip

# %%
# The same as factors, from the naive design at the smallest size to each design at the largest.
smallest = costs[SIZES[0], "naive"]
for design in DESIGNS:
    largest = costs[SIZES[-1], design]
    factors = [f"{name} x {largest[name] / smallest[name]:.1f}"
               for name in ("weights", "work", "time", "memory")]  # fmt: skip
    print(f"{SIZES[-1]} pixels, {design}: {', '.join(factors)}")

# %%
# The picture: what the larger networks can draw, and a bar for each cost. In each column, the
# longest bar is the naive design at the largest size.
sheet = Image.new("RGB", (800, 600), "white")
draw = ImageDraw.Draw(sheet)
font = ImageFont.load_default(16)
columns = {"weights": 300, "work": 470, "memory": 640}
for name, left in columns.items():
    draw.text((left, 8), name, "black", font)
for row, size in enumerate(SIZES):
    flower = Image.fromarray(Petals(image_size=size)[5]).resize(
        (180, 180), Image.Resampling.NEAREST
    )
    sheet.paste(flower, (10, 34 + 190 * row))
    for line, design in enumerate(DESIGNS):
        top = 64 + 190 * row + 40 * line
        draw.text((204, top), f"{size} {design}", "black", font)
        for name, left in columns.items():
            length = 150 * costs[size, design][name] / costs[SIZES[-1], "naive"][name]
            draw.rectangle((left, top, left + max(length, 1), top + 20), (92, 64, 160))
sheet.save("lesson-09.png")

# %%
# Was your prediction right? Each doubling of the size makes the work about five times as much: four
# times as many pixels, and one more block. The memory becomes four times as much, because nearly
# all of it belongs to the large feature maps near the picture. The new block is at the other end,
# next to z. There the maps are small, so it needs hardly any memory, but its layers are the widest,
# and the number of weights grows with the product of two widths. A cap reduces exactly these: it
# saves three quarters of the weights, a quarter of the work, and no memory. To save more, use
# narrower networks and smaller batches.

# %%
# Exercise. Without a cap, G at 512 pixels would begin with 4,096 channels at 4 x 4 and continue
# with 2,048 at 8 x 8. How many weights does the convolution (4 x 4) between the two have? Replace
# None with the number. For comparison, `costs[256, "naive"]["weights"]` is all of G at 256.
answer = None
if answer is not None:
    print("Right: more than all of G at 256." if answer == 4096 * 2048 * 16 else "Not yet: every "
          "output channel sees every input channel, through 4 x 4 numbers.")  # fmt: skip
