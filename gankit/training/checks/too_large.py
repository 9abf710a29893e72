"""Refuse networks and pictures that are too large for any memory, before it is asked for.

Linux gives a program more memory than there is, and ends it when it uses it, without a word.
"""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from gankit.core.errors import GankitError
from gankit.core.run.settings import Run

MAX_WEIGHTS = 2**30  # of a network; with gradients and Adam's state, 16 GB
MAX_TENSORS = 5_000  # of weights in a network; the largest that come with gankit have 100
PICTURES_CHECKED = 4  # by check_networks
BYTES_PER_VALUE = 16  # a picture's value, its gradient, and those of the fake, each float32


@contextlib.contextmanager
def limited_weights() -> Iterator[None]:
    """While open, building a network with far too many weights or layers is a ValueError."""
    counts = {"weights": 0, "tensors": 0}

    def count(module: nn.Module, name: str, parameter: Any) -> None:
        counts["weights"] += parameter.numel() if parameter is not None else 0
        counts["tensors"] += 1
        if counts["weights"] > MAX_WEIGHTS or counts["tensors"] > MAX_TENSORS:
            limits = f"{MAX_WEIGHTS:,} weights or {MAX_TENSORS:,} tensors of them"
            raise ValueError(f"has more than {limits}: make it narrower or less deep")

    hook = register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        hook.remove()


def check_memory(run: Run, world_size: int) -> None:
    """GankitError if not even the pictures of one step fit into this computer's memory."""
    memory = _physical_memory()
    of_batch = run.batch_size // world_size if run.device in ("cpu", "mps") else 0
    pictures = max(PICTURES_CHECKED, of_batch)
    needed = BYTES_PER_VALUE * pictures * max(1, run.channels) * run.size.area
    if memory and needed > memory:
        sizes = f"--image-size {run.image_size} with --batch-size {run.batch_size}"
        numbers = f"{needed / 1e9:.0f} GB of memory, and this computer has {memory / 1e9:.0f} GB"
        raise GankitError(f"{sizes} needs at least {numbers}: make one of them smaller")


def _physical_memory() -> int:
    """Bytes; 0 if the system does not tell, as Windows."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0
