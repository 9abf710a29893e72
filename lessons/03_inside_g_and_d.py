"""Lesson 3: inside G and D
========================

How G turns 100 numbers into 12,288, and where the fine grid in a GAN's pictures comes from. This
lesson trains nothing: the grid is there before training, and you can count it with a pencil.

You will learn   the shapes on the way through G and D, what a transposed convolution does, and why
                 a kernel of 5 with a stride of 2 paints a checkerboard.
You should know  lesson 1, and what a convolution is. Have paper and a pencil ready.
It takes         about 1 minute on two cores. No training, so GANKIT_LESSON_STEPS changes nothing.
You will see     `lesson-03.png`: three ways to double the size of a map. Left: what each makes of
                 an evenly grey wall. Right: what an untrained G draws with it. Two show a grid.
Predict          Think of a transposed convolution as stamps: one stamp for each input pixel. With
                 kernel 5 and stride 2, how many stamps cover an output pixel? Is the number the
                 same for all pixels? And with kernel 4? Draw it in one dimension. Which of the two
                 paints an evenly grey wall evenly?
Break it         Does training remove the grid? Measure `unevenness` for the pictures of a trained
                 G. For a run of lesson 2: `gankit.load("runs/...").images(z)`, with z from
                 `gankit.load("runs/...").latents(range(16))`.
Exercise         Find a layer that makes a map three times as wide, without a checkerboard.

Start it with `gankit lesson 3`, or run `python lessons/03_inside_g_and_d.py`.
"""

# %%
# The two networks of lesson 1. A network is a list of layers, so you can send a batch through the
# layers and look at its shape after each. G goes from a long, narrow z to a wide, flat picture, and
# D goes the same way back.
import torch
from gankit_dcgan.nets import Discriminator, Generator
from PIL import Image
from torch import nn
from torch.nn.functional import conv_transpose2d

from gankit.runs.figures import sheet
from gankit.runs.images import to_grid

torch.manual_seed(0)


def print_shapes(name, layers, batch):
    """Print the shape after each convolution, and how many weights the convolution has."""
    print(f"{name}: {'x'.join(map(str, batch.shape[1:])):>29}")
    for layer in layers:
        batch = layer(batch)
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            shape = "x".join(map(str, batch.shape[1:]))  # channels, height, width
            print(f"   {type(layer).__name__:>16} {shape:>12} {layer.weight.numel():>10,} weights")


with torch.no_grad():
    print_shapes("z", Generator(base_channels=16).main, torch.randn(2, 100, 1, 1))
    print_shapes("x", Discriminator(base_channels=16).main, torch.randn(2, 3, 64, 64))


# %%
# Most weights are where the maps are small and have many channels. The amount of computation is the
# same for all layers in the middle: the next layer has a quarter of the weights, and uses each at
# four times as many positions.
#
# Now one layer of G by hand. A transposed convolution multiplies its kernel by an input pixel and
# stamps the result onto the output. The next input pixel stamps `stride` pixels further, and so on.
# Where stamps overlap, they add up.
def transposed_convolution(line, kernel, stride):
    """The same in one dimension: line (n,), kernel (k,) to ((n - 1) * stride + k,)."""
    output = torch.zeros((len(line) - 1) * stride + len(kernel))
    for position, value in enumerate(line):
        start = position * stride
        output[start : start + len(kernel)] += value * kernel
    return output


line = torch.randn(6)
kernel = torch.randn(5)
by_hand = transposed_convolution(line, kernel, stride=2)
by_torch = conv_transpose2d(line.view(1, 1, 1, 6), kernel.view(1, 1, 1, 5), stride=2).flatten()
print("our layer and torch's are equal:", torch.allclose(by_hand, by_torch, atol=1e-6))


# %%
# How many stamps cover each pixel? Stamp ones onto ones, and the output is the count. Look at the
# middle of the line, because the pixels at both ends have fewer neighbours.
def count_overlaps(kernel_size, stride):
    """Stamps on each of `stride` pixels in a row; after them the pattern repeats."""
    counts = transposed_convolution(torch.ones(4 * kernel_size), torch.ones(kernel_size), stride)
    return counts[kernel_size * stride : (kernel_size + 1) * stride].int().tolist()


for kernel_size, stride in ((5, 2), (4, 2), (3, 1)):
    row = count_overlaps(kernel_size, stride)
    square = [[down * across for across in row] for down in row]
    print(f"kernel {kernel_size}, stride {stride}: in a row {row}, in a picture {square}")

# %%
# With kernel 5 and stride 2, a pixel gets 9, 6 or 4 stamps: a checkerboard, before G has learnt
# anything. With kernel 4, every pixel gets 4 stamps, because 4 is a multiple of the stride. A third
# way first repeats each pixel and then smooths with an ordinary convolution (Odena, Dumoulin & Olah
# 2016, "Deconvolution and Checkerboard Artifacts"). All three double the side of a map:
DOUBLING_LAYERS = {
    "kernel 5, stride 2": lambda wide, narrow: nn.ConvTranspose2d(wide, narrow, 5, 2, 2, 1),
    "kernel 4, stride 2": lambda wide, narrow: nn.ConvTranspose2d(wide, narrow, 4, 2, 1),
    "repeat, kernel 3": lambda wide, narrow: nn.Sequential(
        nn.Upsample(scale_factor=2), nn.Conv2d(wide, narrow, 3, 1, 1)
    ),
}


def init_weights(module):
    """Weights as DCGAN begins with: small and random, no bias."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        nn.init.zeros_(module.bias)


def untrained_generator(doubling_layer):
    """A G like DCGAN's with another doubling layer: maps (N, 64, 4, 4) to images (N, 3, 64, 64)."""
    layers = []
    for wide, narrow in ((64, 64), (64, 32), (32, 16)):
        layers += [doubling_layer(wide, narrow), nn.BatchNorm2d(narrow), nn.ReLU()]
    return nn.Sequential(*layers, doubling_layer(16, 3)).apply(init_weights)


# %%
# To see the grid, each picture is stretched to the full range from black to white, and enlarged. To
# measure it, `unevenness` asks how much of a picture repeats in every square of 2 x 2 pixels.
def enlarge(images, zoom):
    """Images (N, C, H, W) as a grid with full contrast; an evenly grey one stays grey."""
    low = images.amin((1, 2, 3), keepdim=True)
    high = images.amax((1, 2, 3), keepdim=True)
    images = (2 * images - low - high) / (high - low).clamp(min=1e-3)
    grid = to_grid(images, gap=2 // zoom)
    return grid.resize((zoom * grid.width, zoom * grid.height), Image.Resampling.NEAREST)


def unevenness(images):
    """0 if nothing repeats in every 2 x 2 square of a picture; near 1 if all of it repeats."""
    squares = images.unfold(2, 2, 2).unfold(3, 2, 2).flatten(-2)  # (N, C, H / 2, W / 2, 4)
    repeated = squares.mean((2, 3))  # (N, C, 4): the mean of each pixel of the square
    return float(repeated.std(-1, correction=0).mean() / images.std((2, 3), correction=0).mean())


tiles = {}
with torch.no_grad():
    for name, doubling_layer in DOUBLING_LAYERS.items():
        layer = doubling_layer(32, 1).apply(init_weights)
        wall = layer(torch.ones(1, 32, 12, 12))[:, :, 4:20, 4:20]  # (1, 1, 16, 16), no edges
        images = untrained_generator(doubling_layer)(torch.randn(16, 64, 4, 4))  # (16, 3, 64, 64)
        print(f"{name}: unevenness of G's pictures {unevenness(images):.2f}")
        tiles[f"{name}: a grey wall"] = enlarge(wall, 16)
        tiles[f"{name}: an untrained G"] = enlarge(images[:4], 2)
sheet(tiles, 2).save("lesson-03.png")

# %%
# Was your prediction right? In a row, kernel 5 covers pixels 3 or 2 times, and kernel 4 covers each
# twice. Still, kernel 4 does not paint the wall evenly! Equally many stamps are not equal stamps:
# each pixel of a 2 x 2 square gets other weights of the kernel, and only training can make their
# sums agree. So kernel 4 *can* paint evenly, kernel 5 has to work against its counts, and repeating
# paints evenly from the start. (D has the same grid in its gradients, the only thing that G learns
# from: they go back through D's convolutions, and that is a transposed convolution.)

# %%
# Exercise. A layer ConvTranspose2d(8, 8, kernel, stride=3, padding=padding) has to turn a 4 x 4 map
# into 12 x 12, its stamps have to overlap, and they have to cover all pixels equally often. Which
# kernel, which padding? Write answer = (kernel, padding)
answer = None
if answer is not None:
    kernel_size, padding = answer
    width = nn.ConvTranspose2d(8, 8, kernel_size, 3, padding)(torch.zeros(1, 8, 4, 4)).shape[-1]
    counts = count_overlaps(kernel_size, 3)
    right = width == 12 and counts[0] > 1 and len(set(counts)) == 1
    verdict = "Right: the kernel is a multiple of the stride." if right else "Not yet:"
    print(verdict, f"{width} wide, stamps in a row {counts}")
