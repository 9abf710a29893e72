"""Tests of HEIC pictures, with pillow-heif and without."""

import io

import numpy as np
import pytest
from PIL import Image

from gankit.data.datasets import picture_files
from gankit.data.find.kinds import recognise
from gankit.data.read import formats

START = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99)


def test_without_pillow_heif_the_line_says_how():
    kind = recognise("a.heic", START)
    assert not kind.is_picture
    assert 'pip install "gankit[heic]"' in kind.reason


def test_with_pillow_heif_it_is_a_picture(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    file = io.BytesIO()
    heif.from_pillow(Image.new("RGB", (40, 30), (200, 40, 60))).save(file)
    (tmp_path / "a.heic").write_bytes(file.getvalue())
    (tmp_path / "cut.heic").write_bytes(file.getvalue()[:300])
    assert formats.picture_format(file.getvalue()[:128]) == "HEIF"
    pictures = picture_files((str(tmp_path),))
    assert pictures[0].size == (40, 30)
    assert np.abs(np.asarray(pictures[0])[15, 20] - np.array([200, 40, 60])).max() < 12
    with pytest.raises(ValueError, match="broken|cut off"):
        pictures[1]
