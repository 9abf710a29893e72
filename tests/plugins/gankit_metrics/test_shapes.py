"""Metrics of pictures that are not square."""

import numpy as np
import pytest
import torch
from gankit_metrics import swd
from gankit_metrics.features import load_features
from gankit_metrics.likeness import explain_unlikeness


def noise(height, width, count=20, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), np.uint8)


def test_patches_come_from_all_of_the_picture():
    torch.manual_seed(0)
    for height, width in ((16, 48), (48, 16)):
        pictures = noise(height, width)
        changed = pictures.copy()
        changed[:, -8:, -8:] = 0  # the last corner
        metric = swd.SWD()
        rows = np.arange(len(pictures))
        same = metric.score(metric.compare(*[metric.features(pictures)] * 2), rows, rows)
        other = metric.compare(metric.features(pictures), metric.features(changed))
        assert same == 0
        assert metric.score(other, rows, rows) > 1


def test_the_pyramid_ends_with_the_shorter_side():
    levels = swd.laplacian_pyramid(torch.randn(2, 1, 32, 96))
    assert [level.shape[2:] for level in levels] == [(32, 96), (16, 48)]


@pytest.mark.parametrize("shape", [(32, 48), (48, 32)])
def test_features_see_the_whole_picture(shape):
    _, extract = load_features("pixels")
    height, width = shape
    pictures = np.zeros((1, height, width, 3), np.uint8)
    pictures[:, height // 2 :, width // 2 :] = 255
    rows = extract(pictures).reshape(3, 32, 32)
    assert rows[0, 20:, 20:].min() > 0.9
    assert rows[0, :12].max() < 0.1


def test_noise_is_told_from_pictures():
    smooth = np.repeat(np.repeat(noise(4, 6), 8, axis=1), 8, axis=2)
    assert "random noise" in explain_unlikeness(noise(32, 48), smooth)
    assert explain_unlikeness(smooth, smooth) == ""
