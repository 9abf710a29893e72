"""The two loops that are compared: the textbook's and gankit's, on pictures of random bytes.

As a program, one of them takes steps for a second whenever it is given a line, and says how many
seconds each took: `python loops.py own textbook 64 64 64`.
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
from gankit.core.prepared import PreparedDataset
from gankit.core.registry import load_registry
from gankit.training import assemble
from gankit.training.compose import compose


def networks(size, base):
    torch.manual_seed(0)
    return Generator(size, base_channels=base), Discriminator(size, base_channels=base)


def bytes_of(size, count):
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def textbook(size, base, batch):
    """The DCGAN loop of the tutorials: unfused Adam, D not frozen in G's step, float32.

    It is lesson 1 without words.
    """
    G, D = networks(size, base)
    adam_g = torch.optim.Adam(G.parameters(), 2e-4, (0.5, 0.999), foreach=False, fused=False)
    adam_d = torch.optim.Adam(D.parameters(), 2e-4, (0.5, 0.999), foreach=False, fused=False)
    bce, ones, zeros = nn.BCEWithLogitsLoss(), torch.ones(batch), torch.zeros(batch)
    images = torch.tensor(bytes_of(size, 4 * batch)).permute(0, 3, 1, 2).contiguous()
    images, numbers = images.float() / 127.5 - 1, itertools.count()

    def step():
        first = next(numbers) % 4 * batch
        real = images[first : first + batch]
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
    """gankit's own step, without tricks."""
    ours, numbers = trainer(size, base, batch, precision), itertools.count()
    return lambda: ours.step(next(numbers))


def trainer(size, base, batch, precision):
    """What gankit's own step is taken of."""
    registry, pixels = load_registry(), bytes_of(size, 4 * batch)
    prepared = PreparedDataset(pixels, np.arange(len(pixels)), np.arange(0), "random")
    asked = {"model": f"dcgan64:base_channels={base}", "image_size": size, "batch_size": batch}
    asked |= {"tricks": "none", "loss": "non-saturating", "precision": precision}
    run = compose(registry, device="cpu", length="1000 steps", **asked)
    return assemble.assemble(assemble.resolve_auto(run, prepared), registry, prepared)


def measure(size, count):
    """What KID knows of pictures, worked out for `count` of them."""
    rows, pictures = features.load_features("imagenet-lite")[1], bytes_of(size, count)
    return lambda: rows(pictures)


def operations(size, base, batch):
    """Multiplications and additions that a step needs: D twice, G once, then G through a frozen D.

    Counted on plain layers, whatever a faster kernel may do instead.
    """
    G, D = networks(size, base)
    with FlopCounterMode(display=False) as counter:
        fakes = G(torch.randn(batch, 100))
        (D(torch.zeros(batch, 3, size, size)).mean() + D(fakes.detach()).mean()).backward()
        for weight in D.parameters():
            weight.requires_grad_(False)
        D(fakes).mean().backward()
    return counter.get_total_flops()


def main(memory, loop, *about):
    """Answer each line; `memory` that is freed is kept, given back, or what the loop makes of it.

    It says "ready" or "cannot" first.
    """
    agreed = memory != "kept" or tune_allocator(torch.device("cpu"))
    if memory == "given-back":
        for caller in (assemble, features):
            caller.tune_allocator = lambda device: False
    step = globals()[loop](*map(int, about[:3]), *about[3:])  # a precision is a word, even 32
    for _ in range(4):  # until the process has found the memory that it needs
        step()
    print("ready" if agreed else "cannot", flush=True)
    for _ in sys.stdin:
        started, taken, seconds = time.perf_counter(), 0, 0.0
        while taken < 2 or seconds < 1:
            step()
            taken, seconds = taken + 1, time.perf_counter() - started
        print(seconds / taken, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
