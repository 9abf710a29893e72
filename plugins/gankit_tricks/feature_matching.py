"""Feature matching (Salimans et al. 2016, arXiv 1606.03498, section 3.1)."""

from torch import Tensor

from gankit import Trick


class FeatureMatching(Trick):
    """Adds |E f(x) - E f(G(z))|^2 to G's loss; f is the input of D's last layer.

    G learns to match, on average, the features that D looks at: a steadier goal than D's one
    number. Means say little about variety, so this does not cure mode collapse. In the paper this
    term replaces the adversarial loss. Here it is added to it; as a sum over thousands of
    activations it outweighs the loss at weight 1, so try 0.01 if it should only help. (The paper's
    code takes the mean of the absolute differences instead.) It costs G's update one more forward
    pass of D.

    weight: the factor of this term.
    """

    def __init__(self, weight: float = 1.0) -> None:
        if not weight >= 0:
            raise ValueError("weight must be 0 or more")
        self.weight = weight
        self.fake_mean: Tensor | None = None  # E f(G(z)) with its graph, kept until the penalty
        self.distance: Tensor | None = None  # for the log

    def start(self, gan):
        gan.keep_features()

    def logits(self, logits, gan, player, is_real):
        if player is gan.G and not is_real:
            self.fake_mean = _feature_mean(gan.features)  # of the pass that G's loss needs anyway
        return logits

    def penalty(self, gan, player, real, fake):
        if player is not gan.G or self.weight == 0:
            return None
        gan.judge(real)
        difference = _feature_mean(gan.features) - self.fake_mean
        self.fake_mean = None
        distance = difference.square().sum()  # |E f(x) - E f(G(z))|^2
        self.distance = distance.detach()
        return self.weight * distance

    def activity(self):
        distance = self.distance
        self.distance = None
        if distance is None:
            return None
        return {"distance": distance, "text": f"squared distance {float(distance):.3g}"}


def _feature_mean(features):
    """The mean over the batch of each activation, float32."""
    return features.float().flatten(1).mean(dim=0)
