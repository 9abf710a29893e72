"""Compares the pictures of a program with those of its generator."""

import numpy as np
import torch
from torch import nn

from gankit.core.errors import GankitError
from gankit_explore.program.class_inputs import inputs_of_seeds
from gankit_explore.program.program import Program

LEVELS = 2.0  # of 255: the largest difference that nobody sees
SEEDS = 16


@torch.no_grad()
def largest_difference(program: Program, net: nn.Module, num_classes: int = 0) -> float:
    """The largest difference of the two, in levels of 255, in the pictures of 16 seeds.

    With classes, the last `num_classes` numbers of an input are their shares.
    """
    z = inputs_of_seeds(SEEDS, program.latent_dim - num_classes, num_classes)
    expected = net(z).float().clamp(-1, 1).numpy()
    difference = np.abs(program.images(z.numpy()).clip(-1, 1) - expected)
    return float(difference.max() * 127.5)


def require_same_pictures(program: Program, net: nn.Module, num_classes: int = 0) -> float:
    """`largest_difference`. GankitError if it is above 2 levels."""
    levels = largest_difference(program, net, num_classes)
    if not levels <= LEVELS:
        problem = f"with weights of 16 bits, pictures differ by {levels:.1f} of 255 levels"
        cure = f"more than the {LEVELS:.0f} that a page may: export with --format onnx instead"
        raise GankitError(f"this generator cannot be put into a page: {problem}, {cure}")
    return levels
