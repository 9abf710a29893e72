"""Lesson 11: losses and penalties
===============================

The loss says what D and G try to reach. A penalty, or a norm, limits how steep D may become while
they try. This lesson trains six short runs from the same weights and the same z, and shows what
their curves can tell you and what they cannot.

You will learn   what hinge, Wasserstein, R1 and spectral norm change, why you cannot compare losses
                 of different kinds, and why a Wasserstein critic needs a bound.
You should know  lesson 5: what d_loss and g_loss tell under the non-saturating loss.
It takes         about 3 minutes on two cores. GANKIT_LESSON_STEPS=16 makes it short, to try it out.
You will see     `lesson-11.png`: for each run its two losses, how steep D is, and 20 flowers. After
                 400 steps they are hardly flowers yet, but the effect of each loss is already
                 visible.
Predict          A Wasserstein critic may answer with any number, and nothing limits it. What will
                 its loss do? How will its slope change?
Break it         Train with loss="wasserstein" and tricks=["smooth-labels"]. What does gankit say,
                 and why is it right? Then give r1 a hundred times its weight.
Exercise         Work out a hinge loss by hand.

Take it with `gankit lesson 11`, or run `python lessons/11_losses_and_penalties.py`.
"""

# %%
# Six runs: three losses, each without and with a bound for D. All other settings are equal. R1 adds
# a penalty to D's loss: gamma / 2 times the mean squared slope of D at real pictures. Spectral norm
# divides the weights of each layer of D by the largest factor by which the layer can stretch its
# input. Both work with every loss.
import os
from statistics import median

import torch
from PIL import Image, ImageDraw, ImageFont

import gankit
from gankit import compose, hookimpl, load_registry, train
from gankit.runs.images import to_grid

STEPS = int(os.environ.get("GANKIT_LESSON_STEPS", 400))
RUNS = {
    "non-saturating": {},  # D: is it real or fake? G: maximise log D(G(z))
    "non-saturating, r1": {"tricks": ["r1:gamma=1"]},  # the same, and D stays flat at real pictures
    "hinge": {"loss": "hinge"},  # D: be right by a margin of 1, and no more
    "hinge, spectral-norm": {"loss": "hinge", "tricks": ["spectral-norm"]},
    "wasserstein": {"loss": "wasserstein"},  # D: answer high for reals and low for fakes
    "wasserstein, r1": {"loss": "wasserstein", "tricks": ["r1:gamma=1"]},
}
SHARED = {"dataset": "petals", "model": "dcgan64:base_channels=16", "image_size": 32,
          "batch_size": 32, "lr_g": 5e-4, "lr_d": 5e-4, "seed": 0,
          "length": f"{STEPS} steps"}  # fmt: skip


# %%
# An observer, as in lesson 10. It records both losses and how steep D is at real pictures: how much
# D's answer changes when a picture changes a little, in the direction of the largest change.
class RecordCurves:
    @hookimpl
    def run_started(self, run, gan):
        prepared = gankit.prepare(run)
        real = torch.from_numpy(prepared.pixels[prepared.train[:32]]).permute(0, 3, 1, 2)
        self.real = real.to(run.device) / 127.5 - 1  # (32, 3, 32, 32) in [-1, 1]
        self.gan = gan
        self.history = []  # (step, d_loss, g_loss, slope)

    @hookimpl
    def step_done(self, step, scalars):
        real = self.real.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(self.gan.D.net(real).sum(), real)  # (32, 3, 32, 32)
        slope = gradient.flatten(1).norm(dim=1).mean().item()  # a norm for each picture, their mean
        self.history.append((step, scalars["d_loss"], scalars["g_loss"], slope))


# %%
# Train the six runs, each in its own folder under `runs/`.
curves = {}
flowers = {}
for name, settings in RUNS.items():
    print(f"\n{name}:", flush=True)
    recorder = RecordCurves()
    registry = load_registry()
    registry.load("curves", lambda recorder=recorder: recorder)
    sampler = gankit.load(train(compose(registry, **SHARED, **settings), registry))
    curves[name] = recorder.history
    flowers[name] = sampler.images(sampler.latents(range(20)))

# %%
# The numbers as a table: each is the median of the first quarter of the run, then of the last. A
# median, because single steps jump.
print(f"{'':28} d_loss           g_loss           slope of D")
for name, history in curves.items():
    quarter = max(1, len(history) // 4)
    pairs = []
    for column in (1, 2, 3):
        first = median(row[column] for row in history[:quarter])
        last = median(row[column] for row in history[-quarter:])
        pairs.append(f"{first:7.2f} {last:7.2f}")
    print(f"{name:28} {'  '.join(pairs)}")

# %%
# A sheet for the picture, and a function that draws some columns of a history as curves. Each plot
# has its own scale; the numbers at its left are the lowest and the highest value.
sheet = Image.new("RGB", (1020, 152 * len(RUNS) + 20), "white")
draw = ImageDraw.Draw(sheet)
font = ImageFont.load_default(14)
COLOURS = {1: "#2050b0", 2: "#e08020", 3: "#208040"}


def plot(left, top, history, columns):
    values = [row[column] for row in history for column in columns]
    low = min(*values, 0)
    high = max(*values, 0.01)
    draw.rectangle((left, top, left + 150, top + 120), "#f2f2f2")
    for column in columns:
        points = [(left + 150 * row[0] / STEPS, top + 120 * (high - row[column]) / (high - low))
                  for row in history]  # fmt: skip
        draw.line(points, COLOURS[column], 2)
    draw.text((left + 4, top), f"{high:.1f}", "black", font)
    draw.text((left + 4, top + 104), f"{low:.1f}", "black", font)


# %%
# The picture: a row for each run, with its losses, its slope and its flowers.
for left, label, column in ((8, "d_loss", 1), (80, "g_loss", 2), (166, "slope of D", 3)):
    draw.text((left, 2), label, COLOURS[column], font)
for row, (name, history) in enumerate(curves.items()):
    top = 152 * row + 20
    draw.text((8, top + 4), name, "black", font)
    plot(8, top + 24, history, (1, 2))
    plot(166, top + 24, history, (3,))
    strip = to_grid(flowers[name], columns=10)
    sheet.paste(strip.resize((2 * strip.width, 2 * strip.height)), (326, top + 8))
sheet.save("lesson-11.png")

# %%
# Was your prediction right? Without a bound, the Wasserstein critic moves its answers for reals and
# fakes further and further apart. Its loss is as large as these answers and tells you nothing by
# itself. D becomes steep, G gets huge gradients, and its flowers are blotches. With r1, the same
# loss stays moderate, and there are flowers again. Under the non-saturating loss, r1 keeps D about
# as steep as it was at the start, and the flowers tend to have clearer outlines. So non-saturating
# and hinge work without a bound, and a bound helps; Wasserstein needs one. (Its own bound is
# wgan-gp, usually with several steps of D for each step of G, which is slow.) Spectral norm makes
# the flowers pale here. It was published for a D without batch norm, because batch norm scales up
# again what spectral norm has scaled down. And never compare losses of different kinds: the lowest
# d_loss in the table belongs to the worst run.

# %%
# Exercise. Under the hinge loss, D answers 1.5 for a real picture and -0.2 for a fake. What is
# d_loss? `gankit show hinge` shows the formula. Replace None with the number.
answer = None
if answer is not None:
    print("Right: D is content with the real picture, but not yet with the fake."
          if abs(answer - 0.8) < 1e-6 else "Not yet: an answer beyond the margin of 1 costs "
          "nothing, and gains nothing either.")  # fmt: skip
