"""Differentiable augmentation (Zhao et al. 2020, arXiv 2006.10738)."""

import torch

from gankit import Trick
from gankit_tricks.policy import split_policy
from gankit_tricks.transparency import join_alpha, mean_colour, split_alpha


class DiffAugment(Trick):
    """Augments everything D sees; gradients pass through, so G learns behind the augmentation.

    D never sees a picture twice in the same form, so it cannot memorise a small data set. Fakes are
    augmented in the same way, so G does not learn to draw the augmentation. It helps most below
    about 5,000 pictures; with very many it slows learning down. Each picture has its own draws.

    policy: any of color, translation and cutout, joined by +. Of transparent pictures, color leaves
        alpha as it is.
    """

    def __init__(self, policy: str = "color+translation+cutout") -> None:
        changes = {"color": self._color, "translation": self._translation, "cutout": self._cutout}
        self.policy = policy
        self.steps = [changes[name] for name in split_policy(policy, changes)]
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
        x, alpha = split_alpha(x)
        x = x + (brightness - 0.5) * alpha
        grey = x.mean(dim=1, keepdim=True)
        x = grey + (x - grey) * (saturation * 2)
        mean = mean_colour(x, alpha) * alpha
        return join_alpha(mean + (x - mean) * (contrast + 0.5), alpha)

    def _translation(self, x, draw, largest=1 / 8):
        """Moves each picture by up to 1/8 of its side; the gap is filled with 0, a middle grey."""
        rows = _shift(x, x.shape[2], largest, draw)  # (N, H, H), ones on a shifted diagonal
        columns = _shift(x, x.shape[3], largest, draw)  # (N, W, W)
        return rows[:, None] @ x @ columns[:, None].transpose(2, 3)

    def _cutout(self, x, draw, side=1 / 2):
        """A grey square of half the side, around a centre anywhere in the picture."""
        is_cut: torch.Tensor | bool = True
        for dim, size in ((2, x.shape[2]), (3, x.shape[3])):
            cut = int(size * side + 0.5)
            # The centre of an even square is between two pixels, so there is one more of them.
            centres = size + 1 - cut % 2
            centre = torch.randint(centres, (len(x), 1, 1, 1), generator=draw, device=x.device)
            shape = [1, 1, 1, 1]
            shape[dim] = size
            pixels = torch.arange(size, device=x.device).view(shape)
            first = centre - cut // 2
            is_cut = is_cut & (pixels >= first) & (pixels < first + cut)
        return x * ~is_cut

    def activity(self):
        acted = self.acted
        self.acted = False
        return self.policy.replace("+", ", ") if acted else None


def _shift(x, size, largest, draw):
    """Matrices (N, size, size), one for each picture, that shift its rows by whole pixels."""
    reach = int(size * largest + 0.5)
    move = torch.randint(-reach, reach + 1, (len(x), 1, 1), generator=draw, device=x.device)
    pixels = torch.arange(size, device=x.device)
    return (pixels[:, None] - pixels[None, :] == move).to(x.dtype)
