"""Fixtures for all tests that read picture files."""

import pytest


@pytest.fixture
def file(tmp_path):
    """`file(bytes)`: the path of a file that holds them."""

    def write(data, name="one"):
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return write
