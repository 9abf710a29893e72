"""A transposed convolution to few channels as a plain one, whose outputs are interleaved.

With stride s and a kernel of side m * s, the pixels of one colour channel are s * s images of every
s-th pixel, and each is a plain convolution of the maps with a kernel of side m (Shi et al. 2016,
"Is the deconvolution layer the same as a convolutional layer?", arXiv 1609.07009). A CPU computes
with vectors of 8 or 16 channels: three fill a fifth of one, twelve fill most of it. A GAN needs
this where G ends in pictures, and where G's gradient leaves D through its first layer.
`tests/benchmarks/test_convolution.py` shows what it gains.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.grad import conv2d_weight

MOST = 8  # channels; more fill a vector by themselves


def suits(images: Tensor, channels: int, k: int, stride: int) -> bool:
    """Whether images on a CPU have so few channels, and the kernel is cut into whole parts."""
    return images.device.type == "cpu" and channels <= MOST and stride > 1 and k % stride == 0


def conv(images: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    """functional.conv2d of images (N, C, H, W), of few channels, with weight (O, C, k, k).

    Only the gradient with respect to the images is computed in another way. H and W plus twice the
    padding are multiples of the stride.
    """
    maps: Tensor = _Conv.apply(images, weight.to(images.dtype), stride, padding)
    return maps


def conv_transpose(maps: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    """functional.conv_transpose2d of maps (N, O, h, w) with weight (O, C, k, k), C few channels."""
    images: Tensor = _ConvTranspose.apply(maps, weight.to(maps.dtype), stride, padding)
    return images


class _Conv(torch.autograd.Function):
    """A convolution, whose gradient is a transposed one."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
        ctx.save_for_backward(images, weight)
        ctx.about = stride, padding
        return functional.conv2d(images, weight, None, stride, padding)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (images, weight), (of_images, of_weight, *_) = ctx.saved_tensors, ctx.needs_input_grad
        return (
            _ConvTranspose.apply(gradient, weight, *ctx.about) if of_images else None,
            conv2d_weight(images, weight.shape, gradient, *ctx.about) if of_weight else None,
            None,
            None,
        )


class _ConvTranspose(torch.autograd.Function):
    """A transposed convolution, whose gradient is a plain one; so both have them of any order."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
        ctx.save_for_backward(maps, weight)
        ctx.about = stride, padding
        return _interleaved(maps, weight, stride, padding)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (maps, weight), (of_maps, of_weight, *_) = ctx.saved_tensors, ctx.needs_input_grad
        return (
            _Conv.apply(gradient, weight, *ctx.about) if of_maps else None,
            conv2d_weight(gradient, weight.shape, maps, *ctx.about) if of_weight else None,
            None,
            None,
        )


def _interleaved(maps: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    """The transposed convolution itself: (N, O, h, w) and (O, C, k, k) give (N, C, H, W)."""
    wide, channels, k, _ = weight.shape
    m = k // stride
    parts = weight.view(wide, channels, m, stride, m, stride).flip(2, 4)
    kernels = parts.permute(3, 5, 1, 0, 2, 4).reshape(-1, wide, m, m)  # (stride * stride * C, ...)
    kernels = kernels.contiguous(memory_format=torch.channels_last)
    small = functional.conv2d(maps, kernels, None, 1, m - 1).permute(0, 2, 3, 1)
    count, height, width, _ = small.shape
    small = small.reshape(count, height, width, stride, stride, channels)
    padded = small.transpose(2, 3).reshape(count, height * stride, width * stride, channels)
    rows, columns = (slice(padding, side - padding) for side in padded.shape[1:3])
    return padded[:, rows, columns].contiguous().permute(0, 3, 1, 2)
