"""The contract of a metric."""

import math

import numpy as np

from gankit.core.metric import Metric

MANY, SIZE = 48, 32
ROWS = np.arange(MANY)


def check(bench):
    for contract in (is_a_metric, gives_rows, scores, keeps_its_pictures, knows_a_set_from_another):
        bench.keep_to(contract)


def pictures(bench, first, channels=3):
    """MANY pictures (N, H, W, C) of the data set that the metric can judge."""
    own = bench.make().datasets
    names = own or (bench.registry.default("dataset"),)
    drawn = bench.registry.make("dataset", names[0], image_size=SIZE, channels=3)
    some = np.stack([np.asarray(drawn[first + index]) for index in range(MANY)])
    return some if channels == 3 else some[..., :1]


def _state(bench, metric, generated, reference):
    sets = [generated, reference]
    if metric.reads_training:
        sets.append(pictures(bench, 2 * MANY, generated.shape[3]))
    return metric.compare(*map(metric.features, sets))


def is_a_metric(bench):
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


def gives_rows(bench):
    """it makes one row of finite numbers for each picture, in colour and grey"""
    for channels in (3, 1) if not bench.make().datasets else (3,):
        given = pictures(bench, 0, channels)
        rows = [bench.make().rows(given) for _ in range(2)]
        if not np.array_equal(*rows):
            raise ValueError("features gives other rows when asked again: seed what is drawn")


def scores(bench):
    """it gives a finite number within its bounds, the same each time, for any choice of rows"""
    metric = bench.make()
    state = _state(bench, metric, pictures(bench, 0), pictures(bench, MANY))
    drawn = np.random.default_rng(0).integers(0, MANY, (2, MANY))
    for rows in ((ROWS, ROWS), tuple(drawn), (np.zeros(MANY, int), ROWS)):
        values = [metric.score(state, *rows) for _ in range(2)]
        low, high = metric.bounds
        if not isinstance(values[0], float | int) or not math.isfinite(values[0]):
            raise ValueError(f"score gives {values[0]!r}; wanted is one finite number")
        if values[0] != values[1]:
            raise ValueError("score gives another number when asked again: seed what is drawn")
        if not low - 1e-9 <= values[0] <= high + 1e-9:
            raise ValueError(f"score gives {values[0]:g}, outside its bounds {metric.bounds}")


def keeps_its_pictures(bench):
    """it changes neither pictures nor features in place"""
    metric = bench.make()
    given = pictures(bench, 0), pictures(bench, MANY)
    rows = [np.asarray(metric.features(part)) for part in given]
    before = [part.copy() for part in (*given, *rows)]
    more = [rows[1]] if metric.reads_training else []
    state = metric.compare(*rows, *more)
    metric.score(state, ROWS, ROWS)
    if not all(map(np.array_equal, (*given, *rows), before)):
        raise ValueError("changes pictures or features in place: other metrics share them")


def knows_a_set_from_another(bench):
    """no set is nearer to the reference than the reference itself, and order does not count"""
    metric = bench.make()
    if metric.reads_training:
        return  # what the reference itself would score there says nothing
    reference = pictures(bench, 0)
    ruined = np.where(np.arange(SIZE)[:, None, None] % 2, 255, 0).astype(np.uint8)
    ruined = np.broadcast_to(ruined, reference.shape).copy()  # one striped picture, again and again
    state = {name: _state(bench, metric, part, reference) for name, part in (
        ("itself", reference), ("ruined", ruined))}  # fmt: skip
    best, worst = (metric.score(state[name], ROWS, ROWS) for name in ("itself", "ruined"))
    if (worst < best) if metric.better == "lower" else (worst > best):
        what = f"scores one striped picture {worst:.4g} and the real ones {best:.4g}"
        raise ValueError(f"{what}: is better = {metric.better!r} the wrong way round?")
    turned = metric.score(state["itself"], ROWS[::-1], ROWS[::-1])
    if not math.isclose(turned, best, rel_tol=1e-5, abs_tol=1e-6):
        raise ValueError(f"gives {best:g}, and {turned:g} for the same rows in another order")
