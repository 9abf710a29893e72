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


def seen(image):
    return np.asarray(ImageOps.fit(image.convert("RGB"), (64, 64), Image.Resampling.LANCZOS))


def looks(pictures):
    return np.stack([duplicates.look(pixels) for pixels in pictures])


WAYS = {
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
    "all together": lambda image: jpeg(WAYS["brighter"](ImageOps.mirror(image)), 60),
}


@pytest.mark.parametrize("way", WAYS)
def test_copies_are_found(way):
    originals = [scene(seed) for seed in range(40)]
    groups = duplicates.groups(
        looks(seen(image) for image in originals + list(map(WAYS[way], originals)))
    )
    assert groups.tolist() == list(range(40)) * 2


OTHERS = {
    "upside down": ImageOps.flip,
    "in other colours": lambda image: Image.merge("RGB", image.split()[::-1]),
    "as a negative": ImageOps.invert,
    "half of it": lambda image: image.crop((0, 0, 64, 64)),
    "much brighter": lambda image: image.point(lambda level: level * 0.6 + 102),
    "much paler": lambda image: image.point(lambda level: level * 0.5 + 64),
}


def test_the_same_in_another_light_or_contrast_is_another_picture():
    grey = seen(scene(0).convert("L")).astype(int)
    mean = int(grey.mean())
    first = mean + (grey - mean) // 2
    brighter, paler = first + 40, mean + (grey - mean) // 4
    a_little = first + 8
    found = looks(np.asarray(p, np.uint8) for p in (first, brighter, paler, a_little))
    assert duplicates.groups(found).tolist() == [0, 1, 2, 0]


def test_a_copy_is_found_behind_another_picture_that_is_more_alike():
    first = scene(5)
    recoloured, trimmed = OTHERS["in other colours"](first), WAYS["trimmed"](first)
    found = looks(map(seen, (first, recoloured, trimmed)))
    assert duplicates.groups(found).tolist() == [0, 1, 0]


@pytest.mark.parametrize("way", OTHERS)
def test_what_is_another_picture_stays_one(way):
    originals = [scene(seed) for seed in range(20)]
    groups = duplicates.groups(
        looks(seen(image) for image in originals + list(map(OTHERS[way], originals)))
    )
    assert groups.tolist() == list(range(40))


def test_only_what_is_equal_to_the_pixel_is_an_exact_copy():
    pixels = seen(scene(0))
    other = pixels.copy()
    other[5, 5] ^= 1
    found = looks([pixels, other, pixels])
    assert duplicates.copies(found).tolist() == [0, 1, 0]
    assert duplicates.groups(found).tolist() == [0, 0, 0]


def test_drawn_flowers_are_all_different():
    petals = Petals(64, 600)
    found = looks(petals.batch(range(600)))
    assert len(set(duplicates.groups(found))) == 600


def test_patches_that_overlap_do_not_chain():
    patches = Patches(64, 96, 800)
    groups = duplicates.groups(looks(seen(Image.fromarray(patch)) for patch in patches))
    names, sizes = np.unique(groups, return_counts=True)
    assert len(names) > 760
    assert sizes.max() <= 4
    for name in names[sizes > 1]:  # members show nearly the same region
        boxes = np.array([patches.where(index) for index in np.flatnonzero(groups == name)])
        assert np.ptp(boxes[:, :2], axis=0).max() <= 12


def test_a_window_that_slides_over_a_picture_makes_many_small_groups():
    random = np.random.default_rng(0).integers(0, 256, (8, 50, 3), np.uint8)
    wide = np.asarray(Image.fromarray(random).resize((400, 64), 3))
    groups = duplicates.groups(looks(wide[:, left : left + 64] for left in range(336)))
    _, sizes = np.unique(groups, return_counts=True)
    assert groups[0] == groups[1]
    assert len(sizes) > 20
    assert sizes.max() < 40


def test_plain_pictures_are_the_same_only_when_they_are():
    shades = [np.full((64, 64, 3), shade, np.uint8) for shade in (0, 0, 7, 8, 9, 200)]
    ramp = np.linspace(20, 230, 64).astype(np.uint8)[None, :, None].repeat(64, 0).repeat(3, 2)
    found = looks([*shades, ramp, ramp[:, ::-1], seen(scene(3))])
    assert duplicates.groups(found).tolist() == [0, 0, 2, 3, 4, 5, 6, 7, 8]
    assert duplicates.plain(found).tolist() == [True] * 8 + [False]


def test_noise_on_a_plain_ground_is_no_resemblance():
    random = np.random.default_rng(0)
    noisy = [128 + random.integers(-3, 4, (64, 64, 3)).astype(np.uint8) for _ in range(300)]
    assert len(set(duplicates.groups(looks(noisy)))) == 300


def test_grey_pictures_and_any_size_have_a_look():
    grey = seen(scene(0))[..., :1]
    found = looks([grey, grey[..., 0], grey.repeat(3, 2)])
    assert (found["thumb"][0] == found["thumb"]).all()
    for shape in ((1, 1, 3), (5, 80, 3), (8, 8, 1), (100, 33)):
        assert duplicates.look(np.full(shape, 9, np.uint8))["thumb"].max() == 9


def test_no_and_one_picture():
    assert duplicates.groups(np.empty(0, duplicates.LOOK)).tolist() == []
    assert duplicates.groups(looks([seen(scene(0))])).tolist() == [0]
    assert duplicates.likeness(looks([seen(scene(0))])) == 0


def test_likeness_tells_one_framing_from_many():
    many = looks(seen(scene(seed)) for seed in range(50))
    assert abs(duplicates.likeness(many)) < 0.1
    same = looks(seen(Image.blend(scene(0), scene(seed), 0.3)) for seed in range(1, 50))
    assert duplicates.likeness(same) > 0.6


def test_groups_are_numbered_by_their_first_picture_whatever_the_order():
    pictures = [seen(scene(seed)) for seed in (1, 2, 1, 3, 2, 1)]
    assert duplicates.groups(looks(pictures)).tolist() == [0, 1, 0, 3, 1, 0]


def test_products_are_too_small_for_the_threads_of_blas():
    """OpenBLAS shares out a product of more than 2**18 steps; ours run in threads already."""
    random = np.random.default_rng(0)
    a, b = (random.normal(size=(rows, 32)).astype(np.float32) for rows in (37, 50))
    assert np.allclose(duplicates._products(a, b), a @ b.T, atol=1e-5)
    assert duplicates.THIN * 32 * duplicates.COLUMNS <= 2**18


@pytest.mark.parametrize("kind", ["black", "scenes", "one scene"])
def test_many_are_quick(kind):
    """No kind of set makes the time explode: what costs here is bounded for each picture."""
    random = np.random.default_rng(0)
    found = np.zeros(4000, duplicates.LOOK)
    found["digest"] = np.arange(4000)
    if kind != "black":
        scenes = random.normal(128, 40, (1 if kind == "one scene" else 100, 16, 16, 1))
        noise = random.normal(0, 2, found["thumb"].shape)
        found["thumb"] = (scenes[np.arange(4000) % len(scenes)] + noise).clip(0, 255)
    started = time.process_time()
    groups = duplicates.groups(found)
    assert time.process_time() - started < 6
    assert len(set(groups)) == (100 if kind == "scenes" else 1)
