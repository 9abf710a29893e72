"""Replay of old fakes (Shrivastava et al. 2017, arXiv 1612.07828, section 2.3)."""

import torch

from gankit import Trick


class Replay(Trick):
    """Half of the fakes that D learns from are old ones, drawn from a buffer.

    If D forgets G's earlier pictures, G may return to them, and the two run in circles. This trick
    costs no time. If the buffer is much older than G, D learns about mistakes that G no longer
    makes. The new fakes that are replaced go into the buffer, in place of random old ones once it
    is full. The buffer holds 8-bit pictures and is saved in checkpoints.

    size: fakes in the buffer (the paper does not give a size; CycleGAN has 50).
    share: the share of old fakes in D's batch.
    """

    def __init__(self, size: int = 512, share: float = 0.5) -> None:
        if size < 1 or not 0 <= share <= 1:
            raise ValueError("size must be 1 or more, share from 0 to 1")
        self.size = size
        self.share = share
        self.old: torch.Tensor | None = None  # (up to size, C, H, W), uint8
        self.replayed = 0
        self.judged = 0

    def start(self, gan):
        self.gan = gan

    def fakes(self, images, gan):
        count = min(int(self.share * len(images)), self.size)
        if count == 0:
            return images
        draw = gan.draw("replay")
        mixed = images.clone()
        shown = 0
        if self.old is not None:
            self.old = self.old.to(images.device)  # a checkpoint's is on the CPU
            picked = _random_indices(len(self.old), count, draw)
            shown = len(picked)
            mixed[:shown] = self.old[picked].to(images.dtype) / 127.5 - 1
        self._keep(images[:count], draw)
        self.replayed = self.replayed + shown
        self.judged = self.judged + len(images)
        return mixed

    def _keep(self, images, draw):
        new = ((images + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        old = new[:0] if self.old is None else self.old
        room = self.size - len(old)
        full = torch.cat([old, new[:room]])
        full[_random_indices(len(old), len(new[room:]), draw)] = new[room:]
        self.old = full.contiguous()

    def activity(self):
        shown = self.replayed
        seen = self.judged
        self.replayed = 0
        self.judged = 0
        if not shown:
            return None
        share = shown / seen
        return {"old": share, "text": f"{100 * share:.0f} % of D's fakes were old ones"}

    def state_dict(self):
        return {"old": self.old}

    def load_state_dict(self, state):
        old = state["old"]
        if old is not None:
            picture = self.gan.sample(torch.zeros(1, self.gan.latent_dim))[0]
            if old.dtype != torch.uint8 or old.shape[1:] != picture.shape or len(old) > self.size:
                raise ValueError(f"old must be at most {self.size} pictures of bytes, as G makes")
        self.old = old


def _random_indices(length, count, draw):
    """Up to `count` different indices below `length`."""
    return torch.randperm(length, generator=draw, device=draw.device)[:count]
