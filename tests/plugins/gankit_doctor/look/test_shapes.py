"""Features of pictures that are not square: a pattern is found along each side."""

import pytest
import torch
from gankit_doctor.look import features


@pytest.mark.parametrize("shape", [(16, 24), (24, 16), (16, 16), (12, 40)])
def test_every_feature_has_a_value(shape):
    images = torch.rand(6, 3, *shape) * 2 - 1
    assert features.thumbnails(images).shape == (6, 3 * 8 * 8)
    assert features.texture(images).isfinite().all()
    power = features.spectrum(images)
    assert power.shape == shape
    assert features.high_share(power).isfinite()


@pytest.mark.parametrize("shape", [(16, 24), (24, 16)])
@pytest.mark.parametrize("axis", [2, 3])
def test_a_pattern_is_found_along_each_side(shape, axis):
    flat = torch.randn(8, 1, *shape, generator=torch.Generator().manual_seed(0)) / 10
    size = flat.shape[axis]
    wave = torch.cos(torch.arange(size) * torch.pi).view(
        *(size if d == axis else 1 for d in range(4))
    )
    plain, striped = (features.spectrum(images) for images in (flat, flat + wave))
    assert features.lattice(striped, 2) > 10 * features.lattice(plain, 2)
