"""ihc: the patches are a function of the seed, and the region of each is known."""

import numpy as np
import pytest
from gankit_cells.ihc import Box, Patches

GOLDEN_BOXES = [(228, 298, 324, 394), (227, 176, 323, 272)]


@pytest.fixture(scope="module")
def patches():
    return Patches(count=400)


def test_a_patch_is_its_region_turned_or_mirrored(patches):
    seen = set()
    for index in range(40):
        top, left, bottom, right = patches.where(index)
        region = patches.tissue[top:bottom, left:right]
        positions = [np.rot90(r, k) for r in (region, region[:, ::-1]) for k in range(4)]
        matches = [n for n, r in enumerate(positions) if np.array_equal(r, patches[index])]
        assert len(matches) == 1
        seen.add(matches[0])
    assert seen == set(range(8))


def test_patches_cover_the_picture(patches):
    boxes = np.array([patches.where(i) for i in range(len(patches))])
    assert patches[0].shape == (96, 96, 3)
    assert patches[0].dtype == np.uint8
    assert (boxes[:, 2:] - boxes[:, :2] == 96).all()
    assert boxes.min() >= 0
    assert boxes.max() <= 512
    assert boxes[:, :2].min() < 10
    assert boxes[:, 2:].max() > 502


def test_a_patch_depends_on_seed_and_index():
    short = Patches(count=5, seed=3)
    long = Patches(count=50, seed=3)
    for index in range(5):
        assert np.array_equal(short[index], long[index])
    assert np.array_equal(long[-1], long[49])
    assert Patches(seed=4).where(0) != long.where(0)
    assert [Patches().where(i) for i in (0, 1)] == GOLDEN_BOXES
    assert len({Patches(count=c, seed=s).fingerprint for c in (5, 6) for s in (0, 1)}) == 4


def test_a_patch_is_a_copy(patches):
    patches[0][:] = 0
    assert patches[0].any()


def test_patches_are_never_enlarged():
    assert Patches(image_size=128, count=2)[0].shape == (128, 128, 3)
    assert Patches(image_size=32, patch=48, count=2)[0].shape == (48, 48, 3)
    assert Patches(image_size=512, count=2).where(1) == Box(0, 0, 512, 512)
    assert Patches(image_size=128).fingerprint != Patches(image_size=64).fingerprint


@pytest.mark.parametrize(
    ("options", "fact"),
    [
        ({"patch": 513}, "patch.*513"),
        ({"patch": 0}, "patch.* 0"),
        ({"image_size": 1024}, "image_size.*1024"),
        ({"count": 0}, "count.* 0"),
        ({"seed": -1}, "seed.*-1"),
    ],
)
def test_mistakes_are_named(options, fact):
    with pytest.raises(ValueError, match=fact):
        Patches(**options)


def test_there_is_no_patch_beyond_the_last(patches):
    for wrong in (400, -401):
        with pytest.raises(IndexError, match="400 patches"):
            patches[wrong]
        with pytest.raises(IndexError, match="400 patches"):
            patches.where(wrong)
