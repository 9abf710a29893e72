"""Random orders of pictures and shards."""

import torch

from gankit.core import randomness
from gankit.core.contracts.prepared import Rows


def permutation(count: int, seed: int, step: int, purpose: str) -> Rows:
    """The numbers 0 to count - 1 in random order: a function of (seed, step, purpose)."""
    return torch.randperm(count, generator=randomness.generator(seed, step, purpose)).numpy()
