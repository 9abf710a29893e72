"""Alters bytes and JSON, each time in another way."""

import copy
import json
import random
from typing import Any

EXTREMES = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\x01", b"\x80\0\0\0",
            b"\0\x01\0\0", b"\xff\xff", b"\0", b"\xff")  # fmt: skip
# What may stand in place of any value of a JSON.
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 3, 2**31, 2**63, 2**64, 10**30, 0.5, -0.0, 1e308, float("nan"),
    float("inf"), "", "word", "²", "\x1b]0;title\x07", "a\nb", "\ud800", "../x", "x" * 100_000,
    [], [[]], [None], ["a", "b"], {}, {"tensor": 3}, {"tensor": "absent"}, {"dict": [[[], 1]]},
    {"dict": []}, {"dict": [[1, 2], [1, 3]]}, {"dict": 3},
)  # fmt: skip


def alter_bytes(data: bytes, rng: random.Random) -> bytes:
    """Flip bits, cut, grow, move or replace a part; one to three times."""
    altered = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        rng.choice(_BYTES)(altered, rng)
    return bytes(altered)


def _place(altered: bytearray, rng: random.Random) -> int:
    """A random place; every second time near the start, where headers are."""
    end = min(len(altered), 64) if rng.random() < 0.5 else len(altered)
    return rng.randrange(max(1, end))


def _flip(altered: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        if altered:
            altered[_place(altered, rng)] ^= 1 << rng.randrange(8)


def _cut(altered: bytearray, rng: random.Random) -> None:
    del altered[_place(altered, rng) :]


def _grow(altered: bytearray, rng: random.Random) -> None:
    altered += rng.randbytes(rng.choice((1, 8, 1000)))


def _insert(altered: bytearray, rng: random.Random) -> None:
    place = _place(altered, rng)
    altered[place:place] = rng.randbytes(rng.choice((1, 2, 4, 100)))


def _remove(altered: bytearray, rng: random.Random) -> None:
    place = _place(altered, rng)
    del altered[place : place + rng.choice((1, 2, 4, 100))]


def _extreme(altered: bytearray, rng: random.Random) -> None:
    value = rng.choice(EXTREMES)
    place = _place(altered, rng)
    altered[place : place + len(value)] = value


def _repeat(altered: bytearray, rng: random.Random) -> None:
    place = _place(altered, rng)
    altered[place:place] = altered[place : place + 200] * rng.choice((1, 3, 50))


def _move(altered: bytearray, rng: random.Random) -> None:
    place = _place(altered, rng)
    part = altered[place : place + 64]
    del altered[place : place + 64]
    place = _place(altered, rng)
    altered[place:place] = part


_BYTES = (_flip, _flip, _flip, _cut, _grow, _insert, _remove, _extreme, _extreme, _repeat, _move)


def alter_json(data: bytes, rng: random.Random) -> bytes:
    """Replace, remove or double a value anywhere in a JSON, or break the JSON."""
    roll = rng.random()
    if roll < 0.1:
        return alter_bytes(data, rng)
    if roll < 0.13:
        depth = rng.choice((50, 900, 3000, 100_000))
        return b"[" * depth + b"]" * depth
    tree = json.loads(data)
    for _ in range(rng.choice((1, 1, 2))):
        tree = _alter_tree(tree, rng)
    return json.dumps(tree).encode("utf-8", "surrogatepass")


def _alter_tree(tree: Any, rng: random.Random) -> Any:
    """The tree with one value altered, at any depth."""
    if not isinstance(tree, dict | list) or not tree or rng.random() < 0.15:
        if isinstance(tree, int | float) and rng.random() < 0.5:
            return rng.choice((tree + 1, -tree, tree * 1e9, float(tree), str(tree)))
        return copy.deepcopy(rng.choice(VALUES))  # a later alteration may change it
    keys = list(tree) if isinstance(tree, dict) else range(len(tree))
    key = rng.choice(keys)
    roll = rng.random()
    if roll < 0.1:
        del tree[key]
    elif roll < 0.15 and isinstance(tree, dict):
        tree[rng.choice(("x", "", "../x", str(key) + "²"))] = tree.pop(key)
    elif roll < 0.15:
        tree.append(tree[key])
    else:
        tree[key] = _alter_tree(tree[key], rng)
    return tree
