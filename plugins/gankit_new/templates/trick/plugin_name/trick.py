"""The trick itself."""

import torch
from torch import Tensor

from gankit import Gan, Trick


class PluginName(Trick):
    """Makes each picture that D sees brighter or darker, real and fake alike.

    strength: the largest number that is added; images are in [-1, 1].
    """

    def __init__(self, strength: float = 0.2) -> None:  # a parameter with a default is an option
        if strength < 0:
            raise ValueError("strength must be 0 or more")
        self.strength = strength
        self.acted = False

    # images (N, C, H, W): return new images, through which gradients flow
    def d_input(self, images: Tensor, gan: Gan) -> Tensor:
        if self.strength == 0:
            return images
        self.acted = True
        draw = gan.draw("plugin-name")  # random generator for this trick and this step
        change = torch.rand(len(images), 1, 1, 1, generator=draw, device=images.device) * 2 - 1
        return images + self.strength * change

    def activity(self) -> str | None:  # for the log: what it did since the last line
        acted = self.acted
        self.acted = False
        return f"brightness changed by up to {self.strength:g}" if acted else None
