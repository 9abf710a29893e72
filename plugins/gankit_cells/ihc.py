"""Real pictures without a download: patches of the stained tissue that comes with scikit-image.

The micrograph (512 x 512; glands of a human colon, brown where the protein FHL2 is; acquired at
the Center for Microscopy and Molecular Imaging, no known copyright restrictions) is one picture.
Its patches overlap. So a network can learn a texture from real data, but you cannot see whether it
generalises or memorises. For that, split the micrograph into regions with `where`.
"""

from collections.abc import Sequence
from operator import index as to_int
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Box(NamedTuple):
    """The region of the micrograph that a patch shows, in pixels; `bottom`, `right` excluded."""

    top: int
    left: int
    bottom: int
    right: int


class Patches(Sequence[NDArray[np.uint8]]):
    """`count` square patches at random positions, each rotated and mirrored at random.

    A patch is `patch` pixels wide, or `image_size` if that is larger: pictures are shrunk to
    image_size and never enlarged, because G would learn the blur as part of the tissue. The same
    seed gives the same patches, and a longer data set starts with the patches of a shorter one.
    """

    def __init__(
        self, image_size: int = 64, patch: int = 96, count: int = 2000, seed: int = 0
    ) -> None:
        from skimage.data import immunohistochemistry  # not needed to list the data set

        self.tissue: NDArray[np.uint8] = immunohistochemistry()  # type: ignore[no-untyped-call]
        limit = min(self.tissue.shape[:2])
        for name, value in (("image_size", image_size), ("patch", patch)):
            if not 8 <= value <= limit:
                raise ValueError(f"ihc needs a {name} from 8 to {limit}, not {value}")
        if count < 1:
            raise ValueError(f"ihc needs a count of at least 1, not {count}")
        if not 0 <= seed < 2**32:
            raise ValueError(f"ihc needs a seed from 0 to 2**32 - 1, not {seed}")
        self.patch = max(patch, image_size)
        # RandomState draws the same numbers in every version of NumPy.
        draws = np.random.RandomState(seed).random_sample((count, 3))
        steps = limit - self.patch + 1
        self.positions = (draws * (steps, steps, 8)).astype(int)  # top, left, one of 8 turns
        self.fingerprint = f"ihc-v1-patch{self.patch}-count{count}-seed{seed}"

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:  # type: ignore[override]  # no slices
        top, left, bottom, right = self.where(index)
        patch: NDArray[np.uint8] = self.tissue[top:bottom, left:right]
        turns, mirrored = divmod(int(self.positions[index, 2]), 2)
        return np.rot90(patch[:, ::-1] if mirrored else patch, turns).copy()

    def where(self, index: int) -> Box:
        """The region of the micrograph that a patch shows, before it is rotated."""
        if not -len(self) <= to_int(index) < len(self):
            raise IndexError(f"ihc has {len(self)} patches, none at {index}")
        top, left, _ = self.positions[index].tolist()
        return Box(top, left, top + self.patch, left + self.patch)
