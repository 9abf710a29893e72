"""Compute a transposed convolution to few channels as a convolution and a pixel shuffle.

With stride s and a kernel of side m * s, the pixels of one colour channel are s * s images of every
s-th pixel, and each is a plain convolution of the maps with a kernel of side m (Shi et al. 2016,
"Is the deconvolution layer the same as a convolutional layer?", arXiv 1609.07009). A CPU computes
with vectors of 8 or 16 channels: three fill a fifth of one, twelve fill most of it. In a GAN this
concerns G's last layer, and the gradient of D's first layer for G's update.
`tests/benchmarks/test_convolution.py` measures the speedup.
"""

import torch
from torch import Tensor
from torch.nn import functional

from gankit.compute.geometry import ConvGeometry

MAX_CHANNELS = 8  # more channels fill a vector anyway


def fits_subpixels(geometry: ConvGeometry, channels: int) -> bool:
    """Whether there are few channels, and the stride divides kernel and padded images."""
    stride = geometry.stride
    if channels > MAX_CHANNELS or stride == 1 or geometry.kernel_size % stride != 0:
        return False
    padded_height = geometry.height + 2 * geometry.padding
    padded_width = geometry.width + 2 * geometry.padding
    return padded_height % stride == 0 and padded_width % stride == 0


def conv_transpose2d_by_subpixels(maps: Tensor, weight: Tensor, geometry: ConvGeometry) -> Tensor:
    """conv_transpose2d: maps (N, O, h, w) and weight (O, C, k, k) give images (N, C, H, W)."""
    stride = geometry.stride
    channels = weight.shape[1]
    kernels = _subpixel_kernels(weight, stride)  # (stride * stride * C, O, m, m)
    subpixels = functional.conv2d(maps, kernels, padding=kernels.shape[2] - 1)
    nhwc = subpixels.permute(0, 2, 3, 1)
    count, height, width, _ = nhwc.shape
    # Not torch's pixel_shuffle: it needs channels-first memory and would copy.
    split = nhwc.reshape(count, height, width, stride, stride, channels)
    padded = split.transpose(2, 3).reshape(count, height * stride, width * stride, channels)
    top = geometry.padding
    bottom = padded.shape[1] - geometry.padding
    end = padded.shape[2] - geometry.padding
    images = padded[:, top:bottom, geometry.padding : end]
    return images.contiguous().permute(0, 3, 1, 2)


def _subpixel_kernels(weight: Tensor, stride: int) -> Tensor:
    """(O, C, k, k) -> (stride * stride * C, O, m, m): a flipped kernel for each sub-pixel."""
    in_channels, channels, k, _ = weight.shape
    m = k // stride
    split = weight.view(in_channels, channels, m, stride, m, stride).flip(2, 4)
    kernels = split.permute(3, 5, 1, 0, 2, 4).reshape(-1, in_channels, m, m)
    return kernels.contiguous(memory_format=torch.channels_last)
