"""`gankit sample --class`: which class each picture is of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gankit.cli.sample.pictures import short_name
from gankit.runs.find_class import find_class
from gankit.training.run_folder.run_file import recorded_run

if TYPE_CHECKING:
    from torch import Tensor

    from gankit.cli.sample.pictures import Pictures
    from gankit.runs.sampler import Sampler

_UNSAFE = re.compile(r"[^\w.,+-]+")  # in the name of a file


def read_classes(run: Path, names: Sequence[str]) -> tuple[str, ...]:
    """The classes of these names, as the run spells them. GankitError if there is no such class."""
    if not names:
        return ()
    of_run = recorded_run(run).class_names
    numbers = [find_class(of_run, name) for name in names]
    return tuple(of_run[number] for number in dict.fromkeys(numbers))


def class_options(classes: Sequence[str]) -> list[str]:
    """The options of `gankit sample` that choose these classes."""
    return [word for name in classes for word in ("--class", name)]


def file_prefix(classes: Sequence[str], others: Sequence[str] = ()) -> str:
    """What the names of files begin with: `rose-`, or nothing if no class is named.

    A class whose name looks like that of one of the `others` in a file also has its number.
    """
    if not classes:
        return ""
    prefix = _safe_name(",".join(classes))
    if sum(_safe_name(other).casefold() == prefix.casefold() for other in others) > 1:
        prefix += f"-{list(others).index(classes[0])}"
    return f"{prefix}-"


def _safe_name(name: str) -> str:
    return short_name(_UNSAFE.sub("_", name))


def labels_of(sampler: Sampler, pictures: Pictures, name: str | None) -> Tensor | None:
    """The class (N,) of each of the pictures; None for a run without class labels."""
    return sampler.labels(pictures.seeds(), name)


def stops_of_way(
    z: Tensor, sampler: Sampler, classes: Sequence[str], shares: Tensor | None, seed: int
) -> tuple[Tensor, Tensor | None]:
    """Where a way stops: z (N, latent_dim) and, with class labels, shares (N, num_classes).

    `z` are those of the pictures. Named `classes` go with them in order, and the shorter of the two
    lists begins again, so one picture goes through all classes. Without names, the classes are
    those of a walk's file, `shares`, or all are that of `seed`.
    """
    import torch

    if not sampler.class_names:
        return z, None
    if classes:
        shares = torch.cat([_only(sampler, sampler.labels([seed], name)) for name in classes])
    elif shares is None:
        shares = _only(sampler, sampler.labels([seed]))
    count = max(len(z), len(shares))
    turns = torch.arange(count)
    return z[turns % len(z)], shares[turns % len(shares)]


def _only(sampler: Sampler, labels: Tensor | None) -> Tensor:
    """The shares (N, num_classes) of pictures of one class each."""
    from torch.nn.functional import one_hot

    assert labels is not None  # the run has class labels
    return one_hot(labels, len(sampler.class_names)).float()
