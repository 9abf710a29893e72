"""Finds D's last layer, and inserts a module in front of it."""

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations

LAYERS_OF_PICTURES = (
    *(nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear),
    *(nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
)
LAYERS = (*LAYERS_OF_PICTURES, nn.Embedding)  # and tables of class labels


def last_layer(net):
    """`(name, layer)` of the layer that gives D's logit: the last one that `net` registers.

    Raises ValueError if it is not a Conv2d or Linear layer with one output.
    """
    modules = net.named_modules()
    layers = [(name, layer) for name, layer in modules if isinstance(layer, LAYERS_OF_PICTURES)]
    name, layer = layers[-1] if layers else ("", None)
    if not isinstance(layer, nn.Conv2d | nn.Linear) or len(layer.weight) != 1:
        raise ValueError("D's last layer must be a Conv2d or a Linear layer with one output")
    return name, layer


def insert_before(gan, name, layer, module, extra):
    """Inserts `module`, which appends `extra` channels to its input, in front of D's `layer`.

    Spectral norm keeps vectors of the weight's size, so it is removed first and added again.
    """
    normalised = _has_spectral_norm(layer)
    if normalised:
        remove_parametrizations(layer, "weight", leave_parametrized=False)
    widen(layer, extra, gan.draw(f"more weights for {name}"))
    if normalised:
        spectral_norm(layer)
    gan.D.net.set_submodule(name, Widened(module, layer))


class Widened(nn.Sequential):
    """A module that a trick has inserted, then D's last layer."""


def widen(layer, extra, draw):
    """Gives a layer `extra` more input channels, in place; its old weights stay.

    The new weights are normal, with the scale of the old ones: N(0, 0.02) in DCGAN.
    """
    old = layer.weight
    if not isinstance(old, nn.Parameter) or getattr(layer, "groups", 1) > 1:
        raise ValueError(
            "D's last layer cannot take more inputs: it has groups or a parametrized weight"
        )
    shape = (len(old), extra, *old.shape[2:])
    size = old.detach().square().mean().sqrt()
    new = size * torch.randn(shape, generator=draw, device=draw.device).to(old)
    layer.weight = nn.Parameter(torch.cat([old.detach(), new], dim=1))
    if isinstance(layer, nn.Linear):
        layer.in_features += extra
    else:
        layer.in_channels += extra


def append(x, values):
    """x (N, C, ...) -> (N, C + K, ...): values (N, K) become K constant channels."""
    maps = values.to(x.dtype).reshape(*values.shape, *[1] * (x.dim() - 2))
    return torch.cat([x, maps.expand(-1, -1, *x.shape[2:])], dim=1)


def _has_spectral_norm(layer):
    return is_parametrized(layer, "weight") and hasattr(layer.parametrizations.weight[0], "_u")
