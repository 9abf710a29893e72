"""Lesson 1: two players
=====================

A forger paints flowers, a critic tells them from real ones, and each gets better because of the
other. That is a GAN, and this file is a whole one: DCGAN (Radford et al. 2015) by hand.

You will learn   what the two networks are, whose turn it is when, and which loss moves which.
You should know  Python, what a convolution is, and what `loss.backward()` does.
It takes         about 11 minutes on two cores. GANKIT_LESSON_STEPS=16 only tries it out.
You will see     `lesson-01.png`: 64 flowers that nobody drew, in many colours but nearly all of
                 one shape, with a fine grid over them.
Predict          Write down what the two losses will do. Will both fall, as a classifier's does?
Break it         Afterwards, in G's turn, write `g_loss = -bce(D(fakes), zeros)`, the loss as the
                 theory has it, for 512 steps. D is sure of the fakes, and there that loss is flat.
Exercise         Ask D for 0.9 instead of 1 on real pictures. How low can d_loss still get?

Take it with `gankit lesson 1`, or run `python lessons/01_two_players.py`, or cell by cell in an
editor that knows `# %%`. The variables have the names that gankit uses in `gankit/core/step.py`.
"""

# %%
# What we play with. Every random number comes from a function of (SEED, step, purpose), so that
# two programs that ask for the same purpose get the same number. Lesson 2 relies on it.
import os
from pathlib import Path

import torch
from gankit_flowers.petals import Petals
from PIL import Image
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from gankit.core.randomness import generator, latents, number

SEED = 0
STEPS = int(os.environ.get("GANKIT_LESSON_STEPS", 2048))
BATCH = 32
LATENT_DIM = 100  # the length of z, the noise that G turns into a picture

# %%
# The real pictures: 8,192 flowers of 64 x 64 pixels, drawn by a formula in a few seconds.
petals = Petals(image_size=64)
pixels = torch.from_numpy(petals.batch(range(len(petals))))  # (8192, 64, 64, 3) bytes
pixels = pixels.permute(0, 3, 1, 2).contiguous()  # (8192, 3, 64, 64): colours come first in torch
batches = len(pixels) // BATCH  # in an epoch: 256


# %%
class Generator(nn.Module):
    """The forger: z in, a picture out. Each transposed convolution doubles its side."""

    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            *self.up(LATENT_DIM, 256, 1, 0),  # (N, 256, 4, 4)
            *self.up(256, 128, 2, 1),  # (N, 128, 8, 8)
            *self.up(128, 64, 2, 1),  # (N, 64, 16, 16)
            *self.up(64, 32, 2, 1),  # (N, 32, 32, 32)
            nn.ConvTranspose2d(32, 3, 4, 2, 1, bias=False),  # (N, 3, 64, 64)
            nn.Tanh(),  # to [-1, 1]
        )

    def up(self, wide, narrow, stride, padding):
        convolution = nn.ConvTranspose2d(wide, narrow, 4, stride, padding, bias=False)
        return convolution, nn.BatchNorm2d(narrow), nn.ReLU()

    def forward(self, z):
        return self.main(z[:, :, None, None])  # z (N, 100) as a picture of one pixel


# %%
class Discriminator(nn.Module):
    """The critic, G turned round: a picture in, a logit out, above 0 for "real"."""

    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(3, 32, 4, 2, 1, bias=False),  # (N, 32, 32, 32); no batch norm in the first
            nn.LeakyReLU(0.2),
            *self.down(32, 64),  # (N, 64, 16, 16)
            *self.down(64, 128),  # (N, 128, 8, 8)
            *self.down(128, 256),  # (N, 256, 4, 4)
            nn.Conv2d(256, 1, 4, 1, 0, bias=False),
        )

    def down(self, narrow, wide):
        convolution = nn.Conv2d(narrow, wide, 4, 2, 1, bias=False)
        return convolution, nn.BatchNorm2d(wide), nn.LeakyReLU(0.2)

    def forward(self, images):
        return self.main(images).flatten()  # (N,)


def init_weights(module):
    """Small random weights, as in the paper."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


torch.manual_seed(number(SEED, 0, "weights of the generator"))
G = Generator().apply(init_weights)
torch.manual_seed(number(SEED, 0, "weights of the discriminator"))
D = Discriminator().apply(init_weights)
g_optimizer = torch.optim.Adam(G.parameters(), lr=2e-4, betas=(0.5, 0.999))
d_optimizer = torch.optim.Adam(D.parameters(), lr=2e-4, betas=(0.5, 0.999))

# %%
# The game. In each step D moves first, then G, and both learn from the same fakes.
ones, zeros = torch.ones(BATCH), torch.zeros(BATCH)  # what D is asked to answer: real, fake
history = []  # (d_loss, g_loss) of each step

for step in range(STEPS):
    epoch, batch = divmod(step, batches)
    if batch == 0:  # shuffle anew
        order = torch.randperm(len(pixels), generator=generator(SEED, epoch, "order of pictures"))
    real = pixels[order[batch * BATCH : (batch + 1) * BATCH]]  # (32, 3, 64, 64)
    real = torch.add(torch.tensor(-1.0), real, alpha=1 / 127.5)  # -1 to 1, as tanh
    fakes = G(latents(SEED, step, BATCH, LATENT_DIM, "z/0"))  # (32, 3, 64, 64)

    # D's turn: answer 1 to real pictures and 0 to fakes. Two calls, so that batch norm does not
    # mix the two. `detach` cuts the graph: this turn is none of G's business.
    D.zero_grad()
    d_real = D(real)  # (32,) logits
    loss_real = bce(d_real, ones)
    loss_real.backward()
    d_fake = D(fakes.detach())
    loss_fake = bce(d_fake, zeros)
    loss_fake.backward()  # adds to the gradients of the reals
    d_optimizer.step()
    d_loss = loss_real + loss_fake

    # G's turn: the same fakes, and D, which has just moved, shall say 1 (the non-saturating loss).
    # D gets gradients here as well. Nobody uses them: D's next turn begins by clearing them.
    G.zero_grad()
    g_loss = bce(D(fakes), ones)
    g_loss.backward()
    g_optimizer.step()

    history.append((d_loss.item(), g_loss.item()))
    if step % 64 == 0 or step == STEPS - 1:
        opinions = d_real.sigmoid().mean(), d_fake.sigmoid().mean()
        print("step {:5}  d_loss {:.2f}  g_loss {:.2f}  ".format(step, *history[-1]), end="")
        print("D(x) {:.2f}  D(G(z)) {:.2f}".format(*opinions), flush=True)

# %%
# The picture: 64 fixed z, in eval mode, where a picture does not depend on its neighbours.
G.eval()
with torch.no_grad():
    images = G(latents(SEED, 0, 64, LATENT_DIM, "grid"))  # (64, 3, 64, 64)
grid = images.unflatten(0, (8, 8)).permute(0, 3, 1, 4, 2).reshape(512, 512, 3)  # 8 rows of 8
Image.fromarray(((grid + 1) * 127.5).byte().numpy()).save("lesson-01.png")
Path("lesson-01.csv").write_text("".join(f"{d},{g}\n" for d, g in history))  # for lesson 2

# %%
# Was your prediction right? Neither loss falls for long: each says how one player stands against
# the other, and both get better. D is ahead all the way (D(G(z)) hardly leaves 0), and still G
# learns from it. So judge pictures, not losses.

# %%
# Exercise. Ask D for 0.9 instead of 1 on real pictures (`0.9 * ones` in D's turn). How low can
# d_loss still get? Try it, or work it out, and put the number in place of None.
answer = None
if answer is not None:
    lowest = bce(torch.tensor(0.9).logit(), torch.tensor(0.9)).item()  # D says 0.9; fakes cost 0
    right = f"Right: the best answer to 0.9 is 0.9, and even that costs {lowest:.3f}."
    print(right if abs(answer - lowest) < 0.01 else "Not yet: which answer to 0.9 costs least?")
