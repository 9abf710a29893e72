"""Pictures of any kind become one prepared file, whole or not at all."""

import errno
import json
import operator
import os
import re
import shutil
import threading

import numpy as np
import pytest

from gankit import GankitError, compose, prepare
from gankit.data.read.fit import fit
from gankit.data.store.prepared_pictures import PixelSettings, load_or_prepare


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("GANKIT_CACHE", str(folder))
    return folder


class Drawn:
    """Random pictures that count how often they are read; those in `broken` raise."""

    def __init__(self, count=40, fingerprint="drawn", broken=(), size=8):
        random = np.random.default_rng(3)
        self.arrays = random.integers(0, 256, (count, size, size, 3), dtype=np.uint8)
        self.fingerprint = fingerprint
        self.broken = broken
        self.num_reads = 0

    def __len__(self):
        return len(self.arrays)

    def __getitem__(self, index):
        self.num_reads += 1
        if index in self.broken:
            raise OSError("unreadable")
        return self.arrays[operator.index(index)]  # a picture; no slices


def ready(pictures, name="drawn", size=8, channels=3, progress=lambda done, total: None, **options):
    settings = PixelSettings(name, size, channels, "crop", "white")
    return load_or_prepare(
        pictures, settings, lambda p: [(fit(p, size, channels or 3), None)], progress
    )


def test_pictures_are_prepared_in_their_order(cache):
    pictures = Drawn(count=600)  # more than are worked on at a time
    calls = []
    prepared = ready(pictures, progress=lambda *call: calls.append(call))
    assert np.array_equal(prepared.pixels, pictures.arrays)
    assert prepared.pixels.dtype == np.uint8
    assert prepared.skipped == []
    assert calls[-1] == (600, 600)
    assert [done for done, _ in calls] == sorted({done for done, _ in calls})


def test_a_second_start_finds_them_without_decoding(cache):
    pictures = Drawn()
    first = ready(pictures)
    assert pictures.num_reads == len(pictures)
    again = Drawn()
    calls = []
    second = ready(again, progress=lambda *call: calls.append(call))
    assert again.num_reads == 0
    assert calls == []
    assert second.fingerprint == first.fingerprint
    assert np.array_equal(second.pixels, first.pixels)


@pytest.mark.parametrize(
    ("pictures", "settings"),
    [
        (Drawn(fingerprint="other"), {}),
        (Drawn(count=41), {}),
        (Drawn(), {"size": 4}),
        (Drawn(), {"channels": 1}),
        (Drawn(), {"name": "drawn:other=1"}),
    ],
)
def test_other_pictures_or_settings_are_prepared_again(cache, pictures, settings):
    ready(Drawn())
    ready(pictures, **settings)
    assert pictures.num_reads >= len(pictures)
    assert len(list((cache / "pictures").iterdir())) == 2


def test_without_a_fingerprint_the_first_picture_is_compared(cache):
    first = ready(Drawn(fingerprint=None))
    again = Drawn(fingerprint=None)
    assert ready(again).fingerprint == first.fingerprint
    assert again.num_reads <= 1
    other = Drawn(fingerprint=None)
    other.arrays = 255 - other.arrays
    assert ready(other).fingerprint != first.fingerprint


def test_patches_of_pictures_in_batches_are_held_out_with_their_picture(cache):
    run = compose(dataset="petals:count=40", fit="patches:size=8", image_size=16, holdout=0.3)
    prepared = prepare(run)
    trained, held_out = ({row // 4 for row in rows} for rows in (prepared.train, prepared.holdout))
    assert len(trained) == 28
    assert trained | held_out == set(range(40))


def test_pictures_in_batches_are_the_same(cache, registry):
    petals = registry.make("dataset", "petals:count=70", image_size=16)
    prepared = ready(petals, "petals", 16)
    assert np.array_equal(prepared.pixels, np.stack([petals[i] for i in range(70)]))


def numbers_in(lines):
    """The first number in each line."""
    return [int(re.search(r"\d+", line)[0]) for line in lines]


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
        assert numbers_in(prepared.skipped) == [3, 17, 39]
        assert all("unreadable" in line for line in prepared.skipped)


@pytest.mark.parametrize("fingerprint", ["known", None])
def test_a_broken_first_picture_is_skipped_too(cache, fingerprint):
    prepared = ready(Drawn(broken=(0,), fingerprint=fingerprint))
    assert len(prepared.pixels) == 39
    assert numbers_in(prepared.skipped) == [0]


class InBatches(Drawn):
    """Pictures that can be read in batches."""

    def batch(self, indices):
        assert isinstance(indices, list)
        return [self[index] for index in indices]


def test_a_broken_picture_of_a_batch_is_skipped_like_one_alone(cache):
    prepared = ready(InBatches(broken=(3, 30)))
    assert numbers_in(prepared.skipped) == [3, 30]
    assert np.array_equal(prepared.pixels, np.delete(Drawn().arrays, (3, 30), axis=0))


def test_a_batch_of_another_length_is_refused(cache, monkeypatch):
    monkeypatch.setattr(InBatches, "batch", lambda self, indices: [self[i] for i in indices[1:]])
    with pytest.raises(ValueError, match=r"batch\(\) returned \d+ pictures for \d+ indices"):
        ready(InBatches())


def test_broken_pictures_are_listed_by_name(cache):
    pictures = Drawn(count=3, broken=(1,))
    pictures.names = ["a.png", "b.png", "c.png"]
    assert ready(pictures).skipped == ["b.png: unreadable"]


def test_a_set_of_broken_pictures_is_refused(cache):
    for _ in range(2):
        with pytest.raises(GankitError, match="'drawn'.*0: unreadable"):
            ready(Drawn(count=2, broken=(0, 1)))


def left_over(cache):
    return [path.name for path in (cache / "pictures").iterdir() if path.name.startswith("prep")]


def test_two_threads_can_prepare_at_once(cache):
    barrier = threading.Barrier(2, timeout=20)
    results = {}

    class Met(Drawn):
        def __getitem__(self, index):
            if index == 0:
                barrier.wait()  # both are writing now
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


def test_the_result_of_another_process_is_used(cache):
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
    with pytest.raises(GankitError, match="^.*GANKIT_CACHE.*$"):
        ready(Drawn())


def test_a_full_disk_is_one_clear_line_and_leaves_nothing(cache, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(GankitError, match="^.*No space left.*$"):
        ready(Drawn())
    assert left_over(cache) == []
    monkeypatch.undo()
    monkeypatch.setenv("GANKIT_CACHE", str(cache))
    assert np.array_equal(ready(Drawn()).pixels, Drawn().arrays)


SHAPES = {
    "no list": 3, "a text": "8", "too few": [40, 8], "too many": [10**30, 8, 8, 3],
    "negative": [-40, -8, 8, 3], "texts": ["40", "8", "8", "3"], "nothing": [0, 8, 8, 3],
}  # fmt: skip


@pytest.mark.parametrize("damage", ["cut", "no manifest", "{}", "[3]", *SHAPES])
def test_a_damaged_cache_says_what_to_delete(cache, damage):
    ready(Drawn())
    (folder,) = (cache / "pictures").iterdir()
    pixels, manifest = folder / "pixels.u8", folder / "manifest.json"
    if damage == "cut":
        pixels.write_bytes(pixels.read_bytes()[:-1])
    elif damage == "no manifest":
        manifest.unlink()
    elif damage in SHAPES:
        record = json.loads(manifest.read_text())
        manifest.write_text(json.dumps({**record, "shape": SHAPES[damage]}))
    else:
        manifest.write_text(damage)
    with pytest.raises(GankitError) as error:
        ready(Drawn())
    assert str(folder) in str(error.value)
    assert "GANKIT_CACHE" in str(error.value)


def test_pictures_that_the_disk_has_no_room_for_are_refused_before_they_are_drawn(cache):
    class Endless(Drawn):
        def __len__(self):
            return 10**15

    with pytest.raises(GankitError, match="--image-size 8.*GB") as error:
        ready(Endless())
    assert "GANKIT_CACHE" in str(error.value)
    assert list((cache / "pictures").iterdir()) == []


def test_grey_pictures_stay_grey_by_default(cache):
    pictures = Drawn()
    pictures.arrays = pictures.arrays[..., :1].repeat(3, axis=3)
    prepared = ready(pictures, channels=0)
    assert np.array_equal(prepared.pixels, pictures.arrays[..., :1])
    assert ready(pictures, channels=0).pixels.shape[3] == 1  # found again
    assert ready(pictures, channels=3).pixels.shape[3] == 3  # unless it is requested


@pytest.mark.parametrize("channels", [1, 3])
def test_automatic_channels_may_be_named_later(cache, channels):
    """As --resume and --config do: nothing is prepared twice, and the pictures are the same."""
    pictures = Drawn()
    if channels == 1:
        pictures.arrays = pictures.arrays[..., :1].repeat(3, axis=3)
    first = ready(pictures, channels=0)
    num_reads = pictures.num_reads
    again = ready(pictures, channels=channels)
    assert pictures.num_reads == num_reads
    assert len(list((cache / "pictures").iterdir())) == 1
    assert np.array_equal(again.pixels, first.pixels)
    shutil.rmtree(cache)  # as `gankit data clean` does
    assert ready(pictures, channels=channels).fingerprint == first.fingerprint


def test_one_colour_picture_makes_a_colour_set(cache):
    pictures = Drawn(fingerprint="one colour")
    pictures.arrays = pictures.arrays[..., :1].repeat(3, axis=3)
    pictures.arrays[-1, 0, 0] = (200, 100, 100)
    assert np.array_equal(ready(pictures, channels=0).pixels, pictures.arrays)


def test_noise_does_not_count_as_colour_but_a_tint_does(cache):
    pictures = Drawn(fingerprint="noise", size=64)
    pictures.arrays = np.clip(pictures.arrays[..., :1].repeat(3, axis=3), 3, 250)
    grey = ready(pictures, size=64, channels=0)
    assert grey.pixels.shape[3] == 1
    assert grey.notes == []
    noise = np.random.default_rng(3).integers(-2, 3, pictures.arrays.shape)
    noisy = Drawn(fingerprint="noisy", size=64)
    noisy.arrays = (pictures.arrays + noise).astype(np.uint8)
    prepared = ready(noisy, size=64, channels=0)
    assert prepared.pixels.shape[3] == 1
    assert "--channels 3" in prepared.notes[0]
    assert ready(noisy, size=64, channels=0).notes == prepared.notes  # from the cache
    tinted = Drawn(fingerprint="tinted", size=64)
    tinted.arrays = pictures.arrays - np.array([0, 1, 3], np.uint8)
    prepared = ready(tinted, size=64, channels=0)
    assert prepared.pixels.shape[3] == 3
    assert prepared.notes == []


def test_what_a_data_set_decides_while_it_is_read_is_kept(cache):
    pictures = Drawn(fingerprint="notes")
    pictures.notes = ["one white for all"]
    assert ready(pictures).notes == ["one white for all"]
    assert ready(Drawn(fingerprint="notes")).notes == ["one white for all"]


def test_a_set_of_mostly_broken_pictures_is_refused(cache):
    broken = tuple(range(25))
    with pytest.raises(GankitError, match="'drawn'.*25 .*40"):
        ready(Drawn(broken=broken))
    assert left_over(cache) == []
    assert len(ready(Drawn(broken=broken[:20])).pixels) == 20


def test_the_fingerprint_is_that_of_the_pixels(cache):
    first = ready(Drawn(fingerprint="here"))
    assert ready(Drawn(fingerprint="moved")).fingerprint == first.fingerprint


def test_duplicates_share_a_group(cache):
    pictures = Drawn(size=32)
    pictures.arrays[7] = pictures.arrays[3]
    groups = ready(pictures, size=32).groups
    assert groups[7] == groups[3]
    assert len(set(groups)) == 39
