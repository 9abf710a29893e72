"""Which tensors of a saved network fit another network: those of the same place and shape."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from torch import Tensor

_NUMBER = re.compile(r"(.*?\.)([0-9]+)((?:\..*)?)")  # ups.3.0.weight: ups. | 3 | .0.weight
Rename = Callable[[str], str]


def find_fitting(own: Mapping[str, Tensor], saved: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The saved tensors for a network: name in `own` -> a tensor of its type and shape.

    A tensor's place is its name; or its layer is counted from the last one, if more fits so. A
    network for larger pictures has more layers, and those near the picture do the same: they are
    the last ones of G, and the first ones of D in most networks, but not where a list of layers
    begins with the smallest map.
    """
    fitting = _matching(own, saved, lambda name: name)
    counted = _matching(own, saved, _from_end(own, saved))
    return counted if _numbers(counted) > _numbers(fitting) else fitting


def _matching(
    own: Mapping[str, Tensor], saved: Mapping[str, Tensor], rename: Rename
) -> dict[str, Tensor]:
    pairs = ((name, tensor, saved.get(rename(name))) for name, tensor in own.items())
    return {
        name: other
        for name, tensor, other in pairs
        if other is not None and other.shape == tensor.shape and other.dtype == tensor.dtype
    }


def _from_end(own: Mapping[str, Tensor], saved: Mapping[str, Tensor]) -> Rename:
    """The name in `saved` of the layer that is as far from the last one of its list in `own`."""
    own_lists = _list_numbers(own)
    saved_lists = _list_numbers(saved)

    def rename(name: str) -> str:
        match = _NUMBER.fullmatch(name)
        if not match:
            return name
        prefix, number, rest = match.groups()
        others = saved_lists.get(prefix, [])
        place = own_lists[prefix].index(int(number)) - len(own_lists[prefix]) + len(others)
        return f"{prefix}{others[place]}{rest}" if place >= 0 else ""

    return rename


def _list_numbers(tensors: Mapping[str, Tensor]) -> dict[str, list[int]]:
    """The numbers of the layers in each list of a network: `main.` -> 0, 1, 3, 4, ..."""
    numbers: dict[str, set[int]] = {}
    for name in tensors:
        match = _NUMBER.fullmatch(name)
        if match:
            numbers.setdefault(match[1], set()).add(int(match[2]))
    return {prefix: sorted(in_list) for prefix, in_list in numbers.items()}


def _numbers(tensors: Mapping[str, Tensor]) -> int:
    return sum(tensor.numel() for tensor in tensors.values())
