"""Copies are found however they were made, and different pictures stay apart."""

import io
import time

import numpy as np
import pytest
from gankit_cells.ihc import Patches
from gankit_flowers.petals import Petals
from PIL import Image, ImageEnhance, ImageOps

from gankit.data.store import duplicates


def scene(seed, size=128):
    """A picture of coloured blobs, as detailed as a photo; another for each seed."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (9, 9, 3), np.uint8)
    fine = random.integers(0, 256, (24, 24, 3), np.uint8)
    layers = [Image.fromarray(part).resize((size, size), 3) for part in (coarse, fine)]
    return Image.blend(*layers, 0.35)


def jpeg(image, quality):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def prepared(image):
    return np.asarray(ImageOps.fit(image.convert("RGB"), (64, 64), Image.Resampling.LANCZOS))


def thumbnails(pictures):
    return np.stack([duplicates.make_thumbnail(pixels) for pixels in pictures])


CHANGES = {
    "the same": lambda image: image,
    "saved badly": lambda image: jpeg(image, 25),
    "smaller": lambda image: jpeg(image.resize((70, 70), 2), 75),
    "larger": lambda image: image.resize((300, 300), 1),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.06),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.94),
    "more contrast": lambda image: ImageEnhance.Contrast(image).enhance(1.1),
    "trimmed": lambda image: image.crop((2, 1, 127, 127)),
    "moved": lambda image: image.crop((3, 3, 128, 128)),
    "mirrored": ImageOps.mirror,
    "all together": lambda image: jpeg(CHANGES["brighter"](ImageOps.mirror(image)), 60),
}


@pytest.mark.parametrize("change", CHANGES)
def test_copies_are_found(change):
    originals = [scene(seed) for seed in range(40)]
    groups = duplicates.group_near_duplicates(
        thumbnails(prepared(image) for image in originals + list(map(CHANGES[change], originals)))
    )
    assert groups.tolist() == list(range(40)) * 2


DIFFERENCES = {
    "upside down": ImageOps.flip,
    "in other colours": lambda image: Image.merge("RGB", image.split()[::-1]),
    "as a negative": ImageOps.invert,
    "half of it": lambda image: image.crop((0, 0, 64, 64)),
    "much brighter": lambda image: image.point(lambda level: level * 0.6 + 102),
    "much paler": lambda image: image.point(lambda level: level * 0.5 + 64),
}


def test_a_large_change_of_brightness_or_contrast_is_another_picture():
    grey = prepared(scene(0).convert("L")).astype(int)
    mean = int(grey.mean())
    first = mean + (grey - mean) // 2
    brighter = first + 40
    paler = mean + (grey - mean) // 4
    a_little = first + 8
    records = thumbnails(np.asarray(p, np.uint8) for p in (first, brighter, paler, a_little))
    assert duplicates.group_near_duplicates(records).tolist() == [0, 1, 2, 0]


def test_a_copy_is_found_behind_another_picture_that_is_more_alike():
    first = scene(5)
    recoloured = DIFFERENCES["in other colours"](first)
    trimmed = CHANGES["trimmed"](first)
    records = thumbnails(map(prepared, (first, recoloured, trimmed)))
    assert duplicates.group_near_duplicates(records).tolist() == [0, 1, 0]


@pytest.mark.parametrize("change", DIFFERENCES)
def test_different_pictures_stay_apart(change):
    originals = [scene(seed) for seed in range(20)]
    groups = duplicates.group_near_duplicates(
        thumbnails(
            prepared(image) for image in originals + list(map(DIFFERENCES[change], originals))
        )
    )
    assert groups.tolist() == list(range(40))


def test_only_what_is_equal_to_the_pixel_is_an_exact_copy():
    pixels = prepared(scene(0))
    other = pixels.copy()
    other[5, 5] ^= 1
    records = thumbnails([pixels, other, pixels])
    assert duplicates.find_exact_copies(records).tolist() == [0, 1, 0]
    assert duplicates.group_near_duplicates(records).tolist() == [0, 0, 0]


def test_drawn_flowers_are_all_different():
    petals = Petals(64, 600)
    records = thumbnails(petals.batch(range(600)))
    assert len(set(duplicates.group_near_duplicates(records))) == 600


def test_patches_that_overlap_do_not_chain():
    patches = Patches(64, 96, 800)
    groups = duplicates.group_near_duplicates(
        thumbnails(prepared(Image.fromarray(patch)) for patch in patches)
    )
    names, sizes = np.unique(groups, return_counts=True)
    assert len(names) > 760
    assert sizes.max() <= 4
    for name in names[sizes > 1]:  # members show nearly the same region
        boxes = np.array([patches.where(index) for index in np.flatnonzero(groups == name)])
        assert np.ptp(boxes[:, :2], axis=0).max() <= 12


def test_a_window_that_slides_over_a_picture_makes_many_small_groups():
    random = np.random.default_rng(0).integers(0, 256, (8, 50, 3), np.uint8)
    wide = np.asarray(Image.fromarray(random).resize((400, 64), 3))
    groups = duplicates.group_near_duplicates(
        thumbnails(wide[:, left : left + 64] for left in range(336))
    )
    _, sizes = np.unique(groups, return_counts=True)
    assert groups[0] == groups[1]
    assert len(sizes) > 20
    assert sizes.max() < 40


def test_plain_pictures_are_duplicates_only_if_equal():
    shades = [np.full((64, 64, 3), shade, np.uint8) for shade in (0, 0, 7, 8, 9, 200)]
    ramp = np.linspace(20, 230, 64).astype(np.uint8)[None, :, None].repeat(64, 0).repeat(3, 2)
    records = thumbnails([*shades, ramp, ramp[:, ::-1], prepared(scene(3))])
    assert duplicates.group_near_duplicates(records).tolist() == [0, 0, 2, 3, 4, 5, 6, 7, 8]
    assert duplicates.is_plain(records).tolist() == [True] * 8 + [False]


def test_noise_on_a_plain_ground_is_not_compared():
    random = np.random.default_rng(0)
    noisy = [128 + random.integers(-3, 4, (64, 64, 3)).astype(np.uint8) for _ in range(300)]
    assert len(set(duplicates.group_near_duplicates(thumbnails(noisy)))) == 300


def test_grey_pictures_of_any_size_have_a_thumbnail():
    grey = prepared(scene(0))[..., :1]
    records = thumbnails([grey, grey[..., 0], grey.repeat(3, 2)])
    assert (records["pixels"][0] == records["pixels"]).all()
    for shape in ((1, 1, 3), (5, 80, 3), (8, 8, 1), (100, 33)):
        assert duplicates.make_thumbnail(np.full(shape, 9, np.uint8))["pixels"].max() == 9


def test_no_and_one_picture():
    assert duplicates.group_near_duplicates(np.empty(0, duplicates.THUMBNAIL)).tolist() == []
    assert duplicates.group_near_duplicates(thumbnails([prepared(scene(0))])).tolist() == [0]
    assert duplicates.mean_correlation(thumbnails([prepared(scene(0))])) == 0


def test_mean_correlation_shows_one_framing():
    many = thumbnails(prepared(scene(seed)) for seed in range(50))
    assert abs(duplicates.mean_correlation(many)) < 0.1
    same = thumbnails(prepared(Image.blend(scene(0), scene(seed), 0.3)) for seed in range(1, 50))
    assert duplicates.mean_correlation(same) > 0.6


def test_groups_are_numbered_by_their_first_picture_whatever_the_order():
    pictures = [prepared(scene(seed)) for seed in (1, 2, 1, 3, 2, 1)]
    assert duplicates.group_near_duplicates(thumbnails(pictures)).tolist() == [0, 1, 0, 3, 1, 0]


def test_products_are_too_small_for_the_threads_of_blas():
    """OpenBLAS shares out a product of more than 2**18 steps; ours run in threads already."""
    random = np.random.default_rng(0)
    a, b = (random.normal(size=(rows, 32)).astype(np.float32) for rows in (37, 50))
    assert np.allclose(duplicates._product(a, b), a @ b.T, atol=1e-5)
    assert duplicates.THIN_ROWS * 32 * duplicates.BLOCK_COLUMNS <= 2**18


@pytest.mark.parametrize("kind", ["black", "scenes", "one scene"])
def test_thousands_of_pictures_are_fast(kind):
    """The time per picture is bounded, whatever the data set shows."""
    random = np.random.default_rng(0)
    records = np.zeros(4000, duplicates.THUMBNAIL)
    records["digest"] = np.arange(4000)
    if kind != "black":
        scenes = random.normal(128, 40, (1 if kind == "one scene" else 100, 16, 16, 1))
        noise = random.normal(0, 2, records["pixels"].shape)
        records["pixels"] = (scenes[np.arange(4000) % len(scenes)] + noise).clip(0, 255)
    started = time.process_time()
    groups = duplicates.group_near_duplicates(records)
    assert time.process_time() - started < 6
    assert len(set(groups)) == (100 if kind == "scenes" else 1)
