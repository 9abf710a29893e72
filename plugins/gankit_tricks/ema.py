"""A running average of G's weights (Yazici et al. 2018, arXiv 1806.04498)."""

import copy

import torch

from gankit import Trick


class EMA(Trick):
    """Draws pictures from an average of G's weights over the last steps; training is untouched.

    A GAN circles around its solution; the average sits closer to the middle. The buffers (batch
    norm's statistics) are averaged too. It takes long to forget, so it starts short and grows:
    decay = min(decay, 0.5^(1 / (ramp * steps))), a half-life of `ramp` of the run so far.

    decay: how much of the average stays at each step.
    ramp: the half-life's share of the steps so far, from Karras et al. 2020; 0 for none.
    """

    def __init__(self, decay: float = 0.999, ramp: float = 0.05) -> None:
        if not 0 <= decay < 1 or ramp < 0:
            raise ValueError("decay lies in [0, 1), ramp is 0 or more")
        self.decay, self.ramp = decay, ramp
        self.now = None

    def start(self, gan):
        gan.sampler = copy.deepcopy(gan.G.net).requires_grad_(False)

    @torch.no_grad()
    def after_update(self, gan, player):
        if player is not gan.G:
            return
        self.now = self.decay
        if self.ramp:
            self.now = min(self.decay, 0.5 ** (1 / (self.ramp * (gan.step + 1))))
        averages, values = _floats(gan.sampler), _floats(gan.G.net)
        torch._foreach_lerp_(averages, values, 1 - self.now)  # a += (1 - decay) (w - a)

    def activity(self):
        return f"decay {self.now:.4f}" if self.now else None


def _floats(net):
    """Weights and buffers; a batch norm's counter of batches is no number to average."""
    return [t for t in net.state_dict().values() if t.is_floating_point()]
