"""Writes picture files of every format and mode that Pillow can write, whole and broken."""

import io
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from PIL import Image


class Picture(NamedTuple):
    """What a picture of any format shows."""

    width: int  # px
    height: int
    look: str  # a key of LOOKS
    seed: int


SIZES = ((1, 1), (1, 40), (200, 3), (16, 16), (17, 31), (40, 24), (64, 64))  # width and height, px
LOOKS: dict[str, Callable[[np.ndarray], Any]] = {  # made of noise (H, W, 3)
    "noise": lambda noise: noise,
    "grey noise": lambda noise: np.repeat(noise[:, :, :1], 3, 2),
    "black": lambda noise: noise * 0,
    "white": lambda noise: noise * 0 + 255,
    "one colour": lambda noise: noise * 0 + noise[:1, :1],
    "cream paper": lambda noise: noise[:, :, :1] // 16 + np.array([230, 225, 215], np.uint8),
    "gradient": lambda noise: noise * 0 + np.linspace(0, 255, noise.shape[1]).astype(int)[:, None],
}
Writer = Callable[[Picture], bytes]


def draw(picture: Picture) -> Image.Image:
    """The picture in RGB."""
    random = np.random.default_rng(picture.seed)
    noise = random.integers(0, 256, (picture.height, picture.width, 3), dtype=np.uint8)
    pixels = LOOKS[picture.look](noise)
    return Image.fromarray(np.ascontiguousarray(pixels, np.uint8))


def save(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of an image in a format that Pillow writes."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def in_mode(image: Image.Image, mode: str) -> Image.Image:
    """The image in any mode of Pillow, with a transparent part where the mode has one."""
    if mode in ("RGBA", "LA"):
        image = image.convert(mode)
        image.putalpha(Image.linear_gradient("L").resize(image.size))
        return image
    if mode == "I;16":
        return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    if mode == "F":
        return Image.fromarray(np.asarray(image.convert("L"), np.float32) / 255)
    if mode == "LAB":  # Pillow converts to LAB only with colour profiles
        return Image.frombytes("LAB", image.size, image.tobytes())
    return image.convert(mode)


def pillow(kind: str, mode: str = "RGB", **options: Any) -> Writer:
    """A writer of pictures of this format and mode."""
    return lambda picture: save(in_mode(draw(picture), mode), kind, **options)


def animation(kind: str) -> Writer:
    """A writer of animations, or of files of several pages: three pictures."""

    def write(picture: Picture) -> bytes:
        frames = [draw(picture._replace(seed=picture.seed + number)) for number in range(3)]
        return save(frames[0], kind, save_all=True, append_images=frames[1:])

    return write


def turned_jpeg(orientation: int) -> Writer:
    """A writer of JPEG files whose EXIF says how the camera was held; 9 means nothing."""

    def write(picture: Picture) -> bytes:
        exif = Image.Exif()
        exif[0x0112] = orientation
        return save(draw(picture), "JPEG", exif=exif)

    return write


def palette_png(picture: Picture) -> bytes:
    """A palette of five colours, three of them with an opacity."""
    return save(draw(picture).quantize(5), "PNG", transparency=bytes([0, 128, 255]))


def followed_by(write: Writer, data: bytes) -> Writer:
    """A writer of the same files with something behind them, as phones append a film to a photo."""
    return lambda picture: write(picture) + data


def cut_off(write: Writer) -> Writer:
    """A writer of the same files, which end too early, anywhere."""

    def write_part(picture: Picture) -> bytes:
        data = write(picture)
        return data[: 1 + picture.seed * 7919 % len(data)]

    return write_part


def damaged(write: Writer) -> Writer:
    """A writer of the same files with four wrong bytes."""

    def write_damaged(picture: Picture) -> bytes:
        data = bytearray(write(picture))
        random = np.random.default_rng(picture.seed)
        for position in random.integers(0, len(data), 4).tolist():
            data[position] = int(random.integers(256))
        return bytes(data)

    return write_damaged


def constant(data: bytes) -> Writer:
    """A writer of files that always hold these bytes."""
    return lambda picture: data


def random_bytes(picture: Picture) -> bytes:
    """Bytes of no format: no format begins with this byte."""
    return b"\x07" + np.random.default_rng(picture.seed).bytes(500)
