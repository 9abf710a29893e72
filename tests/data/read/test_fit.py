"""Fitting: any picture becomes a square of the requested size and channels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from gankit.core.run.image_size import ImageSize
from gankit.data.read.fit import FIT_METHODS, cut_patches, fit

SIDES = st.integers(1, 90)
RED, GREEN = (255, 0, 0), (0, 128, 0)


def noise(height, width, channels=3, seed=0):
    shape = (height, width, channels) if channels else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@given(SIDES, SIDES, st.integers(1, 70), st.sampled_from([1, 3]))
@settings(max_examples=60, deadline=None)
def test_the_middle_square_is_cut_and_resized_with_antialiasing(height, width, size, channels):
    image = Image.fromarray(noise(height, width))
    expected = image.convert("L" if channels == 1 else "RGB")
    expected = ImageOps.fit(expected, (size, size), Image.Resampling.LANCZOS)
    assert np.array_equal(fit(image, size, channels).squeeze(), np.squeeze(expected))


@given(SIDES, SIDES, st.integers(1, 70), st.sampled_from([1, 3]), st.sampled_from([*FIT_METHODS]))
@settings(max_examples=100, deadline=None)
def test_every_shape_gives_the_square_and_one_colour_stays_one(height, width, size, channels, how):
    pixels = fit(np.full((height, width, 3), 77, np.uint8), size, channels, how, "#4d4d4d")
    assert (pixels.shape, pixels.dtype) == ((size, size, channels), np.uint8)
    assert (pixels == 77).all()


@pytest.mark.parametrize("how", FIT_METHODS)
@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (30000, 2), (3, 2)])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
def test_extreme_shapes_of_every_mode_are_fitted(how, size, mode):
    for channels in (1, 3):
        pixels = fit(Image.new(mode, size), 64, channels, how, "white")
        assert pixels.shape == (64, 64, channels)


def test_pad_shows_the_whole_picture_on_the_background():
    image = Image.new("RGB", (40, 20), RED)
    pixels = fit(image, 20, 3, "pad", "green")
    assert (pixels[:5] == GREEN).all()
    assert (pixels[5:15] == RED).all()
    assert (pixels[15:] == GREEN).all()
    assert np.array_equal(
        fit(image.rotate(90, expand=True), 20, 3, "pad", "green").swapaxes(0, 1), pixels
    )
    thread = fit(Image.new("L", (5000, 1)), 20, 1, "pad")
    assert (thread == 0).sum() == 20


def test_stretch_shows_the_whole_picture_out_of_shape():
    image = Image.new("RGB", (60, 20), RED)
    image.paste(GREEN, (30, 0, 60, 20))
    pixels = fit(image, 20, 3, "stretch")
    assert (pixels[:, :7] == RED).all()
    assert (pixels[:, 13:] == GREEN).all()


@pytest.mark.parametrize("how", FIT_METHODS)
def test_detail_finer_than_a_pixel_is_averaged(how):
    fine = np.indices((256, 256)).sum(axis=0) % 2 * 255
    assert np.abs(fit(fine.astype(np.uint8), 32, 1, how).astype(int) - 127).max() <= 3


def test_arrays_and_pictures_of_the_right_size_are_left_as_they_are():
    for channels in (0, 1, 3):
        pixels = noise(16, 16, channels)
        expected = pixels.reshape(16, 16, -1)
        assert np.array_equal(fit(pixels, 16, max(1, channels)), expected)
        assert np.array_equal(fit((pixels, 7), 16, max(1, channels)), expected)  # with its class


def test_colour_becomes_grey_by_luma_and_grey_becomes_colour_by_repetition():
    assert fit(np.full((4, 4, 3), (255, 0, 0), np.uint8), 2, 1).ravel().tolist() == [76] * 4
    grey = noise(9, 9, 0)
    assert np.array_equal(fit(grey, 9, 3), np.repeat(grey[:, :, None], 3, axis=2))


def test_transparent_pixels_show_the_background():
    clear = np.zeros((5, 5, 4), np.uint8)
    assert (fit(clear, 8, 3, background="green") == GREEN).all()


def test_what_cannot_be_fitted_is_refused():
    with pytest.raises(ValueError, match="has no pixels"):
        fit(np.zeros((0, 5, 3), np.uint8), 4, 3)


@given(st.integers(8, 70), st.integers(8, 70), st.integers(1, 20), st.integers(1, 25))
@settings(max_examples=100, deadline=None)
def test_a_patch_is_the_content_of_its_box(height, width, side, stride):
    pixels = noise(height, width)
    if min(height, width) < side:
        with pytest.raises(ValueError, match=f"{width}x{height}"):
            list(cut_patches(pixels, side, 3, side, stride))
        return
    boxes = []
    for patch, (left, top, right, bottom) in cut_patches(pixels, side, 3, side, stride):
        assert (right - left, bottom - top) == (side, side)
        assert np.array_equal(patch, pixels[top:bottom, left:right])
        boxes.append((top, left))
    assert boxes == sorted(set(boxes))
    for axis, length in ((0, height), (1, width)):
        starts = sorted({box[axis] for box in boxes})
        regular = [*range(0, length - side + 1, stride)]
        assert starts[: len(regular)] == regular
        remainder = length - (regular[-1] + side)
        assert starts[len(regular) :] == [length - side] * (2 * remainder >= side)


@pytest.mark.parametrize(("width", "starts"), [(100, [0, 50]), (124, [0, 50]), (125, [0, 50, 75])])
def test_the_border_gets_a_patch_if_half_of_one_remains(width, starts):
    boxes = [
        box for _, box in cut_patches(Image.new("L", (width, 50)), 8, 1, patch_size=50, stride=50)
    ]
    assert [left for left, *_ in boxes] == starts
    assert boxes[-1] == (starts[-1], 0, starts[-1] + 50, 50)


def test_patches_are_resized_from_their_own_pixels_only():
    image = Image.new("RGB", (80, 40), RED)
    image.paste(GREEN, (40, 0, 80, 40))
    left, right = (patch for patch, _ in cut_patches(image, 8, 3, patch_size=40, stride=40))
    assert (left == RED).all()
    assert (right == GREEN).all()


def test_a_picture_of_far_too_many_patches_is_refused_before_it_is_cut():
    picture = Image.new("RGB", (4000, 4000))
    with pytest.raises(ValueError, match="16,000,000 patches.*stride"):
        next(cut_patches(picture, 64, 3, patch_size=1, stride=1))


# --- pictures that are not square

SIZES = st.builds(ImageSize, st.integers(1, 70), st.integers(1, 70))


@given(SIDES, SIDES, SIZES, st.sampled_from([1, 3]), st.sampled_from([*FIT_METHODS]))
@settings(max_examples=100, deadline=None)
def test_every_size_is_filled_and_one_colour_stays_one(height, width, size, channels, how):
    pixels = fit(np.full((height, width, 3), 77, np.uint8), size, channels, how, "#4d4d4d")
    assert (pixels.shape, pixels.dtype) == ((size.height, size.width, channels), np.uint8)
    assert (pixels == 77).all()


@given(st.integers(8, 90), st.integers(8, 90), SIZES)
@settings(max_examples=60, deadline=None)
def test_the_middle_of_the_shape_is_cut(height, width, size):
    image = Image.fromarray(noise(height, width))
    expected = ImageOps.fit(image, (size.width, size.height), Image.Resampling.LANCZOS)
    # Pillow rounds the box to float32 at other places
    assert np.abs(fit(image, size, 3).astype(int) - np.asarray(expected)).max() <= 2


def test_crop_takes_the_largest_part_and_pad_shows_all():
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 15:45] = 200
    assert (fit(wide, ImageSize(30, 20), 3) == 200).all()
    padded = fit(wide, ImageSize(60, 40), 3, "pad", "green")
    assert (padded[:10] == GREEN).all()
    assert (padded[30:] == GREEN).all()
    assert np.array_equal(padded[10:30], wide)
    assert np.array_equal(fit(wide, ImageSize(60, 20), 3, "stretch"), wide)


def test_patches_have_the_shape_of_the_pictures():
    pixels = noise(20, 36)
    patches = list(cut_patches(pixels, ImageSize(12, 8), 3, ImageSize(12, 8), 8))
    assert [box for _, box in patches] == [
        (left, top, left + 12, top + 8) for top in (0, 8, 12) for left in (0, 8, 16, 24)
    ]
    for patch, (left, top, right, bottom) in patches:
        assert np.array_equal(patch, pixels[top:bottom, left:right])
    with pytest.raises(ValueError, match="36x20, smaller than a patch of 40x10 pixels"):
        list(cut_patches(pixels, ImageSize(12, 8), 3, ImageSize(40, 10), 8))
