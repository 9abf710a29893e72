"""Thumbnails of pictures, and what is compared of them to find copies."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SIDE = 16
AT_ONCE = 512  # worked out together

Floats = NDArray[np.float32]
Ints = NDArray[np.intp]


class Thumbs(NamedTuple):
    """Thumbnails and what is compared of them; every field has N rows."""

    pixels: NDArray[np.uint8]  # (N, SIDE, SIDE, 3)
    light: Floats  # the mean
    spread: Floats  # how strong the detail is, in levels
    even: Floats  # coarse detail, of length 1: its mirror-even half (N, 32)
    odd: Floats  # and its mirror-odd one; a mirror image's has the other sign

    def at(self, index: Ints) -> Thumbs:
        return Thumbs(
            pixels=self.pixels[index],
            light=self.light[index],
            spread=self.spread[index],
            even=self.even[index],
            odd=self.odd[index],
        )

    def grey(self, index: Ints) -> Floats:
        """(M, SIDE, SIDE), worked out again for those asked for: of all it would fill memory."""
        return grey_of(self.pixels[index])


def thumbs_of(pixels: NDArray[np.uint8]) -> Thumbs:
    """Of pictures (N, SIDE, SIDE, 3); worked out for some at a time, which takes little memory."""
    starts = range(0, max(len(pixels), 1), AT_ONCE)
    parts = [_some(grey_of(pixels[start : start + AT_ONCE])) for start in starts]
    return Thumbs(pixels, *(np.concatenate(field) for field in zip(*parts, strict=True)))


def grey_of(pixels: NDArray[np.uint8]) -> Floats:
    """The mean of the colours: (N, SIDE, SIDE, 3) -> (N, SIDE, SIDE)."""
    return np.asarray(pixels @ np.full(3, 1 / 3, np.float32), np.float32)


def _some(grey: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Light, spread, even and odd of grey thumbnails (N, SIDE, SIDE)."""
    half, count = SIDE // 2, len(grey)
    coarse = _detail(grey.reshape(count, half, 2, half, 2).mean((2, 4)))
    coarse /= np.maximum(np.linalg.norm(coarse, axis=(1, 2), keepdims=True), 1e-6)
    left, right = coarse[:, :, : half // 2], coarse[:, :, : half // 2 - 1 : -1]
    even, odd = ((part / 2**0.5).reshape(count, 32) for part in (left + right, left - right))
    return grey.mean((1, 2)), _detail(grey).std((1, 2)), even, odd


def _detail(grey: Floats) -> Floats:
    """What is left without its smooth part: a sky over a field is no reason to be alike."""
    y, x = places(grey.shape[1])
    smooth = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y]).reshape(6, -1)
    basis, _ = np.linalg.qr(smooth.T)
    flat = grey.reshape(len(grey), 1, len(basis))
    detail: Floats = (flat - (flat @ basis) @ basis.T).reshape(grey.shape)
    return detail


def places(side: int) -> tuple[Floats, Floats]:
    """y and x of a thumbnail's pixels, from -1 to 1."""
    y, x = (np.mgrid[:side, :side].astype(np.float32) + 0.5) * (2 / side) - 1
    return y, x
