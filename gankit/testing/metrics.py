"""Checks of a metric."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gankit.core.contracts.metric import Metric, finite_score
from gankit.core.contracts.prepared import Pixels
from gankit.testing.harness import Harness, open_harness
from gankit.training.trial.try_metric import IGNORES_PICTURES, ignores_pictures

if TYPE_CHECKING:
    from gankit.training.settings.compose import Part

SET_SIZE = 48  # pictures
IMAGE_SIZE = 32
ROWS = np.arange(SET_SIZE)
TOLERANCE = 1e-6  # of scores
NO_SIGN = "A difference needs abs(...), so that its sign does not count"


def check_metric(part: Part[Metric], *, plugin: object | None = None) -> None:
    """Scores are finite and the same each time, and no set scores better than the reference."""
    with open_harness("metric", part, plugin, {}) as harness:
        harness.check_all(
            check_attributes,
            check_features,
            check_scores,
            check_pictures,
            check_rows,
            check_inputs_unchanged,
            check_order_of_scores,
        )


def load_pictures(harness: Harness, first: int, channels: int = 3) -> Pixels:
    """SET_SIZE pictures, (N, H, W, C), of a data set that the metric works with."""
    names = harness.make().datasets or (harness.registry.default("dataset"),)
    dataset = harness.registry.make("dataset", names[0], image_size=IMAGE_SIZE, channels=3)
    pixels = np.stack([np.asarray(dataset[first + index]) for index in range(SET_SIZE)])
    return pixels if channels == 3 else pixels[..., :1]


def _compare(harness: Harness, metric: Metric, generated: Pixels, reference: Pixels) -> Any:
    """Call `compare` with the features of two sets, and of training pictures if it reads these."""
    sets = [generated, reference]
    if metric.reads_training:
        sets.append(load_pictures(harness, 2 * SET_SIZE, generated.shape[3]))
    return metric.compare(*[metric.features(pixels) for pixels in sets])


def check_attributes(harness: Harness) -> None:
    """it is a gankit.Metric with valid attributes"""
    metric = harness.make_instance(Metric)
    if metric.better not in ("lower", "higher"):
        raise ValueError(f"better is {metric.better!r}; expected 'lower' or 'higher'")
    low, high = metric.bounds
    if not low < high:
        raise ValueError(f"bounds is {metric.bounds}; expected (lowest, highest)")
    if metric.draws < 20:
        raise ValueError(f"draws is {metric.draws}; an interval needs 20 or more")
    if metric.enough < 1:
        raise ValueError(f"enough is {metric.enough}; it must be 1 or more")


def check_features(harness: Harness) -> None:
    """features returns one row of finite numbers for each picture, in colour and grey"""
    for channels in (3, 1) if not harness.make().datasets else (3,):
        pixels = load_pictures(harness, 0, channels)
        if not np.array_equal(harness.make().rows(pixels), harness.make().rows(pixels)):
            raise _not_repeatable("features")


def check_scores(harness: Harness) -> None:
    """score returns the same finite number each time, within its bounds, for any rows"""
    metric = harness.make()
    state = _compare(harness, metric, load_pictures(harness, 0), load_pictures(harness, SET_SIZE))
    drawn = np.random.default_rng(0).integers(0, SET_SIZE, (2, SET_SIZE))
    choices = ((ROWS, ROWS), (drawn[0], drawn[1]), (np.zeros(SET_SIZE, np.int64), ROWS))
    for generated, reference in choices:
        values = [finite_score(metric, state, generated, reference) for _ in range(2)]
        low, high = metric.bounds
        if values[0] != values[1]:
            raise _not_repeatable("score")
        if not low - 1e-9 <= values[0] <= high + 1e-9:
            raise ValueError(f"score returns {values[0]:g}, outside its bounds {metric.bounds}")


def check_pictures(harness: Harness) -> None:
    """score depends on the pictures"""
    if ignores_pictures(harness.make(), load_pictures(harness, 0)):
        raise ValueError(IGNORES_PICTURES)


def check_rows(harness: Harness) -> None:
    """score depends on which generated pictures it gets"""
    metric = harness.make()
    state = _compare(harness, metric, load_pictures(harness, 0), load_pictures(harness, SET_SIZE))
    choices = [ROWS, *(np.full(SET_SIZE, row) for row in range(8))]  # all, or one of them N times
    if len({finite_score(metric, state, rows, ROWS) for rows in choices}) == 1:
        raise ValueError("score is the same for any generated rows: use only the rows that it gets")


def _not_repeatable(method: str) -> ValueError:
    """The error for a method that returns something else in a second call."""
    return ValueError(f"{method} differs when it is called again: seed its random draws")


def check_inputs_unchanged(harness: Harness) -> None:
    """it changes neither pictures nor features in place"""
    metric = harness.make()
    sets = [load_pictures(harness, 0), load_pictures(harness, SET_SIZE)]
    rows = [np.asarray(metric.features(pixels)) for pixels in sets]
    before = [array.copy() for array in (*sets, *rows)]
    training = [rows[1]] if metric.reads_training else []
    state = metric.compare(*rows, *training)
    metric.score(state, ROWS, ROWS)
    if not all(map(np.array_equal, (*sets, *rows), before)):
        raise ValueError("changes pictures or features in place: copy them; other metrics use them")


def _worse_pictures(reference: Pixels) -> dict[str, Pixels]:
    """Sets of pictures that no metric should prefer to the reference."""
    stripes = np.where(np.arange(IMAGE_SIZE)[:, None, None] % 2, 255, 0).astype(np.uint8)
    return {
        "a striped picture": np.broadcast_to(stripes, reference.shape).copy(),  # N times the same
        "darker pictures": reference // 2,
        "lighter pictures": 255 - (255 - reference) // 2,
    }


def check_order_of_scores(harness: Harness) -> None:
    """no set scores better than the reference itself, and the order of rows does not matter"""
    metric = harness.make()
    if metric.reads_training:
        return  # the score of the reference itself means nothing then
    reference = load_pictures(harness, 0)
    state = _compare(harness, metric, reference, reference)
    best = finite_score(metric, state, ROWS, ROWS)
    reordered = finite_score(metric, state, ROWS[::-1], ROWS[::-1])
    if not math.isclose(reordered, best, rel_tol=1e-5, abs_tol=1e-6):
        raise ValueError(f"score is {best:g}, but {reordered:g} for the same rows in another order")
    for name, pictures in _worse_pictures(reference).items():
        value = finite_score(metric, _compare(harness, metric, pictures, reference), ROWS, ROWS)
        if (value < best - TOLERANCE) if metric.better == "lower" else (value > best + TOLERANCE):
            scores = f"score is {value:.4g} for {name} and {best:.4g} for the real pictures"
            raise ValueError(f"{scores}: is better = {metric.better!r} right? {NO_SIGN}")
