"""`gankit sample --class`: which class each picture is of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gankit.runs.find_class import find_class

if TYPE_CHECKING:
    from torch import Tensor

    from gankit.cli.sample_pictures import Pictures
    from gankit.runs.sampler import Sampler

_UNSAFE = re.compile(r"[^\w.,+-]+")  # in the name of a file
MAX_LETTERS = 40


def read_classes(sampler: Sampler, names: Sequence[str]) -> tuple[str, ...]:
    """The classes of these names, as the run spells them. GankitError if there is no such class."""
    numbers = [find_class(sampler.class_names, name) for name in names]
    return tuple(sampler.class_names[number] for number in dict.fromkeys(numbers))


def class_options(classes: Sequence[str]) -> list[str]:
    """The options of `gankit sample` that choose these classes."""
    return [word for name in classes for word in ("--class", name)]


def file_prefix(classes: Sequence[str]) -> str:
    """What the names of files begin with: `rose-`, or nothing if no class is named."""
    names = ",".join(classes)
    return f"{_UNSAFE.sub('_', names)[:MAX_LETTERS]}-" if names else ""


def labels_of(sampler: Sampler, pictures: Pictures, name: str | None) -> Tensor | None:
    """The class (N,) of each of the pictures; None for a run without class labels."""
    return sampler.labels(pictures.seeds(), name)


def class_of_way(
    sampler: Sampler, pictures: Pictures, name: str | None, count: int
) -> Tensor | None:
    """The class of `count` pictures on a way, (count,): that of its first picture."""
    labels = labels_of(sampler, pictures, name)
    return None if labels is None else labels[:1].expand(count)
