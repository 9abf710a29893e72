"""Every random draw is a function of (seed, step, purpose), so there is no state to save.

A run that resumes at step 700 draws the same numbers as one that was never stopped, and adding a
trick does not change any other draws.
"""

import hashlib

import torch
from torch import Generator


def derive_seed(seed: int, step: int, purpose: str) -> int:
    """A 63-bit seed that depends on these three arguments only."""
    digest = hashlib.blake2b(f"{seed}/{step}/{purpose}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


number = derive_seed  # the name in gankit 0.1, which lesson 1 imports


def generator(seed: int, step: int, purpose: str, device: torch.device | str = "cpu") -> Generator:
    """A torch random generator for one purpose in one step, seeded with `derive_seed`."""
    return Generator(device).manual_seed(derive_seed(seed, step, purpose))


def latents(seed: int, step: int, count: int, latent_dim: int, purpose: str = "z") -> torch.Tensor:
    """z (count, latent_dim) ~ N(0, 1), float32. Drawn on the CPU: all devices get the same z."""
    return torch.randn(count, latent_dim, generator=generator(seed, step, purpose))
