"""Lesson 10: few pictures
=======================

Many projects have 200 pictures, and that is few. Which network has a problem with it, G or D? You
train on 200 flowers, with and without augmentation, and then on 50, 500 and 5,000. Each run is
tested on as many fresh flowers, which it never trains on.

You will learn   which network memorises pictures, how to detect it, how many pictures are enough,
                 what augmentation does, and what an average of G's weights (EMA) is good for.
You should know  lesson 6: D's input, D(x) and D(G(z)).
It takes         about 4 minutes on two cores. GANKIT_LESSON_STEPS=16 makes it short, to try it out.
You will see     `lesson-10.png`: D's scores over time in three runs, and flowers of these runs with
                 the most similar training pictures.
Predict          D sees each of 200 pictures 160 times. Will G repeat them? Will D recognise them?
                 How real will D find 200 fresh pictures? And what changes with 50 or 5,000?
Break it         Add "diffaugment" to the run with 50 pictures. Is it enough? Then add "flip-labels"
                 to the run with 200 pictures. Does the gap close?
Exercise         Turn the gap into one number, as the authors of ADA do.

Take it with `gankit lesson 10`, or run `python lessons/10_few_pictures.py`.
"""

# %%
# The runs, all equally long. In each, half of the flowers are held out: neither network trains on
# them. diffaugment moves, recolours and covers parts of each picture that D sees, real or fake, so
# D hardly ever sees the same picture twice. Gradients pass through it, so G still learns. ema keeps
# an average of G's weights and draws samples with it; it does not affect training.
import os

import torch
from PIL import Image, ImageDraw, ImageFont

import gankit
from gankit import compose, hookimpl, load_registry, train
from gankit.runs.images import to_grid

STEPS = int(os.environ.get("GANKIT_LESSON_STEPS", 1000))
SHARED = {"holdout": 0.5, "image_size": 32, "batch_size": 32, "model": "dcgan64:base_channels=16",
          "lr_g": 5e-4, "lr_d": 5e-4, "length": f"{STEPS} steps"}  # fmt: skip
EMA = "ema:decay=0.998"
RUNS = {  # name: training pictures, tricks
    "200 pictures": (200, [EMA]),
    "200, augmented": (200, ["diffaugment", EMA]),
    "50 pictures": (50, [EMA]),
    "500 pictures": (500, [EMA]),
    "5,000 pictures": (5000, [EMA]),
}
if STEPS < 100:
    del RUNS["500 pictures"], RUNS["5,000 pictures"]  # for a short try


# %%
# An observer is a plugin that gankit calls during a run (docs/hooks.md), `step_done` every tenth
# step. In this one, D scores up to 100 pictures that it trains on, and as many fresh ones that it
# never saw. If D has learned what flowers look like, it finds both equally real.
def to_images(pixels):
    """Bytes (N, H, W, 3) as images (N, 3, H, W) in [-1, 1]."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2) / 127.5 - 1


class RecordScores:
    @hookimpl
    def run_started(self, run, gan):
        self.gan = gan
        self.history = []  # (step, mean score of training pictures, mean score of fresh ones)
        prepared = gankit.prepare(run)
        self.train_images = to_images(prepared.pixels[prepared.train[:100]]).to(run.device)
        self.fresh_images = to_images(prepared.pixels[prepared.holdout[:100]]).to(run.device)

    @hookimpl
    def step_done(self, step):
        self.history.append((step, self.score(self.train_images), self.score(self.fresh_images)))

    @torch.no_grad()
    def score(self, images):
        return self.gan.D.net(images).sigmoid().mean().item()


# %%
# Train all runs, each in its own folder under `runs/`.
folders = {}
histories = {}
networks = {}
for name, (count, tricks) in RUNS.items():
    print(f"\n{name}:", flush=True)
    recorder = RecordScores()
    registry = load_registry()
    registry.load("scores", lambda recorder=recorder: recorder)
    run = compose(registry, **SHARED, dataset=f"petals:count={2 * count}", tricks=tricks)
    folders[name] = train(run, registry)
    histories[name] = recorder.history
    networks[name] = recorder.gan.G.net.eval().cpu()

# %%
# How real does D find pictures in the last third of each run? gankit's doctor asks a copy of D the
# same while any run trains, so that D is not disturbed. If D knows its pictures by heart, the
# doctor calls it `d-overfits`: see `gankit doctor RUN`.
for name, history in histories.items():
    last = history[-max(1, len(history) // 3) :]
    own = sum(row[1] for row in last) / len(last)
    fresh = sum(row[2] for row in last) / len(last)
    print(f"{name}: D scores its training pictures {own:.2f}, fresh ones {fresh:.2f},"
          f" a gap of {own - fresh:.2f}")  # fmt: skip

# %%
# Does G copy? For each picture of G, `memorising` compares the distance to the nearest training
# picture with the distance to the nearest held-out one: 0.5 means no difference, 1 means copies. To
# see that the number works, measure real copies, too.
SHOWN = ("200 pictures", "200, augmented", "50 pictures")
copies = {}
for name in SHOWN:
    prepared = gankit.prepare(gankit.load(folders[name]).run)
    copies[name] = prepared.pixels[prepared.train]
    for label, pictures in ((name, None), ("copies", copies[name])):
        (result,) = gankit.evaluate(folders[name], ["memorising"], samples=200, pictures=pictures)
        print(f"memorising, {label}: {result.value:.2f} ({result.low:.2f} to {result.high:.2f})")

# %%
# Flowers for the picture, all from the same z and drawn with the average of G's weights. Below each
# is the most similar training picture. The last rows compare the average with the last weights.
z = gankit.load(folders["200 pictures"]).latents(range(10))
flowers = {name: gankit.load(folders[name]).images(z) for name in SHOWN}
strips = {}
for name in SHOWN:
    train_images = to_images(copies[name])
    nearest = torch.cdist(flowers[name].flatten(1), train_images.flatten(1)).argmin(dim=1)
    both = torch.cat([flowers[name], train_images[nearest]])
    strips[f"{name}: G's flowers above, the most similar training pictures below"] = both
with torch.no_grad():
    last = networks["200 pictures"](z)
both = torch.cat([last, flowers["200 pictures"]])
strips["200 pictures: drawn with G's last weights above, with their average (ema) below"] = both

# %%
# The picture: the scores over time on the left, the flowers on the right.
sheet = Image.new("RGB", (1010, 680), "white")
draw = ImageDraw.Draw(sheet)
font = ImageFont.load_default(14)
for row, (name, images) in enumerate(strips.items()):
    strip = to_grid(images, columns=10)
    draw.text((320, 170 * row), name, "black", font)
    sheet.paste(strip.resize((2 * strip.width, 2 * strip.height)), (318, 170 * row + 20))
for number, name in enumerate(SHOWN):
    top = 20 + 170 * number
    draw.text((12, top - 20), f"{name}: D's score, from 0 to 1", "black", font)
    draw.rectangle((10, top, 300, top + 140), "#f2f2f2")
    for column, colour in ((2, "#c03030"), (1, "#208040")):
        points = [(10 + 290 * row[0] / STEPS, top + 140 * (1 - row[column]))
                  for row in histories[name]]  # fmt: skip
        draw.line(points, colour, 2)
draw.text((12, 510), "green: training pictures", "#208040", font)
draw.text((12, 530), "red: fresh pictures", "#c03030", font)
sheet.save("lesson-10.png")

# %%
# Was your prediction right? With 200 pictures, G copies nothing: its flowers differ from the most
# similar training pictures. It is D that memorises. D doubts fresh flowers (red) as if they were
# fakes, and what it then teaches G is what just these 200 have in common. With 50 pictures the gap
# is far larger, and G comes closer to the training pictures, too; with 500 the gap is small, with
# 5,000 it is gone. (Photographs need more pictures than these simple flowers.) With augmentation
# the curves stay together. In so short a run the flowers hardly profit from it yet, because it also
# makes D's task harder. The average (ema) draws the same flowers with a little less grain.

# %%
# Exercise. D scores its training pictures 0.95, fresh pictures 0.55 and fakes 0.05. How far are the
# fresh pictures from the training pictures, as a share of the distance to the fakes? (The authors
# of ADA watch this number: arXiv 2006.06676, r_v.) Replace None with the number.
answer = None
if answer is not None:
    print("Right: nearly half of what D knows, it has memorised." if abs(answer - 4 / 9) < 0.01
          else "Not yet: from training pictures to fakes, it is 0.95 - 0.05.")  # fmt: skip
