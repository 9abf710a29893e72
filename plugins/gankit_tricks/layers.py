"""D's layers: finding the last one, and putting something in front of it."""

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations

LAYERS = (
    *(nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear, nn.Embedding),
    *(nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
)


def last_layer(net):
    """The name and the layer that gives D's logit: the last one that `net` registers."""
    found = [(name, layer) for name, layer in net.named_modules() if isinstance(layer, LAYERS)]
    name, layer = found[-1] if found else ("", None)
    if not isinstance(layer, nn.Conv2d | nn.Linear) or len(layer.weight) != 1:
        raise ValueError("D's last layer is no convolution or linear layer that gives one number")
    return name, layer


def put_before(gan, name, layer, module, extra):
    """Puts `module`, which appends `extra` channels to what it is given, in front of D's `layer`.

    Spectral norm keeps vectors of the weight's size, so it is taken off first and put on again.
    """
    normalised = _has_spectral_norm(layer)
    if normalised:
        remove_parametrizations(layer, "weight", leave_parametrized=False)
    widen(layer, extra, gan.draw(f"more weights for {name}"))
    if normalised:
        spectral_norm(layer)
    gan.D.net.set_submodule(name, Widened(module, layer))


class Widened(nn.Sequential):
    """What a trick put in front of D's last layer, and that layer."""


def widen(layer, extra, draw):
    """Gives a layer `extra` more input channels; it keeps its weights and stays the same object.

    The new weights are normal numbers as large as the old ones: N(0, 0.02) where DCGAN's are.
    """
    old = layer.weight
    if not isinstance(old, nn.Parameter) or getattr(layer, "groups", 1) > 1:
        raise ValueError("D's last layer cannot be given more inputs")
    shape = (len(old), extra, *old.shape[2:])
    size = old.detach().square().mean().sqrt()
    new = size * torch.randn(shape, generator=draw, device=draw.device).to(old)
    layer.weight = nn.Parameter(torch.cat([old.detach(), new], dim=1))
    if isinstance(layer, nn.Linear):
        layer.in_features += extra
    else:
        layer.in_channels += extra


def append(x, values):
    """x (N, C, ...) with values (N, K) as K further channels, each the same all over its map."""
    maps = values.to(x.dtype).reshape(*values.shape, *[1] * (x.dim() - 2))
    return torch.cat([x, maps.expand(-1, -1, *x.shape[2:])], dim=1)


def _has_spectral_norm(layer):
    return is_parametrized(layer, "weight") and hasattr(layer.parametrizations.weight[0], "_u")
