"""R1 regularisation (Mescheder et al. 2018, arXiv 1801.04406)."""

from gankit import Trick
from gankit_tricks.input_gradient import input_gradient


class R1(Trick):
    """Adds gamma / 2 * E |grad D(x)|^2 at real pictures to D's loss.

    D becomes flat around the data, so training converges instead of circling. If gamma is too
    large, D can hardly tell reals from fakes, and G learns slowly. It costs a second backward pass.
    The gradient is computed in float32, through the changes that other tricks make to D's input.

    gamma: the weight; 10 in the paper. A rule of thumb: 0.0002 * size^2 / batch size.
    every: apply the penalty every N steps, N times as strong (Karras et al. 2020: 16).
    """

    def __init__(self, gamma: float = 10.0, every: int = 1) -> None:
        if gamma < 0 or every < 1:
            raise ValueError("gamma must be 0 or more, every 1 or more")
        self.gamma = gamma
        self.every = every
        self.squared_norm = None

    def _penalised_images(self, real, fake):
        return real

    def penalty(self, gan, player, real, fake):
        if player is not gan.D or self.gamma == 0 or gan.step % self.every:
            return None
        gradient = input_gradient(gan, self._penalised_images(real, fake))
        squared_norm = gradient.square().sum(dim=(1, 2, 3)).mean()  # E |grad D(x)|^2
        self.squared_norm = squared_norm.detach()
        return self.gamma / 2 * squared_norm * self.every

    def activity(self):
        squared_norm = self.squared_norm
        self.squared_norm = None
        if squared_norm is None:
            return None
        text = f"mean squared gradient {float(squared_norm):.3g}"
        return {"squared_gradient": squared_norm, "text": text}
