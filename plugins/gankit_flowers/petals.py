"""Flowers drawn by formula: a data set without a download, with known factors for every picture.

Petal count and petal colour make 36 modes, all equally likely. Everything else (size, position,
shape, light, the leaves in the background) only varies the picture. So you can measure on G's
pictures what it has learnt, and which modes it has dropped.
"""

from collections.abc import Iterable, Sequence
from operator import index as to_int
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gankit_flowers.factors import COLOURS, Factors, Floats, draw_factors

VERSION = 1  # part of the fingerprint: increase it when a pixel changes
TONES = np.array(list(COLOURS.values()), np.float32).transpose(1, 2, 0)  # (4 tones, RGB, 6)
# Leaves in the shade and in the sun, each blue-green and yellow-green; (2, RGB, 1, 1, 1).
SHADE = np.array([(4, 28, 26), (14, 32, 6)], np.float32)[..., None, None, None]
SUN = np.array([(62, 150, 116), (138, 180, 62)], np.float32)[..., None, None, None]
PIXELS_AT_ONCE = 2**14  # their numbers stay in a processor's cache

CoverAndLight = tuple[Floats, Floats]
Pictures = NDArray[np.uint8]


def lerp(a: Any, b: Any, weight: Any) -> Any:
    """Linear interpolation: `a` where the weight is 0, `b` where it is 1."""
    return a + (b - a) * weight


def unit_vector(turns: Any) -> tuple[Any, Any]:
    """x and y of a vector of length 1 in a direction, in full turns."""
    return np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)


def coverage(inside: Floats, pixel: Floats) -> Floats:
    """How much of each pixel a shape covers whose edge is at the distance `inside`: antialiasing.

    `inside` is positive in the shape and negative outside; `pixel` is the width of a pixel.
    """
    share: Floats = np.clip(inside / pixel + 0.5, 0, 1)
    return share


def background_light(x: Floats, y: Floats, f: Factors, leaves: Floats) -> Floats:
    """Leaves out of focus: the light of each pixel, from 0 in deep shade to 1 on a sunny leaf."""
    shadow_x, shadow_y = unit_vector(f.shadow)
    light = (0.35 - 0.4 * shadow_x * (x - 0.5)) - 0.4 * shadow_y * (y - 0.5)
    for left, top, turn, width, tone in leaves:
        dx = x - (1.3 * left - 0.15)
        dy = y - (1.3 * top - 0.15)
        half_width = 0.15 + 0.15 * width
        cos, sin = unit_vector(turn)
        along = dx * (cos / 0.6) + dy * (sin / 0.6)
        across = dy * (cos / half_width) - dx * (sin / half_width)
        # Pointed at both ends, blurred, and flat where it is lightest (or darkest).
        inside = np.clip(1.3 - along * along - np.abs(across), 0, 0.7)
        light += (1.4 * tone - 0.4) * (inside * inside)
    # The flower's shadow, round and soft; clipping keeps leaves in the range of their colours.
    dx = (x - f.x) / f.size - 0.075 * shadow_x
    dy = (y - f.y) / f.size - 0.075 * shadow_y
    shadow = np.maximum((1.1 - 1.8 * dx * dx) - 1.8 * dy * dy, 0)
    clipped: Floats = np.clip(light * (1 - 0.8 * shadow * shadow), 0, 1)
    return clipped


def shade_petal(
    r: Floats, across: Floats, length: Floats, f: Factors, pixel: Floats
) -> tuple[Floats, Floats]:
    """One petal at every pixel: the distance inside its outline, and the light there.

    `r` is the distance from the flower's centre (1: its radius), `across` the angle from the
    petal's axis in petal spacings. With w = across / plump the outline is
        (r / length)^2 + (1 - blunt) w^2 + blunt w^4 = 1
    """
    w = across / f.plump
    w2 = w * w
    along2 = np.square(r / length)
    bulge = f.blunt * w2
    inside = 1 - along2 - w2 * (1 - f.blunt + bulge)
    # Divided by the length of its gradient, `inside` is a distance: every edge is equally soft.
    slope_across = w * (1 - f.blunt + 2 * bulge) * f.petals / (2 * np.pi * f.plump * r)
    inside /= 2 * np.sqrt(np.square(along2 / r) + slope_across * slope_across)
    # A dark crease along the middle; one half of the petal faces the light.
    light = 0.3 * length - w * (0.14 + 0.12 * w) - np.maximum(0.15 - 3 * w2, 0)
    veins = 0.08 * np.clip((0.03 - pixel) / 0.02, 0, 1)
    if veins.any():  # they are too fine for small pictures
        light -= veins * np.square(np.cos(9 * w)) * r
    return inside, light


def shade_petals(
    r: Floats, angle: Floats, which: Any, f: Factors, pixel: Floats, per_petal: Floats
) -> CoverAndLight:
    """All petals: how much of each pixel they cover, and the light there.

    `which` is the number of the flower that each pixel belongs to. Like roof tiles, petal k + 1
    lies over petal k and casts a soft shadow on it. No third petal reaches a pixel between their
    axes, so only two are computed, however many the flower has.
    """
    r = np.maximum(r, f.disc / 2)  # what is nearer is hidden by the centre
    turns = angle / (2 * np.pi) - f.angle
    turns = (turns - np.floor(turns)) * f.petals
    k = np.minimum(np.floor(turns), f.petals - 1)  # rounding may give a full turn
    next_k = np.where(k + 1 < f.petals, k + 1, 0)
    length = 0.9 + 0.1 * per_petal[0]  # no two petals are equal
    bend = 0.1 * per_petal[1] - 0.05
    at = k.astype(int) * length.shape[1] + which
    lower, light = shade_petal(r, turns - k - bend.take(at), length.take(at), f, pixel)
    at = next_k.astype(int) * length.shape[1] + which
    upper, upper_light = shade_petal(r, turns - k - 1 - bend.take(at), length.take(at), f, pixel)
    light -= 0.5 * np.square(np.clip(1 + upper / 0.16, 0, 1))  # the shadow
    light = lerp(light, upper_light, coverage(upper, pixel))
    light += 0.73 + f.shade - 0.75 * np.square(f.disc / r)
    return coverage(np.maximum(lower, upper), pixel), light


def shade_centre(r: Floats, angle: Floats, f: Factors, pixel: Floats) -> CoverAndLight:
    """The dome of florets in the middle: how much of each pixel it covers, and the light there."""
    rho = r / f.disc
    grain = (np.cos(8 * angle + 9 * rho) + np.cos(5 * angle - 13 * rho)) * np.minimum(2 * rho, 1)
    grain *= 0.12 * np.clip((f.disc / pixel - 3) / 6, 0, 1)  # no grain smaller than a pixel
    return coverage(f.disc - r, pixel), 0.9 - 0.5 * rho * rho + grain


def paint(canvas: list[Floats], at: Any, tones: Floats, cover: Floats, light: Floats) -> None:
    """Paint a colour between two `tones` (2, RGB, n) over the n pixels `at` of the canvas."""
    light = np.clip(light, 0, 1)
    for channel, dark, full in zip(canvas, *tones, strict=True):
        channel[at] = lerp(channel[at], lerp(dark, full, light), cover)


def add_flowers(canvas: list[Floats], x: Floats, y: Floats, f: Factors, per_petal: Floats) -> None:
    """Paint the petals, and the centre over them, on the pixels that the flowers cover.

    x (1, 1, W) and y (1, H, 1) are the positions of the pixels. After the first lines, arrays have
    one entry for each pixel of a flower, and lengths are in radii of that flower.
    """
    dx = (x - f.x) * (2 / f.size)
    dy = (y - f.y) * (2 / f.size)
    pixel = 2 / (x.size * f.size)
    mask = dx * dx + dy * dy < np.square(1 + pixel)
    at = np.flatnonzero(mask)
    counts = np.count_nonzero(mask, axis=(1, 2))
    dx = np.broadcast_to(dx, mask.shape).take(at)
    dy = np.broadcast_to(dy, mask.shape).take(at)
    which = np.repeat(np.arange(len(counts)), counts)
    pixel = np.repeat(pixel, counts)
    petal_tones = np.repeat(TONES[:2, :, f.colour.ravel()], counts, axis=2)
    f = Factors(*(np.repeat(values, counts) for values in f))
    shadow_x, shadow_y = unit_vector(f.shadow)
    directional = -0.15 * (dx * shadow_x + dy * shadow_y)
    # A tilted flower looks shorter in one direction: lengths in that direction are stretched.
    cos, sin = unit_vector(f.lean)
    stretch = (dx * cos + dy * sin) * f.tilt / (1 - f.tilt)
    dx = dx + cos * stretch
    dy = dy + sin * stretch
    r = np.sqrt(dx * dx + dy * dy)
    angle = np.arctan2(dy, dx)
    cover, light = shade_petals(r, angle, which, f, pixel, per_petal)
    paint(canvas, at, petal_tones, cover, light + directional)
    near = np.flatnonzero(r < f.disc + pixel)
    f = Factors(*(values[near] for values in f))
    cover, light = shade_centre(r[near], angle[near], f, pixel[near])
    paint(canvas, at[near], TONES[2:, :, f.colour], cover, light + directional[near] / f.disc)


def draw_pictures(f: Factors, per_petal: Floats, leaves: Floats, size: int) -> Pictures:
    """The pictures (N, size, size, 3) of N factors, drawn on one flat canvas each for R, G, B."""
    middles: Floats = (np.arange(size, dtype=np.float32) + np.float32(0.5)) / np.float32(size)
    x = middles.reshape(1, 1, -1)
    y = middles.reshape(1, -1, 1)
    light = background_light(x, y, f, leaves)
    shade = lerp(SHADE[0], SHADE[1], f.leaf_hue)
    sun = lerp(SUN[0], SUN[1], f.leaf_hue) * f.leaf_light
    canvas = [lerp(dark, full, light).ravel() for dark, full in zip(shade, sun, strict=True)]
    add_flowers(canvas, x, y, f, per_petal)
    pictures = np.empty((*light.shape, 3), np.uint8)
    for c, channel in enumerate(canvas):
        pictures[..., c] = channel.reshape(light.shape) + 0.5  # rounds: uint8 only truncates
    return pictures


class Petals(Sequence[Pictures]):
    """`count` pictures of flowers, drawn when they are read, each a function of its index."""

    class_names = tuple(COLOURS)

    def __init__(self, image_size: int = 64, count: int = 8192, seed: int = 0) -> None:
        if image_size < 8:
            raise ValueError(f"petals needs an image_size of at least 8, not {image_size}")
        if count < 1:
            raise ValueError(f"petals needs a count of at least 1, not {count}")
        self.image_size = image_size
        self.length = count
        self.seed = seed
        self.fingerprint = f"petals-v{VERSION}-size{image_size}-count{count}-seed{seed}"

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Pictures:  # type: ignore[override]  # no slices
        picture: Pictures = self.batch([index])[0]
        return picture

    def batch(self, indices: Iterable[int]) -> Pictures:
        """Pictures (N, image_size, image_size, 3): faster than one by one, the same to the byte."""
        indices = [self._check_index(index) for index in indices]
        pictures = np.empty((len(indices), self.image_size, self.image_size, 3), np.uint8)
        step = max(1, PIXELS_AT_ONCE // self.image_size**2)
        f, per_petal, leaves = draw_factors(self.seed, indices)
        for start in range(0, len(indices), step):
            part = slice(start, start + step)
            part_factors = Factors(*(values[part] for values in f))
            pictures[part] = draw_pictures(
                part_factors, per_petal[..., part], leaves[:, :, part], self.image_size
            )
        return pictures

    @property
    def classes(self) -> list[str]:
        """The colour of each flower."""
        f, _, _ = draw_factors(self.seed, range(self.length))
        return [self.class_names[colour] for colour in f.colour.ravel().tolist()]

    def factors(self, index: int) -> Factors:
        """The true factors of one picture, as plain Python numbers."""
        f, _, _ = draw_factors(self.seed, [self._check_index(index)])
        petals, colour, *rest = (values.item() for values in f)
        return Factors(int(petals), tuple(COLOURS)[colour], *rest)

    def _check_index(self, index: int) -> int:
        """The index from 0 on; raises IndexError."""
        number = to_int(index)
        if not -self.length <= number < self.length:
            raise IndexError(f"petals has {self.length} pictures, none at {index}")
        return number % self.length
