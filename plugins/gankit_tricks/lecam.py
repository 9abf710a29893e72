"""LeCam regularisation (Tseng et al. 2021, arXiv 2104.03310)."""

import torch

from gankit import Trick


class LeCam(Trick):
    """Adds weight * (E (D(x) - a_F)^2 + E (D(G(z)) - a_R)^2) to D's loss.

    a_R and a_F are running averages of D's logits for real and for fake pictures. D may not move
    its answer for the reals far from what it used to say of fakes, and the other way round, so it
    cannot tear the two apart by learning a small set by heart. For few pictures; with many it only
    slows D down. The released code keeps a term only while D is on the right side of the average
    (a relu), which it nearly always is; here is the paper's formula. It costs D a second pass.

    weight: lambda; 0.3 in the paper, for BigGAN on CIFAR.
    decay: how much of the averages stays at each step.
    after: the steps before it begins; the averages run from the first (released BigGAN code: 1000,
        StyleGAN2 code: 0).
    """

    def __init__(self, weight: float = 0.3, decay: float = 0.99, after: int = 0) -> None:
        if not weight >= 0 or not 0 <= decay < 1 or after < 0:
            raise ValueError("weight and after must be 0 or more, decay in [0, 1)")
        self.weight, self.decay, self.after = weight, decay, after
        self.averages: torch.Tensor | None = None  # a_R, a_F
        self.acted = False

    def penalty(self, gan, player, real, fake):
        if player is not gan.D or self.weight == 0:
            return None
        d_real, d_fake = gan.judge(real), gan.judge(fake)
        now = torch.stack([d_real.mean(), d_fake.mean()]).detach()
        before = now if self.averages is None else self.averages.to(now.device)
        self.averages = self.decay * before + (1 - self.decay) * now
        if gan.step < self.after:
            return None
        self.acted = True
        a_real, a_fake = self.averages
        apart = (d_real - a_fake).square().mean() + (d_fake - a_real).square().mean()
        return self.weight * apart

    def activity(self):
        acted, self.acted = self.acted, False
        if not acted or self.averages is None:
            return None
        a_real, a_fake = self.averages.tolist()
        return f"D's averages: real {a_real:.2f}, fake {a_fake:.2f}"

    def state_dict(self):
        return {"averages": self.averages}

    def load_state_dict(self, state):
        self.averages = state["averages"]
