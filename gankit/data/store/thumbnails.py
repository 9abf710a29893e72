"""Thumbnails of pictures, and the features of them that are compared to find copies."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SIDE = 16  # pixels
CHUNK = 512  # thumbnails computed at a time

Floats = NDArray[np.float32]
Ints = NDArray[np.intp]


class Features(NamedTuple):
    """Thumbnails and what is compared of them; every field has N rows."""

    pixels: NDArray[np.uint8]  # (N, SIDE, SIDE, 3)
    brightness: Floats  # (N,), the mean, in levels of 255
    contrast: Floats  # (N,), the standard deviation of the detail, in levels of 255
    # Coarse detail as a vector of length 1, in two halves (N, 32): under a mirror image `even`
    # stays and `odd` changes its sign.
    even: Floats
    odd: Floats

    def select(self, index: Ints) -> Features:
        """The features of some of the thumbnails."""
        return Features(
            pixels=self.pixels[index],
            brightness=self.brightness[index],
            contrast=self.contrast[index],
            even=self.even[index],
            odd=self.odd[index],
        )

    def grey(self, index: Ints) -> Floats:
        """Some thumbnails in grey (M, SIDE, SIDE), not kept: all of them would fill the memory."""
        return to_grey(self.pixels[index])


def compute_features(pixels: NDArray[np.uint8]) -> Features:
    """The features of thumbnails (N, SIDE, SIDE, 3), a chunk at a time to save memory."""
    starts = range(0, max(len(pixels), 1), CHUNK)
    chunks = [_features_of_grey(to_grey(pixels[start : start + CHUNK])) for start in starts]
    return Features(pixels, *(np.concatenate(field) for field in zip(*chunks, strict=True)))


def to_grey(pixels: NDArray[np.uint8]) -> Floats:
    """The mean of the colours: (N, SIDE, SIDE, 3) -> (N, SIDE, SIDE)."""
    return np.asarray(pixels @ np.full(3, 1 / 3, np.float32), np.float32)


def _features_of_grey(grey: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Brightness, contrast, even and odd of grey thumbnails (N, SIDE, SIDE)."""
    count = len(grey)
    half = SIDE // 2
    coarse = _remove_smooth_part(grey.reshape(count, half, 2, half, 2).mean((2, 4)))
    coarse /= np.maximum(np.linalg.norm(coarse, axis=(1, 2), keepdims=True), 1e-6)
    left = coarse[:, :, : half // 2]
    right_mirrored = coarse[:, :, : half // 2 - 1 : -1]
    even = ((left + right_mirrored) / 2**0.5).reshape(count, 32)
    odd = ((left - right_mirrored) / 2**0.5).reshape(count, 32)
    return grey.mean((1, 2)), _remove_smooth_part(grey).std((1, 2)), even, odd


def _remove_smooth_part(grey: Floats) -> Floats:
    """Grey pictures minus their best fit by a quadratic in x and y.

    So two pictures are not similar only because both show a bright sky over dark ground.
    """
    y, x = pixel_grid(grey.shape[1])
    smooth = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y]).reshape(6, -1)
    basis, _ = np.linalg.qr(smooth.T)
    flat = grey.reshape(len(grey), 1, len(basis))
    detail: Floats = (flat - (flat @ basis) @ basis.T).reshape(grey.shape)
    return detail


def pixel_grid(side: int) -> tuple[Floats, Floats]:
    """y and x of a thumbnail's pixels, from -1 to 1."""
    y, x = (np.mgrid[:side, :side].astype(np.float32) + 0.5) * (2 / side) - 1
    return y, x
