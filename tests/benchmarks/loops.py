"""Two training loops to compare, the textbook's and gankit's, on pictures of random bytes.

As a script, it answers each line on stdin with the mean seconds of a step:
`python loops.py own textbook 64 64 64`.
"""

import itertools
import sys
import time

import numpy as np
import torch
from gankit_dcgan.nets import Discriminator, Generator
from gankit_metrics import features
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from gankit.compute.allocator import tune_allocator
from gankit.testing.gpu import speed
from gankit.training import assemble


def make_networks(size, base):
    """G and D of DCGAN for pictures of `size` px, with `base` channels."""
    torch.manual_seed(0)
    return Generator(size, base_channels=base), Discriminator(size, base_channels=base)


def random_pixels(size, count):
    """Random pictures: a uint8 array (count, size, size, 3)."""
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def textbook(size, base, batch):
    """Return the step of the tutorials' DCGAN loop: the loop of lesson 1, in float32.

    Adam is not fused, and D is not frozen in G's step.
    """
    G, D = make_networks(size, base)
    adam_g = torch.optim.Adam(G.parameters(), 2e-4, (0.5, 0.999), foreach=False, fused=False)
    adam_d = torch.optim.Adam(D.parameters(), 2e-4, (0.5, 0.999), foreach=False, fused=False)
    bce = nn.BCEWithLogitsLoss()
    ones = torch.ones(batch)
    zeros = torch.zeros(batch)
    pixels = torch.tensor(random_pixels(size, 4 * batch)).permute(0, 3, 1, 2).contiguous()
    images = pixels.float() / 127.5 - 1
    step_numbers = itertools.count()

    def step():
        start = next(step_numbers) % 4 * batch
        real = images[start : start + batch]
        D.zero_grad()
        bce(D(real), ones).backward()
        fakes = G(torch.randn(batch, 100))
        bce(D(fakes.detach()), zeros).backward()
        adam_d.step()
        G.zero_grad()
        bce(D(fakes), ones).backward()
        adam_g.step()

    return step


def gankit(size, base, batch, precision):
    """Return gankit's own step, without tricks."""
    trainer = make_trainer(size, base, batch, precision)
    step_numbers = itertools.count()
    return lambda: trainer.step(next(step_numbers))


def make_trainer(size, base, batch, precision):
    """A Trainer of gankit for dcgan64, without tricks."""
    threads = torch.get_num_threads()
    return speed.make_trainer("cpu", size, base, batch, precision=precision, threads=threads)


def measure(size, count):
    """Return a function that computes the features of `count` pictures, as KID does."""
    _, compute_features = features.load_features("imagenet-lite")
    pixels = random_pixels(size, count)
    return lambda: compute_features(pixels)


def count_operations(size, base, batch):
    """Multiplications and additions of a step: D twice, G once, then G through a frozen D.

    They are counted on plain layers, although a faster algorithm may need fewer.
    """
    G, D = make_networks(size, base)
    with FlopCounterMode(display=False) as counter:
        fakes = G(torch.randn(batch, 100))
        (D(torch.zeros(batch, 3, size, size)).mean() + D(fakes.detach()).mean()).backward()
        for weight in D.parameters():
            weight.requires_grad_(False)
        D(fakes).mean().backward()
    return counter.get_total_flops()


LOOPS = {"textbook": textbook, "gankit": gankit, "measure": measure}


def main(memory, loop, *args):
    """Print "ready" (or "cannot" if memory cannot be kept), then answer each line.

    `memory` says what happens to freed memory: "kept", "given-back" (gankit's allocator settings
    are off), or "own" (as the loop does by default).
    """
    can_keep = memory != "kept" or tune_allocator(torch.device("cpu"))
    if memory == "given-back":
        for module in (assemble, features):
            module.tune_allocator = lambda device: False
    sizes = map(int, args[:3])
    precision = args[3:]  # text, also for 32; only gankit's loop has it
    step = LOOPS[loop](*sizes, *precision)
    for _ in range(4):  # warm-up, until the process has all its memory
        step()
    print("ready" if can_keep else "cannot", flush=True)
    for _ in sys.stdin:
        print(time_step(step), flush=True)


def time_step(step):
    """The mean seconds of a step, over at least two steps and one second."""
    start = time.perf_counter()
    num_steps = 0
    seconds = 0.0
    while num_steps < 2 or seconds < 1:
        step()
        num_steps += 1
        seconds = time.perf_counter() - start
    return seconds / num_steps


if __name__ == "__main__":
    main(*sys.argv[1:])
