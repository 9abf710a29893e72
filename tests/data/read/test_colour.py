"""Colour: a tint is one, noise is none."""

import io

import numpy as np
import pytest
from PIL import Image

from gankit.data.read.colour import find_colour
from gankit.data.read.fit import fit

RANDOM = np.random.default_rng(3)
QUALITIES = (10, 30, 50, 75, 95)


def grey_pictures(count=12, side=64):
    """Smooth grey pictures with detail, (side, side, 3)."""
    for _ in range(count):
        coarse = RANDOM.integers(20, 236, (9, 9), dtype=np.uint8)
        image = Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)
        yield np.repeat(np.asarray(image)[:, :, None], 3, axis=2)


def with_noise(pixels, deviation):
    noise = RANDOM.normal(0, deviation, pixels.shape)
    return (pixels + noise).round().clip(0, 255).astype(np.uint8)


def tinted(pixels, levels):
    """Red and blue `levels` apart."""
    shift = np.array([levels / 2, 0, -levels / 2])
    return (pixels + shift).round().clip(0, 255).astype(np.uint8)


def as_jpeg(pixels, quality, subsampling=2):
    file = io.BytesIO()
    image = Image.fromarray(pixels)
    image.save(file, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(file).convert("RGB"))


def are_grey(pictures):
    return {find_colour(pixels).is_grey for pixels in pictures}


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("subsampling", [0, 2])
def test_grey_saved_as_a_colour_jpeg_is_grey(quality, subsampling):
    for deviation in (0, 1, 2):
        pictures = [with_noise(pixels, deviation) for pixels in grey_pictures()]
        assert are_grey(as_jpeg(pixels, quality, subsampling) for pixels in pictures) == {True}


@pytest.mark.parametrize("subsampling", [0, 2])
def test_the_noise_of_a_scanner_is_no_colour(subsampling):
    for quality in QUALITIES:
        scans = [with_noise(pixels, 8) for pixels in grey_pictures(4, side=320)]
        scans = [as_jpeg(pixels, quality, subsampling) for pixels in scans]
        assert are_grey(fit(pixels, 64, 3) for pixels in scans) == {True}


@pytest.mark.parametrize("levels", [3, 5, 8, 14, 40])
def test_a_tint_is_a_colour(levels):
    assert are_grey(tinted(pixels, levels) for pixels in grey_pictures()) == {False}
    pictures = [tinted(with_noise(pixels, 2), levels) for pixels in grey_pictures()]
    assert are_grey(pictures) == {False}
    assert are_grey(as_jpeg(pixels, 95) for pixels in pictures) == {False}
    assert are_grey(as_jpeg(pixels, 75) for pixels in pictures) == {False}


def test_a_tint_of_the_size_of_rounding_is_none():
    assert are_grey(tinted(pixels, 1) for pixels in grey_pictures()) == {True}


def test_cream_paper_fog_sepia_and_bluish_x_rays_have_a_colour():
    for colour in ((245, 240, 231), (214, 219, 224), (240, 217, 181), (225, 235, 255)):
        share = np.array(colour) / 255
        pictures = [(pixels * share).round().astype(np.uint8) for pixels in grey_pictures()]
        assert are_grey(pictures) == {False}
        assert are_grey(as_jpeg(pixels, 75) for pixels in pictures) == {False}


def test_a_coloured_speck_is_a_colour():
    for pixels in grey_pictures():
        stamp = pixels.copy()
        stamp[50:52, 50:52] = (200, 30, 30)
        assert not find_colour(stamp).is_grey
        pale = pixels.copy()
        pale[40:56, 40:56] = (235, 230, 222)
        assert not find_colour(pale).is_grey


@pytest.mark.parametrize("side", [1, 4, 28, 256])
def test_pictures_of_any_size_are_judged(side):
    pixels = np.full((side, side, 3), (245, 240, 231), np.uint8)
    assert not find_colour(pixels).is_grey
    assert find_colour(pixels).tint == pytest.approx(14)
    assert find_colour(np.full((side, side, 3), 9, np.uint8)).is_grey
