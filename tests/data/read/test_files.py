"""Your own pictures: good, odd and broken files, as cameras and programs leave them in folders."""

import gc
import os
import random
import shutil
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image, ImageOps

from gankit import GankitError
from gankit.data.datasets import picture_files
from gankit.data.read.fit import fit

RED = (250, 10, 20)
BLUE = (10, 20, 250)


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    return folder


def two_halves(width=40, height=40):
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def near(pixel, colour, within=6):
    return max(abs(int(a) - b) for a, b in zip(pixel, colour, strict=True)) <= within


def read(files):
    """Every picture fitted, by its name, as threads do it; for a broken one, why."""

    def fit_or_reason(index):
        try:
            return fit(files[index], 8, 3)
        except ValueError as error:  # and no other error
            return str(error)

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(files.names, pool.map(fit_or_reason, range(len(files))), strict=True))


def test_a_folder_is_a_sequence_of_pictures(place):
    for name in ("b/2.png", "a/1.jpg", "0.webp"):
        (place / name).parent.mkdir(exist_ok=True)
        two_halves().save(place / name)
    files = picture_files((str(place),))
    assert (len(files), files.names) == (3, ["0.webp", "a/1.jpg", "b/2.png"])
    assert (files.classes, files.left_out) == (["", "a", "b"], [])
    assert [picture.size for picture in files] == [(40, 40)] * 3
    assert near(files[-1].getpixel((3, 3)), RED)
    assert picture_files((str(place),), classes=("B",)).names == ["b/2.png"]
    assert picture_files((str(place),), classify=lambda paths: ["x"] * 3).classes == ["x"] * 3
    with pytest.raises(IndexError):
        files[3]


@pytest.mark.parametrize(
    ("image_size", "size"), [(16, (200, 200)), (200, (400, 400)), (0, (1600, 1600))]
)
def test_a_large_jpeg_is_decoded_small_and_stays_sharp(place, image_size, size):
    two_halves(1600, 1600).save(place / "one.jpg", quality=95)
    picture = picture_files((str(place),), image_size)[0]
    assert picture.size == size
    pixels = fit(picture, 16, 3)
    assert near(pixels[8, 6], RED, within=12)
    assert near(pixels[8, 9], BLUE, within=12)


def test_a_transparent_picture_lies_on_the_background(place):
    Image.new("RGBA", (9, 9), (0, 0, 0, 0)).save(place / "one.png")
    for name, colour in (("white", (255, 255, 255)), ("#ff8000", (255, 128, 0))):
        assert picture_files((str(place),), background=name)[0].getpixel((3, 3)) == colour


@pytest.mark.parametrize("name", ["whit", "", "#12345", "rgb(1,2"])
def test_an_unknown_colour_is_refused(place, name):
    two_halves().save(place / "one.png")
    with pytest.raises(GankitError, match="--background") as error:
        picture_files((str(place),), background=name)
    assert repr(name) in str(error.value)
    assert ("'white'" in str(error.value)) == (name == "whit")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"])
def test_every_mode_is_prepared(place, mode):
    Image.new("L", (30, 20), 255).convert(mode).save(place / "one.tif")
    assert (fit(picture_files((str(place),))[0], 8, 3) == 255).all()


def test_a_changed_folder_has_another_fingerprint(place):
    two_halves().save(place / "one.png")
    prints = {picture_files((str(place),)).fingerprint, picture_files((str(place),)).fingerprint}
    assert len(prints) == 1
    Image.new("RGB", (99, 9)).save(place / "one.png")
    prints.add(picture_files((str(place),)).fingerprint)
    shutil.copy(place / "one.png", place / "two.png")
    assert len(prints | {picture_files((str(place),)).fingerprint}) == 3


def test_a_folder_without_pictures_is_refused(place):
    with pytest.raises(GankitError, match="absent.*--data"):
        picture_files((str(place / "absent"),))
    with pytest.raises(GankitError, match="pictures.*png"):
        picture_files((str(place),))


class Odd(NamedTuple):
    """A folder of good and odd files, and what to expect of each."""

    place: Path
    good: dict[str, Image.Image]  # read, as these pictures
    broken: set[str]  # reported
    unsure: set[str]  # read or reported: some of their bytes were changed


KINDS = {
    "jpg": ("JPEG", {"quality": 95}),
    "jpeg": ("JPEG", {"quality": 95, "progressive": True}),
    "png": ("PNG", {}),
    "webp": ("WEBP", {"quality": 95}),
    "gif": ("GIF", {}),
    "bmp": ("BMP", {}),
    "tif": ("TIFF", {}),
    "tiff": ("TIFF", {"compression": "tiff_lzw"}),
}
PLANES = {"jpg": "CMYK", "png": "RGBA", "webp": "RGBA", "gif": "P", "bmp": "P", "tif": "I;16"}


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width, height):
    """A PNG of a few bytes whose header says that it is this large."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(bytes(99)))


def good_pictures(place, random):
    """Every kind and mode, some under a wrong name, some of extreme shape."""
    for number in range(5):
        for ending, (kind, options) in KINDS.items():
            size = [(64, 48), (48, 64), (1, 1), (3, 300), (400, 2)][number]
            cells = random.integers(0, 256, (5, 5, 3), dtype=np.uint8)
            image = Image.fromarray(cells).resize(size, Image.Resampling.BICUBIC)
            mode = PLANES.get(ending, "L") if number == 1 else "RGB"
            if mode == "I;16":
                image = Image.fromarray(np.asarray(image.convert("L")) * np.uint16(257))
            name = f"good-{number}.{ending if number != 3 else 'png'}-{kind}"
            path = place / f"kind-{kind.lower()}" / (name if number == 3 else f"{number}.{ending}")
            path.parent.mkdir(exist_ok=True)
            shown = image.convert(mode) if mode != "I;16" else image
            exif = (
                {"exif": bytes(60_000)} if kind in ("JPEG", "PNG", "WEBP") and number == 0 else {}
            )
            shown.save(path, kind, **options, **exif)
            yield path, image


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """More than 500 odd files of all kinds among 40 good ones; the same each time."""
    place = tmp_path_factory.mktemp("odd")
    dice = random.Random(1)
    good = {
        path.relative_to(place).as_posix(): image
        for path, image in good_pictures(place, np.random.default_rng(1))
    }
    broken = set()
    unsure = set()

    def put(group, name, data):
        """Write a file and add it to `broken` or `unsure`."""
        (place / name).write_bytes(data)
        group.add(name)

    for ending in KINDS:
        whole = next(place.glob(f"*/0.{ending}")).read_bytes()
        other = next(place.glob(f"*/0.{'png' if ending == 'jpg' else 'jpg'}")).read_bytes()
        for n in range(25):
            put(broken, f"cut-{n}.{ending}", whole[: dice.randrange(1, len(whole) * 8 // 10)])
            flipped = bytearray(whole)
            for at in dice.sample(range(len(whole)), k=min(len(whole), 1 + n * n // 4)):
                flipped[at] ^= dice.randrange(1, 256)
            put(unsure, f"flipped-{n}.{ending}", flipped)
        for n in range(5):
            put(broken, f"noise-{n}.{ending}", dice.randbytes(dice.choice((1, 17, 900, 9000))))
            put(broken, f"begun-{n}.{ending}", whole[:24] + dice.randbytes(900))
        put(broken, f"empty.{ending}", b"")
        put(broken, f"text.{ending}", b"<html>404 Not Found</html>")
        put(broken, f"zeros.{ending}", bytes(5000))
        put(broken, f"bomb.{ending}", png_header(60_000, 60_000))
        put(broken, f"flat.{ending}", png_header(2**31 - 1, 1))
        put(broken, f"none.{ending}", png_header(0, 0))
        put(unsure, f"tail.{ending}", whole + other)
        (place / f"folder.{ending}").mkdir()
        (place / f"folder.{ending}" / "up").symlink_to(place)
        (place / f"self.{ending}").symlink_to(f"self.{ending}")
        (place / f"loose.{ending}").symlink_to("nowhere")
        os.mkfifo(place / f"pipe.{ending}")
        broken |= {f"{what}.{ending}" for what in ("self", "loose", "pipe")}
        broken.add(f"folder.{ending}/up")
    put(broken, "shut.jpg", b"\xff\xd8\xff")
    (place / "shut.jpg").chmod(0)
    put(broken, "new\nline.jpg", b"")
    (place / "notes.txt").write_text("no picture")
    return Odd(place, good, {name.replace("\n", " ") for name in broken}, unsure)


def test_every_odd_file_is_reported_and_none_ends_a_run(odd):
    assert len(odd.broken | odd.unsure) > 500
    before = set(Path("/dev/fd").iterdir())
    files = picture_files((str(odd.place),), image_size=8)
    results = read(files)
    reported = {name: why for name, why in results.items() if isinstance(why, str)}
    reported |= dict(line.split(": ", 1) for line in files.left_out)
    assert set(reported) >= odd.broken
    assert set(reported) <= odd.broken | odd.unsure
    assert set(results) - set(reported) >= set(odd.good)
    for name, why in reported.items():
        assert (name + why).isprintable()
        assert 5 < len(why) < 120
    gc.collect()
    assert set(Path("/dev/fd").iterdir()) <= before


def test_good_files_among_odd_ones_are_read(odd, capfd):
    results = read(picture_files((str(odd.place),), image_size=8))
    for name, image in odd.good.items():
        grey = image if image.mode == "RGB" else image.point(lambda v: v / 257).convert("L")
        expected = ImageOps.fit(grey.convert("RGB"), (8, 8), Image.Resampling.LANCZOS)
        error = np.abs(results[name].astype(int) - np.asarray(expected)).mean()
        assert error < 40, name  # JPEG halves the colours of two rows; a wrong picture is at 80
    assert capfd.readouterr().err == ""  # not even from libtiff
