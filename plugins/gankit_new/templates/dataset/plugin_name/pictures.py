"""The pictures."""

import numpy as np
from numpy.typing import NDArray


class PluginName:
    """Discs: `count` of them, each a function of its index.

    A data set is anything with a length and an index. gankit crops and resizes what it gives.
    """

    def __init__(self, image_size: int = 64, count: int = 1000) -> None:
        if count < 1:
            raise ValueError("count must be 1 or more")
        self.size, self.count = image_size, count  # image_size is filled in, count an option
        self.fingerprint = f"plugin-name-1-{image_size}-{count}"  # changes when the pictures do

    def __len__(self) -> int:
        return self.count

    # a PIL image, or uint8 (H, W) or (H, W, 3) of any size
    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        x, y, radius = np.random.RandomState(index).uniform((0.3, 0.3, 0.1), (0.7, 0.7, 0.3))
        across = (np.arange(self.size) + 0.5) / self.size
        inside = (across - x) ** 2 + (across[:, None] - y) ** 2 < radius**2
        return np.where(inside, 255, 30).astype(np.uint8)
