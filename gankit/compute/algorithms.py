"""Images, maps and weight of a convolution, each made of the other two in a quick way.

The sum of maps * conv2d(images, weight) is linear in each of the three. Its gradient with respect
to the maps is the convolution, with respect to the images the transposed convolution, with respect
to the weight what backward needs; and the gradients of these are again these. So three functions
are enough for gradients of any order, and each goes its own way:

- direct: torch's own. It computes along lines of places, and lines of 4 or 8 fill a part of what a
  matrix unit or a vector unit computes at once.
- product: the k x k x C numbers under the kernel at each place are laid into a row, and rows times
  weights are maps (Chellapilla, Puri & Simard 2006, "High performance convolutional neural
  networks for document processing"). For few places and many weights.
- beside: the k x C numbers under each line of the kernel are laid out, with pictures next to one
  another, so that lines are long; a kernel of k x 1 goes over them. It repeats fewer numbers than a
  product. For short lines.
- interleaved: see there. For images of few channels.

Which way is the quickest where was measured with DCGAN's layers (kernel 4, stride 2), for batches
of 8 to 128 on a CPU with matrix units for bf16; `tests/benchmarks/test_convolution.py` shows what
they gain. Results differ by rounding; in 16 bits, ways that sum parts round each part.

torch.func knows none of this: it needs layers of torch's own (`--memory-format contiguous`).
"""

import math
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.grad import conv2d_weight

from gankit.compute.interleaved import interleaved, suits
from gankit.compute.kernel import Kernel, apart, together

NAMES = ("images", "maps", "weight")
DIRECT, PRODUCT, BESIDE, INTERLEAVED = "direct", "product", "beside", "interleaved"
SHORT = 8  # places in a line: one of fewer is short
LONG = 16  # places in a line for each byte of a number, when pictures lie beside one another
HEAVY = 2048  # weights for each place
ENOUGH = 128  # numbers under a line of the kernel, for each byte of a number


class Ways(NamedTuple):
    """How each of the three is made."""

    images: str
    maps: str
    weight: str


@lru_cache(maxsize=1024)
def ways(kernel: Kernel, count: int, size: int, shape: torch.Size) -> Ways:
    """The ways for so many pictures, numbers of `size` bytes, and a weight of this shape."""
    (down, right), under = kernel.places(), kernel.k * shape[1]
    nothing = min(count, down, right, kernel.height, kernel.width) < 1  # torch says what is wrong
    if nothing or kernel.padding >= kernel.k:
        return Ways(DIRECT, DIRECT, DIRECT)
    if under < ENOUGH * size:  # too little work for more than one pass
        return Ways(INTERLEAVED if suits(kernel, shape[1]) else DIRECT, DIRECT, DIRECT)
    if right == 1:
        return Ways(PRODUCT, PRODUCT, PRODUCT)
    places = count * down * right
    return (_ways_of_16_bits if size == 2 else _ways_of_32_bits)(right, places, under, shape)


def _ways_of_32_bits(right: int, places: int, under: int, shape: torch.Size) -> Ways:
    heavy, short = math.prod(shape) / places, right < SHORT
    both = PRODUCT if heavy >= 4 * HEAVY else BESIDE if short else DIRECT
    return Ways(both, both, PRODUCT if short or heavy >= HEAVY else DIRECT)


def _ways_of_16_bits(right: int, places: int, under: int, shape: torch.Size) -> Ways:
    """Matrix units, where there are any: products are quick, and other ways need longer lines."""
    images = maps = weight = DIRECT
    heavy, short, shortish = math.prod(shape) / places, right < SHORT, right < 2 * SHORT
    if short or heavy >= HEAVY:
        weight = PRODUCT
    elif shortish and under >= 4 * ENOUGH:
        weight = BESIDE
    if short or (shortish and under >= 8 * ENOUGH):
        images = PRODUCT if places <= 1024 else BESIDE
        maps = PRODUCT if places <= 512 else BESIDE
    return Ways(images, maps, weight)


def gains(kernel: Kernel, numbers: Tensor, shape: torch.Size, of_images: bool = True) -> bool:
    """Whether maps, weight or, if `of_images`, images are made in another way than torch's.

    `numbers` are the images or the maps that there are, `shape` is the weight's.
    """
    found = ways(kernel, len(numbers), numbers.dtype.itemsize, shape)
    return any(way != DIRECT for way in (found if of_images else found[1:]))


def make(name: str, kernel: Kernel, **others: Tensor) -> Tensor:
    """One of images (N, C, H, W), maps (N, O, h, w) and weight (O, C, k, k) of the other two.

    Maps are conv2d's, images conv_transpose2d's, and the weight is the gradient of either.
    """
    made: Tensor = _Made.apply(name, kernel, *(others[other] for other in _others(name)))
    return made


class _Made(torch.autograd.Function):
    """Wherever one of the three is asked for, the gradient takes its place to make another."""

    @staticmethod
    def forward(ctx: Any, name: str, kernel: Kernel, *others: Tensor) -> Tensor:
        ctx.save_for_backward(*others)
        ctx.about = name, kernel
        made = {"images": _images, "maps": _maps, "weight": _weight}[name](kernel, *others)
        return made.detach()  # as a view it could not be changed in place, as activations do

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_autocast_enabled("cpu"):  # like torch's gradients, in the arithmetic of forward
            with torch.autocast("cpu", enabled=False):
                return _Made.backward(ctx, gradient)
        name, kernel = ctx.about
        others = _others(name)
        known = {name: gradient, **dict(zip(others, ctx.saved_tensors, strict=True))}
        needed = zip(others, ctx.needs_input_grad[2:], strict=True)
        gradients = (make(other, kernel, **known) if need else None for other, need in needed)
        return None, None, *gradients


def _others(name: str) -> list[str]:
    return [other for other in NAMES if other != name]


def _maps(kernel: Kernel, images: Tensor, weight: Tensor) -> Tensor:
    way = ways(kernel, len(images), images.dtype.itemsize, weight.shape).maps
    if way == DIRECT:
        return functional.conv2d(images, weight, None, kernel.stride, kernel.padding)
    if way == PRODUCT:
        maps = functional.linear(kernel.rows(images), _flat(weight))
        return maps.view(len(images), *kernel.places(), -1).permute(0, 3, 1, 2)
    beside, about = _beside(kernel, images), _about(kernel)
    lines = functional.conv2d(kernel.lines(images, beside), _lines(weight), **about)
    return apart(lines, beside)


def _images(kernel: Kernel, maps: Tensor, weight: Tensor) -> Tensor:
    way = ways(kernel, len(maps), maps.dtype.itemsize, weight.shape).images
    if way == INTERLEAVED:
        return interleaved(maps, weight, kernel)
    below, right = kernel.left_over()
    if way == DIRECT:
        stride, padding = kernel.stride, kernel.padding
        return functional.conv_transpose2d(maps, weight, None, stride, padding, (below, right))
    if way == PRODUCT:
        return kernel.images_of_rows(maps.permute(0, 2, 3, 1).flatten(0, 2) @ _flat(weight))
    beside, about = _beside(kernel, maps), _about(kernel) | {"output_padding": (below, 0)}
    lines = functional.conv_transpose2d(together(maps, beside), _lines(weight), **about)
    return kernel.images_of_lines(lines, beside)


def _weight(kernel: Kernel, images: Tensor, maps: Tensor) -> Tensor:
    k, channels, count = kernel.k, images.shape[1], maps.shape[1]
    shape = torch.Size((count, channels, k, k))
    way = ways(kernel, len(images), images.dtype.itemsize, shape).weight
    if way == DIRECT:
        return conv2d_weight(images, shape, maps, kernel.stride, kernel.padding)
    if way == PRODUCT:
        flat = maps.permute(0, 2, 3, 1).flatten(0, 2).t() @ kernel.rows(images)
        return flat.view(count, k, k, channels).permute(0, 3, 1, 2)
    beside, about = _beside(kernel, maps), _about(kernel)
    lines, shape = kernel.lines(images, beside), torch.Size((count, k * channels, k, 1))
    weight = conv2d_weight(lines, shape, together(maps, beside), **about)
    return weight.reshape(count, k, channels, k).permute(0, 2, 3, 1)


def _beside(kernel: Kernel, numbers: Tensor) -> int:
    """How many pictures lie beside one another: a divisor of all that makes lines long."""
    count, long = len(numbers), LONG * numbers.dtype.itemsize
    wanted = min(count, long // kernel.places()[1])
    return next(beside for beside in range(wanted, count + 1) if count % beside == 0)


def _about(kernel: Kernel) -> dict[str, Any]:
    """How a kernel of k x 1 goes over lines."""
    return {"stride": (kernel.stride, 1), "padding": (kernel.padding, 0)}


def _flat(weight: Tensor) -> Tensor:
    """(O, C, k, k) -> (O, k * k * C)."""
    return weight.permute(0, 2, 3, 1).flatten(1)


def _lines(weight: Tensor) -> Tensor:
    """(O, C, k, k) -> (O, k * C, k, 1), of which the first k go to the right."""
    lines = weight.permute(0, 3, 1, 2).flatten(1, 2).unsqueeze(3)
    return lines.contiguous(memory_format=torch.channels_last)
