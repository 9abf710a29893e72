"""Lesson 12: walking the latent space
===================================

G has learned more than single pictures: you can move from one z to another, and every z on the way
is a flower, too. This lesson moves along a line and along an arc, adds and subtracts flowers, and
films a walk.

You will learn   where the z are, why you interpolate along an arc, and how to find the direction
                 that turns flowers red, although G was never told what red is.
You should know  what z is (lesson 1), and vectors: length, angle, mean.
It takes         about 5 minutes on two cores if it has to train `runs/garden` first; lesson 13 uses
                 that run again. GANKIT_LESSON_STEPS=16 makes it short, to try it out; use another
                 folder for that if this one has a fully trained garden.
You will see     `lesson-12.png`: walks from flower to flower, and flowers made red; and
                 `lesson-12.mp4`, in which 16 flowers change into other flowers and back again.
Predict          z has 100 numbers, each from a normal distribution around 0. How long is such a z,
                 as a vector? How long is the point halfway between two of them? Is it a typical z?
Break it         Go far outside: draw z * 3 and z * 0.1. Then draw z that are equal except for one
                 number, which goes from -3 to 3. Does this one number have a meaning?
Exercise         How long is the mean of four z?

Take it with `gankit lesson 12`, or run `python lessons/12_walking_the_latent_space.py`.
"""

# %%
# Train a small DCGAN in `runs/garden`. With `resume`, a stopped run continues, and a finished run
# stays as it is. `load` returns its sampler: z in, pictures out.
import os
from pathlib import Path

import torch
from gankit_flowers.recognise import recognise

from gankit import compose, load, train
from gankit.runs.images import to_frames
from gankit.runs.video import write_video

STEPS = int(os.environ.get("GANKIT_LESSON_STEPS", 2000))
COUNT, PETALS = (2000, "petals") if STEPS > 100 else (200, "petals:count=1200")
folder = Path("runs/garden")
run = compose(dataset=PETALS, model="dcgan64-quick", length=f"{STEPS} steps", out=folder)
garden = load(train(run, resume=folder.exists()))

# %%
# Where are the z? Their lengths hardly differ: in 100 dimensions the normal distribution is a shell
# and hardly any z is near its centre. The angle between any two z is nearly a right angle.
z = garden.latents(range(COUNT))  # (2000, 100), one for each seed
lengths = z.norm(dim=1)
halfway = (z[::2] + z[1::2]) / 2
print(f"length of z: {lengths.mean():.1f}; 99 of 100 are between {lengths.quantile(0.005):.1f}"
      f" and {lengths.quantile(0.995):.1f}")  # fmt: skip
print(f"length of points halfway: {halfway.norm(dim=1).mean():.1f}")


# %%
# Two ways from a to b, for t from 0 to 1. The line leaves the shell and passes through its inside.
# The arc (slerp, White 2016, arXiv 1609.04468) turns from one direction to the other and stays on
# the shell.
def line(a, b, t):
    return (1 - t) * a + t * b


def arc(a, b, t):
    angle = torch.arccos((a * b).sum(-1) / (a.norm(dim=-1) * b.norm(dim=-1)))[..., None]
    return (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)


def frames(z):
    return to_frames(garden.images(z))  # bytes (N, 64, 64, 3)


# %%
# Does it matter? Draw the points halfway, on the line and on the arc. `recognise` looks at outlines
# and colours; "readable" is the share of flowers whose petals it can count.
for name, points in (("z as they are", z[::2]), ("halfway on a line", line(z[::2], z[1::2], 0.5)),
                     ("halfway on an arc", arc(z[::2], z[1::2], 0.5))):  # fmt: skip
    pictures = frames(points)
    print(f"{name:18} readable {recognise(pictures).sure.mean():.0%},"
          f" contrast {pictures.std(axis=(1, 2)).mean():.1f}")  # fmt: skip

# %%
# Arithmetic. The mean z of the red flowers minus the mean z of all other flowers is the direction
# in which flowers become red. Start at flowers that are not red and move along this direction.
# After each move, bring z back to its length, so that it stays on the shell.
RED = 0  # the first of red, yellow, white, pink, violet, blue
red = torch.from_numpy(recognise(frames(z)).colour == RED)
direction = (z[red].mean(dim=0) - z[~red].mean(dim=0)).nan_to_num()
direction = direction / direction.norm().clamp_min(1e-6)
start = z[red.int().argsort(stable=True)][:100]  # sorted: flowers that are not red come first
print(f"{red.float().mean():.0%} of {COUNT} flowers are red; in the data set it is one in six")
red_walk = []
for distance in (0, 2, 4, 6, 8):
    moved = start + distance * direction
    moved = moved * start.norm(dim=1, keepdim=True) / moved.norm(dim=1, keepdim=True)
    red_walk.append(moved)
    share = (recognise(frames(moved)).colour == RED).mean()
    print(f"{distance} towards red: {share:.0%} of 100 flowers are red")

# %%
# The picture: two walks, on a line and on an arc, from the first flower to the least similar one of
# fifty; then ten flowers that become red from row to row.
t = torch.linspace(0, 1, 10)[:, None]
images = garden.images(z[:50]).flatten(1)
least_similar = (images - images[0]).norm(dim=1).argmax()
a = z[:1]
b = z[least_similar][None]
rows = torch.cat([line(a, b, t), arc(a, b, t), *(moved[:10] for moved in red_walk)])
garden.draw(rows, columns=10).save("lesson-12.png")

# %%
# The film: 16 flowers. Each walks through five z of its own and back to the first one, in a loop.
# (One large flower on a way that you choose: `gankit sample runs/garden --seeds 3,17,42 --loop
# --seconds 8 --size 512`.)
stops = z[: 5 * 16].reshape(5, 16, -1)
film = []
for stop in range(5):
    for frame in range(20):
        moved = arc(stops[stop], stops[(stop + 1) % 5], torch.tensor(frame / 20))
        film.append(garden.draw(moved))
write_video(film, Path("lesson-12.mp4"), fps=20)

# %%
# Was your prediction right? A z is about 10 long, the square root of 100, and the point halfway is
# about 7 long. G never saw such a short z, but it can handle it: flowers on the line are only a
# little duller, and both ways lead through flowers, not through two photos laid over each other.
# Red is a direction, although G was never told what red is. (If `recognise` counts few red flowers
# in your run, trust the picture: it only counts a red like that of the data set.) Very far along
# this direction, the flowers become more and more alike.

# %%
# Exercise. About how long is the mean of four z? Replace None with a number. (Independent z are at
# right angles, so their lengths add up as in a right-angled triangle.) And the mean of all z?
answer = None
if answer is not None:
    print("Right: for four times as many z, it is half as long. The mean of all z is 0: no flower."
          if abs(answer - 5) < 0.2 else "Not yet: the sum of four z, each 10 long and at right "
          "angles, is 20 long.")  # fmt: skip
