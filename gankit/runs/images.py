"""Convert tensors (N, C, H, W) in [-1, 1] to pictures."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

Frame = NDArray[np.uint8]  # (H, W, 3)


def to_uint8(images: torch.Tensor) -> NDArray[np.uint8]:
    """Convert images to uint8 (N, H, W, C)."""
    pixels = images.float().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
    return pixels.permute(0, 2, 3, 1).cpu().numpy()


def to_frames(images: torch.Tensor) -> Frame:
    """Convert images to uint8 (N, H, W, 3); a grey channel is repeated."""
    return to_uint8(images.expand(-1, 3, -1, -1))


def to_grid(images: torch.Tensor, columns: int = 0, gap: int = 2) -> Image.Image:
    """Arrange images row by row in one picture; nearly square if `columns` is 0."""
    frames = to_frames(images)
    columns = columns or math.ceil(math.sqrt(len(frames)))
    rows = math.ceil(len(frames) / columns)
    height, width = frames.shape[1:3]
    size = (columns * (width + gap) + gap, rows * (height + gap) + gap)
    grid = Image.new("RGB", size, "white")
    for index, frame in enumerate(frames):
        row, column = divmod(index, columns)
        corner = (gap + column * (width + gap), gap + row * (height + gap))
        grid.paste(Image.fromarray(frame), corner)
    return grid
