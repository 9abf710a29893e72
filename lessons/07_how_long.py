"""Lesson 7: how long?
===================

500 steps, 2,000 or 4,000? The losses will not tell you: they look the same at all three. Pictures
and measures do. And nobody has to decide beforehand, for a run can go on where it ended.

You will learn   what longer training buys, how to make a finished run longer, and that a run that
                 was resumed is the same run, to the last bit.
You should know  lesson 2.
It takes         about 6 minutes on two cores. GANKIT_LESSON_STEPS=16 only tries it out.
You will see     `lesson-07.png`: the same 16 z after 500, 2,000 and 4,000 steps, and real flowers.
Predict          `swd` measures how far G's pictures are from real ones; 0 is best. Call what it is
                 at 500 steps 100. What will it be at 2,000, and at 4,000? Write down two numbers.
Break it         Flip one bit of a checkpoint (`model.safetensors` is a file like any other), and
                 resume. What does gankit say, and where does it go on from?
Exercise         With one sort of trick, a run made longer differs from a long one. Find such a one.

Take it with `gankit lesson 7`, or run `python lessons/07_how_long.py`.
"""

# %%
# First 500 steps. A checkpoint, all that is needed to go on, is saved every 500, and kept.
import hashlib
import os
from contextlib import redirect_stdout
from io import StringIO

import torch
from gankit_flowers.petals import Petals

import gankit
from gankit import load_run
from gankit.runs.figures import read_log, sheet
from gankit.runs.images import to_grid

STEPS = int(os.environ.get("GANKIT_LESSON_STEPS", 4000))
short, longer = STEPS // 8, STEPS // 2  # 500 and 2,000
asked = {"dataset": "petals", "model": "dcgan64-quick", "batch_size": 16}
folder = gankit.train(gankit.compose(**asked, length=f"{short} steps", save_every=short, keep=8))

# %%
# Not enough? `load_run` reads what decided the run from its folder; another length makes it longer.
# (`gankit run --resume RUN --steps 2000` on the command line.) Were Colab to cut it off on the way,
# the same line would go on from the last checkpoint.
for length in (longer, STEPS):
    gankit.train(load_run(folder, length=f"{length} steps"), resume=True)

# %%
# The three, measured on 200 pictures. `swd` compares textures and colours at several sizes. Its
# floor is what real pictures get against other real ones: nothing can be better than that. `modes`
# counts the kinds of flowers, of 36, each as much as it is drawn.
log, tiles, first, samples = read_log(folder), {}, None, min(200, 5 * STEPS)
for step in (short, longer, STEPS):
    swd, modes = gankit.evaluate(folder, ["swd", "modes"], samples=samples, checkpoint=step)
    row = next(row for row, number in enumerate(log["step"]) if number >= step)
    first = first or swd.value
    print(
        f"{step:5,} steps, {log['seconds'][row]:4.0f} s:  swd {swd.value:.0f} ({swd.low:.0f} to "
        f"{swd.high:.0f}), {100 * swd.value / first:.0f} % of the first  kinds {modes.value:.0f}  "
        f"d_loss {log['d_loss'][row]:.2f}  g_loss {log['g_loss'][row]:.2f}"
    )
    tiles[f"{step:,} steps: swd {swd.value:.0f}"] = gankit.load(folder, step).grid(16)
print(f"{'':12} the floor: swd {swd.floor:.0f}, {100 * swd.floor / first:.0f} %, 36 kinds")
real = torch.from_numpy(Petals(64).batch(range(16))).permute(0, 3, 1, 2) / 127.5 - 1
sheet({**tiles, f"real: swd {swd.floor:.0f}": to_grid(real)}).save("lesson-07.png")


# %%
# Is a resumed run the same run? Resuming wants more than G's weights: D's too, Adam's memory of
# past gradients, how far the tricks have come, and which random numbers come next. Forget one, and
# training goes on as if nothing were wrong. So do not look: compare every bit, by hash.
def fingerprint(folder):
    """A hash of all weights at the end of a run."""
    newest = max((folder / "checkpoints").glob("step-*"))
    return hashlib.sha256((newest / "model.safetensors").read_bytes()).hexdigest()[:16]


def at_once_and_in_two(trick, steps):
    """Fingerprints of a run of so many steps, and of one half as long that was made longer."""
    asked = {"dataset": "petals", "model": "dcgan64-quick", "image_size": 32, "tricks": trick}
    with redirect_stdout(StringIO()):  # three short runs have nothing to say
        whole = gankit.train(gankit.compose(**asked, length=f"{steps} steps"))
        half = gankit.train(gankit.compose(**asked, length=f"{steps // 2} steps"))
        gankit.train(load_run(half, length=f"{steps} steps"), resume=True)
    return fingerprint(whole), fingerprint(half)


at_once, in_two = at_once_and_in_two("ema", min(STEPS, 64))
print(f"at once {at_once}, in two parts {in_two}: {'equal' if at_once == in_two else 'different'}")

# %%
# Was your prediction right? Four times the steps are far from four times as good: swd falls slowly,
# and the floor is still a long way off. To the eye most happens early, from smears to flowers of
# one colour; later edges get clearer, a petal here and there. The losses are no guide: one cannot
# tell from them which of the three lines is which. So look now and then, and go on as long as
# pictures or measures get better. Stopping costs nothing.

# %%
# Exercise. ema takes its strength from how many steps there were. Some tricks take theirs from how
# much of the *planned* run is over, so a run made longer cannot be what a long one would have been.
# Name one (`gankit list tricks`, `gankit show NAME`): answer = "..."
answer = None
if answer is not None:
    at_once, in_two = at_once_and_in_two(answer, 8)
    print("Right: it fades over the run." if at_once != in_two else "Not yet: no bit differs.")
