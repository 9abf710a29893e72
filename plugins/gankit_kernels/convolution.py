"""A convolution over a small map as one matrix product: the same numbers, up to rounding.

A convolution is a matrix product in disguise: lay the k x k x C numbers under the kernel at each
place into a row, and multiply the rows by the weights (Chellapilla, Puri & Simard 2006, "High
performance convolutional neural networks for document processing"). A row repeats numbers of its
neighbours, so for large maps a direct convolution wins. For the small maps of a GAN, with many
channels, it does not: there the gradients of a direct one take several times as long on a CPU.
`tests/benchmarks/test_convolution.py` shows how much.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrize import is_parametrized, type_before_parametrizations

from gankit_kernels.interleaved import conv, conv_transpose, suits


def quicken(net: nn.Module) -> nn.Module:
    """The network, whose convolutions choose the quicker way; its weights stay."""
    quick = {nn.Conv2d: MatrixConv2d, nn.ConvTranspose2d: MatrixConvTranspose2d}
    modules = net.modules() if isinstance(net, nn.Module) else ()  # what it is, others will check
    for module in modules:
        kind = quick.get(type_before_parametrizations(module))
        if kind and _ordinary(module):
            module.__class__ = _parametrized(kind, module) if is_parametrized(module) else kind
    return net


def worth_it(images: Tensor, channels: int, *sides: int) -> bool:
    """Whether maps with these sides and so many channels are small enough, on a CPU.

    Never while torch compiles: it miscounts what is added in place to parts that overlap.
    """
    if torch.compiler.is_compiling():
        return False
    most = channels // (32 if images.dtype == torch.float32 else 16)
    return images.device.type == "cpu" and max(sides) <= most


def _ordinary(layer: Any) -> bool:
    """Whether the layer's kernel is square, larger than 1x1, whole, and the same everywhere."""
    pairs = (layer.kernel_size, layer.stride, layer.padding, layer.output_padding)
    square = all(len(set(pair)) == 1 and not isinstance(pair, str) for pair in pairs)
    ordinary = layer.groups == 1 and layer.dilation == (1, 1) and layer.padding_mode == "zeros"
    return square and ordinary and layer.kernel_size[0] > 1


def _parametrized(kind: type, layer: nn.Module) -> type:
    """A class of its own, like torch's, for a layer whose weight is computed: it is a property."""
    return type(type(layer).__name__, (kind,), {**vars(type(layer))})


class Kernel(NamedTuple):
    """A square kernel of side `k`, moved by `stride` over padded images of (height, width)."""

    k: int
    stride: int
    padding: int
    height: int
    width: int

    def rows(self, images: Tensor) -> Tensor:
        """(N, C, height, width) -> (N * places, k * k * C), what lies under the kernel."""
        pad, channels = self.padding, images.shape[1]
        padded = functional.pad(images.permute(0, 2, 3, 1), (0, 0, pad, pad, pad, pad)).contiguous()
        picture, line, pixel, _ = padded.stride()
        shape = (len(images), *self.places(), self.k, self.k * channels)
        rows = padded.as_strided(shape, (picture, self.stride * line, self.stride * pixel, line, 1))
        return rows.reshape(-1, self.k * self.k * channels)

    def images(self, rows: Tensor) -> Tensor:
        """(N * places, k * k * C) -> (N, C, height, width): the sum of all that lies on a pixel."""
        down, right = self.places()
        parts = rows.view(-1, right, self.k, self.k, rows.shape[1] // self.k**2)
        lines = _overlap(parts, self.stride)  # (N * down, k, wide, C)
        high = _overlap(
            lines.flatten(2).view(-1, down, 1, self.k, lines[0, 0].numel()), self.stride
        )
        images = high.view(len(high), high.shape[2], *lines.shape[2:])
        pad, below = self.padding, self.height + self.padding - images.shape[1]
        beside = self.width + self.padding - images.shape[2]
        return functional.pad(images, (0, 0, -pad, beside, -pad, below)).permute(0, 3, 1, 2)

    def places(self) -> tuple[int, int]:
        """How many places the kernel has, down and to the right."""
        down, right = ((side + 2 * self.padding - self.k) // self.stride + 1 for side in self[3:])
        return down, right


def _overlap(parts: Tensor, stride: int) -> Tensor:
    """Parts of length k, one every `stride`, summed: (A, places, B, k, C) -> (A, B, length, C)."""
    count, places, others, k, channels = parts.shape
    if k == 2 * stride:  # the halves of neighbours lie on one another: one addition
        first, second = (half.flatten(3).transpose(1, 2) for half in parts.split(stride, 3))
        whole = parts.new_empty(count, others, places + 1, stride * channels)
        whole[:, :, 0], whole[:, :, -1] = first[:, :, 0], second[:, :, -1]
        torch.add(first[:, :, 1:], second[:, :, :-1], out=whole[:, :, 1:-1])
        return whole.view(count, others, -1, channels)
    whole = parts.new_zeros(count, others, ((places - 1) * stride + k) * channels)
    for first in range(0, k, stride):  # pieces of `stride` numbers of different parts are disjoint
        piece = parts[:, :, :, first : first + stride].flatten(3).transpose(1, 2)
        length, step = piece.shape[3], stride * channels
        where = whole[:, :, first * channels :][:, :, : (places - 1) * step + length]
        where.unfold(2, length, step).add_(piece)
    return whole.view(count, others, -1, channels)


class _Rows(torch.autograd.Function):
    """Kernel.rows, whose gradient is Kernel.images."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, kernel: Kernel) -> Tensor:
        ctx.kernel = kernel
        return kernel.rows(images)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Images.apply(gradient, ctx.kernel), None


class _Images(torch.autograd.Function):
    """Kernel.images, whose gradient is Kernel.rows; so both have gradients of any order."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, kernel: Kernel) -> Tensor:
        ctx.kernel = kernel
        return kernel.images(rows)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Rows.apply(gradient, ctx.kernel), None


def _computed(images: Tensor) -> Tensor:
    """The images in the arithmetic that autocast asks for."""
    kind = images.device.type
    return images.to(torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else images


def _sizes(layer: Any) -> tuple[int, int, int]:
    """The side of an ordinary layer's kernel, its stride and its padding."""
    return layer.kernel_size[0], layer.stride[0], layer.padding[0]


class MatrixConv2d(nn.Conv2d):
    """nn.Conv2d; over small maps a matrix product, with images' gradient interleaved."""

    def forward(self, images: Tensor) -> Tensor:
        images, (k, stride, padding) = _computed(images), _sizes(self)
        if worth_it(images, self.in_channels, *images.shape[2:]):
            kernel = Kernel(k, stride, padding, *images.shape[2:])
            weights = self.weight.permute(0, 2, 3, 1).flatten(1)  # (out, k * k * in)
            maps = functional.linear(_Rows.apply(images, kernel), weights, self.bias)
            return maps.view(len(images), *kernel.places(), -1).permute(0, 3, 1, 2)
        whole = all((side + 2 * padding) % stride == 0 for side in images.shape[2:])
        if images.requires_grad and whole and suits(images, self.in_channels, k, stride):
            return _plus(conv(images, self.weight, stride, padding), self.bias)
        return super().forward(images)


class MatrixConvTranspose2d(nn.ConvTranspose2d):
    """nn.ConvTranspose2d; towards small maps a matrix product, towards images interleaved."""

    def forward(self, images: Tensor, output_size: Any = None) -> Tensor:
        images, (k, stride, padding) = _computed(images), _sizes(self)
        extra = self.output_padding[0]
        height, width = ((s - 1) * stride - 2 * padding + k + extra for s in images.shape[2:])
        if output_size is None and worth_it(images, self.out_channels, height, width):
            weights = self.weight.permute(0, 2, 3, 1).flatten(1)  # (in, k * k * out)
            rows = images.permute(0, 2, 3, 1).flatten(0, 2) @ weights
            maps = _Images.apply(rows, Kernel(k, stride, padding, height, width))
            return _plus(maps, self.bias)
        if output_size is None and not extra and suits(images, self.out_channels, k, stride):
            return _plus(conv_transpose(images, self.weight, stride, padding), self.bias)
        return super().forward(images, output_size)


def _plus(maps: Tensor, bias: Tensor | None) -> Tensor:
    """Maps (N, C, H, W) with C numbers added, if there are any, in the maps' arithmetic."""
    return maps if bias is None else maps + bias.to(maps.dtype)[:, None, None]
