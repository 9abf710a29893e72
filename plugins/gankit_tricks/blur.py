"""Blur that fades away (Karras et al. 2021, arXiv 2106.12423, StyleGAN3-R's training)."""

import math

import torch

from gankit import Trick


class Blur(Trick):
    """Blurs everything D sees at the beginning of a run, less and less.

    D first judges colours and large shapes, and cannot win by details that G has not learnt yet.
    Helps when D wins in the first steps; while it lasts, G learns no detail. StyleGAN3's code has
    10 px fading over the first 200 of 25,000 kimg, for 256 px and more, in configuration R only
    (its kernel, 2^-(d / sigma)^2, is a Gaussian of 0.85 sigma). Runs here are shorter than its
    fade, so the fade is a part of the run.

    sigma: the Gaussian's standard deviation at the start, in pixels; try image_size / 16.
    until: the part of the run, from 0 to 1, after which there is no blur.
    """

    def __init__(self, sigma: float = 10.0, until: float = 0.1) -> None:
        if not 0 <= sigma < math.inf or not 0 < until <= 1:
            raise ValueError("sigma must be 0 or more, until between 0 and 1")
        self.sigma, self.until = sigma, until
        self.now = 0.0  # the latest blur since the log last asked

    def d_input(self, images, gan):
        sigma = self.sigma * max(0.0, 1 - gan.progress / self.until)  # linear decay
        if sigma == 0:
            return images
        self.now = sigma
        rows, columns = (_gaussian(side, sigma, images) for side in images.shape[2:])
        return rows @ images @ columns.T

    def activity(self):
        now, self.now = self.now, 0.0
        return f"sigma {now:.2f} px" if now else None


def _gaussian(side, sigma, like):
    """A matrix (side, side) that blurs along one side.

    Row i holds exp(-(i - j)^2 / (2 sigma^2)) over its sum; the sum is over pixels inside the
    picture, so a border is no darker than the middle, and any sigma fits any size.
    """
    place = torch.arange(side, dtype=like.dtype, device=like.device)
    weights = torch.softmax(-((place[:, None] - place) / sigma).square() / 2, dim=1)
    return weights * (weights > 1e-9)  # the tiniest numbers make processors ten times slower
