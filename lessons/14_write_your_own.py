"""Lesson 14: write a data set, a model, a trick
=============================================

All parts of gankit are plugins. In this lesson you write a data set, a generator and a trick.

You will learn   what gankit needs of each kind of part, three ways to register a part, and how the
                 conformance tests find mistakes in it.
You should know  lesson 6 (what tricks do) and Python classes.
It takes         about 2 minutes on two cores. GANKIT_LESSON_STEPS=16 makes it short, to try it out.
You will see     `lesson-14.png`: three rows of faces from your data set, and three rows that your
                 GAN has drawn.
Predict          The trick below does not use D. It only pulls the mean of the fakes towards the
                 mean of the real pictures. Could G learn faces from that alone?
Break it         Remove `nn.Tanh()`; let `__getitem__` draw from `np.random.rand()`; misspell
                 `penalty`. Each time, read what gankit says, and note when it says so.
Exercise         In which method does a new trick have to act?

Take it with `gankit lesson 14`, or run `python lessons/14_write_your_own.py`.
"""

# %%
# What all cells need. `hookimpl` marks a method that gankit calls; classes whose names end in Spec
# describe a part to gankit.
import os
import sys
from pathlib import Path
from subprocess import PIPE, STDOUT, run

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import nn

import gankit
from gankit import DatasetSpec, GeneratorSpec, ModelSpec, hookimpl, load_registry, testing
from gankit.runs.images import to_grid

STEPS = int(os.environ.get("GANKIT_LESSON_STEPS", 800))


# %%
# A data set has a length and an index, as in PyTorch. A picture is a PIL image or an array of
# bytes, of any size; gankit crops and resizes it. The same index must always give the same picture,
# or you could not repeat a run: therefore RandomState(index).
class Faces:
    def __len__(self):
        return 2000

    def __getitem__(self, index):
        random = np.random.RandomState(index)
        picture = Image.new("RGB", (128, 128), "white")
        draw = ImageDraw.Draw(picture)
        draw.ellipse((8, 8, 120, 120), f"hsl({random.randint(360)}, 85%, 65%)")
        for eye in (36, 76):
            draw.ellipse((eye, 40, eye + 16, 60), "black")
        mouth = (20, 160) if random.rand() < 0.5 else (200, 340)
        draw.arc((40, 60, 88, 96), *mouth, "black", 8)
        return picture


# %%
# A generator is an ordinary network: z (N, latent_dim) to images (N, C, H, W) in [-1, 1]. gankit
# fills in image_size, channels and latent_dim by name. A parameter with a default becomes an
# option: `enlarger:width=64`. This G enlarges first and then convolves, so it draws no checkerboard
# pattern.
class Enlarger(nn.Module):
    def __init__(self, image_size: int, channels: int, latent_dim: int, width: int = 32):
        super().__init__()
        start = (2 * width, image_size // 4, image_size // 4)
        self.main = nn.Sequential(
            nn.Linear(latent_dim, int(np.prod(start))), nn.Unflatten(1, start),
            nn.BatchNorm2d(2 * width), nn.ReLU(), nn.Upsample(scale_factor=2),
            nn.Conv2d(2 * width, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Upsample(scale_factor=2), nn.Conv2d(width, channels, 3, padding=1), nn.Tanh(),
        )  # fmt: skip

    def forward(self, z):
        return self.main(z)


# %%
# Hooks register the parts, each with a one-line summary. A model is a G and a D that fit together;
# here your G plays against a D of gankit. The first way to register parts is a class with hooks,
# loaded into the registry of this program (below).
class Mine:
    @hookimpl
    def register_datasets(self, register):
        register(DatasetSpec(name="faces", summary="happy and sad", source="me", build=Faces))

    @hookimpl
    def register_generators(self, register):
        register(GeneratorSpec(name="enlarger", summary="my G", source="me", build=Enlarger))

    @hookimpl
    def register_models(self, register):
        register(ModelSpec(name="mine32", summary="my G, dcgan as D", source="me", image_size=32,
                           generator="enlarger", discriminator="dcgan:base_channels=16",
                           settings={"batch_size": 32, "lr_g": 5e-4, "lr_d": 5e-4}))  # fmt: skip


# %%
# The second way is a file, for the command line: `gankit -p FILE ...`. A trick has a method for
# each place in a training step where it may act; docs/hooks.md lists them. This trick is the
# simplest case of feature matching (Salimans et al. 2016, arXiv 1606.03498): the feature is the
# picture itself.
Path("my_trick.py").write_text('''
from gankit import Trick, TrickSpec, hookimpl
class MeanPicture(Trick):
    """A penalty for G: the distance of its mean picture from the mean real picture."""
    def __init__(self, weight: float = 10.0):
        self.weight = weight
        self.distance = None
    def penalty(self, gan, player, real, fake):
        if player is gan.G and self.weight:
            distance = (fake.mean(dim=0) - real.mean(dim=0)).square().mean()
            self.distance = distance.detach()
            return self.weight * distance

    def activity(self):  # for the log
        if self.distance is not None:
            return f"means differ by {float(self.distance) ** 0.5:.3f}"

@hookimpl
def register_tricks(register):
    register(TrickSpec(name="mean-picture", summary="equal means", source="me", build=MeanPicture))
''')

# %%
# The conformance tests: does each part do what gankit and other parts rely on? They train a little,
# in colour and in grey, stop and resume, copy, and repeat. No output means that all tests passed.
sys.path.append(".")
my_trick = __import__("my_trick")
testing.check_dataset("faces", plugin=Mine)
testing.check_generator("enlarger", plugin=Mine, sizes=(32,))
testing.check_trick("mean-picture", plugin=my_trick, off="weight=0", beside=("ema", "r1"))

# %%
# The third way is a package, which other people can install with pip. `new plugin` writes one with
# a working trick, its test and a README. After `pip install ./my-noise`, gankit finds the trick
# without `-p`.
for arguments in ("-p my_trick.py show mean-picture --no-code", "new plugin my-noise --kind trick"):
    print("$ gankit", arguments)
    command = [sys.executable, "-m", "gankit", *arguments.split()]
    print(run(command, stdout=PIPE, stderr=STDOUT, text=True).stdout)

# %%
# All together: train your network on your pictures, with the trick from your file.
registry = load_registry()
registry.load("mine", Mine)
registry.load("my-trick", lambda: my_trick)
mine = gankit.compose(registry, dataset="faces", model="mine32", length=f"{STEPS} steps",
                      tricks=["mean-picture", "ema:decay=0.99"])  # fmt: skip
sampler = gankit.load(gankit.train(mine, registry), registry=registry)
real = torch.from_numpy(np.array(gankit.prepare(mine, registry).pixels[:30])).permute(0, 3, 1, 2)
rows = torch.cat([real / 127.5 - 1, sampler.images(sampler.latents(range(30)))])
to_grid(rows, columns=10).resize((684, 412)).save("lesson-14.png")

# %%
# Was your prediction right? The trick costs nothing if G draws the same picture for every z: the
# blurred mean of all faces. Only D looks at one picture at a time, so only D can ask for more.

# %%
# Exercise. A trick rounds every weight of D to a multiple of 0.01 as soon as the weight has
# changed. In which method does it have to act? Replace None with its name, in quotes.
answer = None
if answer is not None:
    print("Right: after_update(gan, player), where player is gan.D." if answer == "after_update"
          else "Not yet: docs/hooks.md, under A trick, lists every method.")  # fmt: skip
