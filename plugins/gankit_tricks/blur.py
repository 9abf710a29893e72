"""Blur that fades away (Karras et al. 2021, arXiv 2106.12423, StyleGAN3-R's training)."""

import math

import torch

from gankit import Trick


class Blur(Trick):
    """Blurs everything D sees, less and less, at the start of a run.

    D first judges colours and large shapes, and cannot win by details that G has not learnt yet.
    Try it when D wins in the first steps. While the blur lasts, G learns no detail. StyleGAN3's
    code starts at 10 px, which fade over the first 200 of 25,000 kimg, for 256 px and more, in
    configuration R only (its kernel, 2^-(d / sigma)^2, is a Gaussian of 0.85 sigma). Runs in gankit
    are shorter than that fade, so here `until` is a share of the run.

    sigma: the Gaussian's standard deviation at the start, in pixels; try image_size / 16.
    until: the share of the run, from 0 to 1, after which there is no blur.
    """

    def __init__(self, sigma: float = 10.0, until: float = 0.1) -> None:
        if not 0 <= sigma < math.inf or not 0 < until <= 1:
            raise ValueError("sigma must be 0 or more, until more than 0 and at most 1")
        self.sigma = sigma
        self.until = until
        self.current_sigma = 0.0  # of the last blur since the last log line

    def d_input(self, images, gan):
        sigma = self.sigma * max(0.0, 1 - gan.progress / self.until)  # linear decay
        if sigma == 0:
            return images
        self.current_sigma = sigma
        rows = _gaussian(images.shape[2], sigma, images)
        columns = _gaussian(images.shape[3], sigma, images)
        return rows @ images @ columns.T

    def activity(self):
        sigma = self.current_sigma
        self.current_sigma = 0.0
        return {"sigma": sigma, "text": f"sigma {sigma:.2f} px"} if sigma else None


def _gaussian(side, sigma, like):
    """A matrix (side, side) that blurs along one side.

    Row i holds exp(-(i - j)^2 / (2 sigma^2)) divided by its sum over the pixels j of the picture,
    so borders do not get darker, and any sigma fits any size.
    """
    pixels = torch.arange(side, dtype=like.dtype, device=like.device)
    weights = torch.softmax(-((pixels[:, None] - pixels) / sigma).square() / 2, dim=1)
    return weights * (weights > 1e-9)  # denormal numbers make CPUs ten times slower
