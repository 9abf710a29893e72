"""LeCam regularisation (Tseng et al. 2021, arXiv 2104.03310)."""

import torch

from gankit import Trick


class LeCam(Trick):
    """Adds weight * (E (D(x) - a_F)^2 + E (D(G(z)) - a_R)^2) to D's loss.

    a_R and a_F are running averages of D's logits for reals and for fakes. The penalty holds D's
    logits for reals near the average for fakes, and the reverse, so D cannot drive the two far
    apart by memorising a small data set. Use it with few pictures; with many it only slows D down.
    This is the paper's formula. The released code drops a term (by a relu) when D is on the wrong
    side of the average, which is rare. It costs D a second forward pass.

    weight: lambda; 0.3 in the paper, for BigGAN on CIFAR.
    decay: the share of the averages that is kept at each update of D.
    after: the step from which the penalty counts; the averages are kept from the first step
        (released BigGAN code: 1000, StyleGAN2 code: 0).
    """

    def __init__(self, weight: float = 0.3, decay: float = 0.99, after: int = 0) -> None:
        if not weight >= 0 or not 0 <= decay < 1 or after < 0:
            raise ValueError("weight and after must be 0 or more, decay in [0, 1)")
        self.weight = weight
        self.decay = decay
        self.after = after
        self.averages: torch.Tensor | None = None  # a_R, a_F
        self.means: list[torch.Tensor] = []  # of the micro-batches of this update
        self.acted = False

    def penalty(self, gan, player, real, fake):
        if player is not gan.D or self.weight == 0:
            return None
        d_real = gan.judge(real)
        d_fake = gan.judge(fake)
        self.means.append(torch.stack([d_real.mean(), d_fake.mean()]).detach())
        if gan.step < self.after:
            return None
        self.acted = True
        a_real, a_fake = self._next_averages()
        distance = (d_real - a_fake).square().mean() + (d_fake - a_real).square().mean()
        return self.weight * distance

    def after_update(self, gan, player):
        if self.means:
            self.averages = self._next_averages()
            self.means = []

    def _next_averages(self):
        """a_R and a_F with the micro-batches so far."""
        means = torch.stack(self.means).mean(dim=0)
        averages = means if self.averages is None else self.averages.to(means.device)
        return self.decay * averages + (1 - self.decay) * means

    def activity(self):
        acted = self.acted
        self.acted = False
        if not acted or self.averages is None:
            return None
        a_real, a_fake = self.averages.tolist()
        text = f"D's averages: real {a_real:.2f}, fake {a_fake:.2f}"
        return {"real": a_real, "fake": a_fake, "text": text}

    def state_dict(self):
        return {"averages": self.averages}

    def load_state_dict(self, state):
        averages = state["averages"]
        if averages is not None and (averages.shape != (2,) or averages.dtype != torch.float32):
            raise ValueError("averages must be two floats")
        self.averages = averages
