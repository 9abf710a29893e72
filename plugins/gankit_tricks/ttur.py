"""Two time-scales (Heusel et al. 2017, arXiv 1706.08500)."""

from gankit import Trick


class TTUR(Trick):
    """Multiplies D's learning rate by `factor`, so that D keeps up with G.

    A faster D replaces several D steps for each step of G. Zhang et al. 2018 (arXiv 1805.08318: D
    4e-4, G 1e-4) and many papers after it use 4, together with spectral-norm; their rate for G is
    half of DCGAN's, so add `--lr-g 1e-4 --lr-d 1e-4`. It hurts where D already wins, as with few
    pictures: there, a factor below 1 makes G the faster player.

    factor: D's learning rate (`--lr-d`) is multiplied by this; 1 for no change.
    """

    def __init__(self, factor: float = 4.0) -> None:
        if factor <= 0:
            raise ValueError("factor must be more than 0")
        self.factor = factor

    def start(self, gan):
        self.players = (gan.G, gan.D)
        for group in gan.D.adam.param_groups:
            group["lr"] *= self.factor  # a checkpoint, loaded later, holds the product

    def activity(self):
        if self.factor == 1:
            return None
        g, d = (player.adam.param_groups[0]["lr"] for player in self.players)
        return {"lr_g": g, "lr_d": d, "text": f"learning rates G {g:g}, D {d:g}"}
