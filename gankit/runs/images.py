"""Tensor -> picture. Tensors are (N, C, H, W) in [-1, 1]."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

Frame = NDArray[np.uint8]  # (H, W, 3)


def to_frames(images: torch.Tensor) -> Frame:
    """uint8 (N, H, W, 3); grey is repeated."""
    pixels = images.float().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
    return pixels.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).cpu().numpy()


def to_grid(images: torch.Tensor, columns: int = 0, gap: int = 2) -> Image.Image:
    """One picture of all images, row by row, as square as it gets unless columns are given."""
    frames = to_frames(images)
    columns = columns or math.ceil(math.sqrt(len(frames)))
    rows, (height, width) = math.ceil(len(frames) / columns), frames.shape[1:3]
    size = (columns * (width + gap) + gap, rows * (height + gap) + gap)
    sheet = Image.new("RGB", size, "white")
    for index, frame in enumerate(frames):
        row, column = divmod(index, columns)
        place = (gap + column * (width + gap), gap + row * (height + gap))
        sheet.paste(Image.fromarray(frame), place)
    return sheet
