"""How time grows with the size of pictures, the batch, and the number of pictures."""

import itertools

import pytest
from beside import beside, loops_beside
from loops import bytes_of
from photos import photos, prepared

from gankit.data.batches import Batches

LOOP = "the textbook's loop, float32"


@pytest.mark.parametrize("size", [16, 32, 64, 128, 256])
def test_growth_with_image_size(benchmark, size):
    about = {"what": "auto, base 16, batch 16", "x": size, "yardstick": LOOP, "pictures": 16}
    loops = ("own", "gankit", size, 16, 16, "auto"), ("own", "textbook", size, 16, 16)
    loops_beside(benchmark, *loops, question="image size", rounds=5, **about)


@pytest.mark.parametrize("batch", [4, 8, 16, 32, 64, 128])
def test_growth_with_the_batch(benchmark, batch):
    about = {"what": "auto, 64 px, base 32", "x": batch, "yardstick": LOOP, "pictures": batch}
    loops = ("own", "gankit", 64, 32, batch, "auto"), ("own", "textbook", 64, 32, batch)
    loops_beside(benchmark, *loops, question="batch", rounds=5, **about)


@pytest.mark.parametrize("count", [1_000, 10_000, 100_000])
def test_a_batch_of_many_pictures(benchmark, count):
    pixels, numbers = bytes_of(32, count), itertools.count()
    many, few = (Batches(some, 64, 0, flip=True) for some in (pixels, pixels[:1000].copy()))
    about = {"what": "batch of 64 at 32 px", "x": count, "yardstick": "of 1,000", "pictures": 64}
    each = (lambda: many[next(numbers)], lambda: few[next(numbers)])
    beside(benchmark, *each, question="number of pictures", times=20, **about)


@pytest.mark.parametrize("count", [200, 400, 800])
def test_preparing_many_pictures(benchmark, count, tmp_path, monkeypatch):
    folder, caches = photos(tmp_path, count), itertools.count()
    fewer = photos(tmp_path / "few", 200)

    def anew(place):
        monkeypatch.setenv("GANKIT_CACHE", str(tmp_path / str(next(caches))))
        return prepared(place, 64)

    about = {"what": "prepare photos, 64 px", "x": count, "yardstick": "of 200", "pictures": count}
    about |= {"operations": count, "yardstick_operations": 200}
    each = (lambda: anew(folder), lambda: anew(fewer))
    beside(benchmark, *each, question="number of pictures", rounds=3, **about)
