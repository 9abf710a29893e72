"""Every random draw is a function of (seed, step, purpose), so there is no state to save.

A run that resumes at step 700 draws the same numbers as one that was never stopped, and adding a
trick does not change any other draws.

torch's functions, such as `torch.rand`, take a generator; torch.distributions does not. So the
draws from distributions that tricks use are here.
"""

import hashlib
from collections.abc import Iterable, Sequence

import torch
from torch import Generator

from gankit.core.errors import quote_value

Shape = Sequence[int]


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


def latents_of_seeds(seeds: Iterable[int], latent_dim: int) -> torch.Tensor:
    """z (N, latent_dim), a row for each seed, as `gankit sample` has them; N is 1 or more."""
    return torch.cat([latents(seed, 0, 1, latent_dim) for seed in seeds])


def gamma(generator: Generator, k: float, shape: Shape, scale: float = 1.0) -> torch.Tensor:
    """Draws (shape) ~ Gamma(k, scale), with the mean k * scale; float32, on the generator's device.

    For `generator`, use `gan.draw("some purpose")`. ValueError unless k and scale are above 0.
    """
    _require_draw(generator, shape)
    _require_positive(k=k, scale=scale)
    concentration = torch.full(tuple(shape), float(k), device=generator.device)
    return scale * torch._standard_gamma(concentration, generator=generator)


def beta(generator: Generator, a: float, b: float, shape: Shape) -> torch.Tensor:
    """Draws (shape) ~ Beta(a, b), between 0 and 1; float32, on the generator's device.

    For `generator`, use `gan.draw("some purpose")`. ValueError unless a and b are above 0.
    """
    _require_draw(generator, shape)
    _require_positive(a=a, b=b)
    return dirichlet(generator, (a, b), shape)[..., 0]


def dirichlet(generator: Generator, weights: Sequence[float], shape: Shape) -> torch.Tensor:
    """Draws shares that add up to 1, (shape, len(weights)), from Dirichlet(weights); float32.

    For `generator`, use `gan.draw("some purpose")`. ValueError unless all weights are above 0.
    """
    _require_draw(generator, shape)
    _require_positive(**{f"weights[{index}]": weight for index, weight in enumerate(weights)})
    concentration = torch.tensor(weights, dtype=torch.float32, device=generator.device)
    rows = concentration.expand(*shape, len(weights)).contiguous()
    return torch._sample_dirichlet(rows, generator=generator)


def _require_draw(given: object, shape: object) -> None:
    """ValueError unless these are a generator and a shape."""
    if not isinstance(given, Generator):
        cure = "it must be a generator, such as gan.draw('some purpose')"
        raise ValueError(f"the first argument is {quote_value(given)}; {cure}")
    if not isinstance(shape, Sequence):
        cure = f"it must be a tuple, such as ({shape!r},)" if isinstance(shape, int) else "a tuple"
        raise ValueError(f"shape is {quote_value(shape)}; {cure}")


def _require_positive(**parameters: float) -> None:
    for name, value in parameters.items():
        if not value > 0:
            raise ValueError(f"{name} is {value}; it must be above 0")
