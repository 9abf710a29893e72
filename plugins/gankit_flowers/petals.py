"""A garden without a download: flowers drawn by formula, every factor of every picture known.

Petal count and petal colour make 36 modes, all equally likely. Everything else (size, place,
shape, light, the leaves behind) only varies the picture. So what a GAN has learnt, and which
modes it has dropped, can be measured on the pictures it draws.
"""

from collections.abc import Iterable, Sequence
from operator import index as whole
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gankit_flowers.factors import COLOURS, Factors, Floats, plan

VERSION = 1  # part of the fingerprint: raise it with any change that moves a pixel
TONES = np.array(list(COLOURS.values()), np.float32).transpose(1, 2, 0)  # (4 tones, RGB, 6)
# Leaves between shade and sun, each a blue-green and a yellow-green; (2, RGB, 1, 1, 1).
SHADE = np.array([(4, 28, 26), (14, 32, 6)], np.float32)[..., None, None, None]
SUN = np.array([(62, 150, 116), (138, 180, 62)], np.float32)[..., None, None, None]
PIXELS_AT_ONCE = 2**14  # so few that their numbers stay in a processor's cache

Two = tuple[Floats, Floats]
Pictures = NDArray[np.uint8]


def blend(a: Any, b: Any, share: Any) -> Any:
    """`a` where share is 0, `b` where it is 1."""
    return a + (b - a) * share


def towards(turns: Any) -> tuple[Any, Any]:
    """A step of length 1 in a direction."""
    return np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)


def covered(inside: Floats, pixel: Floats) -> Floats:
    """How much of a pixel a shape covers whose edge lies `inside` away: anti-aliasing."""
    share: Floats = np.clip(inside / pixel + 0.5, 0, 1)
    return share


def background(x: Floats, y: Floats, f: Factors, leaves: Floats) -> Floats:
    """Leaves out of focus: how light each pixel is, 0 deep shade to 1 a leaf in the sun."""
    away, down = towards(f.shadow)
    glow = (0.35 - 0.4 * away * (x - 0.5)) - 0.4 * down * (y - 0.5)
    for left, top, turn, width, tone in leaves:
        dx, dy, half = x - (1.3 * left - 0.15), y - (1.3 * top - 0.15), 0.15 + 0.15 * width
        cos, sin = towards(turn)
        along = dx * (cos / 0.6) + dy * (sin / 0.6)
        beside = dy * (cos / half) - dx * (sin / half)
        # Pointed at both ends, blurred, and flat where it is lightest (or darkest).
        inside = np.clip(1.3 - along * along - np.abs(beside), 0, 0.7)
        glow += (1.4 * tone - 0.4) * (inside * inside)
    # The flower's shadow, round and soft; clipping keeps leaves in the range of their colours.
    dx, dy = (x - f.x) / f.size - 0.075 * away, (y - f.y) / f.size - 0.075 * down
    shadow = np.maximum((1.1 - 1.8 * dx * dx) - 1.8 * dy * dy, 0)
    lightness: Floats = np.clip(glow * (1 - 0.8 * shadow * shadow), 0, 1)
    return lightness


def petal(r: Floats, across: Floats, length: Floats, f: Factors, pixel: Floats) -> Two:
    """One petal at every pixel: how far inside its outline we are, and how light it is there.

    `r` is the distance from the flower's centre (1: its radius), `across` the angle from the
    petal's axis in petal spacings. With w = across / plump the outline is
        (r / length)^2 + (1 - blunt) w^2 + blunt w^4 = 1
    """
    w = across / f.plump
    w2, ahead = w * w, np.square(r / length)
    bulge = f.blunt * w2
    inside = 1 - ahead - w2 * (1 - f.blunt + bulge)
    # Divided by the length of its gradient, `inside` is a distance: every edge is equally soft.
    sideways = w * (1 - f.blunt + 2 * bulge) * f.petals / (2 * np.pi * f.plump * r)
    inside /= 2 * np.sqrt(np.square(ahead / r) + sideways * sideways)
    # A dark crease along the middle; one half of the petal is turned to the light.
    light = 0.3 * length - w * (0.14 + 0.12 * w) - np.maximum(0.15 - 3 * w2, 0)
    veins = 0.08 * np.clip((0.03 - pixel) / 0.02, 0, 1)
    if veins.any():  # else too fine to be seen
        light -= veins * np.square(np.cos(9 * w)) * r
    return inside, light


def corolla(r: Floats, angle: Floats, which: Any, f: Factors, pixel: Floats, each: Floats) -> Two:
    """All petals: how much of each pixel they cover, and how light they are there.

    Like roof tiles, petal k + 1 lies over petal k and throws a soft shadow on it. No third petal
    reaches a pixel between their axes: two are worked out, however many the flower has.
    """
    r = np.maximum(r, f.disc / 2)  # what lies deeper is hidden by the centre
    turns = angle / (2 * np.pi) - f.angle
    turns = (turns - np.floor(turns)) * f.petals
    k = np.minimum(np.floor(turns), f.petals - 1)  # rounding may complete the round
    after = np.where(k + 1 < f.petals, k + 1, 0)
    length, bend = 0.9 + 0.1 * each[0], 0.1 * each[1] - 0.05  # no two petals are alike
    at = k.astype(int) * length.shape[1] + which
    low, light = petal(r, turns - k - bend.take(at), length.take(at), f, pixel)
    at = after.astype(int) * length.shape[1] + which
    top, top_light = petal(r, turns - k - 1 - bend.take(at), length.take(at), f, pixel)
    light -= 0.5 * np.square(np.clip(1 + top / 0.16, 0, 1))  # the shadow
    light = blend(light, top_light, covered(top, pixel))
    light += 0.73 + f.shade - 0.75 * np.square(f.disc / r)
    return covered(np.maximum(low, top), pixel), light


def centre(r: Floats, angle: Floats, f: Factors, pixel: Floats) -> Two:
    """The dome of florets in the middle: cover and light."""
    rho = r / f.disc
    grain = (np.cos(8 * angle + 9 * rho) + np.cos(5 * angle - 13 * rho)) * np.minimum(2 * rho, 1)
    grain *= 0.12 * np.clip((f.disc / pixel - 3) / 6, 0, 1)  # none smaller than a pixel
    return covered(f.disc - r, pixel), 0.9 - 0.5 * rho * rho + grain


def paint(canvas: list[Floats], at: Any, tones: Floats, cover: Floats, light: Floats) -> None:
    """Lay a colour between two `tones` (2, RGB, n) over the n pixels `at` of the canvas."""
    light = np.clip(light, 0, 1)
    for channel, dark, full in zip(canvas, *tones, strict=True):
        channel[at] = blend(channel[at], blend(dark, full, light), cover)


def add_flowers(canvas: list[Floats], x: Floats, y: Floats, f: Factors, each: Floats) -> None:
    """Paint the petals, and the centre over them, where the flowers are and nowhere else.

    x (1, 1, W) and y (1, H, 1) are the places of the pixels. From here on numbers are lists, one
    entry for each pixel of a flower, and lengths are in radii of that flower.
    """
    dx, dy, pixel = (x - f.x) * (2 / f.size), (y - f.y) * (2 / f.size), 2 / (x.size * f.size)
    mask = dx * dx + dy * dy < np.square(1 + pixel)
    at, counts = np.flatnonzero(mask), np.count_nonzero(mask, axis=(1, 2))
    dx, dy = (np.broadcast_to(d, mask.shape).take(at) for d in (dx, dy))
    which, pixel = np.repeat(np.arange(len(counts)), counts), np.repeat(pixel, counts)
    petal_tones = np.repeat(TONES[:2, :, f.colour.ravel()], counts, axis=2)
    f = Factors(*(np.repeat(v, counts) for v in f))
    away, down = towards(f.shadow)
    lit = -0.15 * (dx * away + dy * down)
    # A tilted flower looks shorter one way: lengths in that direction count for more.
    cos, sin = towards(f.lean)
    far = (dx * cos + dy * sin) * f.tilt / (1 - f.tilt)
    dx, dy = dx + cos * far, dy + sin * far
    r, angle = np.sqrt(dx * dx + dy * dy), np.arctan2(dy, dx)
    cover, light = corolla(r, angle, which, f, pixel, each)
    paint(canvas, at, petal_tones, cover, light + lit)
    near = np.flatnonzero(r < f.disc + pixel)
    f = Factors(*(v[near] for v in f))
    cover, light = centre(r[near], angle[near], f, pixel[near])
    paint(canvas, at[near], TONES[2:, :, f.colour], cover, light + lit[near] / f.disc)


def draw(f: Factors, each: Floats, leaves: Floats, size: int) -> Pictures:
    """The pictures (N, size, size, 3) of a plan, drawn on one flat canvas for each of R, G, B."""
    middles: Floats = (np.arange(size, dtype=np.float32) + np.float32(0.5)) / np.float32(size)
    x = middles.reshape(1, 1, -1)
    y = middles.reshape(1, -1, 1)
    glow = background(x, y, f, leaves)
    shade = blend(SHADE[0], SHADE[1], f.leaf_hue)
    sun = blend(SUN[0], SUN[1], f.leaf_hue) * f.leaf_light
    canvas = [blend(dark, full, glow).ravel() for dark, full in zip(shade, sun, strict=True)]
    add_flowers(canvas, x, y, f, each)
    pictures = np.empty((*glow.shape, 3), np.uint8)
    for c, channel in enumerate(canvas):
        pictures[..., c] = channel.reshape(glow.shape) + 0.5  # rounds, where uint8 only cuts
    return pictures


class Petals(Sequence[Pictures]):
    """Pictures of flowers, drawn when asked for: `count` of them, each a function of its index."""

    def __init__(self, image_size: int = 64, count: int = 8192, seed: int = 0) -> None:
        if image_size < 8:
            raise ValueError(f"petals needs an image_size of at least 8, not {image_size}")
        if count < 1:
            raise ValueError(f"petals needs a count of at least 1, not {count}")
        self.image_size, self.length, self.seed = image_size, count, seed
        self.fingerprint = f"petals-v{VERSION}-size{image_size}-count{count}-seed{seed}"

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Pictures:  # type: ignore[override]  # no slices
        picture: Pictures = self.batch([index])[0]
        return picture

    def batch(self, indices: Iterable[int]) -> Pictures:
        """Pictures (N, image_size, image_size, 3): the fast way, and the same to the byte."""
        places = [self._place(index) for index in indices]
        pictures = np.empty((len(places), self.image_size, self.image_size, 3), np.uint8)
        step = max(1, PIXELS_AT_ONCE // self.image_size**2)
        f, each, leaves = plan(self.seed, places)
        for part in (slice(i, i + step) for i in range(0, len(places), step)):
            some = Factors(*(v[part] for v in f))
            pictures[part] = draw(some, each[..., part], leaves[:, :, part], self.image_size)
        return pictures

    def factors(self, index: int) -> Factors:
        """The truth about one picture, in plain Python numbers."""
        petals, colour, *rest = (v.item() for v in plan(self.seed, [self._place(index)])[0])
        return Factors(int(petals), tuple(COLOURS)[colour], *rest)

    def _place(self, index: int) -> int:
        place = whole(index)
        if not -self.length <= place < self.length:
            raise IndexError(f"petals has {self.length} pictures, none at {index}")
        return place % self.length
