"""Lesson 14: write a data set, a model, a trick
=============================================

All parts of gankit are plugins. Here are a data set, a generator and a trick of your own.

You will learn   what gankit wants of each kind of part, three ways to hand it in, and how to let
                 the conformance kit find your mistakes before others do.
You should know  lesson 6 (what tricks do) and Python classes.
It takes         about 2 minutes on two cores. GANKIT_LESSON_STEPS=16 only tries it out.
You will see     `lesson-14.png`: three rows of faces, and three that a GAN of yours has drawn.
Predict          The trick below asks nothing of D, only that the mean of the fakes is that of
                 real pictures. Could G learn faces from that alone?
Break it         Leave `nn.Tanh()` away, let `__getitem__` draw from `np.random.rand()`, misspell
                 `penalty`. Each time, read what gankit says, and when.
Exercise         Where in a step does a trick of your choice have to act?

Take it with `gankit lesson 14`, or run `python lessons/14_write_your_own.py`.
"""

# %%
# A data set is anything with a length and an index. A picture is a PIL image or an array of bytes,
# of any size; gankit fits it. The same index must give the same picture, or no run could be
# repeated: hence RandomState(index).
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
# A generator is an ordinary network: z (N, latent_dim) to images (N, C, H, W) in [-1, 1]. What the
# run decides is filled in by name; a parameter with a default is an option, `enlarger:width=64`.
# This one enlarges first and then convolves, so it leaves no checkerboards.
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
# Hooks hand the parts in, each with a line of words. A model is two networks that suit each other;
# here yours plays against a D of gankit. The first way to let gankit know is a class with hooks,
# given to the registry of this program.
class Mine:
    @hookimpl
    def register_datasets(self, register):
        register(DatasetSpec(name="faces", summary="glad and sad", source="me", build=Faces))

    @hookimpl
    def register_generators(self, register):
        register(GeneratorSpec(name="enlarger", summary="my G", source="me", build=Enlarger))

    @hookimpl
    def register_models(self, register):
        register(ModelSpec(name="mine32", summary="mine against dcgan", source="me", image_size=32,
                           generator="enlarger", discriminator="dcgan:base_channels=16",
                           settings={"batch_size": 32, "lr_g": 5e-4, "lr_d": 5e-4}))  # fmt: skip


# %%
# The second way is a file, for the command line: `gankit -p FILE ...`. A trick has a method for
# each place in a step where it may act; docs/hooks.md has them all. This one is the simplest case
# of feature matching (Salimans et al. 2016, arXiv 1606.03498): the feature is the picture itself.
Path("my_trick.py").write_text('''
from gankit import Trick, TrickSpec, hookimpl
class MeanPicture(Trick):
    """G pays for the distance of its mean picture from that of real ones."""
    def __init__(self, weight: float = 10.0):
        self.weight, self.apart = weight, 0.0
    def penalty(self, gan, player, real, fake):
        if player is gan.G and self.weight:
            apart = (fake.mean(dim=0) - real.mean(dim=0)).square().mean()
            self.apart = apart.detach()
            return self.weight * apart

    def activity(self):  # for the log
        return f"means differ by {float(self.apart) ** 0.5:.3f}" if self.apart else None

@hookimpl
def register_tricks(register):
    register(TrickSpec(name="mean-picture", summary="like means", source="me", build=MeanPicture))
''')

# %%
# The conformance kit: does each keep to what gankit, and other people's parts, rely on? It trains
# a little, in colour and grey, stops and goes on, copies, repeats. Silence means yes.
sys.path.append(".")
my_trick = __import__("my_trick")
testing.check_dataset("faces", plugin=Mine)
testing.check_generator("enlarger", plugin=Mine, sizes=(32,))
testing.check_trick("mean-picture", plugin=my_trick, off="weight=0", beside=("ema", "r1"))

# %%
# The third way is a package, which others install with pip. `new plugin` writes one, with a trick
# that works, its test and a README; `pip install ./my-noise` puts it beside gankit's own parts.
for words in ("-p my_trick.py show mean-picture --no-code", "new plugin my-noise --kind trick"):
    print("$ gankit", words)
    typed = [sys.executable, "-m", "gankit", *words.split()]
    print(run(typed, stdout=PIPE, stderr=STDOUT, text=True).stdout)

# %%
# All together: your pictures, your network, your trick out of its file.
registry = load_registry()
registry.load("mine", Mine)
registry.load("my-trick", lambda: my_trick)
mine = gankit.compose(registry, dataset="faces", model="mine32", length=f"{STEPS} steps",
                      tricks=["mean-picture", "ema:decay=0.99"])  # fmt: skip
faces = gankit.load(gankit.train(mine, registry), registry=registry)
real = torch.from_numpy(np.array(gankit.prepare(mine, registry).pixels[:30])).permute(0, 3, 1, 2)
rows = torch.cat([real / 127.5 - 1, faces.images(faces.latents(range(30)))])
to_grid(rows, columns=10).resize((684, 412)).save("lesson-14.png")

# %%
# Was your prediction right? The trick is content if G draws one face for every z, the mean of all.
# It takes a D, who sees one picture at a time, to ask for more.

# %%
# Exercise. A trick shall round every weight of D to a multiple of 0.01 as soon as it has moved. In
# which method must it act? Put its name, as a text, in the place of None.
answer = None
if answer is not None:
    print("Right: after_update(gan, player), where player is gan.D." if answer == "after_update"
          else "Not yet: docs/hooks.md, under A trick, has every place.")  # fmt: skip
