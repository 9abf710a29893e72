"""Adaptive discriminator augmentation (Karras et al. 2020, arXiv 2006.06676)."""

import math
from typing import ClassVar

import torch

from gankit import Trick
from gankit_tricks.ada_changes import CHANGES


class ADA(Trick):
    """Augments everything D sees, with a probability that follows how sure D is of the reals.

    r_t = E[sign D(real)] is near 0 while D is unsure and near 1 when it knows the training pictures
    by heart. Every few steps, p moves a little up if r_t is above its target, and down if below.
    Each change is made to each picture with probability p, real and fake alike, and gradients pass.
    As long as p stays below 0.8 or so, G does not copy the changes. For few pictures; with many, p
    stays low by itself. Wants a loss that asks for logits above 0 for real and below for fake, as
    non-saturating and hinge do; under least-squares (1 and 0), p would rise and rise.

    The paper's pipeline also turns by any angle, stretches and shifts by parts of a pixel; it has
    filters, noise and cutout too, but leaves them off. And it resamples through a wavelet filter,
    where this takes the straight line between two pixels.

    policy: any of flip, rotate (by 90 degrees), translate, scale and color, joined by +. Where
        pictures have an up, leave rotate away; for grey ones, color is brightness, contrast
        and negative.
    target: what r_t shall be.
    every: steps between two changes of p.
    kimg: thousands of real pictures in which p could go from 0 to 1; in a short run, try less.
    """

    excludes: ClassVar = {"diffaugment": "both augment everything D sees"}

    def __init__(
        self,
        policy: str = "flip+rotate+translate+scale+color",
        target: float = 0.6,
        every: int = 4,
        kimg: float = 500.0,
    ) -> None:
        wanted = [word for word in policy.split("+") if word]
        unknown = [word for word in wanted if word not in CHANGES]
        if unknown:
            raise ValueError(f"policy {unknown[0]!r}: there is {', '.join(CHANGES)}, joined by +")
        if not -1 <= target <= 1 or every < 1 or not 0 < kimg < math.inf:
            raise ValueError("target lies in [-1, 1], every is 1 or more, kimg more than 0")
        self.changes = [CHANGES[word] for word in wanted]
        self.target, self.every, self.kimg = target, every, kimg
        self.p = self.signs = torch.zeros(())  # on the device, and read only for the log
        self.seen = 0  # by this process, since the last change of p
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
        asleep = self.p.device.type == "cpu" and self.p.numpy() == 0  # a GPU would have to be asked
        if self.changes and not asleep:
            draw = gan.draw("ada")
            for change in self.changes:
                images = change(images, self.p, draw)
        return images

    def after_update(self, gan, player):
        if player is gan.G and self.seen and (gan.step + 1) % self.every == 0:
            speed = self.seen * gan.process_group.world_size / (1000 * self.kimg)
            direction = (self.signs / self.seen - self.target).sign()
            self.p = (self.p + speed * direction).clamp(0, 1)
            self.signs, self.seen = torch.zeros_like(self.signs), 0

    def activity(self):
        r_t, self.r_t = self.r_t, None
        return None if r_t is None else f"p {float(self.p):.3f}, r_t {float(r_t):.2f}"

    def state_dict(self):
        return {"p": self.p, "signs": self.signs, "seen": self.seen}

    def load_state_dict(self, state):
        self.p, self.signs = (state[name].to(self.p.device) for name in ("p", "signs"))
        self.seen = state["seen"]
