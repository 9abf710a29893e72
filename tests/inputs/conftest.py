"""Odd inputs: the files next to this one write them, and say what gankit has to do with them."""

import sys
from pathlib import Path

import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))  # for kinds.py, odd_sets.py and so on


@pytest.fixture(autouse=True)
def without_heic(monkeypatch):
    """As without pillow-heif, which is optional."""
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
