"""The call that turns an array of pictures in another form into one that gankit takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

EXPECTED = (
    "give uint8 pictures (N, H, W, C), a float tensor (N, C, H, W) in [-1, 1], or a data set of "
    "such pictures or PIL images"
)
MAX_CHANNELS = 4  # an axis that is longer is a height or a width
CHANNELS = (1, 3, 4)  # of grey, colour and RGBA


def mend_array(array: NDArray[Any]) -> str:
    """What to give in place of an array that is not uint8 (N, H, W, C)."""
    if array.ndim not in (3, 4) or not len(array) or array.dtype.kind not in "uif":
        return EXPECTED
    axes = ""
    if array.ndim == 3:
        if min(array.shape[1:]) <= MAX_CHANNELS:  # one picture, or pictures without a height
            is_picture = array.shape[2] in CHANNELS and min(array.shape[:2]) > MAX_CHANNELS
            return f"for one picture, give array[None]; else {EXPECTED}" if is_picture else EXPECTED
    elif array.shape[3] not in CHANNELS:
        if array.shape[1] not in CHANNELS:
            return EXPECTED
        axes = ".transpose(0, 2, 3, 1)"
    call = f"array{axes}"
    if array.dtype != np.uint8:
        low, high = float(np.nanmin(array)), float(np.nanmax(array))
        call = _to_bytes(call, low, high, is_float=array.dtype.kind == "f")
    return f"give {call}" if call else EXPECTED


def _to_bytes(array: str, low: float, high: float, *, is_float: bool) -> str:
    """The call that converts numbers from `low` to `high`; empty if it is unknown."""
    if is_float and low >= 0 and high <= 1:
        return f'({array} * 255).round().astype("uint8")'
    if is_float and low >= -1 and high <= 1:
        return f'(({array} + 1) * 127.5).round().astype("uint8")'
    if low >= 0 and high <= 255:
        return f'{array}.round().astype("uint8")' if is_float else f'{array}.astype("uint8")'
    return ""


def mend_tensor(tensor: torch.Tensor) -> str:
    """What to give in place of a tensor that is not float (N, C, H, W)."""
    if tensor.ndim == 3 and min(tensor.shape[1:]) > MAX_CHANNELS:
        call = "tensor[:, None]"
    elif tensor.ndim == 4 and tensor.shape[1] in CHANNELS:
        call = "tensor"
    elif tensor.ndim == 4 and tensor.shape[3] in CHANNELS:
        call = "tensor.permute(0, 3, 1, 2)"
    else:
        return EXPECTED
    if not tensor.is_floating_point():
        call += " / 127.5 - 1"
    return f"give {call}, in [-1, 1]"
