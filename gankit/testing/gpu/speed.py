"""Times of a step on a GPU, against the loop of the tutorials, and the memory that it takes."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from gankit.core.contracts.prepared import PreparedDataset
from gankit.core.parts.choice import Choice
from gankit.core.parts.registry import load_registry
from gankit.testing.gpu.result import MEASURED, Row
from gankit.training.assemble import Trainer, assemble, resolve_auto
from gankit.training.settings.compose import compose

Step = Callable[[], object]
SIZES = {64: (64, 64), 128: (64, 64)}  # px -> base channels, batch
WARM_UP = 10  # steps
TURNS = 4
TURN_SECONDS = 0.5
# What is compared with the loop of the tutorials: name -> settings.
LOOPS: dict[str, dict[str, Any]] = {
    "float32": {"precision": "32"},
    "bf16": {"precision": "bf16"},
    "bf16, contiguous": {"precision": "bf16", "memory_format": "contiguous"},
    "float16": {"precision": "16"},
    "bf16, compiled": {"precision": "bf16", "compile": "yes"},
}


def times(device: str, folder: Path, sizes: dict[int, tuple[int, int]] = SIZES) -> list[Row]:
    """Each of gankit's loops beside that of the tutorials, in turns; `folder` is not used."""
    names = ["float32"] if torch.device(device).type == "mps" else list(LOOPS)
    return [
        _compare(device, size, base, batch, name)
        for size, (base, batch) in sizes.items()
        for name in names
    ]


def _compare(device: str, size: int, base: int, batch: int, name: str) -> Row:
    ours, memory = _warmed_up(device, make_step(device, size, base, batch, **LOOPS[name]))
    theirs, their_memory = _warmed_up(device, textbook_step(device, size, base, batch))
    pairs = [(_time(device, ours), _time(device, theirs)) for _ in range(TURNS)]
    seconds = statistics.median(our_seconds for our_seconds, _ in pairs)
    their_seconds = statistics.median(their_seconds for _, their_seconds in pairs)
    ratio = statistics.median(theirs / ours for ours, theirs in pairs)
    result = (
        f"{seconds * 1e3:.1f} ms a step, {batch / seconds:,.0f} pictures/s: {ratio:.2f} times as "
        f"fast as the tutorials' loop in float32 ({their_seconds * 1e3:.1f} ms)"
    )
    if memory:
        result += f"; {_mebibytes(memory)} of memory, the tutorials' {_mebibytes(their_memory)}"
    return Row(f"{size} px, base {base}, batch {batch}, {name}", MEASURED, result)


def make_step(device: str, size: int, base: int, batch: int, **settings: Any) -> Step:
    """A step of gankit on random pictures, without tricks."""
    trainer = make_trainer(device, size, base, batch, **settings)
    numbers = itertools.count()
    return lambda: trainer.step(next(numbers))


def make_trainer(device: str, size: int, base: int, batch: int, **settings: Any) -> Trainer:
    """A Trainer of dcgan64 on random pictures, without tricks."""
    registry = load_registry()
    pixels = np.random.default_rng(0).integers(0, 256, (4 * batch, size, size, 3), dtype=np.uint8)
    prepared = PreparedDataset(pixels, np.arange(len(pixels)), np.arange(0), "random")
    run = compose(
        registry,
        device=device,
        steps=1000,
        model=f"dcgan64:base_channels={base}",
        image_size=size,
        batch_size=batch,
        tricks="none",
        loss="non-saturating",
        **settings,
    )
    return assemble(resolve_auto(run, prepared), registry, prepared)


def textbook_step(device: str, size: int, base: int, batch: int) -> Step:
    """A step of the loop in PyTorch's DCGAN tutorial, in float32, as it stands there.

    Its two networks are those of `dcgan64`, its Adam is torch's default, and every step reads the
    losses and D's answers, as the tutorial does.
    """
    registry = load_registry()
    torch.manual_seed(0)
    choice = Choice("dcgan", {"base_channels": base})
    shape = {"image_size": size, "channels": 3, "latent_dim": 100}
    net_g: nn.Module = registry.make("generator", choice, **shape).to(device)
    net_d: nn.Module = registry.make("discriminator", choice, **shape).to(device)
    adam_g = torch.optim.Adam(net_g.parameters(), 2e-4, (0.5, 0.999))
    adam_d = torch.optim.Adam(net_d.parameters(), 2e-4, (0.5, 0.999))
    criterion = nn.BCEWithLogitsLoss()
    images = torch.rand(4 * batch, 3, size, size) * 2 - 1
    ones = torch.ones(batch, device=device)
    zeros = torch.zeros(batch, device=device)
    numbers = itertools.count()

    def step() -> tuple[float, ...]:
        first = next(numbers) % 4 * batch
        real = images[first : first + batch].to(device)
        net_d.zero_grad()
        logits = net_d(real)
        loss_real = criterion(logits, ones)
        loss_real.backward()
        fake = net_g(torch.randn(batch, 100, device=device))
        logits_fake = net_d(fake.detach())
        loss_fake = criterion(logits_fake, zeros)
        loss_fake.backward()
        adam_d.step()
        net_g.zero_grad()
        loss_g = criterion(net_d(fake), ones)
        loss_g.backward()
        adam_g.step()
        means = (logits.mean(), logits_fake.mean(), loss_real + loss_fake, loss_g)
        return tuple(mean.item() for mean in means)

    return step


def _warmed_up(device: str, step: Step) -> tuple[Step, int]:
    """The step, after some calls, and the most bytes that these allocated; 0 on a CPU."""
    is_cuda = torch.device(device).type == "cuda"
    before = torch.cuda.memory_allocated() if is_cuda else 0
    if is_cuda:
        torch.cuda.reset_peak_memory_stats()
    for _ in range(WARM_UP):
        step()
    return step, torch.cuda.max_memory_allocated() - before if is_cuda else 0


def _time(device: str, step: Step) -> float:
    """The mean seconds of a step, over at least TURN_SECONDS."""
    _wait_for(device)
    start = time.perf_counter()
    steps = 0
    while time.perf_counter() - start < TURN_SECONDS:
        step()
        steps += 1
    _wait_for(device)
    return (time.perf_counter() - start) / steps


def _wait_for(device: str) -> None:
    kind = torch.device(device).type
    if kind == "cuda":
        torch.cuda.synchronize()
    elif kind == "mps":
        torch.mps.synchronize()


def _mebibytes(number: int) -> str:
    return f"{number / 2**20:,.0f} MiB"
