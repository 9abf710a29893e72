"""Policies of augmenting tricks: names of changes joined by +, as in `color+cutout`."""

from collections.abc import Iterable


def split_policy(policy: str, changes: Iterable[str]) -> list[str]:
    """The names in `policy`, in its order; ValueError if one is not among `changes`."""
    available = list(changes)
    names = [name for name in policy.split("+") if name]
    for name in names:
        if name not in available:
            raise ValueError(f"policy has no {name!r}; join any of {', '.join(available)} by +")
    return names
