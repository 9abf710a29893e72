"""How fast pictures are prepared and become batches, compared with the usual way."""

import itertools
import os

import pytest
from comparison import time_against
from photos import (
    image_folder,
    make_batch_loop,
    make_photos,
    make_plain_batch_loop,
    prepare,
    read_epoch,
    read_epoch_with_loader,
)

COUNT = 400
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
WORKERS = min(2, CORES)  # torch warns about more workers than cores, and a warning fails a test


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_photos(tmp_path_factory.mktemp("photos"), COUNT)


@pytest.mark.parametrize("size", [64, 256])
def test_reading_all_once(benchmark, folder, size, tmp_path, monkeypatch):
    cache_numbers = itertools.count()
    dataset = image_folder(folder, size)

    def prepare_all():
        monkeypatch.setenv("GANKIT_CACHE", str(tmp_path / str(next(cache_numbers))))
        assert len(prepare(folder, size).pixels) == COUNT

    def read_all():
        return sum(1 for _ in dataset)

    time_against(
        benchmark,
        prepare_all,
        read_all,
        rounds=5,
        question="data path",
        what=f"prepare {COUNT} photos, {size} px, once",
        yardstick="ImageFolder, once",
        pictures=COUNT,
    )


def test_an_epoch(benchmark, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("GANKIT_CACHE", str(tmp_path))
    prepared = prepare(folder, 64)
    dataset = image_folder(folder, 64)
    time_against(
        benchmark,
        lambda: read_epoch(prepared, flip=True),
        lambda: read_epoch_with_loader(dataset, WORKERS),
        rounds=5,
        question="data path",
        what="an epoch at 64 px, prepared",
        yardstick=f"DataLoader, workers: {WORKERS}",
        pictures=COUNT // 64 * 64,
    )


@pytest.mark.parametrize("size", [64, 128, 256])
def test_batches(benchmark, size):
    count = 64 * 40 * 64 // size
    time_against(
        benchmark,
        make_batch_loop(size, count),
        make_plain_batch_loop(size, count),
        times=10,
        question="data path",
        what=f"a batch of 64, {size} px, mirrored",
        yardstick="numpy and torch, plainly",
        pictures=64,
    )
