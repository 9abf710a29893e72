"""Benchmarks run only when asked for: `pytest tests/benchmarks --benchmark-only`."""


def pytest_ignore_collect(collection_path, config):
    return None if config.getoption("--benchmark-only") else True
