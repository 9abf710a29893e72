"""Pictures of any kind become one prepared file; the file becomes batches."""

import errno
import operator
import os
import threading

import numpy as np
import pytest
import torch
from PIL import Image

from gankit import GankitError
from gankit.pictures import Batches, fit, prepare


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder of the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("GANKIT_CACHE", str(folder))
    return folder


class Drawn:
    """Random pictures that count how often they are asked for; those in `broken` raise."""

    def __init__(self, count=40, fingerprint="drawn", broken=(), size=8):
        random = np.random.default_rng(3)
        self.arrays = random.integers(0, 256, (count, size, size, 3), dtype=np.uint8)
        self.fingerprint, self.broken, self.asked = fingerprint, broken, 0

    def __len__(self):
        return len(self.arrays)

    def __getitem__(self, index):
        self.asked += 1
        if index in self.broken:
            raise OSError("unreadable")
        return self.arrays[operator.index(index)]  # a picture; no slices


def ready(pictures, name="drawn", size=8, channels=3, progress=lambda done, total: None):
    return prepare(pictures, name, size, channels, progress)


def test_pictures_are_prepared_in_their_order(cache):
    pictures = Drawn(count=600)  # more than are worked on at a time
    told = []
    prepared = ready(pictures, progress=lambda done, total: told.append((done, total)))
    assert np.array_equal(prepared.pixels, pictures.arrays)
    assert prepared.pixels.dtype == np.uint8
    assert prepared.skipped == []
    assert told[-1] == (600, 600)
    assert [done for done, _ in told] == sorted({done for done, _ in told})


def test_a_second_start_finds_them_without_decoding(cache):
    pictures = Drawn()
    first = ready(pictures)
    assert pictures.asked == len(pictures)
    again = Drawn()
    told = []
    second = ready(again, progress=lambda *args: told.append(args))
    assert again.asked == 0
    assert told == []
    assert second.fingerprint == first.fingerprint
    assert np.array_equal(second.pixels, first.pixels)


@pytest.mark.parametrize(
    ("pictures", "asked"),
    [
        (Drawn(fingerprint="other"), {}),
        (Drawn(count=41), {}),
        (Drawn(), {"size": 4}),
        (Drawn(), {"channels": 1}),
        (Drawn(), {"name": "drawn:other=1"}),
    ],
)
def test_other_pictures_are_prepared_anew(cache, pictures, asked):
    first = ready(Drawn())
    second = ready(pictures, **asked)
    assert second.fingerprint != first.fingerprint
    assert pictures.asked >= len(pictures)


def test_without_a_fingerprint_number_and_first_picture_tell(cache):
    first = ready(Drawn(fingerprint=None))
    again = Drawn(fingerprint=None)
    assert ready(again).fingerprint == first.fingerprint
    assert again.asked <= 1
    other = Drawn(fingerprint=None)
    other.arrays = 255 - other.arrays
    assert ready(other).fingerprint != first.fingerprint


def test_a_set_that_is_faster_at_many_together_gives_the_same(cache, registry):
    petals = registry.make("dataset", "petals:count=70", image_size=16)
    prepared = ready(petals, "petals", 16)
    assert np.array_equal(prepared.pixels, np.stack([petals[i] for i in range(70)]))


def test_an_empty_set_is_refused(cache):
    with pytest.raises(GankitError):
        ready(Drawn(count=0))
    with pytest.raises(GankitError):
        ready(Drawn(count=0, fingerprint=None))


@pytest.mark.parametrize("fingerprint", ["known", None])
def test_broken_pictures_are_skipped_and_listed(cache, fingerprint):
    pictures = Drawn(broken=(3, 17, 39), fingerprint=fingerprint)
    for prepared in (ready(pictures), ready(pictures)):  # found again, still listed
        assert np.array_equal(prepared.pixels, np.delete(pictures.arrays, (3, 17, 39), axis=0))
        assert prepared.skipped == [f"picture {i}: unreadable" for i in (3, 17, 39)]


@pytest.mark.parametrize("fingerprint", ["known", None])
def test_a_broken_first_picture_is_skipped_too(cache, fingerprint):
    prepared = ready(Drawn(broken=(0,), fingerprint=fingerprint))
    assert len(prepared.pixels) == 39
    assert prepared.skipped == ["picture 0: unreadable"]


def test_broken_pictures_go_by_their_names(cache):
    pictures = Drawn(count=3, broken=(1,))
    pictures.names = ["a.png", "b.png", "c.png"]
    assert ready(pictures).skipped == ["b.png: unreadable"]


def test_a_set_of_broken_pictures_is_refused(cache):
    for _ in range(2):
        with pytest.raises(GankitError, match="no usable pictures; picture 0: unreadable"):
            ready(Drawn(count=2, broken=(0, 1)))


def left_over(cache):
    return [path.name for path in (cache / "pictures").iterdir() if path.name.startswith("prep")]


def test_two_that_prepare_at_once_both_get_them(cache):
    meeting, results = threading.Barrier(2, timeout=20), {}

    class Met(Drawn):
        def __getitem__(self, index):
            if index == 0:
                meeting.wait()  # both are writing now
            return super().__getitem__(index)

    def work(name):
        results[name] = ready(Met())

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert np.array_equal(results["a"].pixels, Drawn().arrays)
    assert np.array_equal(results["b"].pixels, Drawn().arrays)
    assert left_over(cache) == []


def test_another_that_finishes_first_is_welcome(cache):
    class Overtaken(Drawn):
        def __getitem__(self, index):
            if index == 0:
                self.other = ready(Drawn())  # another process has prepared all of them meanwhile
            return super().__getitem__(index)

    pictures = Overtaken()
    assert np.array_equal(ready(pictures).pixels, pictures.other.pixels)
    assert left_over(cache) == []


def test_an_interrupted_preparation_leaves_nothing_half_done(cache):
    class Interrupted(Drawn):
        def __getitem__(self, index):
            if index == 30:
                raise KeyboardInterrupt
            return super().__getitem__(index)

    with pytest.raises(KeyboardInterrupt):
        ready(Interrupted())
    assert left_over(cache) == []
    assert np.array_equal(ready(Drawn()).pixels, Drawn().arrays)


def test_a_cache_that_cannot_be_written_is_one_clear_line(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("GANKIT_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(GankitError, match="^cannot prepare pictures in .*GANKIT_CACHE.*$"):
        ready(Drawn())


def test_a_full_disk_is_one_clear_line_and_leaves_nothing(cache, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(GankitError, match="^cannot prepare pictures in .*No space left.*$"):
        ready(Drawn())
    assert left_over(cache) == []
    monkeypatch.undo()
    monkeypatch.setenv("GANKIT_CACHE", str(cache))
    assert np.array_equal(ready(Drawn()).pixels, Drawn().arrays)


@pytest.mark.parametrize("damage", ["cut", "no manifest", "bad manifest"])
def test_a_damaged_cache_says_what_to_delete(cache, damage):
    folder = cache / "pictures" / ready(Drawn()).fingerprint
    pixels, manifest = folder / "pixels.u8", folder / "manifest.json"
    if damage == "cut":
        pixels.write_bytes(pixels.read_bytes()[:-1])
    elif damage == "no manifest":
        manifest.unlink()
    else:
        manifest.write_text("{}")
    with pytest.raises(GankitError) as error:
        ready(Drawn())
    assert str(folder) in str(error.value)
    assert "delete it" in str(error.value)


MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I", "F"]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("mode", MODES)
def test_every_mode_becomes_grey_or_colour(mode, channels):
    pixels = fit(Image.new("RGB", (9, 7), (90, 90, 90)).convert("L").convert(mode), 4, channels)
    assert pixels.shape == (4, 4, channels)
    assert pixels.dtype == np.uint8
    if mode not in ("1", "P"):
        assert np.abs(pixels.astype(int) - 90).max() <= 3


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 500), (500, 1), (2, 3), (3, 900), (7, 7), (4, 4), (300, 200)]
)
@pytest.mark.parametrize("depth", [(), (1,), (3,)])
def test_every_shape_fits(shape, depth):
    array = np.full((*shape, *depth), 200, np.uint8)
    array[..., -1:] = 100 if depth == (3,) else 200
    wanted = [200, 200, 100] if depth == (3,) else [200, 200, 200]
    for picture in (array, Image.fromarray(array[..., 0] if depth == (1,) else array)):
        assert fit(picture, 4, 3).tolist() == [[wanted] * 4] * 4


def test_a_picture_of_the_right_size_is_untouched():
    array = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    assert np.array_equal(fit(array, 16, 3), array)
    assert np.array_equal(fit(Image.fromarray(array), 16, 3), array)
    assert np.array_equal(fit((array, 7), 16, 3), array)  # torchvision: (picture, class)


def test_the_middle_of_a_long_picture_is_taken():
    long = np.zeros((20, 60, 3), np.uint8)
    long[:, 20:40] = (250, 10, 20)
    for array in (long, long.transpose(1, 0, 2)):
        middle = fit(np.ascontiguousarray(array), 10, 3)
        assert (middle[3:7, 3:7] == (250, 10, 20)).all()  # at its edges the filter reaches out
        assert (middle[..., 0] > 200).all()


def test_shrinking_averages():
    board = np.indices((64, 64)).sum(axis=0) % 2 * 255
    small = fit(board.astype(np.uint8), 8, 1).astype(int)
    assert np.abs(small - 127).max() <= 2


def pixels_of(count=10, size=4, channels=3):
    random = np.random.default_rng(1)
    return random.integers(0, 256, (count, size, size, channels), dtype=np.uint8)


def numbered(count):
    """Pictures whose number can be read off them."""
    return np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 1, 1, 1))


def numbers(images):
    return ((images.flatten() + 1) * 127.5).round().int().tolist()


@pytest.mark.parametrize("batch_size", [1, 3, 4, 10])
def test_every_epoch_shows_every_picture_once(batch_size):
    batches = Batches(numbered(10), batch_size, seed=5)
    shown = [n for i in range(30) for n in numbers(batches[i])]
    epochs = [shown[i : i + 10] for i in range(0, len(shown) - 9, 10)]
    assert len(epochs) == 3 * batch_size
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_a_batch_crosses_from_one_epoch_to_the_next():
    batches = Batches(numbered(10), 4, seed=5)
    shown = numbers(torch.cat([batches[i] for i in range(5)]))
    assert len(batches[2]) == 4
    assert sorted(shown[:10]) == sorted(shown[10:]) == list(range(10))


def test_a_batch_depends_on_its_number_and_the_seed_only():
    straight = [Batches(numbered(50), 8, seed=1)[i] for i in range(20)]
    jumping = Batches(numbered(50), 8, seed=1)
    for i in (19, 0, 7, 7, 3):
        assert torch.equal(jumping[i], straight[i])
    other = Batches(numbered(50), 8, seed=2)
    assert not torch.equal(other[0], straight[0])


def test_bytes_become_numbers_from_minus_one_to_one():
    batches = Batches(np.arange(256, dtype=np.uint8).reshape(256, 1, 1, 1), 256, seed=0)
    images = batches[0].flatten().sort().values
    wanted = torch.arange(256, dtype=torch.float32) / 127.5 - 1
    assert torch.equal(images, wanted)
    assert (images[0], images[-1]) == (-1, 1)


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("channels", [1, 3])
def test_batches_come_in_the_layout_asked_for(layout, channels):
    images = Batches(pixels_of(channels=channels), 5, 0, "cpu", layout)[0]
    assert images.shape == (5, channels, 4, 4)
    assert images.dtype == torch.float32
    assert images.is_contiguous(memory_format=layout)
    assert torch.equal(images, Batches(pixels_of(channels=channels), 5, 0)[0])


def test_channels_and_rows_are_not_mixed_up():
    pixels = pixels_of(count=1)
    image = Batches(pixels, 1, 0)[0][0]
    for row, column, channel in np.ndindex(4, 4, 3):
        value = pixels[0, row, column, channel]
        assert image[channel, row, column] == torch.tensor(float(value)) / 127.5 - 1


def test_fewer_pictures_than_a_batch_are_refused():
    with pytest.raises(GankitError, match="10 pictures are fewer than a batch of 11: .* 10"):
        Batches(pixels_of(10), 11, 0)
    assert len(Batches(pixels_of(10), 10, 0)[0]) == 10
