"""Lesson 5: reading the curves
============================

Everybody watches four curves: the losses of D and G, and D's mean answers D(x) to real pictures
and D(G(z)) to fakes. Here are five runs broken on purpose, beside a healthy one. Some failures are
plain to see in the curves. Others are not there at all.

You will learn   what each curve tells and what none of them can, and five failures by their looks.
You should know  lessons 1 and 2.
It takes         about 2 minutes on two cores. GANKIT_LESSON_STEPS=16 only tries it out.
You will see     `lesson-05.png`: curves only, of a healthy run and of A to E. And, for later,
                 `lesson-05-answers.png` with the names and the pictures.
Predict          Theory says that a GAN is done when D can no longer tell: D(x) = D(G(z)) = 0.5.
                 What are d_loss and g_loss then? (Lesson 1 has the formulas.) Does such a G draw
                 well?
Break it         Put a failure of your own in the place of one in BROKEN, such as
                 `{"beta1": 0.9, "lr_g": 2e-3, "lr_d": 2e-3}`. What are its curves, its flowers?
Exercise         Look at `lesson-05.png` alone, and say which letter is which failure.

Take it with `gankit lesson 5`, or run `python lessons/05_reading_the_curves.py`.
"""

# %%
# Small pictures and narrow networks: 480 steps are enough to go wrong in. Each failure changes one
# thing or two of the healthy run, all of them things that people really do.
import os
import random
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from statistics import fmean

from PIL import Image

from gankit import compose, train
from gankit.runs.figures import plot, read_log, sheet

STEPS = int(os.environ.get("GANKIT_LESSON_STEPS", 480))
HEALTHY = {"dataset": "petals", "model": "dcgan64:base_channels=16", "image_size": 32}
HEALTHY |= {"batch_size": 32, "lr_g": 5e-4, "lr_d": 5e-4, "tricks": "none", "log_every": 4}
BROKEN = {
    "D too strong": {"lr_d": 2e-3, "lr_g": 2e-5},
    "D asleep": {"lr_d": 1e-6},
    "a loss that is flat": {"loss": "minimax", "lr_d": 2e-3, "lr_g": 2e-4},
    "G too fast": {"lr_g": 5e-3, "lr_d": 2e-4},
    "z of one number": {"latent_dim": 1},
}
letters = dict(zip("ABCDE", random.Random(5).sample(list(BROKEN), 5), strict=True))  # do not print!

# %%
# Six short runs, in silence, for gankit begins by saying what it trains. All that we look at is in
# their folders: the log, and the grid drawn last.
runs = {}
for name in ("healthy", *letters):
    settings = {**HEALTHY, **BROKEN.get(letters.get(name), {})}
    with redirect_stdout(StringIO()):
        runs[name] = train(compose(**settings, length=f"{STEPS} steps"))
    print(f"{name}: done, in {read_log(runs[name])['seconds'][-1]:.0f} s", flush=True)


# %%
# The curves: losses above, D's answers below; what is beyond the scale is cut. And as numbers: the
# mean over the last quarter, for single steps jump about.
def curves(folder):
    """Losses and answers of a run, one over the other."""
    log, picture = read_log(folder), Image.new("RGB", (270, 200), "white")
    losses = {name: log[name] for name in ("d_loss", "g_loss")}
    answers = {"D(x)": log["d_real"], "D(G(z))": log["d_fake"]}
    picture.paste(plot(losses, 0, 6, (270, 100)), (0, 0))
    picture.paste(plot(answers, 0, 1, (270, 100)), (0, 100))
    return picture


def late(column):
    """The mean over the last quarter."""
    return fmean(column[-max(1, len(column) // 4) :])


print("           d_loss  g_loss    D(x)  D(G(z))")
for name, folder in runs.items():
    log = read_log(folder)
    print(
        name.ljust(9), *(f"{late(log[n]):7.2f}" for n in ("d_loss", "g_loss", "d_real", "d_fake"))
    )
sheet({name: curves(folder) for name, folder in runs.items()}, 3).save("lesson-05.png")


# %%
# The other picture, to be opened after you have guessed: 32 of each run's pictures, and the names.
def drawn(folder):
    """The upper half of the last grid, over the curves."""
    grid = Image.open(max(Path(folder, "samples").glob("*.png")))
    picture = Image.new("RGB", (grid.width, grid.height // 2 + 206), "white")
    picture.paste(grid.crop((0, 0, grid.width, grid.height // 2)), (0, 0))
    picture.paste(curves(folder), (0, grid.height // 2 + 6))
    return picture


names = {name: f"{name}: {letters[name]}" if name in letters else name for name in runs}
answers = {names[name]: drawn(folder) for name, folder in runs.items()}
sheet(answers, 3).save("lesson-05-answers.png")

# %%
# How to read them. A healthy run is restless: D is mostly right, D(x) above D(G(z)), and each wins
# for a while. d_loss stuck at 0: D has won, and G learns little; the usual failure (lesson 6).
# g_loss stuck at 0: nobody tells G anything, for D sleeps. *Both* at 0 cannot be under the usual
# loss, -log D(G(z)). Under minimax's, log(1 - D(G(z))), it can: 0 is where G is worst.

# %%
# Was your prediction right? At 0.5, d_loss is 2 log 2 = 1.39 and g_loss log 2 = 0.69. One of the
# five comes to rest near there, as in a textbook, and draws the same two or three garish flowers
# over and over: its slow D cannot keep up, so it cannot tell. And one has the curves of the healthy
# run, but only a few pictures to draw. Curves say how the players stand to each other, not what
# they play. Look at pictures, and at many at once; then measure.

# %%
# Exercise. Which is which? Write the failures from A to E, as they are called in BROKEN:
# answer = ["G too fast", "D asleep", ...]
answer = None
if answer is not None:
    right = [one == letters[letter] for one, letter in zip(answer, "ABCDE", strict=True)]
    print("Right: all five." if all(right) else f"Not yet: {sum(right)} of 5 are right.")
