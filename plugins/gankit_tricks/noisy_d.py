"""Instance noise (Sonderby et al. 2016, arXiv 1610.04490)."""

import torch

from gankit import Trick


class NoisyD(Trick):
    """Adds Gaussian noise to everything D sees; it fades to 0 over the run.

    With the same noise on both, reals and fakes overlap: D cannot be perfect, so its gradient still
    tells G something. Try it when D wins early. Too much noise hides detail.

    sigma: standard deviation at the start, in image units (images lie in [-1, 1]).
    until: the share of the run, from 0 to 1, after which there is no noise.
    """

    def __init__(self, sigma: float = 0.1, until: float = 1.0) -> None:
        if sigma < 0 or not 0 < until <= 1:
            raise ValueError("sigma must be 0 or more, until more than 0 and at most 1")
        self.sigma = sigma
        self.until = until
        self.current_sigma = 0.0

    def d_input(self, images, gan):
        self.current_sigma = self.sigma * max(0.0, 1 - gan.progress / self.until)  # linear decay
        if self.current_sigma == 0:
            return images
        draw = gan.draw("noisy-d")
        noise = torch.randn(images.shape, generator=draw, device=images.device)
        # images + sigma * noise, in one pass
        return torch.add(images, noise, alpha=self.current_sigma)

    def activity(self):
        sigma = self.current_sigma
        return {"sigma": sigma, "text": f"sigma {sigma:.3f}"} if sigma else None
