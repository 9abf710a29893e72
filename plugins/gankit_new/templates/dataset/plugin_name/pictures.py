"""The data set itself."""

import numpy as np
from numpy.typing import NDArray


class PluginName:
    """`count` discs; the index of a picture decides how it looks.

    A data set is any class with `__len__` and `__getitem__`. gankit crops and resizes its
    pictures.

    count: the number of pictures.
    """

    def __init__(self, image_size: int = 64, count: int = 1000) -> None:
        if count < 1:
            raise ValueError("count must be 1 or more")
        self.size = image_size  # from the run
        self.count = count  # an option, as it is a parameter with a default
        self.fingerprint = f"plugin-name-1-{image_size}-{count}"  # changes with the pictures

    def __len__(self) -> int:
        return self.count

    # a PIL image, or uint8 (H, W) or (H, W, 3) of any size
    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        x, y, radius = np.random.RandomState(index).uniform((0.3, 0.3, 0.1), (0.7, 0.7, 0.3))
        across = (np.arange(self.size) + 0.5) / self.size
        inside = (across - x) ** 2 + (across[:, None] - y) ** 2 < radius**2
        return np.where(inside, 255, 30).astype(np.uint8)
