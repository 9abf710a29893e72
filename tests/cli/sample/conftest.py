"""Fixtures for tests of `gankit sample`."""

import pytest

import gankit


@pytest.fixture
def sample(gankit_cli, trained, here):
    """`sample("--strip")`: `gankit sample` of the trained run, in an empty folder."""
    return lambda *options: gankit_cli("sample", trained, *options)


@pytest.fixture(scope="module")
def sampler(trained, registry):
    return gankit.load(trained, registry=registry)
