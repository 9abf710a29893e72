"""Feature matching (Salimans et al. 2016, arXiv 1606.03498, section 3.1)."""

from torch.nn.utils import parametrize

from gankit import Trick


class FeatureMatching(Trick):
    """Adds |E f(x) - E f(G(z))|^2 to G's loss; f is what D's last layer with weights is given.

    G shall match what D finds worth looking at, on average, which is a steadier aim than one
    number. Means say little about variety, so it does not cure collapse. In the paper it takes the
    adversarial loss's place; here it is added, but being a sum over thousands of activations it
    outweighs that loss at weight 1. For a helper, try 0.01. (The paper's code has the mean of the
    absolute differences instead.) It costs G's step two forward passes of D.

    weight: what it is multiplied by.
    """

    def __init__(self, weight: float = 1.0) -> None:
        if not weight >= 0:
            raise ValueError("weight must be 0 or more")
        self.weight = weight
        self.listening, self.features, self.distance = False, None, None

    def start(self, gan):
        for layer in gan.D.net.modules():
            own = layer.parameters(recurse=False)
            if any(p.dim() > 1 for p in own) or parametrize.is_parametrized(layer):
                layer.register_forward_pre_hook(self._keep)

    def _keep(self, layer, inputs):
        if self.listening and inputs:  # the last to be called in a forward pass stays
            self.features = inputs[0]

    def _mean(self, images, gan):
        """E f(images): the mean over the batch of each activation."""
        self.listening = True
        gan.judge(images)
        self.listening = False
        features, self.features = self.features, None
        return features.float().flatten(1).mean(dim=0)

    def penalty(self, gan, player, real, fake):
        if player is not gan.G or self.weight == 0:
            return None
        apart = self._mean(real, gan) - self._mean(fake, gan)
        distance = apart.square().sum()  # |E f(x) - E f(G(z))|^2
        self.distance = distance.detach()
        return self.weight * distance

    def activity(self):
        distance, self.distance = self.distance, None
        return None if distance is None else f"squared distance {float(distance):.3g}"
