"""Lesson 1: two players
=====================

A forger paints flowers. A critic learns to tell them from real ones. Each gets better because the
other does. That is a GAN, and this file is a whole one: DCGAN (Radford et al. 2015), by hand.

You will learn   what the two networks are, whose turn it is, and which loss trains which network.
You should know  Python, what a convolution is, and what `loss.backward()` does. The glossary
                 (`docs/glossary.md`, also on the site) explains the words of GANs.
It takes         about 2 minutes on two cores. GANKIT_LESSON_STEPS=16 only tries it out.
You will see     `lesson-01-real.png`: real flowers. `lesson-01-progress.png`: G's flowers on the
                 way. `lesson-01.png`: 64 flowers by G. `lesson-01-step.html`: single steps, slowly.
Predict          D is the critic, G the forger, and each has a loss. What will the two losses do
                 during training? Will both fall, as a classifier's loss does?
Break it         In G's turn, write `g_loss = -bce(D(fakes), zeros)`, the loss that the theory
                 begins with, and train 512 steps. This loss is nearly flat when D is sure that
                 fakes are fakes. What does G draw now?
Exercise         D says 0.9 to real pictures and 0.2 to fakes. What are d_loss and g_loss?

Start it with `gankit lesson 1`, or run `python lessons/01_two_players.py`, or cell by cell in an
editor that knows `# %%`. The variables have the names that gankit uses in `gankit/core/step.py`.
"""

# %%
# Settings. Every random number comes from a function of (SEED, step, purpose). So two programs that
# ask for the same purpose get the same number; lesson 2 relies on this.
import math
import os
import time
from pathlib import Path

import torch
from gankit_flowers.petals import Petals
from gankit_unfold import unfold
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from gankit import compose, train
from gankit.compute.threads import choose_threads
from gankit.core.randomness import generator, latents, number
from gankit.runs.figures import plot, sheet
from gankit.runs.images import to_grid

SEED = 0
STEPS = int(os.environ.get("GANKIT_LESSON_STEPS", 1024))
BATCH = 32
LATENT_DIM = 100  # the length of z, the random numbers that G turns into a picture
choose_threads()  # of the CPU: fewer if other programs keep this computer busy

# %%
# The real pictures: 8,192 flowers of 64 x 64 pixels, drawn by a formula in a few seconds. This is
# what G has to learn. Open the file that this cell saves, in any image viewer.
petals = Petals(image_size=64)
pixels = torch.from_numpy(petals.batch(range(len(petals))))  # (8192, 64, 64, 3) bytes
pixels = pixels.permute(0, 3, 1, 2).contiguous()  # (8192, 3, 64, 64), as torch wants it
to_grid(pixels[:64] / 127.5 - 1).save("lesson-01-real.png")
print(f"real flowers: {Path('lesson-01-real.png').resolve()}")


# %%
# G, the forger: z in, a picture out. Each transposed convolution (`up`) makes the map larger.
def up(wide, narrow, stride, padding):
    convolution = nn.ConvTranspose2d(wide, narrow, 4, stride, padding, bias=False)
    return convolution, nn.BatchNorm2d(narrow), nn.ReLU()


def init_weights(module):
    """Small random weights, as in the paper."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


torch.manual_seed(number(SEED, 0, "weights of the generator"))
G = nn.Sequential(
    nn.Unflatten(1, (LATENT_DIM, 1, 1)),  # z (N, 100) becomes a map of one pixel
    *up(LATENT_DIM, 128, 1, 0),  # (N, 128, 4, 4)
    *up(128, 64, 2, 1),  # (N, 64, 8, 8)
    *up(64, 32, 2, 1),  # (N, 32, 16, 16)
    *up(32, 16, 2, 1),  # (N, 16, 32, 32)
    nn.ConvTranspose2d(16, 3, 4, 2, 1, bias=False),  # (N, 3, 64, 64)
    nn.Tanh(),  # to -1 ... 1
).apply(init_weights)


# %%
# D, the critic: a picture in, one logit out, above 0 for "real". Each convolution (`down`) halves
# the side of the map.
def down(narrow, wide):
    convolution = nn.Conv2d(narrow, wide, 4, 2, 1, bias=False)
    return convolution, nn.BatchNorm2d(wide), nn.LeakyReLU(0.2)


torch.manual_seed(number(SEED, 0, "weights of the discriminator"))
D = nn.Sequential(
    nn.Conv2d(3, 16, 4, 2, 1, bias=False),  # (N, 16, 32, 32); no batch norm here
    nn.LeakyReLU(0.2),
    *down(16, 32),  # (N, 32, 16, 16)
    *down(32, 64),  # (N, 64, 8, 8)
    *down(64, 128),  # (N, 128, 4, 4)
    nn.Conv2d(128, 1, 4, 1, 0, bias=False),  # (N, 1, 1, 1)
    nn.Flatten(0),  # (N,)
).apply(init_weights)

# %%
# D's turn. D learns to answer 1 to real pictures and 0 to fakes, as a classifier of two classes:
# d_loss = -log D(x) - log(1 - D(G(z))), the mean over the batch. D(x) is D's answer to a real
# picture as a probability, D(G(z)) is its answer to a fake.
d_optimizer = torch.optim.Adam(D.parameters(), lr=5e-4, betas=(0.5, 0.999))
ones = torch.ones(BATCH)
zeros = torch.zeros(BATCH)


def d_turn(real, fakes):
    D.zero_grad()
    d_real = D(real)  # (32,) logits
    loss_real = bce(d_real, ones)
    loss_real.backward()
    d_fake = D(fakes.detach())  # detach: the gradients of this turn stop before G
    loss_fake = bce(d_fake, zeros)
    loss_fake.backward()  # adds to the gradients of the real batch
    d_optimizer.step()
    return loss_real + loss_fake, d_real.sigmoid().mean(), d_fake.sigmoid().mean()


# %%
# G's turn. G learns to make D answer 1 to the same fakes: g_loss = -log D(G(z)). This is called the
# non-saturating loss. Gradients reach G through D, but only G's optimizer takes a step.
g_optimizer = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.5, 0.999))


def g_turn(fakes):
    G.zero_grad()
    g_loss = bce(D(fakes), ones)
    g_loss.backward()  # D gets gradients too; its next turn begins by clearing them
    g_optimizer.step()
    return g_loss


# %%
# The game: D's turn, G's turn, and again. Open the picture from time to time while you wait.
print(f"open this while you wait: {Path('lesson-01-progress.png').resolve()}")
fixed_z = torch.cat([latents(seed, 0, 1, LATENT_DIM) for seed in range(64)])  # of seeds 0 to 63
progress = {}  # pictures on the way
history = []  # (d_loss, g_loss) of each step
start = time.monotonic()

for step in range(STEPS):
    epoch, batch = divmod(step, len(pixels) // BATCH)
    if batch == 0:  # a new epoch: shuffle
        shuffle = generator(SEED, epoch, "order of pictures")
        order = torch.randperm(len(pixels), generator=shuffle)
    real = pixels[order[batch * BATCH : (batch + 1) * BATCH]]  # (32, 3, 64, 64)
    real = torch.add(torch.tensor(-1.0), real, alpha=1 / 127.5)  # to -1 ... 1, as tanh
    fakes = G(latents(SEED, step, BATCH, LATENT_DIM, "z/0"))  # (32, 3, 64, 64)
    d_loss, d_real, d_fake = d_turn(real, fakes)
    g_loss = g_turn(fakes)
    history.append((d_loss.item(), g_loss.item()))

    done = step + 1
    if done % max(1, STEPS // 8) == 0 or done == STEPS:
        G.eval()  # in eval mode, a picture does not depend on the rest of its batch
        with torch.no_grad():
            images = G(fixed_z)  # (64, 3, 64, 64)
        G.train()
        progress[f"step {done:,}"] = to_grid(images[:8], columns=4)
        d_losses, g_losses = zip(*history, strict=True)
        curves = plot({"d_loss": d_losses, "g_loss": g_losses}, 0, 8, (266, 134))
        sheet({**progress, "losses so far": curves}, 3).save("lesson-01-progress.png")
    if done % max(1, STEPS // 16) == 0:
        left = (time.monotonic() - start) / done * (STEPS - done)
        print(f"step {done:5,}  d_loss {d_loss:.2f}  g_loss {g_loss:.2f}", end="  ")
        print(f"D(x) {d_real:.2f}  D(G(z)) {d_fake:.2f}  {left:3.0f} s left", flush=True)

# %%
# The result. The losses are saved for lesson 2.
to_grid(images).save("lesson-01.png")
print(f"64 flowers by G: {Path('lesson-01.png').resolve()}")
Path("lesson-01.csv").write_text("".join(f"{d},{g}\n" for d, g in history))

# %%
# What do you see? Compare `lesson-01.png` with the real flowers.
# - A fine grid: the *checkerboard* of transposed convolutions. Lesson 3 explains it.
# - Fewer kinds of flowers than in the real pictures: count shapes and colours. If G draws few
#   kinds only, this is *mode collapse*: g_loss asks for what D takes for real, not for variety.
# - Coarser flowers than those of `gankit run`, which trains longer, with a wider G and three tricks
#   (`smooth-labels`, `r1`, `ema`). Here you see a GAN without any help.

# %%
# Was your prediction right? The losses do not fall together. Look at the curves, because single
# steps jump about. In most runs d_loss drops at once and g_loss rises; later d_loss rises a little
# and g_loss falls, because G catches up. Each loss says how one player stands against the other,
# and both players get better. D is ahead most of the time, D(x) above D(G(z)), and G still learns
# from it. So a small d_loss is neither good nor bad: look at what G draws.
#
# The one sentence to remember: **judge a GAN by its pictures, not by its losses.**

# %%
# Single steps, in slow motion. The same networks train for a while through gankit (lesson 2
# explains the lines). Then `unfold` takes some of the steps again, and writes a page of all that
# happened in them, with a question at each of ten stops. Open it in a browser, and answer first.
lesson_1 = {"dataset": "petals", "model": "dcgan64:base_channels=16", "batch_size": BATCH}
lesson_1 |= {"tricks": "none", "lr_g": 5e-4, "lr_d": 5e-4, "length": f"{min(STEPS, 128)} steps"}
page = unfold(train(compose(**lesson_1, device="cpu"))).write("lesson-01-step.html")
print(f"single steps: {page.resolve()}")

# %%
# Exercise. Suppose that D says 0.9 to every real picture and 0.2 to every fake, in both turns. What
# are d_loss and g_loss? Two digits each: answer = (d_loss, g_loss)
answer = None
if answer is not None:
    losses = (-math.log(0.9) - math.log(1 - 0.2), -math.log(0.2))
    right = all(abs(given - loss) < 0.006 for given, loss in zip(answer, losses, strict=True))
    hint = "Not yet: the formulas stand above D's turn and G's turn; `log` is `math.log`."
    print("Right: D is close to its goal, and G is not." if right else hint)
