"""Minibatch discrimination (Salimans et al. 2016, arXiv 1606.03498, section 3.2)."""

import torch
from torch import nn

from gankit import Trick
from gankit_tricks.layers import append, insert_before, last_layer

MAX_SIZE = 100_000  # there are as many weights for each feature of D's last layer


class MinibatchDiscrimination(Trick):
    """Tells D how close each picture is to the others of its batch, before its last layer.

    D learns `kernels` ways to measure closeness, each in `dims` dimensions. If G makes the same
    picture again and again (mode collapse), D sees it. minibatch-stddev does much the same with one
    number and nothing to learn. Memory grows with the square of the batch size.

    Feature maps are averaged over their area first, as in the paper's CIFAR-10 code. The paper sums
    over the batch; here it is a mean, so that batches of any size give numbers from 0 to 1.

    kernels: B in the paper; 0 for none.
    dims: C in the paper.
    """

    def __init__(self, kernels: int = 100, dims: int = 5) -> None:
        if kernels < 0 or dims < 1:
            raise ValueError("kernels must be 0 or more, dims 1 or more")
        if kernels * dims > MAX_SIZE:
            raise ValueError(f"kernels * dims must be {MAX_SIZE} or less")
        self.kernels = kernels
        self.dims = dims
        self.layer: Closeness | None = None

    def wrap(self, gan):
        if self.kernels:
            name, layer = last_layer(gan.D.net)
            features = layer.weight.shape[1]
            draw = gan.draw("minibatch-discrimination")
            shape = (features, self.kernels, self.dims)
            T = torch.randn(shape, generator=draw, device=draw.device) / features**0.5
            self.layer = Closeness(T.to(layer.weight))
            insert_before(gan, name, layer, self.layer, extra=self.kernels)

    def activity(self):
        if self.layer is None or self.layer.mean is None:
            return None
        mean = self.layer.mean
        self.layer.mean = None
        text = f"{self.kernels} kernels, mean closeness {float(mean):.3g} (1: all the same)"
        return {"closeness": mean, "text": text}


class Closeness(nn.Module):
    """x (N, A, ...) -> (N, A + B, ...): appends each picture's closeness to the others."""

    def __init__(self, T):
        super().__init__()
        self.T = nn.Parameter(T)  # (A, B, C)
        self.mean = None

    def forward(self, x):
        features = x if x.dim() == 2 else x.mean(dim=(2, 3))  # f(x), (N, A)
        M = (features @ self.T.flatten(1)).float().unflatten(1, self.T.shape[1:])  # (N, B, C)
        distance = (M[:, None] - M).abs().sum(dim=3)  # |M_i - M_j|, (N, N, B)
        closeness = torch.exp(-distance).sum(dim=1) - 1  # without its own: exp(-0) = 1
        closeness = closeness / max(1, len(x) - 1)
        self.mean = closeness.detach().mean()
        return append(x, closeness)
