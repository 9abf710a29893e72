"""R2 regularisation (Mescheder et al. 2018, arXiv 1801.04406; Huang et al. 2025, 2501.05441)."""

from gankit_tricks.r1 import R1


class R2(R1):
    """Adds gamma / 2 * E |grad D(x)|^2 at fakes to D's loss: R1 at the other pictures.

    D becomes flat around G's pictures, also where they are still far from the data and r1 has no
    effect. Huang et al. use it with r1, the relativistic loss and no batch norm. If gamma is too
    large, G gets little gradient to follow.

    gamma: the weight; 10 is r1's. A rule of thumb: 0.0002 * size^2 / batch size.
    every: apply the penalty every N steps, N times as strong.
    """

    def __init__(self, gamma: float = 10.0, every: int = 1) -> None:
        super().__init__(gamma, every)

    def _penalised_images(self, real, fake):
        return fake
