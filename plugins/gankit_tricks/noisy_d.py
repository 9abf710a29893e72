"""Instance noise (Sonderby et al. 2016, arXiv 1610.04490)."""

import torch

from gankit import Trick


class NoisyD(Trick):
    """Adds Gaussian noise to everything D sees, fading to none.

    Real and fake pictures, blurred by the same noise, overlap: D cannot be perfect, and its
    gradient tells G something. Helps when D wins early; too much noise hides detail.

    sigma: standard deviation at the start, in image units (images lie in [-1, 1]).
    until: the part of the run, from 0 to 1, after which there is no noise.
    """

    def __init__(self, sigma: float = 0.1, until: float = 1.0) -> None:
        if sigma < 0 or not 0 < until <= 1:
            raise ValueError("sigma must be 0 or more, until between 0 and 1")
        self.sigma, self.until = sigma, until
        self.now = 0.0

    def d_input(self, images, gan):
        self.now = self.sigma * max(0.0, 1 - gan.progress / self.until)  # linear decay
        if self.now == 0:
            return images
        draw = gan.draw("noisy-d")
        noise = torch.randn(images.shape, generator=draw, device=images.device)
        return torch.add(images, noise, alpha=self.now)  # images + now * noise, in one go

    def activity(self):
        return f"sigma {self.now:.3f}" if self.now else None
