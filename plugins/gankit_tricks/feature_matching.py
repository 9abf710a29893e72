"""Feature matching (Salimans et al. 2016, arXiv 1606.03498, section 3.1)."""

from torch import Tensor

from gankit import Trick


class FeatureMatching(Trick):
    """Adds |E f(x) - E f(G(z))|^2 to G's loss; f is what D's last layer with weights is given.

    G shall match what D finds worth looking at, on average, which is a steadier aim than one
    number. Means say little about variety, so it does not cure collapse. In the paper it takes the
    adversarial loss's place; here it is added, but being a sum over thousands of activations it
    outweighs that loss at weight 1. For a helper, try 0.01. (The paper's code has the mean of the
    absolute differences instead.) It costs G's update a forward pass of D.

    weight: what it is multiplied by.
    """

    def __init__(self, weight: float = 1.0) -> None:
        if not weight >= 0:
            raise ValueError("weight must be 0 or more")
        self.weight = weight
        self.fake_mean: Tensor | None = None  # E f(G(z)) and its graph, until the penalty
        self.distance: Tensor | None = None  # for the log

    def start(self, gan):
        gan.keep_features()

    def logits(self, logits, gan, player, is_real):
        if player is gan.G and not is_real:
            self.fake_mean = _mean(gan.features)  # of the pass that G's loss needs anyway
        return logits

    def penalty(self, gan, player, real, fake):
        if player is not gan.G or self.weight == 0:
            return None
        gan.judge(real)
        difference = _mean(gan.features) - self.fake_mean
        self.fake_mean = None
        distance = difference.square().sum()  # |E f(x) - E f(G(z))|^2
        self.distance = distance.detach()
        return self.weight * distance

    def activity(self):
        distance, self.distance = self.distance, None
        return None if distance is None else f"squared distance {float(distance):.3g}"


def _mean(features):
    """The mean over the batch of each activation, float32."""
    return features.float().flatten(1).mean(dim=0)
