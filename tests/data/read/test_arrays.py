"""Tests of pictures in npy and npz files: every shape, type and range, and files of strangers."""

import io
import zipfile

import numpy as np
import pytest

from gankit.core.errors import GankitError
from gankit.data.datasets import picture_files
from gankit.data.read.arrays import find_layout

N, H, W = 6, 12, 10


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GANKIT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def write(tmp_path):
    """`write(array)`: the path of an npy file; `write(x=..., y=...)`: of an npz."""

    def write(array=None, name="a", **arrays):
        path = tmp_path / f"{name}.{'npz' if arrays else 'npy'}"
        if arrays:
            np.savez(path, **arrays)
        else:
            np.save(path, array)
        return str(path)

    return write


def bytes_of(channels=3, seed=0):
    """Pictures (N, H, W, channels) with black and white in each, uint8."""
    pixels = np.random.default_rng(seed).integers(0, 256, (N, H, W, channels), np.uint8)
    pixels[:, 0] = 0
    pixels[:, 1] = 255
    return pixels


def read(path, **options):
    pictures = picture_files((path,), 0, **options)
    return np.stack([np.asarray(pictures[index]) for index in range(len(pictures))])


def refusal(path):
    with pytest.raises(GankitError) as error:
        picture_files((path,))
    line = str(error.value)
    assert line.isprintable()
    return line


COLOUR = bytes_of()
GREY = COLOUR[..., 0]


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (COLOUR, COLOUR),
        (COLOUR.transpose(0, 3, 1, 2), COLOUR),
        (np.asfortranarray(COLOUR), COLOUR),
        (GREY, GREY),
        (GREY[..., None], GREY),
        (GREY[:, None], GREY),
        (COLOUR[0], COLOUR[:1]),
        (COLOUR[0].transpose(2, 0, 1), COLOUR[:1]),
        (GREY[0], GREY[:1]),
        (GREY > 127, (GREY > 127) * np.uint8(255)),
        (GREY.astype(">u2") * 257, GREY),
        (GREY.astype(np.int64), GREY),
        ((GREY > 127).astype(np.int32), (GREY > 127) * np.uint8(255)),
        (COLOUR.astype(np.float32), COLOUR),
        (COLOUR / 255, COLOUR),
        (COLOUR.astype(np.float32).transpose(0, 3, 1, 2) / 127.5 - 1, COLOUR),
        ((COLOUR / 255).astype(np.float16), COLOUR),
    ],
)
def test_every_form_gives_the_same_pictures(write, array, expected):
    assert np.abs(read(write(array)).astype(int) - expected).max() <= 1


def test_rows_of_numbers_are_square_pictures(write):
    rows = np.arange(50 * 784).reshape(50, 784).astype(np.uint8)
    assert np.array_equal(read(write(rows)), rows.reshape(50, 28, 28))
    colours = np.arange(4 * 3072).reshape(4, 3072).astype(np.uint8)  # as CIFAR has them
    assert np.array_equal(read(write(colours)), colours.reshape(4, 3, 32, 32).transpose(0, 2, 3, 1))
    assert find_layout((400, 4096)).pictures == 400
    assert find_layout((1797, 64)).pictures == 1797
    assert find_layout((256, 256)).is_single
    assert find_layout((480, 640)).is_single


@pytest.mark.parametrize("shape", [(), (5,), (0, 8, 8), (5, 2), (5, 8, 8, 12), (2, 2, 9, 9, 3)])
def test_other_shapes_are_refused_with_those_that_are_read(write, shape):
    why = "its shape is (0, 8, 8)" if 0 in shape else "(N, H, W"
    assert why in refusal(write(np.zeros(shape)))


def test_complex_numbers_are_refused_with_what_to_save(write):
    assert "numpy.abs" in refusal(write(np.zeros((5, 8, 8), np.complex64)))


def test_the_white_is_found_once_for_all_and_said(write):
    dark = (COLOUR // 8).astype(np.uint16)
    dark[0, 2:] = 4000
    pictures = picture_files((write(dark),), 0)
    assert np.asarray(pictures[1]).max() < 10
    assert "4095 white" in pictures.notes[0]
    pictures = picture_files((write(COLOUR / 127.5 - 1, "b"),), 0)
    assert np.asarray(pictures[0]).size
    assert "-1 becomes black and 1 white" in pictures.notes[0]


def test_values_that_are_no_numbers_are_counted_and_said(write):
    values = np.full((6, 8, 8), 0.5, np.float32)
    values[1, 2, 3] = np.nan
    values[4, 0] = np.inf
    pictures = picture_files((write(values),), 0)
    shown = np.asarray(pictures[1])
    assert (shown[2, 3], shown[0, 0]) == (0, 128)
    assert "; 9 values NaN or infinite, taken for 0" in pictures.notes[0]
    whole = picture_files((write(np.full((6, 8, 8), 0.5, np.float32), "whole"),), 0)
    np.asarray(whole[1])
    assert "NaN" not in whole.notes[0]


@pytest.mark.parametrize("colour", ["0 to 255", "0 to 1", "-1 to 1"])
@pytest.mark.parametrize("alpha", ["0 to 255", "0 to 1", "-1 to 1"])
@pytest.mark.parametrize("form", ["channels last", "channels first", "single", "half"])
def test_alpha_of_floats_has_a_white_of_its_own(write, colour, alpha, form):
    scales = {"0 to 255": (1, 0), "0 to 1": (255, 0), "-1 to 1": (127.5, 1)}
    pixels = bytes_of(4)
    pixels[3, ..., 3] = 30  # no pixel of this picture is opaque
    values = pixels.astype(np.float32)
    for channels, name in ((slice(3), colour), (slice(3, 4), alpha)):
        factor, shift = scales[name]
        values[..., channels] = values[..., channels] / factor - shift
    forms = {
        "channels last": values,
        "channels first": values.transpose(0, 3, 1, 2),
        "single": values[0].transpose(2, 0, 1),
        "half": values.astype(np.float16),
    }
    pictures = picture_files((write(forms[form]),), 0, channels=4)
    shown = np.stack([np.asarray(picture) for picture in pictures]).astype(int)
    assert np.abs(shown - pixels[: len(shown)]).max() <= 1
    clear, opaque = alpha.split(" to ")
    assert f"; alpha of {clear} is clear and {opaque} opaque" in pictures.notes[0]


@pytest.mark.parametrize("colour", [255, 65535])
@pytest.mark.parametrize("alpha", [1, 255, 65535])
@pytest.mark.parametrize("dtype", [np.uint16, np.int64])
def test_alpha_of_integers_has_a_white_of_its_own(write, colour, alpha, dtype):
    pixels = bytes_of(4)
    pixels[..., 3] = np.where(pixels[..., 3] > 127, 255, 0)
    pixels[3, ..., 3] = 0  # no pixel of this picture is opaque
    pixels[pixels[..., 3] == 0, :3] = 0  # a clear pixel has no colour
    values = pixels.astype(dtype)
    values[..., :3] *= colour // 255
    values[..., 3] = np.where(pixels[..., 3], alpha, 0)
    pictures = picture_files((write(values),), 0, channels=4)
    assert (np.stack([np.asarray(picture) for picture in pictures]) == pixels).all()
    assert f"; alpha of 0 is clear and {alpha} opaque" in pictures.notes[0]


def test_transparent_pictures_lie_on_the_background(write):
    pixels = np.zeros((2, H, W, 4), np.uint8)
    assert (read(write(pixels), background="white") == 255).all()


def test_all_parts_of_an_npz_and_their_labels(write):
    path = write(
        train_images=COLOUR[:3], train_labels=np.array([[0], [1], [1]]),
        val_images=COLOUR[3:5], val_labels=np.array([[0], [1]]),
        test_images=COLOUR[5:], test_labels=np.array([[1]]),
    )  # fmt: skip
    pictures = picture_files((path,), 0)
    assert len(pictures) == N
    labels = dict(zip(pictures.names, pictures.classes, strict=True))
    assert labels["train_images[1]"] == labels["test_images[0]"] == "1"
    assert labels["val_images[0]"] == "0"
    assert len(pictures.file_notes) == 3
    assert pictures.left_out == []
    assert len(picture_files((path,), 0, ("1",))) == 4


@pytest.mark.parametrize(
    ("arrays", "classes"),
    [
        ({"x_train": GREY, "y_train": np.arange(N) % 2}, "010101"),
        ({"arr_0": GREY, "arr_1": np.arange(N) % 3}, "012012"),
        ({"images": GREY, "labels": np.array(list("abcabc"))}, "abcabc"),
        ({"x": GREY, "y": np.eye(N)[[0, 1, 2, 0, 1, 2]]}, "012012"),
        ({"x": GREY, "y": np.arange(N) % 2, "label_names": np.array(["a", "b"])}, "ababab"),
        ({"x": GREY, "y": np.linspace(0, 1, N)}, None),  # measurements
        ({"images": GREY, "ids": np.arange(N)}, None),
        ({"images": GREY, "ids": np.arange(N), "kinds": np.arange(N) % 2}, "010101"),
        ({"images": GREY, "labels": np.arange(N)}, "012345"),
        ({"x": GREY}, None),
    ],
)
def test_labels_beside_the_pictures(write, arrays, classes):
    assert picture_files((write(**arrays),), 0).classes == list(classes or [""] * N)


def test_labels_of_another_number_than_the_pictures_are_named(write):
    names = np.array(["a", "b"])
    for arrays, fact in (
        ({"x_train": COLOUR, "y_train": np.arange(N - 2), "label_names": names},
         "y_train.npy: has 4 values for 6 pictures: "),
        ({"images": GREY, "labels": [1]}, "labels.npy: has 1 value for 6 pictures: "),
    ):  # fmt: skip
        (line,) = picture_files((write(**arrays),)).left_out
        assert line.startswith(fact)
    assert picture_files((write(x=GREY, y=np.arange(N) % 2),)).left_out == []


def test_masks_and_features_are_no_pictures(write):
    arrays = {"images": COLOUR, "masks": GREY, "features": np.zeros((N, 64))}
    pictures = picture_files((write(**arrays),), 0)
    assert len(pictures) == N
    assert [line.split(": ")[0] for line in pictures.left_out] == ["features.npy", "masks.npy"]


def test_a_folder_of_arrays_and_one_among_pictures(tmp_path, write):
    for name in ("cat", "dog"):
        write(GREY, name)
    pictures = picture_files((str(tmp_path),), 0)
    assert pictures.classes == ["cat"] * N + ["dog"] * N
    assert pictures.names[0] == "cat[0]"
    from PIL import Image

    Image.new("RGB", (9, 9)).save(tmp_path / "one.png")
    pictures = picture_files((str(tmp_path),), 0)
    assert pictures.names == ["one.png"]
    assert len(pictures.left_out) == 2


def test_a_word_for_pictures_is_a_whole_name(tmp_path, write):
    for name in ("cat", "picture frame", "x-ray"):
        write(GREY, name)
    (tmp_path / "cat.npy").rename(tmp_path / "Cat.NPY")
    pictures = picture_files((str(tmp_path),), 0)
    assert pictures.classes == ["Cat"] * N + ["picture frame"] * N + ["x-ray"] * N
    assert pictures.names[0] == "Cat[0]"
    assert pictures.left_out == []
    write(GREY, "training_images_64")
    pictures = picture_files((str(tmp_path),), 0)
    assert pictures.classes == [""] * N
    assert len(pictures.left_out) == 3


def test_each_of_several_arrays_is_a_class(tmp_path, write):
    from PIL import Image

    Image.new("RGB", (9, 9)).save(tmp_path / "one.png")
    write(GREY, "cat")
    dog = write(name="dog", images=GREY)
    sources = (str(tmp_path / "cat.npy"), dog, str(tmp_path / "one.png"))
    assert picture_files(sources, 0).classes == ["cat"] * N + ["dog"] * N + [""]
    assert picture_files(sources, 0, ("cat",)).classes == ["cat"] * N
    assert picture_files(sources[:1], 0).classes == [""] * N


def test_arrays_in_a_zip(tmp_path, write):
    write(COLOUR, "in")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "in.npy", "deep/in.npy")
        archive.write(write(x=GREY, name="more"), "more.npz")
    assert len(picture_files((str(tmp_path / "a.zip"),), 0)) == 2 * N


def test_python_objects_are_never_loaded(tmp_path):
    file = io.BytesIO()
    np.save(file, np.array([{"a": 1}], object), allow_pickle=True)
    for name in ("a.npy", "a.npz"):
        path = tmp_path / name
        path.write_bytes(file.getvalue())
        if name == "a.npz":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("images.npy", file.getvalue())
        assert "Python objects" in refusal(str(path))
        assert "labels as array.astype(str)" in refusal(str(path))


def header(text):
    return b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    "content",
    [
        header("{'descr': '|u1', 'fortran_order': False, 'shape': (9, 64, 64, 3), }\n"),
        header("{'descr': '|u1', 'fortran_order': False, 'shape': (999999999999, 64, 64), }\n"),
        header("{'descr': '|u1', 'fortran_order': False, 'shape': (-3, 64, 64), }\n"),
        header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }\n") + bytes(4),
        header("__import__('os').abort()\n"),
        header("(" * 5000),
        b"\x93NUMPY\x07\0",
        b"\x93NUMPY",
    ],
)
def test_broken_and_hostile_files_are_refused_in_a_line(tmp_path, content):
    path = tmp_path / "a.npy"
    path.write_bytes(content)
    assert "a.npy" in refusal(str(path))


def test_a_bomb_in_an_npz_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, images=np.zeros((300, 256, 256), np.uint8))
    assert "bomb" in refusal(str(path))


def test_other_contents_have_another_fingerprint(write):
    prints = set()
    for labels in ([0, 1, 0, 1, 0, 1], [1, 1, 1, 0, 0, 0]):
        prints.add(picture_files((write(x=GREY, y=np.array(labels)),)).fingerprint)
    assert len(prints) == 2
