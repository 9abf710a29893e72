"""Benchmarks only run on request: `pytest tests/benchmarks --benchmark-only`."""

import os
import sys
from pathlib import Path

import pytest
import torch

THREADS = torch.get_num_threads()  # all that torch uses by default; other tests use one
sys.path.insert(0, str(Path(__file__).parent))  # for comparison.py, loops.py and photos.py


@pytest.fixture(scope="session", autouse=True)
def use_all_threads(isolated):
    torch.set_num_threads(THREADS)


def pytest_ignore_collect(collection_path, config):
    return None if config.getoption("--benchmark-only") else True


def pytest_benchmark_update_machine_info(config, machine_info):
    """Add what else the numbers depend on: versions, threads and load."""
    machine_info["torch"] = torch.__version__
    machine_info["threads"] = THREADS
    machine_info["load"] = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
