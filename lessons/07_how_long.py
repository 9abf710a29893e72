"""Lesson 7: how long?
===================

250 steps, 1,000 or 2,000? The losses will not tell you, because they look the same at all three.
Pictures and measures do. And you need not decide beforehand: a finished run can be made longer.

You will learn   what longer training buys, how to make a finished run longer, and that a resumed
                 run is the same run, to the last bit.
You should know  lesson 2.
It takes         about 2 minutes on two cores. GANKIT_LESSON_STEPS=16 only tries it out.
You will see     `lesson-07.png`: noise, what G draws from the same 9 z after 250, 1,000 and 2,000
                 steps, and real flowers, each with its swd.
Predict          `swd` measures how far G's pictures are from real ones; lower is better. Call its
                 value after 250 steps 100. What will it be after 1,000 steps, and after 2,000?
                 Write down two numbers.
Break it         Flip one bit of a checkpoint (`model.safetensors` is a file like any other), and
                 resume. What does gankit say, and from which step does it go on?
Exercise         With some tricks, a run made longer differs from a long run. Find such a trick.

Start it with `gankit lesson 7`, or run `python lessons/07_how_long.py`.
"""

# %%
# First 250 steps. A checkpoint has all that is needed to resume a run. This run saves one every 250
# steps and keeps them all.
import hashlib
import os
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import torch
from gankit_flowers.petals import Petals

import gankit
from gankit import load_run
from gankit.runs.figures import read_log, sheet
from gankit.runs.images import to_grid

STEPS = int(os.environ.get("GANKIT_LESSON_STEPS", 2000))
SHORT = STEPS // 8  # 250
MIDDLE = STEPS // 2  # 1,000
settings = {"dataset": "petals", "model": "dcgan64-quick", "batch_size": 16}
run = gankit.compose(**settings, length=f"{SHORT} steps", save_every=SHORT, keep=8)
folder = gankit.train(run)

# %%
# Not enough? `load_run` reads the settings of a run from its folder, and a new `length` makes the
# run longer. On the command line: `gankit run --resume RUN --steps 1000`. If a computer stops in
# the middle of a run, the same command goes on from the last checkpoint.
for length in (MIDDLE, STEPS):
    gankit.train(load_run(folder, length=f"{length} steps"), resume=True)


# %%
# Measure all three on 200 pictures. `swd` compares textures and colours at several sizes. A number
# needs a scale: at one end, the swd of random pixels; at the other end the floor, which is the swd
# of real pictures against other real ones. No G can be better than the floor. `modes` counts which
# of the 36 kinds of flowers are drawn, and how evenly.
def to_tensor(pixels):
    """Bytes (N, H, W, 3) to images (N, 3, H, W), -1 to 1."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2) / 127.5 - 1


samples = min(200, 5 * STEPS)
noise = np.random.default_rng(0).integers(0, 256, (samples, 64, 64, 3), dtype=np.uint8)
(noise_swd,) = gankit.evaluate(folder, ["swd"], pictures={"noise": noise})["noise"]
print(f"{'random pixels':14} swd {noise_swd.value:3.0f}")
log = read_log(folder)
tiles = {f"random: swd {noise_swd.value:.0f}": to_grid(to_tensor(noise[:9]))}
first_swd = None
for step in (SHORT, MIDDLE, STEPS):
    swd, modes = gankit.evaluate(folder, ["swd", "modes"], samples=samples, checkpoint=step)
    first_swd = first_swd or swd.value
    row = next(row for row, logged_step in enumerate(log["step"]) if logged_step >= step)
    print(
        f"{f'{step:,} steps':14} swd {swd.value:3.0f} ({swd.low:.0f} to {swd.high:.0f})", end="  "
    )
    print(f"{100 * swd.value / first_swd:3.0f} % of the first  kinds {modes.value:2.0f}", end="  ")
    print(f"d_loss {log['d_loss'][row]:.2f}  g_loss {log['g_loss'][row]:.2f}")
    tiles[f"{step:,} steps: swd {swd.value:.0f}"] = gankit.load(folder, step).grid(9)
print(f"{'real flowers':14} swd {swd.floor:3.0f}, the floor", end=" ")
print(f"({100 * swd.floor / first_swd:.0f} % of the first); kinds {modes.floor:.0f}")
tiles[f"real: swd {swd.floor:.0f}"] = to_grid(to_tensor(Petals(64).batch(range(9))))
sheet(tiles).save("lesson-07.png")
print(f"the pictures: {Path('lesson-07.png').resolve()}")


# %%
# Is a resumed run the same run? To resume, gankit needs more than G's weights: D's weights, Adam's
# averages of past gradients, the state of the tricks, and the random numbers that come next. If it
# forgot one of them, the training would go on as if nothing were wrong. So do not compare pictures:
# compare every bit of the weights, by a hash.
def weights_hash(folder):
    """A hash of all weights at the end of a run."""
    last_checkpoint = max((folder / "checkpoints").glob("step-*"))
    return hashlib.sha256((last_checkpoint / "model.safetensors").read_bytes()).hexdigest()[:16]


def train_whole_and_resumed(trick, steps):
    """Hashes of a run of `steps` steps, and of a run of half as many that was made longer."""
    settings = {"dataset": "petals", "model": "dcgan64-quick", "image_size": 32, "tricks": trick}
    settings |= {"device": "cpu"}  # a GPU may round differently each time
    with redirect_stdout(StringIO()):  # without the progress of three short runs
        whole = gankit.train(gankit.compose(**settings, length=f"{steps} steps"))
        resumed = gankit.train(gankit.compose(**settings, length=f"{steps // 2} steps"))
        gankit.train(load_run(resumed, length=f"{steps} steps"), resume=True)
    return weights_hash(whole), weights_hash(resumed)


whole, resumed = train_whole_and_resumed("ema", min(STEPS, 64))
print(f"whole {whole}, resumed {resumed}: {'equal' if whole == resumed else 'different'}")

# %%
# Was your prediction right? Four times the steps are far from four times as good: swd falls slowly,
# and stays far above the floor. Most of what you see happens early, from smears to flowers; later
# the edges get clearer and more kinds of flowers appear. The losses do not help: could you tell
# from them which line is which? So look at the pictures now and then, and go on as long as pictures
# or measures get better. You can stop and resume at any time.

# %%
# Exercise. The strength of ema depends on how many steps are done. The strength of some other
# tricks depends on how much of the *planned* run is done, so a run made longer cannot equal a run
# that was long from the start. Name such a trick: answer = "..." (`gankit list tricks` lists them,
# `gankit show NAME` explains one.)
answer = None
if answer is not None:
    whole, resumed = train_whole_and_resumed(answer, 8)
    print("Right: it fades over the run." if whole != resumed else "Not yet: the runs are equal.")
