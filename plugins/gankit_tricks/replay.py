"""Replay of old fakes (Shrivastava et al. 2017, arXiv 1612.07828, section 2.3)."""

import torch

from gankit import Trick


class Replay(Trick):
    """Half of the fakes that D learns from are old ones, drawn from a buffer.

    D must not forget what G did before, or G may come back to it: the two then run in circles.
    Costs no time. A buffer much older than G teaches D about mistakes that nobody makes any more.
    The new fakes whose places the old ones take go into the buffer, over random ones once it is
    full. It keeps 8 bits a number, like the pictures themselves, and is part of the checkpoint.

    size: fakes in the buffer (the paper names no number; CycleGAN has 50).
    share: how much of D's batch is old.
    """

    def __init__(self, size: int = 512, share: float = 0.5) -> None:
        if size < 1 or not 0 <= share <= 1:
            raise ValueError("size must be 1 or more, share between 0 and 1")
        self.size, self.share = size, share
        self.old: torch.Tensor | None = None  # (up to size, C, H, W), uint8
        self.shown, self.seen = 0, 0

    def fakes(self, images, gan):
        count = min(int(self.share * len(images)), self.size)
        if count == 0:
            return images
        draw, mixed, shown = gan.draw("replay"), images.clone(), 0
        if self.old is not None:
            self.old = self.old.to(images.device)  # a checkpoint's is on the CPU
            picked = _some(len(self.old), count, draw)
            shown = len(picked)
            mixed[:shown] = self.old[picked].to(images.dtype) / 127.5 - 1
        self._keep(images[:count], draw)
        self.shown, self.seen = self.shown + shown, self.seen + len(images)
        return mixed

    def _keep(self, images, draw):
        new = ((images + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        old = new[:0] if self.old is None else self.old
        room = self.size - len(old)
        full = torch.cat([old, new[:room]])
        full[_some(len(old), len(new[room:]), draw)] = new[room:]
        self.old = full.contiguous()

    def activity(self):
        shown, seen, self.shown, self.seen = self.shown, self.seen, 0, 0
        return f"{100 * shown / seen:.0f} % of D's fakes were old ones" if shown else None

    def state_dict(self):
        return {"old": self.old}

    def load_state_dict(self, state):
        self.old = state["old"]


def _some(many, count, draw):
    """Up to `count` different numbers below `many`, at random."""
    return torch.randperm(many, generator=draw, device=draw.device)[:count]
