"""Choose how to compute each of a convolution's three products on a CPU.

A convolution relates images (N, C, H, W), feature maps (N, O, h, w) and a weight (O, C, k, k). Its
forward and backward passes compute each of these from the other two
(`gankit/compute/conv_autograd.py`), and each has its own quickest algorithm:

- direct: torch's own. It computes along rows of outputs, and rows of 4 or 8 fill only a part of
  what a vector unit or a matrix unit computes at once.
- matmul: the k * k * C numbers of each patch become a row of a matrix, and rows times weights are
  maps (im2col; Chellapilla, Puri & Simard 2006, "High performance convolutional neural networks
  for document processing"). For few outputs and many weights.
- packed: the rows of several images follow one another, so that rows are long, and the k * C
  numbers under each row of the kernel become channels of a convolution with a k x 1 kernel. It
  repeats fewer numbers than im2col. For short rows.
- subpixel: see `gankit/compute/subpixel.py`. For images of few channels, in float32.

The limits below were measured on DCGAN's layers (kernel 4, stride 2), for batches of 8 to 128 on a
CPU with matrix units for bf16; `tests/benchmarks/test_convolution.py` shows what is gained. Results
differ by rounding; in 16 bits, algorithms that sum parts round each part.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from gankit.compute.geometry import ConvGeometry
from gankit.compute.subpixel import fits_subpixels

DIRECT = "direct"
MATMUL = "matmul"
PACKED = "packed"
SUBPIXEL = "subpixel"

MIN_ROW = 8  # outputs in a row; a direct convolution is slow on shorter rows
PACKED_ROW = 16  # outputs in a packed row, for each byte of a number
MANY_WEIGHTS = 2048  # weights for each output position, from which matmul pays
MIN_PATCH_ROW = 128  # numbers under one row of the kernel, k * C, for each byte of a number
HALF = 2  # bytes of a number in bf16 and float16


class ConvAlgorithms(NamedTuple):
    """The algorithm for each of the three products."""

    images: str
    maps: str
    weight: str


ALL_DIRECT = ConvAlgorithms(DIRECT, DIRECT, DIRECT)


@lru_cache(maxsize=1024)
def choose_algorithms(
    geometry: ConvGeometry, batch: int, itemsize: int, weight_shape: torch.Size
) -> ConvAlgorithms:
    """The algorithms for `batch` images of numbers of `itemsize` bytes."""
    rows, columns = geometry.output_size()
    if min(batch, rows, columns, geometry.height, geometry.width) < 1:
        return ALL_DIRECT  # torch handles empty tensors and says what is wrong
    if geometry.padding >= geometry.kernel_size:
        return ALL_DIRECT
    channels = weight_shape[1]
    patch_row = geometry.kernel_size * channels
    if patch_row < MIN_PATCH_ROW * itemsize:  # too little work for more than one pass
        # Not in 16 bits: there sub-pixels are 0.88 to 1.04 times as fast as torch's own at 32
        # channels, and what they gain at 64 is below 1 % of a step. In float32: 1.2 to 1.7 times.
        subpixel = itemsize != HALF and fits_subpixels(geometry, channels)
        return ConvAlgorithms(SUBPIXEL if subpixel else DIRECT, DIRECT, DIRECT)
    if columns == 1:
        return ConvAlgorithms(MATMUL, MATMUL, MATMUL)
    outputs = batch * rows * columns
    weights_per_output = math.prod(weight_shape) / outputs
    if itemsize == HALF:
        return _choose_for_16_bits(columns, outputs, patch_row, weights_per_output)
    return _choose_for_32_bits(columns, weights_per_output)


def _choose_for_32_bits(columns: int, weights_per_output: float) -> ConvAlgorithms:
    short = columns < MIN_ROW
    both = DIRECT
    if weights_per_output >= 4 * MANY_WEIGHTS:
        both = MATMUL
    elif short:
        both = PACKED
    weight = MATMUL if short or weights_per_output >= MANY_WEIGHTS else DIRECT
    return ConvAlgorithms(images=both, maps=both, weight=weight)


def _choose_for_16_bits(
    columns: int, outputs: int, patch_row: int, weights_per_output: float
) -> ConvAlgorithms:
    """On matrix units: matmul is quick, and direct convolutions need rows twice as long."""
    short = columns < MIN_ROW
    rather_short = columns < 2 * MIN_ROW
    weight = DIRECT
    if short or weights_per_output >= MANY_WEIGHTS:
        weight = MATMUL
    elif rather_short and patch_row >= 4 * MIN_PATCH_ROW:
        weight = PACKED
    images = DIRECT
    maps = DIRECT
    if short or (rather_short and patch_row >= 8 * MIN_PATCH_ROW):
        images = MATMUL if outputs <= 1024 else PACKED
        maps = MATMUL if outputs <= 512 else PACKED
    return ConvAlgorithms(images, maps, weight)


def is_faster(
    geometry: ConvGeometry, operand: Tensor, weight_shape: torch.Size, needs_images: bool = True
) -> bool:
    """Whether a layer gains: some product that it needs has a quicker algorithm than torch's.

    `operand` holds the layer's input, images or maps. `needs_images` is False where the images
    are the input and need no gradient.
    """
    algorithms = choose_algorithms(geometry, len(operand), operand.dtype.itemsize, weight_shape)
    needed = algorithms if needs_images else algorithms[1:]
    return any(algorithm != DIRECT for algorithm in needed)


def packed_group(geometry: ConvGeometry, batch: int, itemsize: int) -> int:
    """How many images follow one another in packed rows: the least divisor of the batch that
    makes them long enough.
    """
    columns = geometry.output_size()[1]
    least = min(batch, PACKED_ROW * itemsize // columns)
    return next(group for group in range(least, batch + 1) if batch % group == 0)
