"""Layers of convolutions that choose the quicker way on a CPU: the same numbers, up to rounding."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized, type_before_parametrizations

from gankit.compute.algorithms import gains, make
from gankit.compute.kernel import Kernel


def quicken(net: nn.Module) -> nn.Module:
    """The network, whose convolutions choose the quicker way; its weights stay."""
    quick = {nn.Conv2d: QuickConv2d, nn.ConvTranspose2d: QuickConvTranspose2d}
    modules = net.modules() if isinstance(net, nn.Module) else ()  # what it is, others will check
    for module in modules:
        kind = quick.get(type_before_parametrizations(module))
        if kind and _ordinary(module):
            module.__class__ = _parametrized(kind, module) if is_parametrized(module) else kind
    return net


class QuickConv2d(nn.Conv2d):
    """nn.Conv2d, which on a CPU goes the quicker way, as do its gradients."""

    def forward(self, images: Tensor) -> Tensor:
        images = _computed(images)
        if _ours(images):
            kernel = Kernel(*_sizes(self), *images.shape[2:])
            if gains(kernel, images, _shape(self), of_images=images.requires_grad):
                maps = make("maps", kernel, images=images, weight=_computed(self.weight))
                return _plus(maps, self.bias)
        return super().forward(images)


class QuickConvTranspose2d(nn.ConvTranspose2d):
    """nn.ConvTranspose2d, which on a CPU goes the quicker way, as do its gradients."""

    def forward(self, images: Tensor, output_size: Any = None) -> Tensor:
        maps, (k, stride, padding) = _computed(images), _sizes(self)
        if output_size is None and _ours(maps):
            extra = k - 2 * padding + self.output_padding[0]
            sides = [(side - 1) * stride + extra for side in maps.shape[2:]]
            kernel = Kernel(k, stride, padding, *sides)
            if gains(kernel, maps, _shape(self)):
                images = make("images", kernel, maps=maps, weight=_computed(self.weight))
                return _plus(images, self.bias)
        return super().forward(maps, output_size)


def _ordinary(layer: Any) -> bool:
    """Whether the layer's kernel is square, larger than 1x1, whole, and the same everywhere."""
    pairs = (layer.kernel_size, layer.stride, layer.padding, layer.output_padding)
    square = all(len(set(pair)) == 1 and not isinstance(pair, str) for pair in pairs)
    ordinary = layer.groups == 1 and layer.dilation == (1, 1) and layer.padding_mode == "zeros"
    allowed = layer.output_padding[0] < layer.stride[0]  # torch refuses more
    return square and ordinary and allowed and layer.kernel_size[0] > 1


def _parametrized(kind: type, layer: nn.Module) -> type:
    """A class of its own, like torch's, for a layer whose weight is computed: it is a property."""
    return type(type(layer).__name__, (kind,), {**vars(type(layer))})


def _computed(numbers: Tensor) -> Tensor:
    """Images or weights in the arithmetic that autocast asks for; it leaves 64 bits alone."""
    kind = numbers.device.type
    asked = torch.is_autocast_enabled(kind) and numbers.is_floating_point()
    double = numbers.dtype == torch.float64
    return numbers.to(torch.get_autocast_dtype(kind)) if asked and not double else numbers


def _ours(images: Tensor) -> bool:
    """Whether these are pictures on a CPU, and torch does not compile what becomes of them.

    It miscounts what is added in place to parts that overlap.
    """
    pictures = images.dim() == 4 and images.is_floating_point()
    return pictures and images.device.type == "cpu" and not torch.compiler.is_compiling()


def _sizes(layer: Any) -> tuple[int, int, int]:
    """The side of an ordinary layer's kernel, its stride and its padding."""
    return layer.kernel_size[0], layer.stride[0], layer.padding[0]


def _shape(layer: Any) -> torch.Size:
    """Its weight's shape. To ask a weight that is computed, as by spectral norm, computes it."""
    channels = layer.in_channels, layer.out_channels
    first, second = channels if layer.transposed else reversed(channels)
    return torch.Size((first, second, *layer.kernel_size))


def _plus(maps: Tensor, bias: Tensor | None) -> Tensor:
    """Maps (N, C, H, W) with C numbers added, if there are any, in the maps' arithmetic."""
    return maps if bias is None else maps + bias.to(maps.dtype)[:, None, None]
