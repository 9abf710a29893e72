"""How long one picture takes, and how long it takes until one can be drawn."""

import itertools

import pytest
import torch
from beside import beside, numbers_beside, said_by
from loops import networks

import gankit

LOADING = """
import time
started = time.perf_counter()
import torch
torch_there = time.perf_counter()
import gankit
gankit.load({folder!r})
print({said})
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run of one step of DCGAN 64 at base 64."""
    place = tmp_path_factory.mktemp("runs") / "run"
    asked = {"dataset": "petals:count=64", "model": "dcgan64:base_channels=64", "batch_size": 8}
    return gankit.train(gankit.compose(**asked, length="1 steps", out=str(place)))


def test_one_picture(benchmark, folder):
    sampler, seeds, (G, _) = gankit.load(folder), itertools.count(), networks(64, 64)
    G.eval()

    @torch.no_grad()
    def plain():
        return G(torch.randn(1, 100))

    about = {"what": "sampler.sample(seed), 64 px", "yardstick": "G(z) alone, float32"}

    def ours():
        return sampler.sample(next(seeds))

    beside(benchmark, ours, plain, times=20, question="sampling", pictures=1, **about)


def test_loading_a_run(benchmark, folder):
    def told(said):
        return lambda: said_by("-c", LOADING.format(folder=str(folder), said=said))

    about = {"what": "gankit.load(run), after importing torch", "yardstick": "importing torch"}
    ways = told("time.perf_counter() - torch_there"), told("torch_there - started")
    numbers_beside(benchmark, *ways, rounds=5, question="sampling", **about)
