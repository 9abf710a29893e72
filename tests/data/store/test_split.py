"""The hold-out, and that no similar picture is trained on."""

import numpy as np
import pytest
from gankit_cells.ihc import Patches

from gankit.data.store.split import choose_subset, split_holdout

UNIQUE = np.arange(1000)  # no two pictures are similar


def split(rows=UNIQUE, groups=UNIQUE, boxes=None, share=-1, seed=0):
    train, held = split_holdout(rows, groups, boxes, share, seed)
    assert not set(train) & set(held)
    assert set(train) | set(held) <= set(rows)
    assert list(train) == sorted(train)
    assert list(held) == sorted(held)
    return train, held


@pytest.mark.parametrize(("count", "held"), [(500, 0), (501, 50), (1000, 100)])
def test_sets_over_500_hold_out_a_tenth(count, held):
    train, held_out = split(np.arange(count))
    assert (len(train), len(held_out)) == (count - held, held)


@pytest.mark.parametrize("share", [0, 0.05, 0.5, 0.9])
def test_the_requested_share_is_held_out(share):
    train, held = split(share=share)
    assert len(held) == 1000 * share
    assert len(train) + len(held) == 1000


def test_the_seed_decides_which():
    assert np.array_equal(split(seed=3)[1], split(seed=3)[1])
    assert not np.array_equal(split(seed=3)[1], split(seed=4)[1])


def test_groups_are_never_split():
    groups = np.arange(1000) // 4
    train, held = split(groups=groups)
    assert not set(groups[train]) & set(groups[held])
    assert 96 <= len(held) <= 100


def test_a_group_too_large_for_the_hold_out_is_trained_on():
    groups = np.where(np.arange(1000) < 500, 0, np.arange(1000))
    train, held = split(groups=groups)
    assert set(range(500)) <= set(train)
    assert len(held) == 100


def boxes_of(sources, across, tile=10, overlap=1):
    """Tiles in one long row of each source; with overlap 2 each shares half with the next."""
    step = tile // overlap
    boxes = [(s, 0, step * i, tile, step * i + tile) for s in range(sources) for i in range(across)]
    return np.array(boxes)


def test_many_sources_are_held_out_whole():
    boxes = boxes_of(sources=40, across=25)
    train, held = split(boxes=boxes)
    assert not set(boxes[train, 0]) & set(boxes[held, 0])
    assert len(held) == 100


@pytest.mark.parametrize("overlap", [1, 2])
def test_few_sources_are_cut_into_regions(overlap):
    boxes = boxes_of(sources=2, across=500, overlap=overlap)
    train, held = split(boxes=boxes)
    assert len(held) == 100
    assert len(train) >= 896  # those across the border belong to neither
    for source in (0, 1):
        in_source = boxes[:, 0] == source
        end = max(boxes[row, 4] for row in train if in_source[row])
        assert all(boxes[row, 2] >= end for row in held if in_source[row])


def test_one_row_of_patches_cannot_be_split():
    boxes = np.array([(0, 0, 0, 10, 10)] * 1000)
    assert len(split(boxes=boxes)[0]) == 1000


def test_patches_of_the_micrograph_never_overlap_across_the_parts():
    patches = Patches()
    boxes = np.array([(0, *patches.where(i)) for i in range(len(patches))])
    train, held = split(np.arange(len(patches)), boxes=boxes)
    assert len(held) > 150
    seen = np.zeros((512, 512), bool)
    for row in train:
        _, top, left, bottom, right = boxes[row]
        seen[top:bottom, left:right] = True
    for row in held:
        _, top, left, bottom, right = boxes[row]
        assert not seen[top:bottom, left:right].any()


def test_a_subset_is_drawn_by_the_seed_and_in_order():
    rows = choose_subset(1000, 600, 5)
    assert len(set(rows)) == 600
    assert list(rows) == sorted(rows)
    assert np.array_equal(rows, choose_subset(1000, 600, 5))
    assert not np.array_equal(rows, choose_subset(1000, 600, 6))
    assert np.array_equal(choose_subset(10, 600, 5), np.arange(10))
    assert np.array_equal(choose_subset(10, 0, 5), np.arange(10))


def test_the_hold_out_is_part_of_the_subset():
    rows = choose_subset(1000, 600, 5)
    train, held = split(rows)
    assert (len(train), len(held)) == (540, 60)


def film_split(moments, groups=None, share=0.2, seed=0):
    moments = np.asarray(moments)
    groups = np.arange(len(moments)) if groups is None else groups
    rows = np.arange(len(moments))
    train, held = split_holdout(rows, groups, None, share, seed, moments)
    assert not set(train) & set(held)
    return train, held


def frames_of(film, count, interval=500):
    return [(film, number * interval) for number in range(count)]


@pytest.mark.parametrize("interval", [40, 500, 5000])
def test_the_end_of_a_film_is_held_out_with_a_gap(interval):
    train, held = film_split(frames_of(0, 100, interval))
    assert list(held) == list(range(80, 100))
    assert train[0] == 0
    assert train[-1] < 79  # not even neighbours
    assert len(train) >= 75 - 1000 // interval // 5


def test_each_film_and_the_pictures_beside_them_are_split():
    train, held = film_split([*frames_of(0, 50), *frames_of(1, 30), *([(-1, 0)] * 100)])
    assert set(held) >= {*range(40, 50), *range(74, 80)}
    assert len([row for row in held if row >= 80]) == 20
    assert not {39, 73} & set(train)


def test_of_many_films_whole_ones_are_held_out():
    moments = [moment for film in range(40) for moment in frames_of(film, 5)]
    train, held = film_split(moments)
    assert len(held) == 40
    assert not {row // 5 for row in train} & {row // 5 for row in held}
    assert list(film_split(moments, seed=1)[1]) != list(held)


def test_a_scene_that_comes_again_is_not_held_out():
    groups = np.arange(100)
    groups[90:] = groups[:10]  # the end is like the beginning
    train, held = film_split(frames_of(0, 100), groups)
    assert list(held) == list(range(80, 90))
    assert set(train) >= {*range(10), *range(90, 100)}


def test_a_film_that_is_one_scene_again_and_again_is_trained_on():
    train, held = film_split(frames_of(0, 100), np.arange(100) % 20)
    assert len(held) == 0
    assert len(train) >= 98  # all but the border


def test_a_film_of_few_frames_is_trained_on():
    train, held = film_split(frames_of(0, 3), share=0.5)
    assert (list(train), list(held)) == ([0, 1, 2], [])
