"""How long it takes to sample one picture, and to load a run."""

import itertools

import pytest
import torch
from comparison import measure_against, run_for_number, time_against
from loops import make_networks

import gankit

SCRIPT = """
import time
start = time.perf_counter()
import torch
torch_imported = time.perf_counter()
import gankit
gankit.load({folder!r})
run_loaded = time.perf_counter()
print({seconds})
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run of one step of DCGAN 64 at base 64."""
    run = gankit.compose(
        dataset="petals:count=64",
        model="dcgan64:base_channels=64",
        batch_size=8,
        length="1 steps",
        out=str(tmp_path_factory.mktemp("runs") / "run"),
    )
    return gankit.train(run)


def test_one_picture(benchmark, folder):
    sampler = gankit.load(folder)
    seeds = itertools.count()
    G, _ = make_networks(64, 64)
    G.eval()

    @torch.no_grad()
    def run_generator():
        return G(torch.randn(1, 100))

    time_against(
        benchmark,
        lambda: sampler.sample(next(seeds)),
        run_generator,
        times=20,
        question="sampling",
        what="sampler.sample(seed), 64 px",
        yardstick="G(z) alone, float32",
        pictures=1,
    )


def test_loading_a_run(benchmark, folder):
    def run_script(seconds):
        return run_for_number("-c", SCRIPT.format(folder=str(folder), seconds=seconds))

    measure_against(
        benchmark,
        lambda: run_script("run_loaded - torch_imported"),
        lambda: run_script("torch_imported - start"),
        rounds=5,
        question="sampling",
        what="gankit.load(run), after importing torch",
        yardstick="importing torch",
    )
