"""Positions in charts: values become px, ticks are round, long curves become short paths."""

import re

import pytest

from gankit.cli.page.charts import Axis, line_path, robust_range


def test_values_lie_between_the_ends_and_those_outside_at_an_end():
    axis = Axis(0, 10, 100, 0)
    assert [axis.px(value) for value in (0, 5, 10, -3, 99)] == [100, 50, 0, 100, 0]
    assert Axis(2, 2, 0, 10).px(2) == 0


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1, [0, 0.5, 1]),
        (0, 1875, [0, 500, 1000, 1500]),
        (-2, 2, [-2, -1, 0, 1, 2]),
        (3, 3, [3]),
    ],
)
def test_ticks_are_round_numbers_on_the_scale(low, high, ticks):
    assert [value for value, _ in Axis(low, high, 0, 1).ticks()] == ticks


def test_a_long_curve_keeps_its_extremes_in_a_short_path():
    values = [0.0] * 100_000
    values[50_000] = 1.0
    path = line_path(range(100_000), values, Axis(0, 100_000, 0, 100), Axis(0, 1, 50, 0))
    heights = {float(point.split()[1]) for point in re.split("[ML]", path) if point}
    assert heights == {0, 50}
    assert path.count("L") < 300


def test_numbers_that_are_not_finite_are_left_out():
    axis = Axis(0, 3, 0, 3)
    path = line_path([0, 1, 2, 3], [1, float("nan"), float("inf"), 2], axis, axis)
    assert path == "M0 1L3 2"
    assert line_path([0], [float("nan")], axis, axis) == ""
    assert line_path([1], [1], axis, axis) == "M1 1L1 1"


def test_a_few_outliers_do_not_set_the_scale():
    low, high = robust_range([1.0] * 500 + [2.0] * 500 + [1e6])
    assert (low, high) == (0, 2)
    assert robust_range([]) == (0, 1)
