"""Choose how to compute each of a convolution's three products on a CPU.

A convolution relates images (N, C, H, W), feature maps (N, O, h, w) and a weight (O, C, k, k). Its
forward and backward passes compute each of these from the other two
(`gankit/compute/conv_autograd.py`), and for each another algorithm may be the fastest:

- direct: torch's own. It computes along rows of outputs, and rows of 4 or 8 fill only a part of
  a vector or matrix unit.
- matmul: the k * k * C numbers of each patch become a row of a matrix, and rows times weights are
  maps (im2col; Chellapilla, Puri & Simard 2006, "High performance convolutional neural networks
  for document processing"). For few outputs and many weights.
- packed: rows of several images are joined to long rows, and the k * C numbers under each row of
  the kernel become channels of a convolution with a k x 1 kernel. It copies fewer numbers than
  im2col. For short rows.
- subpixel: see `gankit/compute/subpixel.py`. For images of few channels, in float32.

The limits below were measured on DCGAN's layers (kernel 4, stride 2), for batches of 8 to 128 on a
CPU with matrix units for bf16; `tests/benchmarks/test_convolution.py` measures the speedup. Results
differ by rounding; in 16 bits, algorithms that add partial sums round each of them.
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
MANY_WEIGHTS = 2048  # weights for each output position; with more, matmul is faster
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
        return ALL_DIRECT  # torch handles empty tensors, or raises an error
    if geometry.padding >= geometry.kernel_size:
        return ALL_DIRECT
    channels = weight_shape[1]
    patch_row = geometry.kernel_size * channels
    if patch_row < MIN_PATCH_ROW * itemsize:  # too little work for a second pass over memory
        # Not in 16 bits: sub-pixels are 0.88 to 1.04 times as fast as torch's own at 32 channels,
        # and at 64 they save less than 1 % of a step. In float32: 1.2 to 1.7 times as fast.
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
    is_short = columns < MIN_ROW
    images_and_maps = DIRECT
    if weights_per_output >= 4 * MANY_WEIGHTS:
        images_and_maps = MATMUL
    elif is_short:
        images_and_maps = PACKED
    weight = MATMUL if is_short or weights_per_output >= MANY_WEIGHTS else DIRECT
    return ConvAlgorithms(images=images_and_maps, maps=images_and_maps, weight=weight)


def _choose_for_16_bits(
    columns: int, outputs: int, patch_row: int, weights_per_output: float
) -> ConvAlgorithms:
    """For matrix units: matmul is fast, and direct convolutions need rows twice as long."""
    is_short = columns < MIN_ROW
    is_rather_short = columns < 2 * MIN_ROW
    weight = DIRECT
    if is_short or weights_per_output >= MANY_WEIGHTS:
        weight = MATMUL
    elif is_rather_short and patch_row >= 4 * MIN_PATCH_ROW:
        weight = PACKED
    images = DIRECT
    maps = DIRECT
    if is_short or (is_rather_short and patch_row >= 8 * MIN_PATCH_ROW):
        images = MATMUL if outputs <= 1024 else PACKED
        maps = MATMUL if outputs <= 512 else PACKED
    return ConvAlgorithms(images, maps, weight)


def is_faster(
    geometry: ConvGeometry, operand: Tensor, weight_shape: torch.Size, needs_images: bool = True
) -> bool:
    """Whether any product that a layer needs has a faster algorithm than torch's.

    `operand` is the layer's input, images or maps. `needs_images` is False if the input are images
    that need no gradient.
    """
    algorithms = choose_algorithms(geometry, len(operand), operand.dtype.itemsize, weight_shape)
    needed = algorithms if needs_images else algorithms[1:]
    return any(algorithm != DIRECT for algorithm in needed)


def packed_group(geometry: ConvGeometry, batch: int, itemsize: int) -> int:
    """The number of images whose rows are joined: the smallest divisor of the batch for which
    rows are long enough.
    """
    columns = geometry.output_size()[1]
    group = min(batch, PACKED_ROW * itemsize // columns)
    while batch % group:
        group += 1
    return group
