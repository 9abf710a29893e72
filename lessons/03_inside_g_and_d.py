"""Lesson 3: inside G and D
========================

How 100 numbers become 12,288, and where the fine grid in a GAN's pictures comes from. Nothing is
trained here: the grid is there before training, and it can be counted with a pencil.

You will learn   the shapes on the way through G and D, what a transposed convolution does, and why
                 a kernel of 5 with a stride of 2 paints a checkerboard.
You should know  lesson 1 and what a convolution is. Paper and a pencil.
It takes         about 1 minute on two cores. No training, so GANKIT_LESSON_STEPS changes nothing.
You will see     `lesson-03.png`: three ways to double a map. Left, what they make of a wall of one
                 grey; right, what a G draws that was never trained. Two of the three have a grid.
Predict          Kernel 5, stride 2: how many stamps of the kernel cover an output pixel? Is it the
                 same number for all pixels? And for kernel 4? Draw it in one dimension. Which of
                 the two will paint an evenly grey wall evenly?
Break it         Train the grid away: measure `unevenness` of a trained G's pictures, which are
                 `gankit.load("runs/...").images(z)` for a run of lesson 2 (`latents` makes z).
Exercise         Find a layer that makes a map three times as wide, without a checkerboard.

Take it with `gankit lesson 3`, or run `python lessons/03_inside_g_and_d.py`.
"""

# %%
# The two networks of lesson 1. A network is a list of layers, so we can send a batch through and
# stop after each. G: from a long, narrow z to a flat, wide picture. D: the same way back.
import torch
from gankit_dcgan.nets import Discriminator, Generator
from PIL import Image
from torch import nn
from torch.nn.functional import conv_transpose2d

from gankit.runs.figures import sheet
from gankit.runs.images import to_grid

torch.manual_seed(0)


def walk(name, layers, batch):
    """Print the shape after each convolution, and how many weights it has."""
    print(f"{name}: {'x'.join(map(str, batch.shape[1:])):>29}")
    for layer in layers:
        batch = layer(batch)
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            shape = "x".join(map(str, batch.shape[1:]))  # channels, height, width
            print(f"   {type(layer).__name__:>16} {shape:>12} {layer.weight.numel():>10,} weights")


with torch.no_grad():
    walk("z", Generator(base_channels=32).main, torch.randn(2, 100, 1, 1))
    walk("x", Discriminator(base_channels=32).main, torch.randn(2, 3, 64, 64))


# %%
# Most weights sit where the maps are small and deep. The work is the same all along the middle: the
# next layer has a quarter of the weights and is used at four times as many places. Now one layer of
# G by hand. A transposed convolution is a row of stamps: each input pixel times the kernel is
# stamped onto the output, `stride` pixels further each time. Stamps add up.
def stamped(line, kernel, stride):
    """A transposed convolution in one dimension; line (n,), kernel (k,)."""
    output = torch.zeros((len(line) - 1) * stride + len(kernel))
    for place, value in enumerate(line):
        output[place * stride : place * stride + len(kernel)] += value * kernel
    return output


line, kernel = torch.randn(6), torch.randn(5)
by_torch = conv_transpose2d(line.view(1, 1, 1, 6), kernel.view(1, 1, 1, 5), stride=2).flatten()
print("our stamps and torch's:", torch.allclose(stamped(line, kernel, 2), by_torch, atol=1e-6))


# %%
# How often is each pixel painted? Stamp ones onto ones and read the answer off the output. Inside,
# away from both ends, where the first and the last pixel have fewer neighbours.
def overlaps(kernel, stride):
    """How many stamps cover each pixel, for one round of the pattern (`stride` pixels)."""
    counts = stamped(torch.ones(4 * kernel), torch.ones(kernel), stride)
    return counts[kernel * stride : (kernel + 1) * stride].int().tolist()


for size, stride in ((5, 2), (4, 2), (3, 1)):
    once = overlaps(size, stride)
    print(f"kernel {size}, stride {stride}: in a row {once}, in a picture", end=" ")
    print([[down * across for across in once] for down in once])

# %%
# So 5 with 2 paints some pixels 9 times, some 6 and some 4: a checkerboard before anything is
# learnt. 4 with 2 paints all 4 times, for 4 is a multiple of 2. A third way first repeats each
# pixel, then smooths with an ordinary convolution (Odena, Dumoulin & Olah 2016, "Deconvolution and
# Checkerboard Artifacts"). All three double the side of a map:
DOUBLES = {
    "kernel 5, stride 2": lambda wide, narrow: nn.ConvTranspose2d(wide, narrow, 5, 2, 2, 1),
    "kernel 4, stride 2": lambda wide, narrow: nn.ConvTranspose2d(wide, narrow, 4, 2, 1),
    "repeat, kernel 3": lambda wide, narrow: nn.Sequential(
        nn.Upsample(scale_factor=2), nn.Conv2d(wide, narrow, 3, 1, 1)
    ),
}


def untrained(double):
    """A G like DCGAN's with another way to double: z (N, 64, 4, 4) to images (N, 3, 64, 64)."""
    layers = []
    for wide, narrow in ((64, 64), (64, 32), (32, 16)):
        layers += [double(wide, narrow), nn.BatchNorm2d(narrow), nn.ReLU()]
    return nn.Sequential(*layers, double(16, 3))


def fresh(weights):
    """Weights as DCGAN begins: all small and random, no bias."""
    if isinstance(weights, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(weights.weight, 0.0, 0.02)
        nn.init.zeros_(weights.bias)


def enlarged(images, zoom):
    """Images as a grid, each stretched to the full range from black to white; all grey stays so."""
    low, high = images.amin((1, 2, 3), True), images.amax((1, 2, 3), True)
    images = (2 * images - low - high) / (high - low).clamp(min=1e-3)
    grid = to_grid(images, gap=2 // zoom)
    return grid.resize((zoom * grid.width, zoom * grid.height), Image.Resampling.NEAREST)


def unevenness(images):
    """0 if nothing repeats in every 2x2 square of a picture; near 1 if nothing else is there."""
    squares = images.unfold(2, 2, 2).unfold(3, 2, 2).flatten(-2)  # (N, C, H / 2, W / 2, 4)
    repeated = squares.mean((2, 3))  # (N, C, 4): each of the four places, over all squares
    return float(repeated.std(-1, correction=0).mean() / images.std((2, 3), correction=0).mean())


# %%
# On the left a wall of one grey, seen through one fresh layer. On the right a whole fresh G.
tiles = {}
with torch.no_grad():
    for name, double in DOUBLES.items():
        wall = double(32, 1).apply(fresh)(torch.ones(1, 32, 12, 12))[:, :, 4:20, 4:20]  # inside
        drawn = untrained(double).apply(fresh)(torch.randn(16, 64, 4, 4))
        print(f"{name}: unevenness of G's pictures {unevenness(drawn):.2f}")
        tiles[f"{name}: a grey wall"] = enlarged(wall, 16)
        tiles[f"{name}: an untrained G"] = enlarged(drawn[:4], 2)
sheet(tiles, 2).save("lesson-03.png")

# %%
# Was your prediction right? 5 with 2 covers pixels unequally, 3 or 2 times in a row; 4 with 2
# covers all twice. And still its wall is no wall! Equal numbers of stamps are not equal stamps:
# each of the four pixels in a 2x2 square has weights of its own, 2x2 of the 4x4, and nothing but
# training makes their sums agree. So 4 with 2 *can* paint evenly, 5 with 2 has to work against its
# counts, and repeating cannot do otherwise. (D has the same grid the other way round: its gradient,
# which is all that G ever hears of it, goes back through transposed convolutions.)

# %%
# Exercise. A layer ConvTranspose2d(8, 8, kernel, stride=3, padding=padding) shall make a 4x4 map
# 12x12, cover all pixels equally often, and its stamps shall overlap. Which kernel, which padding?
# Write both: answer = (kernel, padding)
answer = None
if answer is not None:
    kernel, padding = answer
    width = nn.ConvTranspose2d(8, 8, kernel, 3, padding)(torch.zeros(1, 8, 4, 4)).shape[-1]
    counts = overlaps(kernel, 3)
    right = width == 12 and counts[0] > 1 and len(set(counts)) == 1
    print("Right: a multiple of the stride." if right else "Not yet:", f"{width} wide, {counts}")
