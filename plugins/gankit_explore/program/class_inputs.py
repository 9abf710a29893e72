"""A generator with class labels as a network of one input: z, and then a share for each class.

So a program needs no operations for classes, and a page can draw pictures between two of them.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from gankit.core.randomness import latents_of_seeds
from gankit.runs.sampler import Sampler


class ClassInputs(nn.Module):
    """Inputs (N, latent_dim + num_classes) -> images; the shares of the classes have the sum 1."""

    def __init__(self, net: nn.Module, latent_dim: int) -> None:
        super().__init__()
        self.net = net
        self.latent_dim = latent_dim

    def forward(self, inputs: Tensor) -> Tensor:
        images: Tensor = self.net(inputs[:, : self.latent_dim], inputs[:, self.latent_dim :])
        return images


def with_class_inputs(sampler: Sampler) -> tuple[nn.Module, int]:
    """A sampler's G as a network of one input, and how many numbers its input has."""
    run = sampler.run
    if not run.class_names:
        return sampler.net, run.latent_dim
    return ClassInputs(sampler.net, run.latent_dim).eval(), run.latent_dim + len(run.class_names)


def inputs_of_seeds(count: int, latent_dim: int, num_classes: int) -> Tensor:
    """The inputs of seeds 0, 1, ...: z, and after it a 1 for one class, spread over all of them."""
    z = latents_of_seeds(range(count), latent_dim)
    if not num_classes:
        return z
    labels = torch.arange(count) * max(1, num_classes // count) % num_classes
    return torch.cat([z, functional.one_hot(labels, num_classes).float()], dim=1)
