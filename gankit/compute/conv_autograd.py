"""Convolutions with a chosen algorithm for each pass, and gradients of any order.

The sum of maps * conv2d(images, weight) is linear in images, maps and weight. Its gradient with
respect to the maps is the convolution, with respect to the images the transposed convolution, with
respect to the weight what backward needs; and the gradients of these are again these three. So
three functions, each computing one of the three from the other two, give gradients of any order.

They do not support torch.func, which needs torch's own layers (`--convolutions plain`).
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.grad import conv2d_weight

from gankit.compute.algorithms import (
    DIRECT,
    MATMUL,
    SUBPIXEL,
    ConvAlgorithms,
    choose_algorithms,
    packed_group,
)
from gankit.compute.geometry import ConvGeometry, pack_rows, unpack_rows
from gankit.compute.subpixel import conv_transpose2d_by_subpixels

PRODUCTS = ConvAlgorithms._fields  # images, maps, weight


def compute_product(product: str, geometry: ConvGeometry, **operands: Tensor) -> Tensor:
    """Images (N, C, H, W), maps (N, O, h, w) or weight (O, C, k, k) from the other two.

    Maps are conv2d's, images conv_transpose2d's, and the weight is the gradient of either.
    """
    first, second = _operand_names(product)
    result: Tensor = _Product.apply(product, geometry, operands[first], operands[second])
    return result


class _Product(torch.autograd.Function):
    """One of the three products; backward computes the other two from its gradient."""

    @staticmethod
    def forward(
        ctx: Any, product: str, geometry: ConvGeometry, first: Tensor, second: Tensor
    ) -> Tensor:
        ctx.save_for_backward(first, second)
        ctx.product = product
        ctx.geometry = geometry
        functions = {"images": _compute_images, "maps": _compute_maps, "weight": _compute_weight}
        # Detached, because a view could not be changed in place, as some activations do.
        return functions[product](geometry, first, second).detach()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_autocast_enabled("cpu"):  # keep gradients in the precision of forward
            with torch.autocast("cpu", enabled=False):
                return _Product.backward(ctx, *gradients)
        names = _operand_names(ctx.product)
        tensors = dict(zip(names, ctx.saved_tensors, strict=True))
        tensors[ctx.product] = gradients[0]
        needs_gradient = ctx.needs_input_grad[2:]
        results = [
            compute_product(name, ctx.geometry, **tensors) if needed else None
            for name, needed in zip(names, needs_gradient, strict=True)
        ]
        return None, None, *results


def _operand_names(product: str) -> list[str]:
    return [name for name in PRODUCTS if name != product]


def _compute_maps(geometry: ConvGeometry, images: Tensor, weight: Tensor) -> Tensor:
    """conv2d."""
    count = len(images)
    itemsize = images.dtype.itemsize
    algorithm = choose_algorithms(geometry, count, itemsize, weight.shape).maps
    if algorithm == DIRECT:
        return functional.conv2d(images, weight, None, geometry.stride, geometry.padding)
    if algorithm == MATMUL:
        rows = functional.linear(geometry.unfold(images), _as_matrix(weight))
        return rows.view(count, *geometry.output_size(), -1).permute(0, 3, 1, 2)
    group = packed_group(geometry, count, itemsize)
    strips = geometry.unfold_columns(images, group)
    stride, padding = _vertical_stride_and_padding(geometry)
    packed = functional.conv2d(strips, _as_column(weight), None, stride, padding)
    return unpack_rows(packed, group)


def _compute_images(geometry: ConvGeometry, maps: Tensor, weight: Tensor) -> Tensor:
    """conv_transpose2d."""
    itemsize = maps.dtype.itemsize
    algorithm = choose_algorithms(geometry, len(maps), itemsize, weight.shape).images
    extra_rows, extra_columns = geometry.output_padding()
    if algorithm == SUBPIXEL:
        return conv_transpose2d_by_subpixels(maps, weight, geometry)
    if algorithm == DIRECT:
        return functional.conv_transpose2d(
            maps, weight, None, geometry.stride, geometry.padding, (extra_rows, extra_columns)
        )
    if algorithm == MATMUL:
        rows = maps.permute(0, 2, 3, 1).flatten(0, 2)
        return geometry.fold(rows @ _as_matrix(weight))
    group = packed_group(geometry, len(maps), itemsize)
    packed = pack_rows(maps, group)
    stride, padding = _vertical_stride_and_padding(geometry)
    strips = functional.conv_transpose2d(
        packed, _as_column(weight), None, stride, padding, (extra_rows, 0)
    )
    return geometry.fold_columns(strips, group)


def _compute_weight(geometry: ConvGeometry, images: Tensor, maps: Tensor) -> Tensor:
    """The gradient of conv2d, or conv_transpose2d, with respect to its weight."""
    k = geometry.kernel_size
    channels = images.shape[1]
    map_channels = maps.shape[1]
    shape = torch.Size((map_channels, channels, k, k))
    count = len(images)
    itemsize = images.dtype.itemsize
    algorithm = choose_algorithms(geometry, count, itemsize, shape).weight
    if algorithm == DIRECT:
        return _torch_weight_gradient(images, shape, maps, geometry.stride, geometry.padding)
    if algorithm == MATMUL:
        rows = maps.permute(0, 2, 3, 1).flatten(0, 2)
        matrix = rows.t() @ geometry.unfold(images)
        return matrix.view(map_channels, k, k, channels).permute(0, 3, 1, 2)
    group = packed_group(geometry, count, itemsize)
    strips = geometry.unfold_columns(images, group)
    stride, padding = _vertical_stride_and_padding(geometry)
    column = torch.Size((map_channels, k * channels, k, 1))
    weight = _torch_weight_gradient(strips, column, pack_rows(maps, group), stride, padding)
    return weight.reshape(map_channels, k, channels, k).permute(0, 2, 3, 1)


def _torch_weight_gradient(
    images: Tensor,
    shape: torch.Size,
    maps: Tensor,
    stride: int | tuple[int, int],
    padding: int | tuple[int, int],
) -> Tensor:
    weight: Tensor = conv2d_weight(images, shape, maps, stride, padding)  # type: ignore[no-untyped-call]
    return weight


def _vertical_stride_and_padding(geometry: ConvGeometry) -> tuple[tuple[int, int], tuple[int, int]]:
    """Stride and padding of a k x 1 kernel, which moves vertically over unfolded columns."""
    return (geometry.stride, 1), (geometry.padding, 0)


def _as_matrix(weight: Tensor) -> Tensor:
    """(O, C, k, k) -> (O, k * k * C), in the order of unfolded patches."""
    return weight.permute(0, 2, 3, 1).flatten(1)


def _as_column(weight: Tensor) -> Tensor:
    """(O, C, k, k) -> (O, k * C, k, 1): the kernel's columns become channels."""
    column = weight.permute(0, 3, 1, 2).flatten(1, 2).unsqueeze(3)
    return column.contiguous(memory_format=torch.channels_last)
