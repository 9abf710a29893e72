"""The geometry of a convolution: sizes, and folding and unfolding of patches.

Images are (N, C, H, W), the feature maps of a convolution over them (N, O, h, w).
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional


class ConvGeometry(NamedTuple):
    """A square kernel that moves by `stride` over padded images of (height, width)."""

    kernel_size: int
    stride: int
    padding: int
    height: int
    width: int

    def output_size(self) -> tuple[int, int]:
        """Height and width of the feature maps: the positions of the kernel."""
        rows = (self.height + 2 * self.padding - self.kernel_size) // self.stride + 1
        columns = (self.width + 2 * self.padding - self.kernel_size) // self.stride + 1
        return rows, columns

    def output_padding(self) -> tuple[int, int]:
        """Pixels below and right of the last kernel position: conv_transpose2d's output_padding."""
        rows = (self.height + 2 * self.padding - self.kernel_size) % self.stride
        columns = (self.width + 2 * self.padding - self.kernel_size) % self.stride
        return rows, columns

    def unfold(self, images: Tensor) -> Tensor:
        """(N, C, H, W) -> (N * h * w, k * k * C): the patch under the kernel at each position."""
        k = self.kernel_size
        channels = images.shape[1]
        margin = self.padding
        nhwc = images.permute(0, 2, 3, 1)
        padded = functional.pad(nhwc, (0, 0, margin, margin, margin, margin)).contiguous()
        image_stride, row_stride, pixel_stride, _ = padded.stride()
        # A row of a patch, k pixels of C channels, is contiguous in memory: one dimension.
        patches = padded.as_strided(
            (len(images), *self.output_size(), k, k * channels),
            (image_stride, self.stride * row_stride, self.stride * pixel_stride, row_stride, 1),
        )
        return patches.reshape(-1, k * k * channels)

    def fold(self, patches: Tensor) -> Tensor:
        """(N * h * w, k * k * C) -> (N, C, H, W): sum of the patches at their positions.

        The transpose of `unfold`.
        """
        k = self.kernel_size
        rows, columns = self.output_size()
        channels = patches.shape[1] // k**2
        split = patches.view(-1, columns, k, k, channels)
        # Overlap along the width first: (N * h, k, padded width, C).
        strips = _overlap_add(split.transpose(1, 2), self.stride)
        padded_width = strips.shape[2]
        # Then along the height, where a whole row counts as the channels.
        by_row = strips.flatten(2).view(-1, rows, k, padded_width * channels)
        padded = _overlap_add(by_row, self.stride)
        padded = padded.view(*padded.shape[:2], padded_width, channels)
        return self._crop(padded, top=self.padding)

    def unfold_columns(self, images: Tensor, group: int) -> Tensor:
        """(N, C, H, W) -> (N / group, k * C, H, group * w): patches along the width only.

        The numbers under one row of the kernel become channels, and the rows of `group` images are
        joined.
        """
        margin = self.padding
        columns = self.output_size()[1]
        nhwc = images.permute(0, 2, 3, 1)
        padded = functional.pad(nhwc, (0, 0, margin, margin)).contiguous()
        image_stride, row_stride, pixel_stride, _ = padded.stride()
        strips = padded.as_strided(
            (
                len(images) // group,
                self.height,
                group,
                columns,
                self.kernel_size * images.shape[1],
            ),
            (group * image_stride, row_stride, image_stride, self.stride * pixel_stride, 1),
        )
        packed = strips.reshape(len(strips), self.height, group * columns, -1)
        return packed.permute(0, 3, 1, 2)

    def fold_columns(self, strips: Tensor, group: int) -> Tensor:
        """(N / group, k * C, H, group * w) -> (N, C, H, W): the transpose of `unfold_columns`."""
        k = self.kernel_size
        columns = self.output_size()[1]
        channels = strips.shape[1] // k
        split = strips.permute(0, 2, 3, 1)
        split = split.reshape(len(strips), self.height, group, columns, k, channels)
        padded = _overlap_add(split.transpose(1, 2), self.stride)
        return self._crop(padded.flatten(0, 1), top=0)

    def _crop(self, padded: Tensor, top: int) -> Tensor:
        """(N, padded H, padded W, C) -> (N, C, H, W), without `top` rows and the side padding.

        Pixels that no position of the kernel reaches become zeros.
        """
        bottom = self.height + top - padded.shape[1]
        end = self.width + self.padding - padded.shape[2]
        images = functional.pad(padded, (0, 0, -self.padding, end, -top, bottom))
        return images.permute(0, 3, 1, 2)


def pack_rows(maps: Tensor, group: int) -> Tensor:
    """(N, O, h, w) -> (N / group, O, h, group * w): rows of `group` images are joined."""
    count, channels, height, width = maps.shape
    nhwc = maps.permute(0, 2, 3, 1).reshape(-1, group, height, width, channels)
    packed = nhwc.transpose(1, 2).reshape(count // group, height, -1, channels)
    return packed.permute(0, 3, 1, 2)


def unpack_rows(maps: Tensor, group: int) -> Tensor:
    """(N / group, O, h, group * w) -> (N, O, h, w): the inverse of `pack_rows`."""
    _, channels, height, width = maps.shape
    nhwc = maps.permute(0, 2, 3, 1).reshape(-1, height, group, width // group, channels)
    unpacked = nhwc.transpose(1, 2).reshape(-1, height, width // group, channels)
    return unpacked.permute(0, 3, 1, 2)


def _overlap_add(windows: Tensor, stride: int) -> Tensor:
    """Add overlapping windows, one every `stride`: (..., count, k, C) -> (..., length, C)."""
    if windows.shape[-2] == 2 * stride:
        return _overlap_add_halves(windows, stride)
    *batch, count, k, channels = windows.shape
    total = windows.new_zeros(*batch, ((count - 1) * stride + k) * channels)
    # Parts of at most `stride` numbers at the same offset in different windows do not overlap.
    for offset in range(0, k, stride):
        part = windows[..., offset : offset + stride, :].flatten(-2)
        length = part.shape[-1]
        step = stride * channels
        from_offset = total[..., offset * channels :]
        target = from_offset[..., : (count - 1) * step + length]
        target.unfold(-1, length, step).add_(part)
    return total.view(*batch, -1, channels)


def _overlap_add_halves(windows: Tensor, stride: int) -> Tensor:
    """`_overlap_add` for k = 2 * stride: neighbours overlap by half, so add once."""
    *batch, count, _, channels = windows.shape
    first = windows[..., :stride, :].flatten(-2)
    second = windows[..., stride:, :].flatten(-2)
    total = windows.new_empty(*batch, count + 1, stride * channels)
    total[..., 0, :] = first[..., 0, :]
    total[..., -1, :] = second[..., -1, :]
    torch.add(first[..., 1:, :], second[..., :-1, :], out=total[..., 1:-1, :])
    return total.view(*batch, -1, channels)
