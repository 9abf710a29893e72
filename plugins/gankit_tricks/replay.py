"""Replay of old fakes (Shrivastava et al. 2017, arXiv 1612.07828, section 2.3)."""

import torch

from gankit import Trick
from gankit.core.contracts.growing import shape_in_training


class Replay(Trick):
    """Half of the fakes that D learns from are old ones, drawn from a buffer.

    If D forgets G's earlier pictures, G may return to them, and the two run in circles. This trick
    costs no time. If the buffer is much older than G, D learns about mistakes that G no longer
    makes. The new fakes that are replaced go into the buffer, in place of random old ones once it
    is full. The buffer holds 8-bit pictures and is saved in checkpoints. With class labels, a fake
    is replaced only by an old one of its class, so that D is asked about the class it shows.

    size: fakes in the buffer (the paper does not give a size; CycleGAN has 50).
    share: the share of old fakes in D's batch.
    """

    def __init__(self, size: int = 512, share: float = 0.5) -> None:
        if size < 1 or not 0 <= share <= 1:
            raise ValueError("size must be 1 or more, share from 0 to 1")
        self.size = size
        self.share = share
        self.old: torch.Tensor | None = None  # (up to size, C, H, W), uint8
        self.old_labels: torch.Tensor | None = None  # with class labels: those of `old`
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
        if self.old is not None and self.old.shape[1:] != images.shape[1:]:
            self.old = None  # with the trick grow, pictures have become larger
            self.old_labels = None
        if self.old is not None:
            self.old = self.old.to(images.device)  # a checkpoint's is on the CPU
            replaced, picked = _pick(self.old, self.old_labels, count, gan.labels, draw)
            shown = len(picked)
            mixed[replaced] = self.old[picked].to(images.dtype) / 127.5 - 1
        self._keep(images[:count], gan.labels, draw)
        self.replayed = self.replayed + shown
        self.judged = self.judged + len(images)
        return mixed

    def _keep(self, images, labels, draw):
        new = ((images + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        old = new[:0] if self.old is None else self.old
        room = self.size - len(old)
        full = torch.cat([old, new[:room]])
        overwritten = _random_indices(len(old), len(new[room:]), draw)
        full[overwritten] = new[room:]
        self.old = full.contiguous()
        if labels is not None:
            new_labels = labels[: len(new)]
            old_labels = new_labels[:0] if self.old_labels is None else self.old_labels.to(labels)
            self.old_labels = torch.cat([old_labels, new_labels[:room]])
            self.old_labels[overwritten] = new_labels[room:]

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
        if self.old_labels is None:
            return {"old": self.old}
        return {"old": self.old, "labels": self.old_labels}

    def load_state_dict(self, state):
        old = state["old"]
        if old is not None:
            picture = self.gan.sample(torch.zeros(1, self.gan.latent_dim))[0]
            shape = shape_in_training(self.gan.G.net, tuple(picture.shape))
            if old.dtype != torch.uint8 or old.shape[1:] != shape or len(old) > self.size:
                raise ValueError(f"old must be at most {self.size} pictures of bytes, as G makes")
        self.old = old
        self.old_labels = state.get("labels")
        needs_labels = old is not None and self.gan.num_classes > 0
        if needs_labels and getattr(self.old_labels, "shape", None) != (len(old),):
            raise ValueError("labels must be the class of each picture in old")


def _pick(old, old_labels, count, labels, draw):
    """Up to `count` places of the batch, and for each the index of an old fake of its class."""
    if labels is None:
        picked = _random_indices(len(old), count, draw)
        return slice(len(picked)), picked
    old_labels = old_labels.to(labels.device)
    replaced = []
    picked = []
    for label in labels[:count].unique():
        places = (labels[:count] == label).nonzero()[:, 0]
        alike = (old_labels == label).nonzero()[:, 0]
        chosen = alike[_random_indices(len(alike), len(places), draw)]
        replaced.append(places[: len(chosen)])
        picked.append(chosen)
    return torch.cat(replaced), torch.cat(picked)


def _random_indices(length, count, draw):
    """Up to `count` different indices below `length`."""
    return torch.randperm(length, generator=draw, device=draw.device)[:count]
