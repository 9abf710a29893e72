"""Arrays of another form: the call that a message names turns them into pictures."""

import re

import numpy as np
import pytest
import torch

from gankit import GankitError, compose
from gankit.data.given import given_pictures
from gankit.runs.images import from_uint8

BYTES = np.random.RandomState(0).randint(0, 256, (6, 9, 8, 3), dtype=np.uint8)
UNIT = BYTES / 255


@pytest.mark.parametrize(
    "array",
    [
        BYTES.transpose(0, 3, 1, 2),
        UNIT,
        UNIT.astype("float32").transpose(0, 3, 1, 2),
        UNIT * 2 - 1,
        BYTES.astype("int64"),
        BYTES.astype("float32"),
        UNIT[..., 0],
        BYTES[..., 0].astype("int16"),
        BYTES[..., :1].transpose(0, 3, 1, 2),
    ],
)
def test_the_call_in_the_message_makes_the_same_pictures(array):
    with pytest.raises(GankitError, match="dataset is <ndarray") as error:
        given_pictures(array)
    call = re.search(r": give (.*)$", str(error.value))[1]
    mended = given_pictures(eval(call, {"array": array}))
    for index, picture in enumerate(mended):
        expected = BYTES[index][..., : picture.shape[-1]]
        assert np.array_equal(picture, expected)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.from_numpy(BYTES),
        torch.from_numpy(BYTES).permute(0, 3, 1, 2),
        torch.from_numpy(BYTES[..., 0].copy()),
        torch.from_numpy(UNIT * 2 - 1).float(),
    ],
)
def test_so_does_the_call_for_a_tensor(tensor):
    with pytest.raises(GankitError, match="dataset is <Tensor") as error:
        given_pictures(tensor)
    call = re.search(r": give (.*), in ", str(error.value))[1]
    mended = given_pictures(eval(call, {"tensor": tensor}))
    for index, picture in enumerate(mended):
        assert np.array_equal(picture, BYTES[index][..., : picture.shape[-1]])


def test_grey_pictures_need_no_axis_for_channels():
    assert given_pictures(BYTES[..., 0])[2].shape == (9, 8, 1)


def test_four_channels_are_rgba():
    rgba = np.concatenate([BYTES, BYTES[..., :1]], axis=3)
    assert np.array_equal(given_pictures(rgba)[2], rgba[2])
    assert given_pictures(from_uint8(rgba))[2].shape == (9, 8, 4)


@pytest.mark.parametrize("array", [BYTES[0], np.zeros((2, 9)), UNIT * 999])
def test_an_array_that_may_be_anything_is_only_refused(array):
    with pytest.raises(GankitError, match=r"\(N, H, W, C\)"):
        given_pictures(array)


@pytest.mark.parametrize(
    ("given", "fact"),
    [
        (BYTES[0], "array[None]"),
        (BYTES[:0], "empty"),
        (BYTES[:2].tolist(), "numpy.array("),
    ],
    ids=["one picture", "empty", "lists"],
)
def test_the_cure_is_named(given, fact):
    with pytest.raises(GankitError) as error:
        given_pictures(given)
    assert fact in str(error.value)


def test_a_file_of_arrays_names_its_arrays(tmp_path):
    path = tmp_path / "mine.npz"
    np.savez(path, images=BYTES)
    with np.load(path) as file, pytest.raises(GankitError, match=r"file\['images'\]"):
        compose(dataset=file)
    for given in (str(path), path):
        with pytest.raises(GankitError, match=r"mine\.npz.*data"):
            compose(dataset=given)
