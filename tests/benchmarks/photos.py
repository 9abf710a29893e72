"""Photos to prepare, and the usual ways of reading them as baselines."""

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
from gankit.core.parts.registry import load_registry
from gankit.data.batches import Batches
from gankit.training.settings.compose import compose


def make_photos(folder, count):
    """Write `count` JPEG files of about 500 px into a class folder; return its parent folder.

    They are copies of the files in the folder GANKIT_PHOTOS, or of 40 drawn flowers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = os.environ.get("GANKIT_PHOTOS")
    if source:
        files = sorted(path for path in Path(source).expanduser().iterdir() if path.is_file())
    else:
        files = [folder / f"drawn-{n}.jpg" for n in range(40)]
        for n, pixels in enumerate(Petals(image_size=500).batch(range(40))):
            Image.fromarray(pixels).save(files[n], quality=92)
    class_folder = folder / "photos" / "all"
    class_folder.mkdir(parents=True)
    for n, file in zip(range(count), itertools.cycle(files)):
        shutil.copy(file, class_folder / f"{n:05d}.jpg")
    return class_folder.parent


def image_folder(folder, size):
    """ImageFolder as in the tutorials: it resizes and crops every picture in each epoch."""
    half = (0.5, 0.5, 0.5)
    steps = [
        transforms.Resize(size),
        transforms.CenterCrop(size),
        transforms.ToTensor(),
        transforms.Normalize(half, half),
    ]
    return ImageFolder(folder, transforms.Compose(steps))


def read_epoch_with_loader(dataset, workers, batch_size=64):
    """Read all pictures once with a DataLoader; return how many."""
    loader = DataLoader(dataset, batch_size, shuffle=True, num_workers=workers, drop_last=True)
    return sum(len(images) for images, _ in loader)


def prepare(folder, size):
    """gankit's PreparedDataset of the pictures in a folder."""
    registry = load_registry()
    run = compose(registry, data=[str(folder)], image_size=size, holdout=0.0)
    return gankit.prepare(run, registry)


def read_epoch(prepared, batch_size=64, **options):
    """Read all pictures once with gankit's Batches; return how many."""
    batches = Batches(prepared.pixels, batch_size, seed=0, rows=prepared.train, **options)
    return sum(len(batches[i]) for i in range(len(prepared.train) // batch_size))


def make_batch_loop(size, count, batch_size=64):
    """Return a function that makes gankit's next batch of random bytes, flipped and normalised."""
    pixels = torch.randint(0, 256, (count, size, size, 3), dtype=torch.uint8).numpy()
    batches = Batches(pixels, batch_size, 0, flip=True)
    numbers = itertools.count()
    return lambda: batches[next(numbers)]


def make_plain_batch_loop(size, count, batch_size=64):
    """The same in a few lines of torch, with all pictures in memory."""
    pixels = torch.randint(0, 256, (count, size, size, 3), dtype=torch.uint8)

    def make_batch():
        chosen = pixels[torch.randperm(count)[:batch_size]]
        images = chosen.permute(0, 3, 1, 2).float() / 127.5 - 1
        flip = torch.rand(batch_size) < 0.5
        return torch.where(flip[:, None, None, None], images.flip(3), images)

    return make_batch
