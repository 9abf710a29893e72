"""A running average of G's weights (Yazici et al. 2018, arXiv 1806.04498)."""

import copy

import torch

from gankit import Trick


class EMA(Trick):
    """Draws pictures from an average of G's weights over the last steps; training is untouched.

    A GAN circles around its solution; the average sits closer to the middle. The buffers (batch
    norm's statistics) are averaged too. It takes long to forget, so it starts short and grows:
    decay = min(decay, 0.5^(1 / (ramp * steps))), a half-life of `ramp` of the run so far. Karras
    et al. 2020 write the same in pictures, 0.5^(batch / min(half-life, ramp * pictures so far)).

    decay: how much of the average stays at each step.
    ramp: the half-life's share of the steps so far, from Karras et al. 2020; 0 for none.
    kimg: if given, sets decay: half is forgotten after so many thousand pictures. Karras et al.
        2020 take 10 at a batch of 32 (decay 0.9978), and more in proportion for larger batches.
    """

    def __init__(self, decay: float = 0.999, ramp: float = 0.05, kimg: float = 0.0) -> None:
        if not 0 <= decay < 1 or ramp < 0 or kimg < 0:
            raise ValueError("decay lies in [0, 1), ramp and kimg are 0 or more")
        self.decay, self.ramp, self.kimg = decay, ramp, kimg
        self.now = 0.0  # the decay of the last step; 0 before there was one
        self.shown = 0  # pictures shown since G's last update

    def start(self, gan):
        gan.sampler = copy.deepcopy(gan.G.net).requires_grad_(False)

    def fakes(self, images, gan):
        self.shown += len(images) * gan.process_group.world_size  # as many as real ones
        return images

    @torch.no_grad()
    def after_update(self, gan, player):
        if player is not gan.G:
            return
        self.now = self.decay
        if self.kimg:
            self.now = 0.5 ** (self.shown / (1000 * self.kimg))
        if self.ramp:
            self.now = min(self.now, 0.5 ** (1 / (self.ramp * (gan.step + 1))))
        self.shown = 0
        averages, values = _floats(gan.sampler), _floats(gan.G.net)
        torch._foreach_lerp_(averages, values, 1 - self.now)  # a += (1 - decay) (w - a)

    def activity(self):
        return f"decay {self.now:.4f}" if self.now else None


def _floats(net):
    """Weights and buffers; a batch norm's counter of batches is no number to average."""
    return [t for t in net.state_dict().values() if t.is_floating_point()]
