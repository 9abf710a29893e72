"""How time grows with the size of pictures, the batch size, and the number of pictures."""

import itertools

import pytest
from comparison import time_against, time_loops
from loops import random_pixels
from photos import make_photos, prepare

from gankit.data.batches import Batches

TEXTBOOK = "the textbook's loop, float32"


@pytest.mark.parametrize("size", [16, 32, 64, 128, 256])
def test_growth_with_image_size(benchmark, size):
    time_loops(
        benchmark,
        ("own", "gankit", size, 16, 16, "auto"),
        ("own", "textbook", size, 16, 16),
        rounds=5,
        question="image size",
        what="auto, base 16, batch 16",
        yardstick=TEXTBOOK,
        x=size,
        pictures=16,
    )


@pytest.mark.parametrize("batch", [4, 8, 16, 32, 64, 128])
def test_growth_with_the_batch(benchmark, batch):
    time_loops(
        benchmark,
        ("own", "gankit", 64, 32, batch, "auto"),
        ("own", "textbook", 64, 32, batch),
        rounds=5,
        question="batch",
        what="auto, 64 px, base 32",
        yardstick=TEXTBOOK,
        x=batch,
        pictures=batch,
    )


@pytest.mark.parametrize("count", [1_000, 10_000, 100_000])
def test_a_batch_of_many_pictures(benchmark, count):
    pixels = random_pixels(32, count)
    batches = Batches(pixels, 64, 0, flip=True)
    few_batches = Batches(pixels[:1000].copy(), 64, 0, flip=True)
    numbers = itertools.count()
    time_against(
        benchmark,
        lambda: batches[next(numbers)],
        lambda: few_batches[next(numbers)],
        times=20,
        question="number of pictures",
        what="batch of 64 at 32 px",
        yardstick="of 1,000",
        x=count,
        pictures=64,
    )


@pytest.mark.parametrize("count", [200, 400, 800])
def test_preparing_many_pictures(benchmark, count, tmp_path, monkeypatch):
    folder = make_photos(tmp_path, count)
    small_folder = make_photos(tmp_path / "few", 200)
    cache_numbers = itertools.count()

    def prepare_without_cache(photos):
        monkeypatch.setenv("GANKIT_CACHE", str(tmp_path / str(next(cache_numbers))))
        return prepare(photos, 64)

    time_against(
        benchmark,
        lambda: prepare_without_cache(folder),
        lambda: prepare_without_cache(small_folder),
        rounds=3,
        question="number of pictures",
        what="prepare photos, 64 px",
        yardstick="of 200",
        x=count,
        pictures=count,
        operations=count,
        yardstick_operations=200,
    )
