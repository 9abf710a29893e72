"""How fast pictures get ready and become batches, beside the usual way."""

import itertools
import os

import pytest
from beside import beside
from photos import batch_loop, epoch, photos, prepared, usual_batch_loop, usual_data, usual_epoch

COUNT = 400
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
WORKERS = min(2, CORES)  # more than cores is a warning, and so an error here


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return photos(tmp_path_factory.mktemp("photos"), COUNT)


@pytest.mark.parametrize("size", [64, 256])
def test_reading_all_once(benchmark, folder, size, tmp_path, monkeypatch):
    caches, data = itertools.count(), usual_data(folder, size)

    def once():
        monkeypatch.setenv("GANKIT_CACHE", str(tmp_path / str(next(caches))))
        assert len(prepared(folder, size).pixels) == COUNT

    about = {"what": f"prepare {COUNT} photos, {size} px, once", "yardstick": "ImageFolder, once"}

    def usual():
        return sum(1 for _ in data)

    beside(benchmark, once, usual, rounds=5, question="data path", pictures=COUNT, **about)


def test_an_epoch(benchmark, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("GANKIT_CACHE", str(tmp_path))
    ready, data = prepared(folder, 64), usual_data(folder, 64)
    usual = f"DataLoader, workers: {WORKERS}"
    about = {"what": "an epoch at 64 px, prepared", "yardstick": usual}
    ways = (lambda: epoch(ready, flip=True), lambda: usual_epoch(data, WORKERS))
    pictures = COUNT // 64 * 64
    beside(benchmark, *ways, rounds=5, question="data path", pictures=pictures, **about)


@pytest.mark.parametrize("size", [64, 128, 256])
def test_batches(benchmark, size):
    about = {"what": f"a batch of 64, {size} px, mirrored", "yardstick": "numpy and torch, plainly"}
    count = 64 * 40 * 64 // size
    ways = batch_loop(size, count), usual_batch_loop(size, count)
    beside(benchmark, *ways, times=10, question="data path", pictures=64, **about)
