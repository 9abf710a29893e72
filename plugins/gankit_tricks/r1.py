"""R1 regularisation (Mescheder et al. 2018, arXiv 1801.04406)."""

from gankit import Trick
from gankit_tricks.slope import gradient


class R1(Trick):
    """Adds gamma / 2 * E |grad D(x)|^2 at real pictures to D's loss.

    Where the data lie, D becomes flat, and training settles instead of circling. Too strong, D can
    hardly tell pictures apart, and G learns slowly. It costs a second backward pass. The slope is
    taken in float32 and through the other tricks' changes to D's input.

    gamma: the weight; 10 in the paper. A rule of thumb: 0.0002 * size^2 / batch size.
    every: apply it every so many steps, that much stronger (Karras et al. 2020: 16).
    """

    def __init__(self, gamma: float = 10.0, every: int = 1) -> None:
        if gamma < 0 or every < 1:
            raise ValueError("gamma must be 0 or more, every 1 or more")
        self.gamma, self.every = gamma, every
        self.slope = None

    def _where(self, real, fake):
        return real

    def penalty(self, gan, player, real, fake):
        if player is not gan.D or self.gamma == 0 or gan.step % self.every:
            return None
        slope = gradient(gan, self._where(real, fake))
        slope = slope.square().sum(dim=(1, 2, 3)).mean()  # E |grad D(x)|^2
        self.slope = slope.detach()
        return self.gamma / 2 * slope * self.every

    def activity(self):
        slope, self.slope = self.slope, None
        return None if slope is None else f"mean squared slope {float(slope):.3g}"
