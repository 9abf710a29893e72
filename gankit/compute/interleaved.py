"""A transposed convolution to few channels as a plain one, whose outputs are interleaved.

With stride s and a kernel of side m * s, the pixels of one colour channel are s * s images of every
s-th pixel, and each is a plain convolution of the maps with a kernel of side m (Shi et al. 2016,
"Is the deconvolution layer the same as a convolutional layer?", arXiv 1609.07009). A CPU computes
with vectors of 8 or 16 channels: three fill a fifth of one, twelve fill most of it. A GAN needs
this where G ends in pictures, and where G's gradient leaves D through its first layer.
`tests/benchmarks/test_convolution.py` shows what it gains.
"""

import torch
from torch import Tensor
from torch.nn import functional

from gankit.compute.kernel import Kernel

MOST = 8  # channels; more fill a vector by themselves


def suits(kernel: Kernel, channels: int) -> bool:
    """Whether there are so few channels, and kernel and padded images are cut into whole parts."""
    whole = all((side + 2 * kernel.padding) % kernel.stride == 0 for side in kernel[3:])
    return channels <= MOST and whole and kernel.stride > 1 and kernel.k % kernel.stride == 0


def interleaved(maps: Tensor, weight: Tensor, kernel: Kernel) -> Tensor:
    """conv_transpose2d: maps (N, O, h, w), weight (O, C, k, k) give images (N, C, H, W)."""
    wide, channels, k, _ = weight.shape
    stride, padding, m = kernel.stride, kernel.padding, k // kernel.stride
    parts = weight.view(wide, channels, m, stride, m, stride).flip(2, 4)
    kernels = parts.permute(3, 5, 1, 0, 2, 4).reshape(-1, wide, m, m)  # (stride * stride * C, ...)
    kernels = kernels.contiguous(memory_format=torch.channels_last)
    small = functional.conv2d(maps, kernels, None, 1, m - 1).permute(0, 2, 3, 1)
    count, height, width, _ = small.shape
    small = small.reshape(count, height, width, stride, stride, channels)
    padded = small.transpose(2, 3).reshape(count, height * stride, width * stride, channels)
    rows, columns = (slice(padding, side - padding) for side in padded.shape[1:3])
    return padded[:, rows, columns].contiguous().permute(0, 3, 1, 2)
