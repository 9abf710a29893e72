"""Weight clipping (Arjovsky, Chintala & Bottou 2017, arXiv 1701.07875)."""

from typing import ClassVar

import torch

from gankit import Trick


class WeightClipping(Trick):
    """Clips each weight of D to [-limit, limit] after each of D's updates.

    The first way to bound the gradient of a Wasserstein critic, and the simplest to understand. It
    also makes D simple: most weights end up at one of the two limits (Gulrajani et al. 2017), so
    wgan-gp and spectral-norm have replaced it. As in the paper's code, batch norm's weights are
    clipped too. The paper's settings: `--loss wasserstein --d-steps 5 --lr-g 5e-5 --lr-d 5e-5` with
    RMSprop instead of Adam; `--beta1 0` comes closest.

    limit: c in the paper; 0 for no clipping.
    """

    excludes: ClassVar = {
        "spectral-norm": "it divides the clipped weights by their norm, so clipping has no effect"
    }

    def __init__(self, limit: float = 0.01) -> None:
        if limit < 0:
            raise ValueError("limit must be 0 or more")
        self.limit = limit
        self.clipped: list[torch.nn.Parameter] = []  # empty if not clipped since the last log line

    @torch.no_grad()
    def after_update(self, gan, player):
        if player is not gan.D or self.limit == 0:
            return
        self.clipped = [weight for weight in player.net.parameters() if weight.requires_grad]
        for weight in self.clipped:
            weight.clamp_(-self.limit, self.limit)  # w <- clip(w, -c, c)

    def activity(self):
        weights = self.clipped
        self.clipped = []
        at_limit = sum(int((weight.abs() >= self.limit).sum()) for weight in weights)
        if at_limit == 0:
            return None
        share = at_limit / sum(weight.numel() for weight in weights)
        text = f"{100 * share:.1f} % of D's weights are at +-{self.limit:g}"
        return {"at_limit": share, "text": text}
