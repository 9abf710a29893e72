"""Spectral normalisation (Miyato et al. 2018, arXiv 1802.05957)."""

from torch.nn.utils.parametrizations import spectral_norm

from gankit import Trick
from gankit_tricks.layers import LAYERS


class SpectralNorm(Trick):
    """Divides the weight W of each layer of D by its largest singular value sigma(W).

    No layer can stretch its input, so D's gradient is bounded and stays useful. sigma is tracked by
    one power iteration each time D judges. It helps DCGAN and ResNet discriminators; it made
    StyleGAN2's worse (Karras et al. 2020).
    """

    def wrap(self, gan):
        self.layers = [layer for layer in gan.D.net.modules() if isinstance(layer, LAYERS)]
        for layer in self.layers:
            spectral_norm(layer)

    def activity(self):
        if not self.layers:
            return None
        largest = max(float(_sigma(layer)) for layer in self.layers)
        text = f"{len(self.layers)} layers; divided by up to {largest:.2f}"
        return {"largest": largest, "text": text}


def _sigma(layer):
    """u' W v, with the current vectors of the power iteration."""
    parametrization = layer.parametrizations.weight
    u = parametrization[0]._u
    v = parametrization[0]._v
    weight = parametrization.original.detach().transpose(0, parametrization[0].dim)
    return u @ weight.flatten(1) @ v  # the matrix is (outputs, inputs)
