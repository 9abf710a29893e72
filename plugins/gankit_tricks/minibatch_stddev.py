"""Minibatch standard deviation (Karras et al. 2018, arXiv 1710.10196, section 3)."""

import torch
from torch import nn

from gankit import Trick
from gankit_tricks.layers import append, insert_before, last_layer


class MinibatchStddev(Trick):
    """Tells D how much the pictures of a group differ, as one more channel before its last layer.

    If G makes the same picture again and again (mode collapse), D sees it at once: the new channel
    is near 0 for fakes only. It costs little. In the paper two more layers follow; in DCGAN only
    the last one does, so the channel raises or lowers D's answers for a whole group. With batches
    of one or two pictures it tells D next to nothing.

    group: the pictures that are compared. The batch is split into groups of at least this size, and
        a smaller batch is one group; 1 for no comparison.
    """

    def __init__(self, group: int = 4) -> None:
        if group < 1:
            raise ValueError("group must be 1 or more")
        self.group = group
        self.layer: Stddev | None = None

    def wrap(self, gan):
        if self.group > 1:
            name, layer = last_layer(gan.D.net)
            self.layer = Stddev(self.group)
            insert_before(gan, name, layer, self.layer, extra=1)

    def activity(self):
        if self.layer is None or self.layer.spread is None:
            return None
        spread = self.layer.spread
        self.layer.spread = None
        text = f"groups of {self.group}, mean deviation {float(spread):.3g}"
        return {"deviation": spread, "text": text}


class Stddev(nn.Module):
    """x (N, C, ...) -> (N, C + 1, ...): appends the mean standard deviation of x in its group."""

    def __init__(self, group):
        super().__init__()
        self.group = group
        self.spread: torch.Tensor | None = None  # of the last forward pass, for the log

    def forward(self, x):
        with torch.autocast(
            x.device.type, enabled=False
        ):  # float32: these numbers are nearly equal
            spread = group_stddev(x.flatten(1).float(), self.group)
        self.spread = spread.detach().mean()
        return append(x, spread[:, None])


def group_stddev(x, group):
    """x (N, F) -> (N,): each number's standard deviation in its group, averaged over numbers."""
    groups = max(1, len(x) // group)
    group_of = torch.arange(len(x), device=x.device) * groups // len(x)  # 0 0 0 0 1 1 1 1 ...
    member = (torch.arange(groups, device=x.device)[:, None] == group_of).to(x.dtype)
    mean_of = member / member.sum(dim=1, keepdim=True)  # mean_of @ x: each group's mean
    variance = mean_of @ (x - (mean_of @ x)[group_of]).square()
    return (variance + 1e-8).sqrt().mean(dim=1)[group_of]
