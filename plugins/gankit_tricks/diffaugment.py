"""Differentiable augmentation (Zhao et al. 2020, arXiv 2006.10738)."""

import torch

from gankit import Trick


class DiffAugment(Trick):
    """Augments everything D sees; gradients pass, so G learns through the augmentation.

    D sees each picture in ever new forms and cannot learn a small set by heart; since fakes are
    augmented alike, G need not copy the augmentation. Helps most below some 5,000 pictures; with
    very many it slows learning down. Draws are per picture.

    policy: any of color, translation and cutout, joined by +.
    """

    def __init__(self, policy: str = "color+translation+cutout") -> None:
        known = {"color": self._color, "translation": self._translation, "cutout": self._cutout}
        wanted = [word for word in policy.split("+") if word]
        unknown = [word for word in wanted if word not in known]
        if unknown:
            raise ValueError(f"policy {unknown[0]!r}: there is {', '.join(known)}, joined by +")
        self.policy, self.steps = policy, [known[word] for word in wanted]
        self.acted = False

    def d_input(self, images, gan):
        for step in self.steps:
            images = step(images, gan.draw("diffaugment"))
            self.acted = True
        return images

    def _color(self, x, draw):
        brightness, saturation, contrast = torch.rand(
            3, len(x), 1, 1, 1, generator=draw, device=x.device
        )
        x = x + (brightness - 0.5)
        grey = x.mean(dim=1, keepdim=True)
        x = grey + (x - grey) * (saturation * 2)
        mean = x.mean(dim=(1, 2, 3), keepdim=True)
        return mean + (x - mean) * (contrast + 0.5)

    def _translation(self, x, draw, most=1 / 8):
        """Moves each picture by up to 1/8 of its side; what enters is black (0 in [-1, 1])."""
        rows = _shift(x, x.shape[2], most, draw)  # (N, H, H), ones on a shifted diagonal
        columns = _shift(x, x.shape[3], most, draw)  # (N, W, W)
        return rows[:, None] @ x @ columns[:, None].transpose(2, 3)

    def _cutout(self, x, draw, side=1 / 2):
        """A grey square of half the side, around a centre anywhere in the picture."""
        inside: torch.Tensor | bool = True
        for dim, size in ((2, x.shape[2]), (3, x.shape[3])):
            cut = int(size * side + 0.5)
            centres = size + 1 - cut % 2  # an even square's lie between pixels, one more than these
            centre = torch.randint(centres, (len(x), 1, 1, 1), generator=draw, device=x.device)
            shape = [1, 1, 1, 1]
            shape[dim] = size
            place = torch.arange(size, device=x.device).view(shape)
            first = centre - cut // 2
            inside = inside & (place >= first) & (place < first + cut)
        return x * ~inside

    def activity(self):
        acted, self.acted = self.acted, False
        return self.policy.replace("+", ", ") if acted else None


def _shift(x, size, most, draw):
    """Matrices (N, size, size) that move a picture's rows by whole pixels, one draw each."""
    reach = int(size * most + 0.5)
    move = torch.randint(-reach, reach + 1, (len(x), 1, 1), generator=draw, device=x.device)
    place = torch.arange(size, device=x.device)
    return (place[:, None] - place[None, :] == move).to(x.dtype)
