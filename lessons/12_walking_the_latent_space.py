"""Lesson 12: walking the latent space
===================================

G has learnt more than pictures: between two z there is a way, and every z on it is a flower. This
lesson walks there, straight on and in an arc, adds and subtracts flowers, and films a walk.

You will learn   where the z lie, why one walks in an arc, and how to find the direction in which
                 flowers turn red although nobody told G what red is.
You should know  what z is (lesson 1), and vectors: length, angle, mean.
It takes         about 4 minutes on two cores, if `runs/garden` has to be trained first; lesson 13
                 uses it again. GANKIT_LESSON_STEPS=16 only tries it out; do that in another
                 folder once this one has a whole garden.
You will see     `lesson-12.png`: ways from flower to flower, and flowers made red; and
                 `lesson-12.mp4`, in which 16 flowers change into others and back again.
Predict          z has 100 numbers, each drawn from a bell curve around 0. How long is such a z?
                 And how long is the point halfway between two of them? Is that a usual z?
Break it         Walk far beyond: draw z * 3 and z * 0.1. Then feed G z that are all alike but for
                 one number, from -3 to 3. Does that number mean anything by itself?
Exercise         How long is the mean of four z?

Take it with `gankit lesson 12`, or run `python lessons/12_walking_the_latent_space.py`.
"""

# %%
# A garden to walk in, trained by a small DCGAN. With `resume`, a run that was stopped goes on, and
# a finished one is left as it is. `load` opens it: z in, pictures out.
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
# Where the z lie. Their lengths hardly differ: in 100 dimensions a bell curve is a shell, and near
# its middle there is nothing. Two z stand nearly at a right angle, as any two do.
z = garden.latents(range(COUNT))  # (2000, 100), one for each seed
lengths, halfway = z.norm(dim=1), ((z[::2] + z[1::2]) / 2).norm(dim=1)
print(f"length of z: {lengths.mean():.1f}, and 99 of 100 lie between {lengths.quantile(0.005):.1f}"
      f" and {lengths.quantile(0.995):.1f}; of points halfway: {halfway.mean():.1f}")  # fmt: skip


# %%
# Two ways from a to b, for t from 0 to 1. The line leaves the shell and passes below it. The arc
# (slerp, White 2016, arXiv 1609.04468) turns from one direction into the other and stays on it.
def line(a, b, t):
    return (1 - t) * a + t * b


def arc(a, b, t):
    angle = torch.arccos((a * b).sum(-1) / (a.norm(dim=-1) * b.norm(dim=-1)))[..., None]
    return (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)


def frames(z):
    return to_frames(garden.images(z))  # bytes (N, 64, 64, 3)


# %%
# Does it matter? Draw points halfway, both ways. `recognise` measures outlines and colours;
# it tells how many are flowers whose petals it can count.
for name, points in (("z as they are", z[::2]), ("halfway on a line", line(z[::2], z[1::2], 0.5)),
                     ("halfway on an arc", arc(z[::2], z[1::2], 0.5))):  # fmt: skip
    pictures = frames(points)
    print(f"{name:18} readable {recognise(pictures).sure.mean():.0%},"
          f" contrast {pictures.std(axis=(1, 2)).mean():.1f}")  # fmt: skip

# %%
# Arithmetic. The mean z of the red flowers, less the mean z of all others, is the direction in
# which flowers become red. Go along it from flowers that are not red; a step beyond the shell is
# brought back to it.
RED = 0  # the first of red, yellow, white, pink, violet, blue
red = torch.from_numpy(recognise(frames(z)).colour == RED)
direction = (z[red].mean(dim=0) - z[~red].mean(dim=0)).nan_to_num()
direction = direction / direction.norm().clamp_min(1e-6)
start = z[red.int().argsort(stable=True)][:100]  # those that are not red come first
print(f"{red.float().mean():.0%} of {COUNT} flowers are red; one in six would be fair")
walks = []
for far in (0, 2, 4, 6, 8):
    there = start + far * direction
    there = there * start.norm(dim=1, keepdim=True) / there.norm(dim=1, keepdim=True)
    walks.append(there)
    now = recognise(frames(there))
    print(f"{far} towards red: {(now.colour == RED).mean():.0%} of 100 flowers are red")

# %%
# The picture: two walks, on a line and in an arc, from the first flower to the one of fifty that is
# least like it; then ten flowers, which turn red from row to row.
t = torch.linspace(0, 1, 10)[:, None]
images = garden.images(z[:50]).flatten(1)
a, b = z[:1], z[(images - images[0]).norm(dim=1).argmax()][None]
rows = torch.cat([line(a, b, t), arc(a, b, t), *(there[:10] for there in walks)])
garden.draw(rows, columns=10).save("lesson-12.png")

# %%
# The film: 16 flowers, each walking through five z of its own and back to the first, for ever.
stops = z[: 5 * 16].reshape(5, 16, -1)
film = []
for stop in range(5):
    for frame in range(20):
        here = arc(stops[stop], stops[(stop + 1) % 5], torch.tensor(frame / 20))
        film.append(garden.draw(here))
write_video(film, Path("lesson-12.mp4"), fps=20)

# %%
# Was your prediction right? A z is about 10 long, the square root of 100, and the point halfway
# about 7: G has met none so short. It forgives: the line's flowers are only a little duller than
# the arc's, and both ways lead over flowers, not over two photos laid on each other. Red is a
# direction, though nobody told G so. Go too far, and all become one flower.

# %%
# Exercise. How long is the mean of four z, about? Put a number in the place of None. (Lengths of
# independent vectors add as the sides of right-angled triangles do.) And the mean of all z?
answer = None
if answer is not None:
    print("Right: each time four times as many, half as long. The mean of all is 0: no flower."
          if abs(answer - 5) < 0.2 else "Not yet: four z, at right angles, each of length 10, "
          "add up to one of length 20.")  # fmt: skip
