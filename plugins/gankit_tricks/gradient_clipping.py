"""Gradient clipping by norm (Pascanu et al. 2013, arXiv 1211.5063)."""

import torch
from torch.nn.utils import clip_grad_norm_

from gankit import Trick


class GradientClipping(Trick):
    """Scales a player's gradient down to length `norm` if it is longer.

    One bad batch then cannot throw the weights far off. Try it when losses spike or become NaN.
    Adam divides by the gradient's usual size anyway, so clipping matters for unusual gradients: if
    the log says that nearly every update is clipped, `norm` is too small. If the log says nothing,
    no gradient was longer than `norm`.

    norm: the largest norm, over all of a player's weights together; 0 for no clipping.
    player: `G`, `D` or `both`.
    """

    def __init__(self, norm: float = 1.0, player: str = "both") -> None:
        if norm < 0 or player not in ("both", "G", "D"):
            raise ValueError("norm must be 0 or more, player must be G, D or both")
        self.norm = norm
        self.player = player
        self.clipped: torch.Tensor | int = 0
        self.longest: torch.Tensor | None = None
        self.updates = 0

    def before_update(self, gan, player):
        if self.norm == 0 or self.player not in ("both", player.name):
            return
        length = clip_grad_norm_(player.net.parameters(), self.norm)  # g <- g min(1, norm / |g|)
        self.clipped = self.clipped + (length > self.norm)  # a tensor, read when the log needs it
        self.longest = length if self.longest is None else torch.maximum(self.longest, length)
        self.updates += 1

    def activity(self):
        clipped = int(self.clipped)
        updates = self.updates
        longest = self.longest
        self.clipped = 0
        self.updates = 0
        self.longest = None
        if clipped == 0 or longest is None:
            return None
        text = f"clipped {clipped} of {updates} gradients, the longest {float(longest):.3g}"
        return {"clipped": clipped / updates, "longest": longest, "text": text}
