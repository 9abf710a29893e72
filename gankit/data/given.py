"""Pictures that are given as an object in Python: an array, a tensor or a data set of torch."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gankit.core.contracts.prepared import Pixels
from gankit.core.errors import GankitError, quote_value
from gankit.data.mend_array import CHANNELS, EXPECTED, MAX_CHANNELS, mend_array, mend_tensor

SAMPLED = 256  # pictures of a data set, evenly spread, that identify it
log = logging.getLogger("gankit")


class GivenPictures:
    """A sequence of pictures; `read(i)` returns picture i as an array or a PIL image.

    `fingerprint` identifies the contents. `read_classes` returns the name of each picture's class;
    None if it has none.
    """

    def __init__(
        self,
        count: int,
        read: Callable[[int], Any],
        fingerprint: str,
        read_classes: Callable[[], list[str] | None] = lambda: None,
    ) -> None:
        self.count = count
        self.read = read
        self.fingerprint = fingerprint
        self.read_classes = read_classes

    @property
    def classes(self) -> list[str] | None:
        """The name of the class of each picture, for `--class-labels`."""
        return self.read_classes()

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Any:
        return self.read(index)


def given_pictures(data: Any) -> GivenPictures:
    """The pictures of an array, a tensor or a data set. GankitError if it is none of these.

    Four channels are RGBA, as files hold them: not premultiplied.
    An array and a tensor are identified by all of their numbers, a data set by its number of
    pictures and by at most 256 of them.
    """
    if isinstance(data, np.ndarray):
        return _from_array(data)
    if isinstance(data, torch.Tensor):
        return _from_tensor(data)
    return _from_dataset(data)


def _from_array(array: Pixels) -> GivenPictures:
    if array.ndim == 4 and not len(array):
        raise _empty()
    is_grey = array.ndim == 3 and min(array.shape[1:]) > MAX_CHANNELS
    if is_grey and array.dtype == np.uint8:
        array = array[..., None]
    if array.ndim != 4 or array.dtype != np.uint8 or array.shape[3] not in CHANNELS:
        raise _wrong(f"{quote_value(array)} of {array.dtype}", mend_array(array))
    return GivenPictures(len(array), array.__getitem__, _hash(np.ascontiguousarray(array)))


def _from_tensor(tensor: torch.Tensor) -> GivenPictures:
    shown = f"{quote_value(tensor)} of {tensor.dtype}"
    if tensor.ndim != 4 or not tensor.is_floating_point() or tensor.shape[1] not in CHANNELS:
        raise _wrong(shown, mend_tensor(tensor))
    tensor = tensor.detach().cpu()
    _check_range(tensor, shown)
    contents = _hash(tensor.float().contiguous().numpy())
    return GivenPictures(len(tensor), lambda index: to_pixels(tensor[index]), contents)


def _from_dataset(dataset: Any) -> GivenPictures:
    if isinstance(dataset, torch.utils.data.DataLoader):
        raise GankitError("dataset is a DataLoader: give its data set, loader.dataset")
    if isinstance(dataset, np.lib.npyio.NpzFile):
        names = ", ".join(dataset.files)
        cure = f"give one of them, as file[{dataset.files[0]!r}]" if dataset.files else EXPECTED
        raise _wrong(f"an npz file with the arrays {names or '(none)'}", cure)
    if isinstance(dataset, Path):
        raise _wrong(quote_value(str(dataset)), f"give data={str(dataset)!r}")
    if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
        raise _wrong(quote_value(dataset))

    def read(index: int) -> Any:
        item = dataset[index]
        picture = item[0] if isinstance(item, tuple | list) else item
        return to_pixels(picture) if isinstance(picture, torch.Tensor) else picture

    count = len(dataset)
    spread = range(0, count, max(1, count // SAMPLED))
    _check_first(dataset)
    contents = _hash(*(np.asarray(read(index)) for index in spread))
    return GivenPictures(count, read, contents, lambda: _classes_of(dataset))


def _classes_of(dataset: Any) -> list[str] | None:
    """The class of each picture of a data set of pairs (picture, class); None for other sets.

    torchvision's data sets have the numbers in `targets`, so that no picture must be read, and
    their names in `classes`.
    """
    if not isinstance(dataset[0], tuple | list) or len(dataset[0]) < 2:
        return None
    targets = getattr(dataset, "targets", ())
    if len(targets) != len(dataset):
        targets = [dataset[index][1] for index in range(len(dataset))]
    values = [value.item() if hasattr(value, "item") else value for value in targets]
    names = getattr(dataset, "classes", ())
    numbers = [value for value in values if isinstance(value, int)]
    is_named = isinstance(names, list | tuple) and len(numbers) == len(values)
    if is_named and min(numbers) >= 0 and max(numbers) < len(names):
        return [str(names[number]) for number in numbers]
    return [str(value) for value in values]


def _check_first(dataset: Any) -> None:
    """GankitError unless the first item is, or begins with, a picture."""
    if not len(dataset):
        raise _empty()
    item = dataset[0]
    picture = item[0] if isinstance(item, tuple | list) else item
    if isinstance(picture, list | tuple):
        cure = 'give them as an array, as in numpy.array(pictures, dtype="uint8")'
        raise GankitError(f"dataset has lists of numbers in place of pictures: {cure}")
    shown = f"the first picture of dataset, {quote_value(picture)},"
    if isinstance(picture, torch.Tensor):
        if picture.ndim != 3 or not picture.is_floating_point():
            raise GankitError(f"{shown} is not a float tensor (C, H, W) in [-1, 1]")
        _check_range(picture, shown)
    elif not hasattr(picture, "convert") and getattr(picture, "dtype", None) != np.uint8:
        raise GankitError(f"{shown} is not a picture: {EXPECTED}")


def _check_range(images: torch.Tensor, shown: str) -> None:
    """GankitError if a number lies outside [-1, 1]; a warning if all lie in [0, 1]."""
    low, high = (float(bound) for bound in images.float().aminmax())
    if not -1.01 <= low <= high <= 1.01:
        why = f"has numbers from {low:.3g} to {high:.3g}; gankit takes images in [-1, 1]"
        raise GankitError(f"{shown} {why}")
    if low >= 0 and high > 0:
        message = (
            "%s has only numbers from 0 to 1, but gankit takes images in [-1, 1]: if yours are in "
            "[0, 1], give 2 * images - 1"
        )
        log.warning(message, shown)


def to_pixels(image: torch.Tensor) -> Pixels:
    """One image (C, H, W) in [-1, 1] as uint8 (H, W, C)."""
    pixels = image.detach().float().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
    return pixels.permute(1, 2, 0).contiguous().cpu().numpy()


def _hash(*arrays: Any) -> str:
    contents = hashlib.sha256()
    for array in arrays:
        contents.update(str(array.shape).encode())
        contents.update(np.ascontiguousarray(array).data)
    return contents.hexdigest()[:20]


def _empty() -> GankitError:
    return GankitError("dataset is empty: give one or more pictures")


def _wrong(shown: str, cure: str = EXPECTED) -> GankitError:
    return GankitError(f"dataset is {shown}: {cure}")
