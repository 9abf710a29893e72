"""Adaptive discriminator augmentation (Karras et al. 2020, arXiv 2006.06676)."""

import math
from typing import ClassVar

import torch

from gankit import Trick
from gankit_tricks.ada_changes import CHANGES
from gankit_tricks.policy import split_policy


class ADA(Trick):
    """Augments everything D sees, with a probability p that follows how much D overfits.

    r_t = E[sign D(real)] is near 0 while D is unsure of the real pictures, and near 1 when D has
    memorised them. Every few steps, p goes up a little if r_t is above its target, and down if it
    is below. Each change is applied to each picture with probability p, to reals and fakes alike,
    and gradients pass through it. As long as p stays below about 0.8, G does not learn to draw the
    changes. Use it with few pictures; with many, p stays low by itself. It needs a loss that wants
    logits above 0 for reals and below 0 for fakes, as non-saturating and hinge do; with
    least-squares (targets 1 and 0), p would rise without end.

    The paper's pipeline also rotates by any angle, stretches, and shifts by parts of a pixel (its
    filters, noise and cutout are off by default). It resamples through a wavelet filter, where this
    interpolates linearly.

    policy: any of flip, rotate (by 90 degrees, or by 180 if they are not square), translate, scale
        and color, joined by +. If your pictures have an up, omit rotate. For grey pictures, color
        is brightness, contrast and negative.
    target: the r_t to reach.
    every: steps between two changes of p.
    kimg: thousands of real pictures that p needs to go from 0 to 1; in a short run, try less.
    """

    excludes: ClassVar = {"diffaugment": "both augment everything that D sees"}
    preview_state: ClassVar = {"p": 0.5}

    def __init__(
        self,
        policy: str = "flip+rotate+translate+scale+color",
        target: float = 0.6,
        every: int = 4,
        kimg: float = 500.0,
    ) -> None:
        names = split_policy(policy, CHANGES)
        if not -1 <= target <= 1 or every < 1 or not 0 < kimg < math.inf:
            raise ValueError("target must be in [-1, 1], every 1 or more, kimg more than 0")
        self.changes = [CHANGES[name] for name in names]
        self.target = target
        self.every = every
        self.kimg = kimg
        self.p = self.signs = torch.zeros(())  # on the device, and read only for the log
        self.seen = 0  # logits of reals in this process since the last change of p
        self.r_t: torch.Tensor | None = None

    def start(self, gan):
        self.p, self.signs = (t.to(gan.machine.device) for t in (self.p, self.signs))

    def logits(self, logits, gan, player, is_real):
        if self.changes and player is gan.D and is_real:
            self.signs = self.signs + logits.detach().sign().sum()
            self.seen += len(logits)
            self.r_t = self.signs / self.seen  # E[sign D(real)]
        return logits

    def d_input(self, images, gan):
        # On a GPU, reading p would wait for the device.
        is_off = self.p.device.type == "cpu" and self.p.numpy() == 0
        if self.changes and not is_off:
            draw = gan.draw("ada")
            for change in self.changes:
                images = change(images, self.p, draw)
        return images

    def after_update(self, gan, player):
        if player is gan.G and self.seen and (gan.step + 1) % self.every == 0:
            speed = self.seen * gan.process_group.world_size / (1000 * self.kimg)
            direction = (self.signs / self.seen - self.target).sign()
            self.p = (self.p + speed * direction).clamp(0, 1)
            self.signs = torch.zeros_like(self.signs)
            self.seen = 0

    def activity(self):
        r_t = self.r_t
        self.r_t = None
        if r_t is None:
            return None
        numbers = {"p": float(self.p), "r_t": float(r_t)}
        return {**numbers, "text": "p {p:.3f}, r_t {r_t:.2f}".format_map(numbers)}

    def state_dict(self):
        return {"p": self.p, "signs": self.signs, "seen": self.seen}

    def load_state_dict(self, state):
        p, signs = (torch.as_tensor(state[name], device=self.p.device) for name in ("p", "signs"))
        seen = state["seen"]
        if any(t.shape != () or t.dtype != torch.float32 for t in (p, signs)) or not 0 <= p <= 1:
            raise ValueError("p must be a float from 0 to 1, and signs a float")
        if type(seen) is not int or seen < abs(signs):
            raise ValueError("seen must be a number of logits, at least that of signs")
        self.p = p
        self.signs = signs
        self.seen = seen
