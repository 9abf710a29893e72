"""A running average of G's weights (Yazici et al. 2018, arXiv 1806.04498)."""

import copy

import torch

from gankit import Trick


class EMA(Trick):
    """Draws pictures from an average of G's weights over the last steps; training is not changed.

    The weights of a GAN circle around a solution; their average is closer to it. The buffers (batch
    norm's statistics) are averaged too. A long average would remember the untrained G for long, so
    it starts short and grows: decay = min(decay, 0.5^(1 / (ramp * steps))), whose half-life is the
    share `ramp` of the steps so far. Karras et al. 2020 write the same in pictures:
    0.5^(batch / min(half-life, ramp * pictures so far)).

    decay: the share of the average that is kept at each step.
    ramp: the half-life as a share of the steps so far, from Karras et al. 2020; 0 for no ramp.
    kimg: if given, sets decay by its half-life in thousands of pictures. Karras et al. 2020 take 10
        at a batch of 32 (decay 0.9978), and more in proportion for larger batches.
    """

    def __init__(self, decay: float = 0.999, ramp: float = 0.05, kimg: float = 0.0) -> None:
        if not 0 <= decay < 1 or ramp < 0 or kimg < 0:
            raise ValueError("decay must be in [0, 1), ramp and kimg 0 or more")
        self.decay = decay
        self.ramp = ramp
        self.kimg = kimg
        self.current_decay = 0.0  # of the last step; 0 before the first
        self.shown = 0  # pictures shown since G's last update

    def start(self, gan):
        gan.sampler = copy.deepcopy(gan.G.net).requires_grad_(False)

    def fakes(self, images, gan):
        self.shown += len(images) * gan.process_group.world_size  # as many reals as fakes
        return images

    @torch.no_grad()
    def after_update(self, gan, player):
        if player is not gan.G:
            return
        self.current_decay = self.decay
        if self.kimg:
            self.current_decay = 0.5 ** (self.shown / (1000 * self.kimg))
        if self.ramp:
            self.current_decay = min(self.current_decay, 0.5 ** (1 / (self.ramp * (gan.step + 1))))
        self.shown = 0
        averages = _float_tensors(gan.sampler)
        values = _float_tensors(gan.G.net)
        torch._foreach_lerp_(averages, values, 1 - self.current_decay)  # a += (1 - decay) (w - a)

    def activity(self):
        decay = self.current_decay
        return {"decay": decay, "text": f"decay {decay:.4f}"} if decay else None


def _float_tensors(net):
    """Weights and buffers that can be averaged: not batch norm's counter of batches."""
    return [t for t in net.state_dict().values() if t.is_floating_point()]
