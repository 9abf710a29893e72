"""Where a kernel lies on images, and how what lies under it is laid out and put back."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional


class Kernel(NamedTuple):
    """A square kernel of side `k`, moved by `stride` over padded images of (height, width)."""

    k: int
    stride: int
    padding: int
    height: int
    width: int

    def places(self) -> tuple[int, int]:
        """How many places the kernel has, down and to the right."""
        down, right = ((side + 2 * self.padding - self.k) // self.stride + 1 for side in self[3:])
        return down, right

    def left_over(self) -> tuple[int, int]:
        """How many padded pixels lie below the last place, and to the right of it."""
        below, beside = ((side + 2 * self.padding - self.k) % self.stride for side in self[3:])
        return below, beside

    def rows(self, images: Tensor) -> Tensor:
        """(N, C, height, width) -> (N * places, k * k * C), what lies under the kernel."""
        pad, channels = self.padding, images.shape[1]
        padded = functional.pad(images.permute(0, 2, 3, 1), (0, 0, pad, pad, pad, pad)).contiguous()
        picture, line, pixel, _ = padded.stride()
        shape = (len(images), *self.places(), self.k, self.k * channels)
        rows = padded.as_strided(shape, (picture, self.stride * line, self.stride * pixel, line, 1))
        return rows.reshape(-1, self.k * self.k * channels)

    def images_of_rows(self, rows: Tensor) -> Tensor:
        """(N * places, k * k * C) -> (N, C, height, width): the sum of all that lies on a pixel."""
        down, right = self.places()
        parts = rows.view(-1, right, self.k, self.k, rows.shape[1] // self.k**2)
        lines = _overlap(parts.transpose(1, 2), self.stride)  # (N * down, k, padded width, C)
        whole = _overlap(lines.flatten(2).view(-1, down, *lines[0].flatten(1).shape), self.stride)
        return self._cut(whole.view(*whole.shape[:2], *lines.shape[2:]), above=self.padding)

    def lines(self, images: Tensor, beside: int) -> Tensor:
        """(N, C, height, width) -> (N / beside, k * C, height, beside * right).

        What lies under one line of the kernel, with so many pictures next to one another.
        """
        pad, (_, right) = self.padding, self.places()
        padded = functional.pad(images.permute(0, 2, 3, 1), (0, 0, pad, pad)).contiguous()
        picture, line, pixel, _ = padded.stride()
        shape = (len(images) // beside, self.height, beside, right, self.k * images.shape[1])
        lines = padded.as_strided(shape, (beside * picture, line, picture, self.stride * pixel, 1))
        return lines.reshape(len(lines), self.height, beside * right, -1).permute(0, 3, 1, 2)

    def images_of_lines(self, lines: Tensor, beside: int) -> Tensor:
        """(N / beside, k * C, height, beside * right) -> (N, C, height, width), as sums."""
        _, right = self.places()
        shape = (len(lines), self.height, beside, right, self.k, lines.shape[1] // self.k)
        parts = lines.permute(0, 2, 3, 1).reshape(shape).transpose(1, 2)
        return self._cut(_overlap(parts, self.stride).flatten(0, 1), above=0)

    def _cut(self, padded: Tensor, above: int) -> Tensor:
        """Images (N, C, height, width) without their padding, so many pixels of it above them."""
        below = self.height + above - padded.shape[1]
        beside = self.width + self.padding - padded.shape[2]
        images = functional.pad(padded, (0, 0, -self.padding, beside, -above, below))
        return images.permute(0, 3, 1, 2)


def _overlap(parts: Tensor, stride: int) -> Tensor:
    """Parts of length k, one every `stride`, summed: (..., places, k, C) -> (..., length, C)."""
    *others, places, k, channels = parts.shape
    if k == 2 * stride:  # the halves of neighbours lie on one another: one addition
        first, second = (half.flatten(-2) for half in parts.split(stride, -2))
        whole = parts.new_empty(*others, places + 1, stride * channels)
        whole[..., 0, :], whole[..., -1, :] = first[..., 0, :], second[..., -1, :]
        torch.add(first[..., 1:, :], second[..., :-1, :], out=whole[..., 1:-1, :])
        return whole.view(*others, -1, channels)
    whole = parts.new_zeros(*others, ((places - 1) * stride + k) * channels)
    for first in range(0, k, stride):  # pieces of `stride` numbers of different parts are disjoint
        piece = parts[..., first : first + stride, :].flatten(-2)
        length, step = piece.shape[-1], stride * channels
        where = whole[..., first * channels :][..., : (places - 1) * step + length]
        where.unfold(-1, length, step).add_(piece)
    return whole.view(*others, -1, channels)


def together(maps: Tensor, beside: int) -> Tensor:
    """(N, O, h, w) -> (N / beside, O, h, beside * w): so many pictures next to one another."""
    count, channels, height, width = maps.shape
    lines = maps.permute(0, 2, 3, 1).reshape(-1, beside, height, width, channels).transpose(1, 2)
    return lines.reshape(count // beside, height, -1, channels).permute(0, 3, 1, 2)


def apart(maps: Tensor, beside: int) -> Tensor:
    """(N / beside, O, h, beside * w) -> (N, O, h, w): what `together` put together."""
    _, channels, height, width = maps.shape
    lines = maps.permute(0, 2, 3, 1).reshape(-1, height, beside, width // beside, channels)
    pictures = lines.transpose(1, 2).reshape(-1, height, width // beside, channels)
    return pictures.permute(0, 3, 1, 2)
