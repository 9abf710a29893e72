"""Lesson 11: losses and penalties
===============================

The loss says what D and G want. A penalty, or a norm, says how steep D may be while they want it.
Six short runs from the same weights and the same z, and what their curves can and cannot tell.

You will learn   what hinge, Wasserstein, R1 and spectral norm change, why losses of different kinds
                 cannot be compared, and why a critic needs a bound.
You should know  lesson 5: what d_loss and g_loss say under the usual loss.
It takes         about 3 minutes on two cores. GANKIT_LESSON_STEPS=16 only tries it out.
You will see     `lesson-11.png`: for each run its two losses, how steep D is, and its flowers,
                 which have hardly begun to open: in 400 steps, causes are seen best.
Predict          Wasserstein's critic may give any number as its answer, and nothing holds it. What
                 will its loss do? What will its slope do?
Break it         Ask for loss="wasserstein" with tricks=["smooth-labels"]. What does gankit say, and
                 why is it right? Then give r1 a hundred times its weight.
Exercise         Work out a hinge loss by hand.

Take it with `gankit lesson 11`, or run `python lessons/11_losses_and_penalties.py`.
"""

# %%
# Six games: three losses, each alone and with a bound. What is not named stays as it is. R1 charges
# D for being steep at real pictures: gamma / 2 times the mean squared slope. Spectral norm divides
# each layer of D by the most that it can stretch anything. Neither asks for a certain loss.
import os

import torch
from PIL import Image, ImageDraw, ImageFont

import gankit
from gankit import compose, hookimpl, load_registry, train
from gankit.runs.images import to_grid

STEPS = int(os.environ.get("GANKIT_LESSON_STEPS", 400))
GAMES = {
    "non-saturating": {},  # D: real or fake? G: maximise log D(G(z))
    "non-saturating, r1": {"tricks": ["r1:gamma=1"]},  # the same, and be flat at real pictures
    "hinge": {"loss": "hinge"},  # D: right by a margin of one, and no more
    "hinge, spectral-norm": {"loss": "hinge", "tricks": ["spectral-norm"]},
    "wasserstein": {"loss": "wasserstein"},  # D: reals as high as can be, fakes as low as can be
    "wasserstein, r1": {"loss": "wasserstein", "tricks": ["r1:gamma=1"]},
}
SAME = {"dataset": "petals", "model": "dcgan64:base_channels=16", "image_size": 32,
        "batch_size": 32, "lr_g": 5e-4, "lr_d": 5e-4, "seed": 0,
        "length": f"{STEPS} steps"}  # fmt: skip


# %%
# An observer as in lesson 10. It writes down the losses and how steep D is at real pictures: how
# much D's answer changes when a picture changes a little, in the direction where it changes most.
class Curves:
    @hookimpl
    def run_started(self, run, gan):
        prepared = gankit.prepare(run)
        real = torch.from_numpy(prepared.pixels[prepared.train[:32]]).permute(0, 3, 1, 2)
        self.real = real.to(run.device) / 127.5 - 1  # (32, 3, 32, 32) in [-1, 1]
        self.gan, self.seen = gan, []

    @hookimpl
    def step_done(self, step, scalars):
        real = self.real.clone().requires_grad_()
        (slope,) = torch.autograd.grad(self.gan.D.net(real).sum(), real)  # one for each pixel
        steepness = slope.flatten(1).norm(dim=1).mean().item()  # one for each picture, their mean
        self.seen.append((step, scalars["d_loss"], scalars["g_loss"], steepness))


# %%
# The six runs, each with its own folder under `runs/`.
curves, drawn = {}, {}
for name, game in GAMES.items():
    registry, curves[name] = load_registry(), Curves()
    registry.load("curves", lambda watch=curves[name]: watch)
    sampler = gankit.load(train(compose(registry, **SAME, **game), registry))
    drawn[name] = sampler.images(sampler.latents(range(20)))

# %%
# The same numbers as a table: at a tenth of the run, and at its end.
print(f"{'':28} d_loss           g_loss           slope of D")
for name, watch in curves.items():
    early, late = watch.seen[len(watch.seen) // 10], watch.seen[-1]
    pairs = (f"{early[i]:7.2f} {late[i]:7.2f}" for i in (1, 2, 3))
    print(f"{name:28} {'  '.join(pairs)}")

# %%
# The picture. Every drawing has its own scale, whose ends are written beside it: d_loss is blue,
# g_loss orange; in the second drawing, the slope.
sheet = Image.new("RGB", (1020, 152 * len(GAMES)), "white")
draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)


def drawing(left, top, rows, columns):
    """Curves of some columns of the rows, between the lowest and the highest number in them."""
    values = [row[i] for row in rows for i in columns]
    low, high = min(*values, 0), max(*values, 0.01)
    draw.rectangle((left, top, left + 150, top + 120), "#f2f2f2")
    for i in columns:
        points = [(left + 150 * row[0] / STEPS, top + 120 * (high - row[i]) / (high - low))
                  for row in rows]  # fmt: skip
        draw.line(points, ("#2050b0", "#e08020", "#208040")[i - 1], 2)
    draw.text((left + 4, top), f"{high:.1f}", "black", font)
    draw.text((left + 4, top + 104), f"{low:.1f}", "black", font)


for row, (name, watch) in enumerate(curves.items()):
    draw.text((8, 152 * row + 4), name, "black", font)
    drawing(8, 152 * row + 24, watch.seen, (1, 2))
    drawing(166, 152 * row + 24, watch.seen, (3,))
    strip = to_grid(drawn[name], columns=10)
    sheet.paste(strip.resize((2 * strip.width, 2 * strip.height)), (326, 152 * row + 8))
sheet.save("lesson-11.png")

# %%
# Was your prediction right? Wasserstein's critic pulls its answers apart without end: its loss is
# as large as they are, and means nothing by itself. D becomes steep, G is thrown about, and its
# flowers are blotches. With r1 the same loss stays within reach, and there are flowers again. Under
# the usual loss, r1 keeps D as steep as it began, and each flower has a colour and an outline. So
# non-saturating and hinge hold themselves, and a bound helps; Wasserstein cannot do without one
# (its own is wgan-gp, with several D steps for each of G: slow). Spectral norm made flowers pale
# here. It was published for a D without batch norm, which scales up again what was scaled down. And
# never compare losses of different kinds: the lowest d_loss in the table is that of the worst run.

# %%
# Exercise. Under the hinge loss, D says 1.5 to a real picture and -0.2 to a fake. What is d_loss?
# `gankit show hinge` has the formula. Put the number in the place of None.
answer = None
if answer is not None:
    print("Right: D is content with the real one, not yet with the fake."
          if abs(answer - 0.8) < 1e-6 else "Not yet: an answer beyond the margin of 1 costs "
          "nothing, and nothing is won by it either.")  # fmt: skip
