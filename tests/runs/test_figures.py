"""Figures: curves of a log and labelled pictures."""

import math

import numpy as np
import pytest
from PIL import Image, ImageColor

from gankit import GankitError
from gankit.runs.figures import COLOURS, GAP, plot, read_log, sheet


def rows_of(picture, colour):
    """The y of the leftmost and of the rightmost pixel of a colour, below the legend."""
    mask = (np.asarray(picture)[20:, 34:] == ImageColor.getrgb(colour)).all(-1)
    columns = np.flatnonzero(mask.any(0))
    return tuple(float(np.flatnonzero(mask[:, x]).mean()) for x in (columns[0], columns[-1]))


def test_a_log_is_read_by_column(trained):
    log = read_log(trained)
    assert log["step"] == [2.0, 4.0, 6.0, 8.0]
    assert all(math.isfinite(value) for value in log["d_loss"])
    assert all(math.isnan(value) for value in log["penalty"])  # no trick had one
    assert all(text.startswith("targets 0.9") for text in log["smooth-labels"])


def test_curves_rise_where_their_numbers_do_and_stay_inside():
    picture = plot({"up": range(500), "far": [-9.0, 9000.0]}, 0, 499, (200, 100))
    assert picture.size == (200, 100)
    left, right = rows_of(picture, COLOURS[0])
    assert left - right > 50
    left, right = rows_of(picture, COLOURS[1])
    assert 0 <= right < left < 80


def arrowheads(picture):
    """The numbers of pixels of the first colour in three rows below the upper edge of the chart."""
    mask = (np.asarray(picture)[:, 34:] == ImageColor.getrgb(COLOURS[0])).all(-1)
    return [mask[y].sum() for y in (21, 23, 25)]


def test_a_curve_that_leaves_the_chart_is_seen_to_leave_it():
    inside = [1.0] * 60
    away = [*inside, *(2.0**power for power in range(60))]
    plain = plot({"a": [*inside, *[6.0] * 60]}, 0, 6, (200, 100))
    leaving = plot({"a": away}, 0, 6, (200, 100))
    upper, middle, lower = arrowheads(leaving)
    assert upper < middle < lower  # it points upwards
    legends = [np.asarray(picture)[:18].min(-1) < 200 for picture in (plain, leaving)]
    assert legends[1].sum() > 2 * legends[0].sum()  # it says how far: a (to 5.76e+17)
    on_edge = (np.asarray(leaving)[19:22, 150:] == ImageColor.getrgb(COLOURS[0])).all(-1)
    assert on_edge.sum() < 40  # not a line along the edge
    below = np.asarray(plot({"a": [-value for value in away]}, -6, 0, (200, 100)))
    assert (below[85:93, 34:] == ImageColor.getrgb(COLOURS[0])).all(-1).sum() > 20


def test_empty_curves_and_curves_of_one_point_are_drawn():
    assert plot({"none": [], "one": [0.5]}, 0, 1, (200, 100)).size == (200, 100)


def test_a_sheet_has_every_picture_whole_in_its_place():
    red = Image.new("RGB", (40, 30), "red")
    blue = Image.new("RGBA", (90, 20), "blue")
    whole = np.asarray(sheet({"a": red, "b\nand more": blue, "c": red}, 2))
    assert (whole == (255, 0, 0)).all(-1).sum() == 2 * 40 * 30
    assert (whole == (0, 0, 255)).all(-1).sum() == 90 * 20
    red_columns = np.flatnonzero((whole == (255, 0, 0)).all(-1).any(0))
    assert (red_columns[0], red_columns[-1]) == (GAP, GAP + 39)  # "c" lies below "a"


def test_a_sheet_is_wide_enough_for_its_labels():
    small = Image.new("RGB", (4, 4))
    label = "a label that is wider than its picture"
    assert sheet({label: small}).width > sheet({"a": small}).width > 4
    assert sheet({"a": small}, columns=3).size == sheet({"a": small}).size


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: sheet([]), "tiles"),
        (lambda: sheet({}), "tiles"),
        (lambda: plot([1, 2], 0, 1, (9, 9)), r"curves is \[1, 2\]"),
    ],
)
def test_lists_without_names_are_refused(call, named):
    with pytest.raises(GankitError, match=f"{named}.*(dict|one or more)"):
        call()
