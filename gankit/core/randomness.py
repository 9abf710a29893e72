"""Every random draw is a function of (seed, step, purpose), so there is no state to save.

A run that resumes at step 700 draws at step 700 what the uninterrupted run drew there; adding a
trick changes nobody else's draws.
"""

import hashlib

import torch
from torch import Generator


def number(seed: int, step: int, purpose: str) -> int:
    """A 63-bit number that depends on all three and on nothing else."""
    digest = hashlib.blake2b(f"{seed}/{step}/{purpose}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def generator(seed: int, step: int, purpose: str, device: torch.device | str = "cpu") -> Generator:
    """A torch random generator for one purpose in one step."""
    return Generator(device).manual_seed(number(seed, step, purpose))


def latents(seed: int, step: int, count: int, latent_dim: int, purpose: str = "z") -> torch.Tensor:
    """z (count, latent_dim) ~ N(0, 1), float32 on the CPU: the same z on every device."""
    return torch.randn(count, latent_dim, generator=generator(seed, step, purpose))
