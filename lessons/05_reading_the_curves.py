"""Lesson 5: reading the curves
============================

The log of a GAN gives you four curves: the losses of D and G, and D's mean answers D(x) to real
pictures and D(G(z)) to fakes. Here are five runs that were broken on purpose, and a healthy one.
You can see some of the failures in the curves. Others do not show in the curves at all.

You will learn   what each curve tells you, what none of them can, and how to recognise five
                 failures, two of them a *mode collapse*.
You should know  lessons 1 and 2.
It takes         about 2 minutes on two cores. GANKIT_LESSON_STEPS=16 only tries it out.
You will see     `lesson-05.png`: the curves of a healthy run and of the failures A to E. For later,
                 `lesson-05-answers.png`: the same with names and pictures.
Predict          Theory says that a GAN is done when D can no longer tell real from fake, and
                 D(x) = D(G(z)) = 0.5. What are d_loss and g_loss then? (Lesson 1 has the formulas.)
                 Does such a G draw well?
Break it         Replace a failure in BROKEN by one of your own, such as
                 `{"beta1": 0.9, "lr_g": 2e-3, "lr_d": 2e-3}`. What do its curves look like, and
                 what do its flowers?
Exercise         Look at `lesson-05.png` alone, and say which letter is which failure.

Start it with `gankit lesson 5`, or run `python lessons/05_reading_the_curves.py`.
"""

# %%
# Small pictures and narrow networks: 480 steps are enough for a run to fail. Each failure changes
# one or two settings of the healthy run, as people really do.
import os
import random
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from statistics import median

from gankit_doctor import examine
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
# Six short runs. gankit prints the settings of a run when it starts, and its doctor warns of what
# goes wrong. Both would tell you which failure it is, so only the healthy run may print. What you
# need is in the folders of the runs.
@contextmanager
def silence():
    """While open, nothing is printed."""
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        yield


runs = {}
for name in ("healthy", *letters):
    settings = dict(HEALTHY)
    output = nullcontext()  # prints as usual
    if name in letters:
        settings |= BROKEN[letters[name]]
        output = silence()
    with output:
        runs[name] = train(compose(**settings, length=f"{STEPS} steps"))
    print(f"{name}: done, in {read_log(runs[name])['seconds'][-1]:.0f} s", flush=True)


# %%
# The curves: losses above, D's answers below; values beyond the scale are cut off. And the same in
# numbers: medians over the last quarter of the run, because single steps jump about.
def draw_curves(folder):
    """Losses and answers of a run, one below the other."""
    log = read_log(folder)
    losses = {"d_loss": log["d_loss"], "g_loss": log["g_loss"]}
    answers = {"D(x)": log["d_real"], "D(G(z))": log["d_fake"]}
    picture = Image.new("RGB", (270, 200), "white")
    picture.paste(plot(losses, 0, 6, (270, 100)), (0, 0))
    picture.paste(plot(answers, 0, 1, (270, 100)), (0, 100))
    return picture


def late_median(column):
    """The median over the last quarter of the run."""
    return median(column[-max(1, len(column) // 4) :])


print("           d_loss  g_loss    D(x)  D(G(z))")
for name, folder in runs.items():
    log = read_log(folder)
    medians = [late_median(log[column]) for column in ("d_loss", "g_loss", "d_real", "d_fake")]
    print(f"{name:9}", *(f"{value:7.2f}" for value in medians))
sheet({name: draw_curves(folder) for name, folder in runs.items()}, 3).save("lesson-05.png")
print(f"open this, and guess: {Path('lesson-05.png').resolve()}")


# %%
# The other picture has the names, and 32 of each run's pictures. Open it after you have guessed.
def draw_answer(folder):
    """The upper half of the last grid, above the curves."""
    grid = Image.open(max(Path(folder, "samples").glob("*.png")))
    picture = Image.new("RGB", (grid.width, grid.height // 2 + 206), "white")
    picture.paste(grid.crop((0, 0, grid.width, grid.height // 2)), (0, 0))
    picture.paste(draw_curves(folder), (0, grid.height // 2 + 6))
    return picture


tiles = {}
for name, folder in runs.items():
    label = f"{name}: {letters[name]}" if name in letters else name
    tiles[label] = draw_answer(folder)
sheet(tiles, 3).save("lesson-05-answers.png")
print(f"the answers, for later: {Path('lesson-05-answers.png').resolve()}")

# %%
# What does gankit's doctor say? It looks at pictures too, so it can name what no curve shows. The
# first name is what it takes for the cause. `gankit doctor RUN` prints the evidence and a cure, and
# at the end of each run of yours, gankit prints the verdict.
for name, folder in runs.items():
    diagnosis = examine(folder)
    findings = ", ".join(f"{finding.name} ({finding.kind})" for finding in diagnosis.findings)
    print(f"doctor on {name}: {diagnosis.verdict}; findings: {findings or 'none'}")

# %%
# How to read the curves.
# - A healthy run is restless: D is mostly right, D(x) is above D(G(z)), and each player wins for a
#   while.
# - d_loss stays at 0, and g_loss is high: D has won, and G learns little. This is the most common
#   failure (lesson 6).
# - d_loss is small, and the pictures still get better: all is well, as in lesson 1.
# - g_loss stays at 0: G learns nothing, because D believes everything.
# - Both stay at 0: impossible with the usual loss, -log D(G(z)). With the minimax loss,
#   log(1 - D(G(z))), it is possible: there, 0 is the worst that G can have.

# %%
# Was your prediction right? At 0.5, d_loss is 2 log 2 = 1.39 and g_loss is log 2 = 0.69. One of the
# five usually comes to rest near these numbers, as in a textbook, and draws the same few flowers
# over and over: its slow D cannot tell them from real ones. Another has curves much like those of
# the healthy run, but only a few pictures to draw. Both are *mode collapse*: G draws only a small
# part of what there is. The curves say how the players stand against each other; they do not say
# how good the game is. So look at many pictures at once, and then measure.

# %%
# Exercise. Which is which? Write the failures from A to E, with the names in BROKEN:
# answer = ["G too fast", "D asleep", ...]
answer = None
if answer is not None:
    right = [name == letters[letter] for name, letter in zip(answer, "ABCDE", strict=True)]
    print("Right: all five." if all(right) else f"Not yet: {sum(right)} of 5 are right.")
