"""Lesson 15: what comes after
===========================

What came after DCGAN, and where to read more. You train one of these ideas here: it makes pictures
from noise without any D. This is how diffusion models work.

You will learn   what later GANs keep and what they replace, how diffusion works without a second
                 player, and what it costs.
You should know  lesson 1 well: two networks, two losses, one pass from z to picture.
It takes         about 2 minutes on two cores. GANKIT_LESSON_STEPS=16 makes it short, to try it out.
You will see     `lesson-15.png`: ten flowers on their way out of noise, and 30 more.
Predict          There is no D, and the loss is a squared distance. What will its curve look like?
                 And how many passes through the network does a picture need?
Break it         Sample with 1 step instead of 25, then with 4. After one step, are the pictures
                 more like a flower or like the mean of all flowers? Why?
Exercise         Follow one pixel of a flower into the noise and back, by hand.

Take it with `gankit lesson 15`, or run `python lessons/15_what_comes_after.py`.
"""

# %%
# What all cells need.
import os
import time

import torch
from gankit_dcgan.nets import Generator
from PIL import Image
from torch import nn
from torch.nn.functional import avg_pool2d, interpolate, mse_loss, pixel_shuffle, pixel_unshuffle
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

import gankit
from gankit.compute.threads import choose_threads
from gankit.core.device import is_faster_in_bf16
from gankit.runs.images import to_grid

STEPS = int(os.environ.get("GANKIT_LESSON_STEPS", 1000))
choose_threads()  # of the CPU: fewer if other programs keep this computer busy

# %%
# Later ideas. In the first six, G still plays against D as in lesson 1, and gankit has a part or a
# command for most of them. The last three need no D.
LATER_IDEAS = (
    ("a modern pair", "2501.05441", "R3GAN: residual blocks, no batch norm, pairs, R1 and R2",
     "gankit run --model modern64"),
    ("many machines", "1809.11096", "BigGAN: batch sizes of 2,048 and more, on many devices",
     "torchrun --nproc-per-node 2 -m gankit run --model dcgan128 --sync-batch-norm"),
    ("progressive growing", "1710.10196", "starts at 4 x 4 pixels and fades in larger blocks",
     "gankit show minibatch-stddev, from the same paper"),
    ("StyleGAN", "1812.04948", "z becomes a style that acts in every block; improved in 1912.04958",
     "gankit show ada, its method for few pictures (2006.06676)"),
    ("super-resolution", "1609.04802", "SRGAN: G enlarges a picture instead of inventing one", ""),
    ("picture to picture", "1703.10593", "CycleGAN: two G, from photo to painting and back",
     "gankit run --dataset monet, its paintings"),
    ("diffusion", "2006.11239", "no D: a network learns to remove noise, step by step", ""),
    ("flow matching", "2210.02747", "the same along straight lines: this lesson", ""),
    ("latent diffusion", "2112.10752", "the same in the small latent space of an autoencoder", ""),
)  # fmt: skip
for name, paper, change, command in LATER_IDEAS:
    print(f"{name:20} arXiv {paper}  {change}")
    if command:
        print(f"{'':20} {command}")

# %%
# Flow matching, the simplest form of diffusion. Mix a flower with noise:
# (1 - t) * flower + t * noise. The network sees the mixture and t, and predicts the direction from
# flower to noise: noise - flower. It cannot know it exactly, so it learns the mean of all possible
# answers, with the mean squared error as its loss. It consists of blocks like the one below.
prepared = gankit.prepare(gankit.compose(dataset="petals", image_size=32))
batches = gankit.Batches(prepared.pixels, 64, seed=0, rows=prepared.train)


def block(channels_in, channels_out):
    convolution = nn.Conv2d(channels_in, channels_out, 3, padding=1)
    return nn.Sequential(convolution, nn.GroupNorm(8, channels_out), nn.SiLU())


# %%
# The network is a small U-Net, down to 4 x 4 and up. The skip connections carry exact positions up.
class Direction(nn.Module):
    """The direction noise - flower, for mixtures x (N, 3, 32, 32) and their t (N,)."""

    def __init__(self):
        super().__init__()
        self.first = block(13, 32)
        self.last = nn.Conv2d(32, 12, 3, padding=1)
        self.down = nn.ModuleList([block(32, 64), block(64, 128)])
        self.middle = nn.Sequential(block(128, 128), block(128, 128))
        self.up = nn.ModuleList([block(192, 64), block(96, 32)])

    def forward(self, x, t):
        t_map = t[:, None, None, None].expand(-1, 1, 16, 16)  # one more channel
        x = self.first(torch.cat([pixel_unshuffle(x, 2), t_map], dim=1))
        skips = []
        for down in self.down:
            skips.append(x)
            x = down(avg_pool2d(x, 2))  # (N, 64, 8, 8), then (N, 128, 4, 4)
        x = x + self.middle(x)  # here each position sees the whole flower
        for up in self.up:
            x = up(torch.cat([interpolate(x, scale_factor=2), skips.pop()], dim=1))
        return pixel_shuffle(self.last(x), 2)  # (N, 3, 32, 32)


# %%
# The training loop is like that of a classifier: one network, one loss, one update. As in lesson
# 10, the average of the weights draws better than the last weights.
torch.manual_seed(0)
network = Direction()
average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.99))
optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
losses = []
every = max(1, STEPS // 10)  # steps between two lines of output
in_bf16 = is_faster_in_bf16(torch.device("cpu"))  # many CPUs only emulate it, and take far longer
for step in range(STEPS):
    flower = batches[step]  # (64, 3, 32, 32) in [-1, 1]
    noise = torch.randn_like(flower)
    t = torch.rand(len(flower), 1, 1, 1)  # how much noise, for each picture
    with torch.autocast("cpu", torch.bfloat16, enabled=in_bf16):
        predicted = network((1 - t) * flower + t * noise, t.flatten())
    loss = mse_loss(predicted.float(), noise - flower)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    average.update_parameters(network)
    losses.append(loss.item())
    if (step + 1) % every == 0:
        print(f"step {step + 1:5}  loss {sum(losses[-every:]) / every:.3f}", flush=True)


# %%
# Sampling: begin with noise alone, t = 1, and take 25 small steps against the predicted direction.
@torch.no_grad()
def sample(x, steps=25):
    """The pictures after each step, from noise x (N, 3, 32, 32) to flowers."""
    path = [x]
    for step in range(steps):
        x = x - average(x, torch.full((len(x),), 1 - step / steps)) / steps
        path.append(x)
    return path


# %%
# What does a picture cost, compared with one pass through a G of this size?
started = time.perf_counter()
path = sample(torch.randn(40, 3, 32, 32))
print(f"25 steps from noise: {40 / (time.perf_counter() - started):.0f} pictures per second")
G = Generator(image_size=32, base_channels=32).eval()
started = time.perf_counter()
with torch.no_grad():
    G(torch.randn(40, 100))
print(f"one pass through G: {40 / (time.perf_counter() - started):.0f} pictures per second")

# %%
# The picture: ten flowers at every fifth step, row by row, and below them 30 more.
rows = torch.cat([path[step][:10] for step in (0, 5, 10, 15, 20, 25)] + [path[-1][10:40]])
sheet = to_grid(rows, columns=10)
sheet.resize((2 * sheet.width, 2 * sheet.height), Image.Resampling.NEAREST).save("lesson-15.png")

# %%
# Was your prediction right? The loss falls steadily, as that of a classifier does: no other network
# works against it. It stays above 0, because the network cannot guess the noise. There is no
# balance to keep and no mode collapse: every training picture is part of the loss. The price is 25
# passes for a picture, where a G needs one. Later work reduces this price.

# %%
# Exercise. A pixel of a flower is 0.8, and the same pixel of the noise is -0.4. At t = 0.25 the
# mixture is 0.5. The true direction is noise - flower. Subtract 0.25 times this direction from the
# mixture: what is the pixel now? Replace None with the number.
answer = None
if answer is not None:
    print("Right: it is the flower's pixel again." if abs(answer - 0.8) < 1e-6
          else "Not yet: 0.5 - 0.25 * (-0.4 - 0.8).")  # fmt: skip
