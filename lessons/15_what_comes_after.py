"""Lesson 15: what comes after
===========================

Where people went from DCGAN, what each step changes, and where to read on. And one of them small
enough to run: a picture grown out of noise with no D at all, which is how diffusion works.

You will learn   what later GANs keep and what they replace, what diffusion does instead of playing
                 a game, and what it pays for that.
You should know  lesson 1 by heart: two networks, two losses, one pass from z to picture.
It takes         about 3 minutes on two cores. GANKIT_LESSON_STEPS=16 only tries it out.
You will see     `lesson-15.png`: ten flowers on their way out of noise, and 30 more.
Predict          There is no D, and the loss is a squared distance. What will its curve look like,
                 beside those of lesson 1? And how many passes through the network cost a picture?
Break it         Draw with 1 step instead of 25, then with 4. Whose pictures do those of one step
                 resemble: a flower's, or the mean of all flowers? Why?
Exercise         Follow one flower into the noise, by hand.

Take it with `gankit lesson 15`, or run `python lessons/15_what_comes_after.py`.
"""

# %%
# What they changed. The first six still play the game of lesson 1, and gankit has something of most
# of them; the rest found ways without it.
import os
import time

import torch
from gankit_dcgan.nets import Generator
from PIL import Image
from torch import nn
from torch.nn.functional import interpolate, mse_loss, pixel_shuffle, pixel_unshuffle

import gankit
from gankit.runs.images import to_grid

STEPS = int(os.environ.get("GANKIT_LESSON_STEPS", 1000))
AFTER = (
    ("a modern pair", "2501.05441", "R3GAN: residual blocks, no batch norm, pairs, R1 and R2",
     "gankit run --model modern64"),
    ("many machines", "1809.11096", "BigGAN: batches of 2,048 and more, on many devices",
     "torchrun --nproc-per-node 2 -m gankit run --model dcgan128 --sync-batch-norm"),
    ("progressive growing", "1710.10196", "begins at 4 x 4 pixels and fades larger blocks in",
     "gankit show minibatch-stddev, which came with it"),
    ("StyleGAN", "1812.04948", "z becomes a style that acts in every block; 1912.04958 mends it",
     "gankit show ada, its way with few pictures (2006.06676)"),
    ("super-resolution", "1609.04802", "SRGAN: G enlarges a picture instead of inventing one", ""),
    ("picture to picture", "1703.10593", "CycleGAN: two G, there and back, from photo to painting",
     "gankit run --dataset monet, its paintings"),
    ("diffusion", "2006.11239", "no D: a network learns to take noise away, little by little", ""),
    ("flow matching", "2210.02747", "the same on straight ways: below", ""),
    ("latent diffusion", "2112.10752", "the same in a small space that an autoencoder made", ""),
)  # fmt: skip
for name, paper, change, here in AFTER:
    print(f"{name:20} arXiv {paper}  {change}" + f"\n{'':20} here: {here}" * bool(here))

# %%
# Diffusion in its straightest form. Mix a flower with noise: (1 - t) of the one, t of the other. A
# network sees the mixture and t, and tells in which direction noise lies and flower does not:
# noise - flower. It cannot know, so it learns the mean answer; a squared distance is all it takes.
prepared = gankit.prepare(gankit.compose(dataset="petals", image_size=32))
batches = gankit.Batches(prepared.pixels, 64, seed=0, rows=prepared.train)


def block(narrow, wide):
    return nn.Sequential(nn.Conv2d(narrow, wide, 3, padding=1), nn.GroupNorm(8, wide), nn.SiLU())


class Direction(nn.Module):
    """x (N, 3, 32, 32) and t (N,) to a direction like x: down to 4 x 4 and up, with bridges."""

    def __init__(self, width=32):
        super().__init__()
        self.enter, self.leave = block(13, width), nn.Conv2d(width, 12, 3, padding=1)
        self.down = nn.ModuleList([block(width, 2 * width), block(2 * width, 4 * width)])
        self.deep = nn.Sequential(block(4 * width, 4 * width), block(4 * width, 4 * width))
        self.up = nn.ModuleList([block(6 * width, 2 * width), block(3 * width, width)])

    def forward(self, x, t):
        clock = t[:, None, None, None].expand(-1, 1, 16, 16)  # t as one more colour
        x = self.enter(torch.cat([pixel_unshuffle(x, 2), clock], dim=1))  # (N, 32, 16, 16)
        bridges = []  # what the way up needs of the way down: where exactly things are
        for down in self.down:
            bridges.append(x)
            x = down(nn.functional.avg_pool2d(x, 2))  # (N, 64, 8, 8), then (N, 128, 4, 4)
        x = x + self.deep(x)  # here each place sees the whole flower
        for up in self.up:
            x = up(torch.cat([interpolate(x, scale_factor=2), bridges.pop()], dim=1))
        return pixel_shuffle(self.leave(x), 2)  # (N, 12, 16, 16) to (N, 3, 32, 32)


# %%
# The training loop is that of a classifier: one network, one loss, one update. The average of the
# weights (lesson 10) draws better here too.
torch.manual_seed(0)
net = Direction()
average = torch.optim.swa_utils.AveragedModel(
    net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.99)
)
optimizer, losses = torch.optim.Adam(net.parameters(), lr=2e-3), []
for step in range(STEPS):
    flower = batches[step]  # (64, 3, 32, 32) in [-1, 1]
    noise, t = torch.randn_like(flower), torch.rand(len(flower))  # how much noise, each its own
    share = t[:, None, None, None]
    with torch.autocast("cpu", torch.bfloat16):
        found = net((1 - share) * flower + share * noise, t)
    loss = mse_loss(found.float(), noise - flower)  # the same for all t; no D is asked
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    average.update_parameters(net)
    losses.append(loss.item())
    if (step + 1) % max(1, STEPS // 10) == 0:
        recent = losses[-max(1, STEPS // 10) :]
        print(f"step {step + 1:5}  loss {sum(recent) / len(recent):.3f}", flush=True)


# %%
# Drawing: begin with noise alone, t = 1, and go 25 small steps in the direction away from it.
@torch.no_grad()
def grown(x, steps=25):
    """The pictures at every step, from noise x (N, 3, 32, 32) to flowers."""
    seen = [x]
    for i in range(steps):
        x = x - average(x, torch.full((len(x),), 1 - i / steps)) / steps
        seen.append(x)
    return seen


# %%
# What a picture costs, beside one pass through the G of lesson 1's kind at this size.
started = time.perf_counter()
seen = grown(torch.randn(40, 3, 32, 32))
print(f"grown out of noise: {40 / (time.perf_counter() - started):.0f} pictures a second")
G, started = Generator(image_size=32, base_channels=32).eval(), time.perf_counter()
with torch.no_grad():
    G(torch.randn(40, 100))
print(f"drawn by a G: {40 / (time.perf_counter() - started):.0f} pictures a second")

# %%
# The picture: ten flowers at every fifth step, row by row, and below them 30 more.
ways = torch.cat([seen[i][:10] for i in (0, 5, 10, 15, 20, 25)] + [seen[-1][10:40]])
sheet = to_grid(ways, columns=10)
sheet.resize((2 * sheet.width, 2 * sheet.height), Image.Resampling.NEAREST).save("lesson-15.png")

# %%
# Was your prediction right? The loss falls and goes on falling, as a classifier's does, for nobody
# plays against it; and it stays above 0, for noise cannot be guessed. There is no balance to keep,
# and every training picture is asked about, so none is left out. The price is 25 passes for a
# picture, where a G needs one. Later work lowers it: straighter ways, smaller spaces, and sometimes
# a D again, so that few steps are sharp.

# %%
# Exercise. A pixel of a flower is 0.8, that of the noise -0.4. At t = 0.25 the mixture is 0.5. One
# step of 0.25 along the true direction, noise - flower, taken away: where does it lead?
answer = None
if answer is not None:
    print("Right: straight home." if abs(answer - 0.8) < 1e-6 else "Not yet: 0.5 - 0.25 * (-0.4 - "
          "0.8).")  # fmt: skip
