"""The classes of a run with class labels: found by name or number, and checked."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, TypeAlias

from gankit.core.errors import GankitError, did_you_mean, quote_value
from gankit.core.printable import printable
from gankit.data.find.names import fold, unify_letters

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

Label: TypeAlias = str | int  # a class, by its name or its number
MAX_LISTED = 20  # classes in a message


def find_class(names: Sequence[str], label: Label) -> int:
    """The number of the class with this name, or this number. GankitError if there is none.

    Upper and lower case count only if two classes differ in nothing else.
    """
    if not names:
        raise GankitError(
            "this run has no class labels, so no class can be chosen: train one with --class-labels"
        )
    if isinstance(label, bool) or not isinstance(label, str | Integral):
        shown = quote_value(label)
        raise GankitError(f"label is {shown}: give the name of a class, such as {names[0]!r}")
    if not isinstance(label, str):
        if not 0 <= label < len(names):
            raise GankitError(f"class {label} does not exist: they are 0 to {len(names) - 1}")
        return int(label)
    if label in names:
        return names.index(label)
    for spell in (unify_letters, fold):
        spelled = [spell(name) for name in names]
        if spelled.count(spell(label)) == 1:
            return spelled.index(spell(label))
    hint = did_you_mean(label, names)
    suggestion = hint if hint.startswith(" Did") else ""
    listed = ", ".join(map(printable, names[:MAX_LISTED]))
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    raise GankitError(
        f"there is no class {quote_value(label)}.{suggestion} The classes are: {listed}{more}."
    )


def to_labels(labels: Tensor | NDArray[Any], count: int, names: Sequence[str]) -> Tensor:
    """The labels of `count` pictures as a tensor: numbers, or shares of classes.

    Numbers are (N,), int64; shares are (N, number of classes), float32. GankitError for any other
    labels, or for numbers of classes that do not exist.
    """
    import torch

    if not names:
        raise GankitError("this run has no class labels: omit labels")
    refusal = GankitError(
        f"labels is {quote_value(labels)}; expected a tensor of whole numbers, ({count},), or "
        f"of shares, ({count}, {len(names)})"
    )
    try:
        tensor = labels if isinstance(labels, torch.Tensor) else torch.tensor(labels)
    except (TypeError, ValueError, RuntimeError) as error:  # texts, or rows of several lengths
        raise refusal from error
    if tensor.is_floating_point() and tensor.shape == (count, len(names)):
        return tensor.float()
    if tensor.is_floating_point() or tensor.shape != (count,):
        raise refusal
    tensor = tensor.long()
    if count and not 0 <= int(tensor.min()) <= int(tensor.max()) < len(names):
        raise GankitError(f"labels must be numbers of classes, from 0 to {len(names) - 1}")
    return tensor
