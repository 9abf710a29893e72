"""Lesson 16: heal the run
=======================

Three runs are broken, and nobody tells you how. You examine them as a doctor does: look at the
pictures and curves, name what is wrong, prove it with a number, cure it with one change, and
compare. A cure is right if the finding is gone and the pictures are better, not if it sounds right.

You will learn   to find out what is wrong with a run that you have never seen, to prove it, and to
                 tell a cure from a change that only hides the trouble.
You should know  lessons 5 and 6.
It takes         about 2 minutes on two cores. GANKIT_LESSON_STEPS=16 only tries it out.
You will see     `lesson-16.png`: the grids and curves of three patients, and below them those of
                 the same runs after the cure.
Predict          In one of the three, both players are healthy: the losses and D's answers look as
                 they should. What else can be wrong with a run?
Break it         Cure patient 7 with `{"lr_d": 1e-9}`: it also ends the finding, and no picture
                 gets better. Which finding takes its place?
Exercise         Name a run by two facts.

Start it with `gankit lesson 16`, or run `python lessons/16_heal_the_run.py`.
"""

# %%
# The patients are those of `gankit patient`, under their numbers there. `silent` takes away the
# live view and what gankit's doctor says: both would tell you what is wrong.
import os
from pathlib import Path
from statistics import median

from gankit_doctor import examine
from gankit_lessons.patients.patients import PATIENTS
from gankit_lessons.patients.train import silent
from PIL import Image

from gankit import compose, evaluate, load_registry, train
from gankit.runs.figures import plot, read_log, sheet

STEPS = int(os.environ.get("GANKIT_LESSON_STEPS", 480))
NUMBERS = (7, 3, 8)
registry = silent(load_registry())


def train_patient(number, **cure):
    """Train a patient, with the settings of a cure if there is one; returns its folder."""
    settings = {**PATIENTS[number].case.settings, "steps": STEPS, **cure}
    return train(compose(registry, **settings), registry)


broken = {}
for number in NUMBERS:
    broken[number] = train_patient(number)
    print(f"patient {number}: {STEPS} steps", flush=True)


# %%
# Look. On the left of each picture the last grid, on the right the losses and D's answers. Before
# you read on, write down for each patient: does G draw anything? Are its pictures varied? Which
# player is ahead?
def draw(folder):
    """The upper half of the last grid, beside the curves."""
    log = read_log(folder)
    losses = {"d_loss": log["d_loss"], "g_loss": log["g_loss"]}
    answers = {"D(x)": log["d_real"], "D(G(z))": log["d_fake"]}
    grid = Image.open(max(Path(folder, "samples").glob("*.png")))
    picture = Image.new("RGB", (grid.width + 200, grid.height // 2), "white")
    picture.paste(grid.crop((0, 0, grid.width, grid.height // 2)), (0, 0))
    half = picture.height // 2
    picture.paste(plot(losses, 0, 6, (200, half)), (grid.width, 0))
    picture.paste(plot(answers, 0, 1, (200, half)), (grid.width, half))
    return picture


tiles = {f"patient {number}": draw(folder) for number, folder in broken.items()}
sheet(tiles, 3).save("lesson-16.png")
print(f"look, before you read on: {Path('lesson-16.png').resolve()}")

# %%
# Prove it. A name without a number is a guess. gankit's doctor looks at a run from time to time,
# and writes what it sees into log.csv. A few of its columns:
# - `doctor.auc`: how well D tells real pictures from G's; 1 means without an error, 0.5 not at all.
# - `doctor.simple`: how well a single simple number, such as the mean colour, tells them.
# - `doctor.far`: how far G's pictures are from real ones; 0 is the best, 1 is nothing alike.
# - `doctor.turnover`: how much the same place of the grid changes from one look to the next.
COLUMNS = ("d_loss", "g_loss", "doctor.auc", "doctor.simple", "doctor.far", "doctor.turnover")


def late_median(column):
    """The median over the last quarter of a column, without its empty cells."""
    values = [value for value in column if value == value]  # NaN differs from itself
    return median(values[-max(1, len(values) // 4) :]) if values else float("nan")


print(f"{'':12}", *(f"{name:>16}" for name in COLUMNS))
for number, folder in broken.items():
    log = read_log(folder)
    values = [late_median(log[name]) if name in log else float("nan") for name in COLUMNS]
    print(f"patient {number:4}", *(f"{value:16.2f}" for value in values))

# %%
# Name it. Now ask the doctor. `gankit doctor RUN` prints the same with the cure as a command that
# you can paste. It names first what it takes for the cause; what follows from that comes later.
for number, folder in broken.items():
    diagnosis = examine(folder)
    names = ", ".join(finding.name for finding in diagnosis.findings)
    print(f"patient {number}: {diagnosis.verdict}. Findings: {names or 'none'}")

# %%
# Cure it: one change for each. What was wrong?
# - D learned far faster than G, and G heard nothing but "fake". It gets the same learning rate.
# - Half of D's targets were wrong, so D could not see what you see. The trick goes.
# - Both players were healthy. But the pictures are drawn with an average of G's weights, and that
#   average hardly moved from where it began. It goes, too.
CURES = {7: {"lr_g": 5e-4, "lr_d": 5e-4}, 3: {"tricks": "none"}, 8: {"tricks": "none"}}
cured = {}
for number, cure in CURES.items():
    cured[number] = train_patient(number, **cure)
    print(f"patient {number}, with {cure}: {STEPS} steps", flush=True)

# %%
# Compare, at the same number of steps and with the same seed. Is the finding gone? And are the
# pictures better, by a number that the doctor does not use? SWD is the distance of small patches of
# G's pictures from those of real ones (lesson 13): lower is better.
samples = min(300, 4 * STEPS)
for number in NUMBERS:
    before, after = broken[number], cured[number]
    distances = [evaluate(folder, "swd", samples=samples)[0].value for folder in (before, after)]
    verdicts = [examine(folder).verdict for folder in (before, after)]
    print(f"patient {number}: {verdicts[0]}, then {verdicts[1]};"
          f" swd {distances[0]:.0f}, then {distances[1]:.0f}")  # fmt: skip
tiles |= {f"patient {number}, cured": draw(folder) for number, folder in cured.items()}
sheet(tiles, 3).save("lesson-16.png")

# %%
# Was your prediction right? A run has more parts than two players: how pictures are drawn, what D
# is told, what it is shown. Curves of losses see none of it. That is why you look at the pictures
# first, and why a cure is judged by the pictures, too.
#
# The three cured runs end in the same place, and not by chance: without what was wrong, they are
# the same run. In a run of your own there may be two troubles at once. Then change one thing at a
# time, and compare after each.
#
# More patients wait in `gankit patient`. There you get no names: you type one, and one command.

# %%
# Exercise. D answers 0.5 to real pictures and 0.5 to fakes, and you can tell all of the fakes at a
# glance. Which finding is it? One of: "mode-collapse", "d-dominates", "d-too-weak", "stalled".
answer = None
if answer is not None:
    print("Right: D sees less than you do, so it cannot teach G." if answer == "d-too-weak"
          else "Not yet: who should see the difference, and does not?")  # fmt: skip
