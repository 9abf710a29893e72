"""Pictures with transparency become four channels, and pixel art keeps its pixels."""

import io

import numpy as np
import pytest
from PIL import Image
from sprites import draw_pixel_art, draw_sprites

from gankit.core.run.settings import _VALUES
from gankit.data.alpha import unpremultiply
from gankit.data.read.decode import decode_bytes
from gankit.data.read.fit import FILTERS, cut_patches, fit

RED = (200, 10, 20)


def encode(image, file_format, **options):
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return decode_bytes(file.getvalue(), background=None)


def soft_disc(hidden):
    """A red disc of 40 px with a soft edge, and other colours where alpha is 0."""
    y, x = np.mgrid[:40, :40] - 19.5
    alpha = np.clip(14 - np.hypot(x, y), 0, 4) / 4
    pixels = np.empty((40, 40, 4), np.uint8)
    pixels[:] = (*hidden, 0)
    pixels[alpha > 0, :3] = RED
    pixels[..., 3] = np.round(255 * alpha)
    return Image.fromarray(pixels)


def test_the_settings_and_the_filters_have_the_same_names():
    assert set(FILTERS) == set(_VALUES["resample"])


@pytest.mark.parametrize("method", ["crop", "pad", "stretch"])
def test_hidden_colours_do_not_matter(method):
    green = fit(soft_disc((0, 255, 0)), 16, 4, method)
    assert np.array_equal(green, fit(soft_disc((90, 0, 255)), 16, 4, method))
    colours = unpremultiply(green)
    seen = colours[..., 3] > 30
    assert 60 < seen.sum() < 256
    assert np.abs(colours[seen][:, :3].astype(int) - RED).max() <= 8  # the edge too is red
    assert (green[..., :3] <= green[..., 3:]).all()
    assert (green[0, 0] == 0).all()


def test_padding_is_transparent():
    wide = Image.new("RGBA", (32, 16), (*RED, 255))
    padded = fit(wide, 16, 4, "pad", "blue")
    assert (padded[:4] == 0).all()
    assert (padded[8, 8] == (*RED, 255)).all()


def test_an_opaque_picture_becomes_opaque():
    for mode, colour in (("RGB", RED), ("L", 90)):
        pixels = fit(Image.new(mode, (20, 20), colour), 8, 4)
        assert (pixels == (*(RED if mode == "RGB" else (90,) * 3), 255)).all()
    assert (fit(np.full((20, 20, 1), 90, np.uint8), 8, 4) == (90, 90, 90, 255)).all()


def test_alpha_is_read_from_every_kind_of_file():
    disc = soft_disc((0, 255, 0))
    expected = fit(disc, 16, 4)
    assert np.array_equal(fit(encode(disc, "PNG"), 16, 4), expected)
    assert np.array_equal(fit(encode(disc, "TIFF"), 16, 4), expected)
    assert np.array_equal(fit(encode(disc, "WEBP", lossless=True), 16, 4), expected)
    grey = fit(encode(disc.convert("LA"), "PNG"), 16, 4)
    assert np.array_equal(grey[..., 3], expected[..., 3])
    assert (grey[..., 0] == grey[..., 1]).all()
    hard = disc.copy()
    hard.putalpha(disc.getchannel("A").point(lambda value: 255 * (value > 127)))
    for image in (encode(hard, "GIF"), encode(hard.quantize(), "PNG")):
        assert np.abs(fit(image, 16, 4).astype(int) - fit(hard, 16, 4)).max() <= 16
    key = Image.new("RGB", (20, 20), (0, 255, 0))
    key.paste(RED, (5, 5, 15, 15))
    pixels = fit(encode(key, "PNG", transparency=(0, 255, 0)), 20, 4)
    assert (pixels[0, 0] == 0).all()
    assert (pixels[9, 9] == (*RED, 255)).all()


def test_three_channels_lie_on_the_background_as_before():
    disc = encode(soft_disc((0, 255, 0)), "PNG")
    pixels = fit(disc, 16, 3, background="blue")
    assert (pixels[0, 0] == (0, 0, 255)).all()
    assert (pixels[8, 8] == RED).all()


def test_pixel_art_is_found_again_in_its_enlargement():
    for art in draw_pixel_art(3):
        large = art.repeat(32, 0).repeat(32, 1)
        pixels = fit(large, 16, 4, resample="nearest")
        assert np.array_equal(pixels, art)
        assert np.array_equal(fit(art, 64, 4, resample="nearest"), art.repeat(4, 0).repeat(4, 1))
        smooth = fit(large, 16, 4).reshape(-1, 4)
        assert len(np.unique(smooth, axis=0)) > len(np.unique(art.reshape(-1, 4), axis=0))


@pytest.mark.parametrize("method", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("size", [7, 16, 40])
def test_nearest_makes_no_new_colours(method, size):
    noise = np.random.default_rng(0).integers(0, 256, (23, 31, 3), dtype=np.uint8)
    pixels = fit(noise, size, 3, method, "white", "nearest").reshape(-1, 3)
    known = {tuple(colour) for colour in noise.reshape(-1, 3)} | {(255, 255, 255)}
    assert {tuple(colour) for colour in pixels} <= known


def test_padded_pixel_art_is_enlarged_by_whole_numbers():
    art = draw_pixel_art(1)[0][:, 2:14]  # 12 x 16
    pixels = fit(art, 40, 4, "pad", resample="nearest")
    assert np.array_equal(pixels[4:36, 8:32], art.repeat(2, 0).repeat(2, 1))
    assert not pixels[:4].any()


def test_patches_keep_alpha():
    sprite = draw_sprites(1)[0]
    patches = [pixels for pixels, _ in cut_patches(sprite, 12, 4, 12, 12)]
    assert len(patches) == 4
    whole = fit(sprite, 24, 4)
    assert np.array_equal(patches[3], whole[12:, 12:])
