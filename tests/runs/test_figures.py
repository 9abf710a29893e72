"""Small figures: a log as columns, curves that are where they should be, labelled sheets."""

import math

import numpy as np
from PIL import Image, ImageColor

from gankit.runs.figures import COLOURS, GAP, plot, read_log, sheet


def rows_of(picture, colour):
    """Where a colour is, below the legend: (y of its leftmost pixel, y of its rightmost)."""
    there = (np.asarray(picture)[20:, 34:] == ImageColor.getrgb(colour)).all(-1)
    columns = np.flatnonzero(there.any(0))
    return tuple(float(np.flatnonzero(there[:, x]).mean()) for x in (columns[0], columns[-1]))


def test_a_log_is_read_by_column(trained):
    log = read_log(trained)
    assert log["step"] == [2.0, 4.0, 6.0, 8.0]
    assert all(math.isfinite(value) for value in log["d_loss"])
    assert all(math.isnan(value) for value in log["penalty"])  # no trick had one
    assert all(did.startswith("targets 0.9") for did in log["smooth-labels"])


def test_curves_rise_where_their_numbers_do_and_stay_inside():
    picture = plot({"up": range(500), "far": [-9.0, 9000.0]}, 0, 499, (200, 100))
    assert picture.size == (200, 100)
    began, ended = rows_of(picture, COLOURS[0])
    assert began - ended > 50
    began, ended = rows_of(picture, COLOURS[1])
    assert 0 <= ended < began < 80


def test_a_curve_of_nothing_or_of_one_point_is_no_error():
    assert plot({"none": [], "one": [0.5]}, 0, 1, (200, 100)).size == (200, 100)


def test_a_sheet_has_every_picture_whole_in_its_place():
    red, blue = Image.new("RGB", (40, 30), "red"), Image.new("RGBA", (90, 20), "blue")
    whole = np.asarray(sheet({"a": red, "b\nand more": blue, "c": red}, 2))
    assert (whole == (255, 0, 0)).all(-1).sum() == 2 * 40 * 30
    assert (whole == (0, 0, 255)).all(-1).sum() == 90 * 20
    there = np.flatnonzero((whole == (255, 0, 0)).all(-1).any(0))
    assert (there[0], there[-1]) == (GAP, GAP + 39)  # "c" lies below "a"


def test_a_sheet_is_wide_enough_for_its_labels():
    small = Image.new("RGB", (4, 4))
    label = "a label that is wider than its picture"
    assert sheet({label: small}).width > sheet({"a": small}).width > 4
    assert sheet({"a": small}, columns=3).size == sheet({"a": small}).size
