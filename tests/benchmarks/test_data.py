"""How fast pictures get ready and become batches, beside the usual way."""

import pytest
import torch
from photos import batch_loop, epoch, photos, prepared, usual_data, usual_epoch

COUNT = 400


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return photos(tmp_path_factory.mktemp("photos"), COUNT)


@pytest.mark.parametrize("size", [64, 256])
@pytest.mark.parametrize("way", ["ImageFolder", "gankit"])
def test_reading_all_once(benchmark, folder, way, size, tmp_path, monkeypatch):
    benchmark.group = f"decode {COUNT} photos to {size} px, once"
    caches = iter(range(100))

    def once():
        monkeypatch.setenv("GANKIT_CACHE", str(tmp_path / str(next(caches))))
        return len(prepared(folder, size).pixels)

    if way == "gankit":
        assert benchmark.pedantic(once, rounds=3) == COUNT
    else:
        data = usual_data(folder, size)
        assert benchmark.pedantic(lambda: sum(1 for _ in data), rounds=3) == COUNT


@pytest.mark.parametrize("way", ["DataLoader, 2 workers", "gankit"])
def test_an_epoch(benchmark, folder, way, tmp_path, monkeypatch):
    benchmark.group = f"an epoch of {COUNT} photos at 64 px, in batches of 64"
    if way == "gankit":
        monkeypatch.setenv("GANKIT_CACHE", str(tmp_path))
        ready = prepared(folder, 64)
        assert benchmark(lambda: epoch(ready, flip=True)) == COUNT // 64 * 64
    else:
        data = usual_data(folder, 64)
        assert benchmark.pedantic(lambda: usual_epoch(data, 2), rounds=3) == COUNT // 64 * 64


@pytest.mark.parametrize("size", [64, 128, 256])
def test_batches(benchmark, size):
    benchmark.group = "a batch of 64, mirrored and normalised, on one thread"
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        images = benchmark(batch_loop(size, 64 * 40 * 64 // size))
    finally:
        torch.set_num_threads(threads)
    assert images.shape == (64, 3, size, size)
