"""Photos to prepare, and the usual ways of reading them as yardsticks."""

import itertools
import os
import shutil
from pathlib import Path

import torch
from gankit_flowers.petals import Petals
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

import gankit
from gankit.core.registry import load_registry
from gankit.data.batches import Batches
from gankit.training.compose import compose


def photos(folder, count):
    """`count` JPEG files of about 500 px in a class folder: those in GANKIT_PHOTOS, or drawn."""
    folder.mkdir(parents=True, exist_ok=True)
    given = os.environ.get("GANKIT_PHOTOS")
    if given:
        files = sorted(path for path in Path(given).expanduser().iterdir() if path.is_file())
    else:
        files = [folder / f"drawn-{n}.jpg" for n in range(40)]
        for n, pixels in enumerate(Petals(image_size=500).batch(range(40))):
            Image.fromarray(pixels).save(files[n], quality=92)
    place = folder / "photos" / "all"
    place.mkdir(parents=True)
    for n, file in zip(range(count), itertools.cycle(files)):
        shutil.copy(file, place / f"{n:05d}.jpg")
    return place.parent


def usual_data(folder, size):
    """ImageFolder with Resize and CenterCrop: what the tutorials do, in every epoch."""
    steps = [transforms.Resize(size), transforms.CenterCrop(size), transforms.ToTensor()]
    half = (0.5, 0.5, 0.5)
    return ImageFolder(folder, transforms.Compose([*steps, transforms.Normalize(half, half)]))


def usual_epoch(data, workers, batch_size=64):
    """Read all pictures once, as batches; returns how many."""
    loader = DataLoader(data, batch_size, shuffle=True, num_workers=workers, drop_last=True)
    return sum(len(images) for images, _ in loader)


def prepared(folder, size, registry=None):
    registry = registry or load_registry()
    run = compose(registry, data=[str(folder)], image_size=size, holdout=0.0)
    return gankit.prepare(run, registry, lambda done, total: None)


def epoch(ready, batch_size=64, **turns):
    """Read all pictures once, as batches; returns how many."""
    batches = Batches(ready.pixels, batch_size, seed=0, rows=ready.train, **turns)
    return sum(len(batches[i]) for i in range(len(ready.train) // batch_size))


def batch_loop(size, count, batch_size=64):
    """Batches of random bytes, mirrored and normalised: a function that takes the next one."""
    pixels = torch.randint(0, 256, (count, size, size, 3), dtype=torch.uint8).numpy()
    batches, numbers = Batches(pixels, batch_size, 0, flip=True), itertools.count()
    return lambda: batches[next(numbers)]


def usual_batch_loop(size, count, batch_size=64):
    """The same in the plainest way that keeps all in memory."""
    pixels = torch.randint(0, 256, (count, size, size, 3), dtype=torch.uint8)

    def batch():
        images = pixels[torch.randperm(count)[:batch_size]].permute(0, 3, 1, 2).float() / 127.5 - 1
        mirrored = torch.rand(batch_size) < 0.5
        return torch.where(mirrored[:, None, None, None], images.flip(3), images)

    return batch
