"""The contract of a metric."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gankit.core.metric import Metric
from gankit.core.prepared import Pixels
from gankit.testing.bench import Bench

MANY = 48  # pictures in a set
SIZE = 32
ROWS = np.arange(MANY)


def check(bench: Bench) -> None:
    for contract in (is_a_metric, gives_rows, scores, keeps_its_pictures, knows_a_set_from_another):
        bench.keep_to(contract)


def pictures(bench: Bench, first: int, channels: int = 3) -> Pixels:
    """MANY pictures (N, H, W, C) of the data set that the metric can judge."""
    names = bench.make().datasets or (bench.registry.default("dataset"),)
    dataset = bench.registry.make("dataset", names[0], image_size=SIZE, channels=3)
    pixels = np.stack([np.asarray(dataset[first + index]) for index in range(MANY)])
    return pixels if channels == 3 else pixels[..., :1]


def _state(bench: Bench, metric: Metric, generated: Pixels, reference: Pixels) -> Any:
    """What the metric keeps of two sets, and of the training part where it reads that."""
    sets = [generated, reference]
    if metric.reads_training:
        sets.append(pictures(bench, 2 * MANY, generated.shape[3]))
    return metric.compare(*[metric.features(pixels) for pixels in sets])


def is_a_metric(bench: Bench) -> None:
    """it is a gankit.Metric that says which way is better"""
    metric = bench.make()
    if not isinstance(metric, Metric):
        raise ValueError(f"its builder makes a {type(metric).__name__}; wanted is a gankit.Metric")
    if metric.better not in ("lower", "higher"):
        raise ValueError(f"says better = {metric.better!r}; wanted is 'lower' or 'higher'")
    low, high = metric.bounds
    if not low < high:
        raise ValueError(f"says bounds = {metric.bounds}; wanted is the lowest and the highest")
    if metric.draws < 20 or metric.enough < 1:
        raise ValueError("wants fewer than 20 draws or no pictures: no interval comes of that")


def gives_rows(bench: Bench) -> None:
    """it makes one row of finite numbers for each picture, in colour and grey"""
    for channels in (3, 1) if not bench.make().datasets else (3,):
        pixels = pictures(bench, 0, channels)
        if not np.array_equal(bench.make().rows(pixels), bench.make().rows(pixels)):
            raise ValueError("features gives other rows when asked again: seed what is drawn")


def scores(bench: Bench) -> None:
    """it gives a finite number within its bounds, the same each time, for any choice of rows"""
    metric = bench.make()
    state = _state(bench, metric, pictures(bench, 0), pictures(bench, MANY))
    drawn = np.random.default_rng(0).integers(0, MANY, (2, MANY))
    choices = ((ROWS, ROWS), (drawn[0], drawn[1]), (np.zeros(MANY, np.int64), ROWS))
    for generated, reference in choices:
        values = [metric.score(state, generated, reference) for _ in range(2)]
        low, high = metric.bounds
        if not isinstance(values[0], float | int) or not math.isfinite(values[0]):
            raise ValueError(f"score gives {values[0]!r}; wanted is one finite number")
        if values[0] != values[1]:
            raise ValueError("score gives another number when asked again: seed what is drawn")
        if not low - 1e-9 <= values[0] <= high + 1e-9:
            raise ValueError(f"score gives {values[0]:g}, outside its bounds {metric.bounds}")


def keeps_its_pictures(bench: Bench) -> None:
    """it changes neither pictures nor features in place"""
    metric = bench.make()
    given = pictures(bench, 0), pictures(bench, MANY)
    rows = [np.asarray(metric.features(part)) for part in given]
    before = [part.copy() for part in (*given, *rows)]
    training = [rows[1]] if metric.reads_training else []
    state = metric.compare(*rows, *training)
    metric.score(state, ROWS, ROWS)
    if not all(map(np.array_equal, (*given, *rows), before)):
        raise ValueError("changes pictures or features in place: other metrics share them")


def knows_a_set_from_another(bench: Bench) -> None:
    """no set is nearer to the reference than the reference itself, and order does not count"""
    metric = bench.make()
    if metric.reads_training:
        return  # what the reference itself would score there says nothing
    reference = pictures(bench, 0)
    stripes = np.where(np.arange(SIZE)[:, None, None] % 2, 255, 0).astype(np.uint8)
    striped = np.broadcast_to(stripes, reference.shape).copy()  # one picture, again and again
    state = _state(bench, metric, reference, reference)
    best = metric.score(state, ROWS, ROWS)
    worst = metric.score(_state(bench, metric, striped, reference), ROWS, ROWS)
    if (worst < best) if metric.better == "lower" else (worst > best):
        what = f"scores one striped picture {worst:.4g} and the real ones {best:.4g}"
        raise ValueError(f"{what}: is better = {metric.better!r} the wrong way round?")
    turned = metric.score(state, ROWS[::-1], ROWS[::-1])
    if not math.isclose(turned, best, rel_tol=1e-5, abs_tol=1e-6):
        raise ValueError(f"gives {best:g}, and {turned:g} for the same rows in another order")
