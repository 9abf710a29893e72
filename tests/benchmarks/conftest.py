"""Benchmarks run only when asked for: `pytest tests/benchmarks --benchmark-only`."""

import os
import sys
from pathlib import Path

import pytest
import torch

THREADS = torch.get_num_threads()  # as a user has them; other tests take one
sys.path.insert(0, str(Path(__file__).parent))  # for the files beside: beside, loops, photos


@pytest.fixture(scope="session", autouse=True)
def as_a_user_has_it(isolated):
    torch.set_num_threads(THREADS)


def pytest_ignore_collect(collection_path, config):
    return None if config.getoption("--benchmark-only") else True


def pytest_benchmark_update_machine_info(config, machine_info):
    """What a figure hangs on, beside the processor; no name of the computer."""
    machine_info["torch"] = torch.__version__
    machine_info["threads"] = THREADS
    machine_info["load"] = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
