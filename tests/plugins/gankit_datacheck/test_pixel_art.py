"""Pixel art and cut-out pictures are found, and get advice that fits them."""

import shlex

import numpy as np
import pytest
from gankit_datacheck.check import check_data
from gankit_datacheck.pixel_art import Art, find_art
from PIL import Image, ImageFilter
from sprites import draw_pixel_art, draw_sprites


def on_white(pixels):
    canvas = Image.new("RGB", pixels.shape[1::-1], "white")
    canvas.paste(picture := Image.fromarray(pixels), mask=picture)
    return canvas


def enlarged(pixels, factor):
    return pixels.repeat(factor, 0).repeat(factor, 1)


def find(report, text):
    return next((f for f in report["findings"] if text in f["what"]), None)


def save_all(folder, pictures, ending="png", **options):
    folder.mkdir()
    for number, picture in enumerate(pictures):
        picture.save(folder / f"{number:02}.{ending}", **options)
    return folder


@pytest.mark.parametrize("factor", [1, 2, 7, 32])
def test_art_is_found_at_its_own_size(factor):
    for art in draw_pixel_art(5):
        assert find_art(on_white(enlarged(art, factor))) == Art(16, 16, factor)
        assert find_art(on_white(enlarged(art[:, 2:14], factor))) == Art(12, 16, factor)


def test_art_of_grey_is_found():
    grey = on_white(enlarged(draw_pixel_art(1)[0], 4)).convert("L")
    assert find_art(grey) == Art(16, 16, 4)


def photo(random, side=96):
    return Image.fromarray(random.integers(0, 256, (12, 12, 3), dtype=np.uint8)).resize(
        (side, side)
    )


def test_other_pictures_are_not_pixel_art():
    random = np.random.default_rng(0)
    art = on_white(enlarged(draw_pixel_art(1)[0], 8))
    digit = Image.fromarray((random.random((28, 28)) > 0.7).astype(np.uint8) * 255)
    others = {
        "a photo": photo(random),
        "soft sprites": on_white(draw_sprites(1, side=32)[0]),
        "resized smoothly": art.resize((100, 100)),
        "a digit with grey edges": digit.filter(ImageFilter.GaussianBlur(1)),
        "one colour": Image.new("RGB", (64, 64), "red"),
        "a drawing with hard edges": art.resize((640, 640), Image.Resampling.NEAREST).rotate(
            7, Image.Resampling.NEAREST
        ),
    }
    assert {name: find_art(picture) for name, picture in others.items() if find_art(picture)} == {}


def test_art_after_jpeg_is_not_pixel_art(tmp_path):
    pictures = [on_white(enlarged(art, 8)) for art in draw_pixel_art(6)]
    report = check_data(save_all(tmp_path / "jpg", pictures, "jpg", quality=90))
    assert find(report, "pixel art") is None
    assert report["pixel_art"] == 0


def test_the_advice_for_art_is_a_command_that_keeps_its_pixels(pixel_art, registry):
    report = check_data(pixel_art)
    assert report["pixel_art"] == 40
    finding = find(report, "pixel art")
    assert "16 x 16" in finding["what"]
    words = shlex.split(report["try"])
    for option, value in (("--resample", "nearest"), ("--image-size", "16"), ("--channels", "4")):
        assert words[words.index(option) + 1] == value
    assert "--fit" not in words
    assert find(report, "patches") is None


def test_art_of_24_pixels_is_drawn_at_its_size(tmp_path):
    pictures = [Image.fromarray(art) for art in draw_pixel_art(10, side=24)]
    report = check_data(save_all(tmp_path / "art", pictures))
    words = shlex.split(report["try"])
    assert words[words.index("--image-size") + 1] == "24"
    assert "--fit" not in words


def test_art_of_an_odd_size_is_padded(tmp_path):
    pictures = [Image.fromarray(art[:, 2:14]) for art in draw_pixel_art(10)]
    report = check_data(save_all(tmp_path / "art", pictures))
    words = shlex.split(report["try"])
    assert words[words.index("--fit") + 1] == "pad"
    assert find(report, "blurred") is None


def test_oblong_art_at_its_size_loses_nothing_to_the_crop(tmp_path):
    pictures = [Image.fromarray(np.tile(art, (3, 1, 1))) for art in draw_pixel_art(10)]
    report = check_data(save_all(tmp_path / "art", pictures))
    assert "--image-size 16x48" in report["try"]
    assert find(report, "crop") is None
    small = [Image.fromarray(np.tile(art[:12], (1, 3, 1))) for art in draw_pixel_art(10)]
    report = check_data(save_all(tmp_path / "small", small))
    assert "--fit pad" in report["try"]
    assert find(report, "crop") is None


def test_cut_out_pictures_get_a_fourth_channel(sprites):
    report = check_data(sprites)
    assert "--channels 4" in find(report, "cut out")["mend"]
    assert "--channels 4" in report["try"]
    assert find(report, "partly transparent") is None
    assert find(report, "pixel art") is None


def test_a_few_transparent_pictures_lie_on_a_background(tmp_path):
    random = np.random.default_rng(0)
    pictures = [photo(random) for _ in range(20)]
    pictures[3] = Image.fromarray(draw_sprites(1)[0])
    report = check_data(save_all(tmp_path / "photos", pictures))
    assert "--background" in find(report, "partly transparent")["mend"]
    assert "--channels" not in report["try"]


def test_rounded_corners_are_no_transparent_ground(tmp_path):
    random = np.random.default_rng(0)
    pictures = []
    for _ in range(10):
        picture = photo(random).convert("RGBA")
        picture.putpixel((0, 0), (0, 0, 0, 0))
        pictures.append(picture)
    report = check_data(save_all(tmp_path / "screens", pictures))
    assert find(report, "cut out") is None
    assert find(report, "partly transparent")


def test_cut_out_pictures_in_an_array_get_the_same_advice(tmp_path):
    np.save(tmp_path / "sprites.npy", draw_sprites(20))
    report = check_data(tmp_path / "sprites.npy")
    assert report["transparent"] == 20
    assert "--channels 4" in find(report, "cut out")["mend"]
