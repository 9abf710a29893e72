"""Two time-scales (Heusel et al. 2017, arXiv 1706.08500)."""

from gankit import Trick


class TTUR(Trick):
    """Lets D learn at `factor` times its learning rate, so that it keeps up with G.

    With one D step for each of G's, a faster D stands in for further D steps. 4 is what Zhang et
    al. 2018 (arXiv 1805.08318: D 4e-4, G 1e-4) and many after them use, together with
    spectral-norm; there G's rate is half of DCGAN's, so give `--lr-g 1e-4 --lr-d 1e-4`. Hurts where
    D wins anyway, as with few pictures: a factor below 1 makes G the faster one.

    factor: what D's learning rate (`--lr-d`) is multiplied with; 1 for no change.
    """

    def __init__(self, factor: float = 4.0) -> None:
        if factor <= 0:
            raise ValueError("factor must be more than 0")
        self.factor = factor

    def start(self, gan):
        self.players = (gan.G, gan.D)
        for group in gan.D.adam.param_groups:
            group["lr"] *= self.factor  # a checkpoint holds the product, loaded after this

    def activity(self):
        if self.factor == 1:
            return None
        g, d = (player.adam.param_groups[0]["lr"] for player in self.players)
        return f"learning rates G {g:g}, D {d:g}"
