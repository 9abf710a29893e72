"""Transparent pictures for tests: soft sprites and pixel art, as arrays."""

import numpy as np


def draw_sprites(count, side=24):
    """Soft discs in one colour each, as RGBA (count, side, side, 4), with noise behind alpha 0."""
    random = np.random.default_rng(3)
    pixels = random.integers(0, 256, (count, side, side, 4), dtype=np.uint8)
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    for sprite in pixels:
        radius = random.uniform(side / 6, side / 3)
        alpha = np.clip(radius - np.hypot(x, y), 0, 3) / 3
        sprite[..., 3] = np.round(255 * alpha)
        sprite[alpha > 0, :3] = random.integers(40, 256, 3)
    return pixels


def draw_pixel_art(count, side=16):
    """Mirrored figures in four colours on a transparent ground, as RGBA (count, side, side, 4)."""
    random = np.random.default_rng(4)
    palette = np.array([[0, 0, 0, 0], [200, 60, 60, 255], [240, 200, 80, 255], [60, 90, 220, 255]])
    half = random.integers(0, 4, (count, side, side // 2))
    half[:, :2] = half[:, -2:] = half[:, :, :1] = 0
    return palette[np.concatenate([half, half[:, :, ::-1]], axis=2)].astype(np.uint8)
