"""Fixtures for all tests that read picture files."""

import pytest
from PIL import Image


@pytest.fixture
def file(tmp_path):
    """`file(bytes)`: the path of a file that holds them."""

    def write(data, name="one"):
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return write


@pytest.fixture(autouse=True)
def without_heic(monkeypatch):
    """As without pillow-heif, which is optional."""
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
