"""The size of pictures: a side, or WIDTHxHEIGHT, everywhere the same."""

import json

import pytest

from gankit import GankitError, compose
from gankit.core.run.image_size import ImageSize
from gankit.core.run.settings import command_line
from gankit.training.run_folder.run_file import load_run, write_run


@pytest.mark.parametrize(
    ("given", "width", "height", "setting"),
    [
        (64, 64, 64, 64),
        ("64", 64, 64, 64),
        ("64x64", 64, 64, 64),
        ("96x64", 96, 64, "96x64"),
        ("96 X 64", 96, 64, "96x64"),
        ("64\N{MULTIPLICATION SIGN}96", 64, 96, "64x96"),
    ],
)
def test_a_size_is_written_as_width_times_height(given, width, height, setting):
    size = ImageSize.parse(given)
    assert (size.width, size.height) == (width, height)
    assert size.setting == setting
    assert ImageSize.parse(size.setting) == size


@pytest.mark.parametrize("given", ["", "x", "96x", "x64", "96x64x3", "-64", "6.4", "96,64", "wide"])
def test_another_text_is_refused_with_an_example(given):
    with pytest.raises(GankitError, match="--image-size is .*96x64"):
        ImageSize.parse(given)


@pytest.mark.parametrize("given", [0, "0x64", "64x16385", 2**40, "1" * 25])
def test_a_side_out_of_range_is_refused(given):
    with pytest.raises(GankitError, match="--image-size is .*16384"):
        ImageSize.parse(given)


def test_a_run_keeps_an_int_for_a_square_and_a_text_for_other_shapes(registry, tiny, tmp_path):
    square = compose(registry, **tiny(image_size="16x16"))
    assert square.image_size == 16
    assert square == compose(registry, **tiny())
    run = compose(registry, **tiny(image_size="24X16", out=str(tmp_path / "run")))
    assert run.image_size == "24x16"
    assert run.size == ImageSize(width=24, height=16)
    assert "--image-size 24x16" in command_line(run)
    run.folder.mkdir()
    assert json.loads(write_run(run))["image_size"] == "24x16"
    assert load_run(run.folder) == run


@pytest.mark.parametrize("given", [(96, 64), [96, 64], 64.0, True, {"width": 1}])
def test_other_values_in_python_are_refused(registry, tiny, given):
    with pytest.raises(GankitError, match="image_size is .*96x64.* as a text"):
        compose(registry, **tiny(image_size=given))


def test_too_many_numbers_for_a_batch_are_refused_for_all_shapes(registry, tiny):
    with pytest.raises(GankitError, match="--batch-size|batch_size"):
        compose(registry, **tiny(image_size="16384x4096", batch_size=64))
