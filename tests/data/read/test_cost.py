"""Small files that would take very long or fill the memory, and large ones that must be read."""

import io
import os
import struct
import threading
import time
import tracemalloc
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from gankit.data.read import decode as decode_module
from gankit.data.read.decode import decode_bytes
from gankit.data.read.files import PictureFiles
from gankit.data.read.fit import fit
from gankit.data.read.in_flight import PixelBudget
from gankit.data.store.prepared_pictures import PixelSettings, load_or_prepare

SIDE = 14_000
SOLID = 5_100  # more pixels than a file of any size may have


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png(width, height):
    """A PNG of this size, without its pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    chunks = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def ico(content):
    entry = struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 32, len(content), 22)
    return struct.pack("<HHH", 0, 1, 1) + entry + content


def icns(content):
    size = len(content) + 8
    return b"icns" + struct.pack(">I", size + 8) + b"ic10" + struct.pack(">I", size) + content


def gif(width, height):
    data = bytearray(encoded(Image.new("L", (8, 8)), "GIF"))
    struct.pack_into("<HH", data, 6, width, height)
    return bytes(data)


def jpeg_of_scans(side, count):
    """A progressive JPEG whose last scan, of a few bytes, is repeated."""
    data = encoded(Image.new("L", (side, side)), "JPEG", progressive=True)
    scan = data[data.rindex(b"\xff\xc4") : -2]
    return data[:-2] + scan * count + data[-2:]


def tiff(width, height, content, bits=8, **tags):
    """A TIFF packed by deflate; its one strip or tile is `content`."""
    fields = {256: width, 257: height, 258: bits, 259: 8, 262: 1, 277: 1, 273: 8, 278: height}
    fields |= {279: len(content)} | {int(tag[1:]): value for tag, value in tags.items()}
    if 322 in fields:
        fields |= {324: fields.pop(273), 325: fields.pop(279)}
        del fields[278]
    entries = (
        struct.pack("<HHI2H", tag, 3, 2, *value)  # a list
        if isinstance(value, tuple)
        else struct.pack("<HHII", tag, 4, 1, value)
        for tag, value in sorted(fields.items())
    )
    start = struct.pack("<2sHI", b"II", 42, 8 + len(content)) + content
    return start + struct.pack("<H", len(fields)) + b"".join(entries) + bytes(4)


def qoi(width, height):
    return b"qoif" + struct.pack(">IIBB", width, height, 3, 0) + b"\xfd" * 100


def solid(kind, **options):
    return encoded(Image.new("RGB", (SOLID, SOLID)), kind, **options)


COSTLY = {
    "gif header": (lambda: gif(SIDE, SIDE), "54 bytes"),
    "webp": (lambda: solid("WEBP", lossless=True, method=0), "5100x5100"),
    "jpeg 2000": (lambda: solid("JPEG2000"), "5100x5100"),
    "tif of group 4": (
        lambda: encoded(Image.new("1", (SIDE, SIDE), 1), "TIFF", compression="group4"),
        "14000x14000",
    ),
    "ico": (lambda: ico(png(SIDE, SIDE)), "14000x14000"),
    "icns": (lambda: icns(png(SIDE, SIDE)), "14000x14000"),
    "icns of jpeg 2000": (lambda: icns(solid("JPEG2000")), "5100x5100"),
    "jpeg of many scans": (lambda: jpeg_of_scans(4_000, 700), "scans"),
    "tif of a large tile": (
        lambda: tiff(16, 16, zlib.compress(bytes(1 << 20)), t322=46_336, t323=46_320),
        "46336x46320",
    ),
    "tif that unpacks to more": (
        lambda: tiff(9, 9, zlib.compress(bytes(1 << 26)), bits=64, t339=3),
        "bomb",
    ),
    "tif of parts that it lacks": (
        lambda: tiff(1, 1 << 23, b"z", bits=64, t278=1, t339=3),
        "cut off",
    ),
    "tif whose width is a list": (lambda: tiff((9, 9), 1 << 23, b"z", bits=64, t339=3), "cut off"),
    "qoi": (lambda: qoi(5_000, 5_000), "5000x5000"),
    "ppm as text": (lambda: b"P3 5000 5000 255\n" + b"0 " * 100, "5000x5000"),
    "ppm of few levels": (lambda: b"P6 5000 5000 7\n" + bytes(100), "5000x5000"),
    "comments in a ppm": (lambda: b"P3 2000 2000 255\n" + b"#\n" * 50_000, "comments"),
}


@pytest.mark.parametrize("kind", COSTLY)
def test_a_costly_file_is_refused_before_its_pixels_are_read(kind, monkeypatch):
    make, fact = COSTLY[kind]
    data = make()
    monkeypatch.setattr(Image.core, "new", lambda *args: pytest.fail("memory for pixels"))
    tracemalloc.start()
    with pytest.raises(ValueError, match=fact):
        decode_bytes(data, 64)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40e6


LARGE = {
    "jpg of 100 megapixels": lambda: encoded(Image.new("L", (10_000, 10_000)), "JPEG"),
    "white png": lambda: encoded(Image.new("L", (12_000, 9_000)), "PNG"),
    "small gif": lambda: gif(4_000, 4_000),
    "progressive jpg": lambda: encoded(Image.new("RGB", (6_000, 4_000)), "JPEG", progressive=True),
    "icns of 1024": lambda: encoded(Image.new("RGBA", (1024, 1024)), "ICNS"),
    "qoi": lambda: qoi(80, 70),
}


@pytest.mark.parametrize("kind", LARGE)
def test_large_pictures_are_read(kind):
    data = LARGE[kind]()
    assert fit(decode_bytes(data, 64), 64, 3).shape == (64, 64, 3)


def test_a_film_behind_a_jpeg_is_not_counted_as_scans():
    """Phones append a film to a picture: its bytes may look like scans."""
    data = encoded(Image.new("RGB", (4_000, 3_000)), "JPEG")
    assert decode_bytes(data + b"\xff\xda\0\x08" * 5_000).size == (4_000, 3_000)


def test_a_padded_tile_is_no_bomb():
    data = io.BytesIO()
    values = np.arange(300, dtype=np.float64).reshape(15, 20)
    tifffile.imwrite(data, values, tile=(256, 256), compression="zlib")
    assert decode_bytes(data.getvalue()).size == (20, 15)


@pytest.mark.parametrize("dtype", ["uint16", "float32", "float64", "int32"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_deep_pictures_are_the_same_in_bands(monkeypatch, dtype, channels):
    """They are scaled a few rows at a time, which saves memory."""
    shape = (50, 30, channels)[: 2 + (channels > 1)]
    values = np.random.default_rng(4).integers(0, 4096, shape).astype(dtype)
    data = io.BytesIO()
    photometric = "rgb" if channels > 1 else "minisblack"
    tifffile.imwrite(data, values, photometric=photometric)
    whole = np.asarray(decode_bytes(data.getvalue()))
    monkeypatch.setattr("gankit.data.read.deep.BAND_PIXELS", 7 * 30)
    assert np.array_equal(np.asarray(decode_bytes(data.getvalue())), whole)


def test_a_budget_is_never_exceeded_and_all_get_their_turn():
    budget = PixelBudget(100)
    held = []
    most = []
    lock = threading.Lock()

    def work(pixels):
        with budget.take(pixels):
            with lock:
                held.append(min(pixels, 100))
                most.append(sum(held))
            time.sleep(0.002)
            with lock:
                held.remove(min(pixels, 100))

    threads = [threading.Thread(target=work, args=(size,)) for size in [10, 60, 99, 100, 5_000] * 8]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(most) == 40
    assert 60 < max(most) <= 100


def test_an_error_gives_the_budget_back():
    budget = PixelBudget(100)
    for _ in range(3):
        with pytest.raises(OSError, match="full"), budget.take(70):
            raise OSError("full")


@pytest.fixture
def files(tmp_path):
    """`files(dtype)`: 12 PNGs of 10x10 pixels as a data set."""

    def make(dtype=np.uint8):
        paths = [tmp_path / f"{number}.png" for number in range(12)]
        for number, path in enumerate(paths):
            Image.fromarray(np.full((10, 10), 20 * number, dtype)).save(path)
        names = [path.name for path in paths]
        return PictureFiles(paths, names, [""] * 12, [], str(np.dtype(dtype)), 8, "white")

    return make


@pytest.mark.parametrize("pictures_at_once", [1, 3])
def test_pixels_in_flight_are_bounded_until_they_are_fitted(
    files, tmp_path, monkeypatch, pictures_at_once
):
    monkeypatch.setenv("GANKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr("gankit.data.store.prepared_pictures.PICTURES_PER_THREAD", 1)
    monkeypatch.setattr(decode_module, "DECODING", PixelBudget(100 * pictures_at_once))
    inside = []
    most = []

    def transform(picture):
        inside.append(picture)
        most.append(len(inside))
        time.sleep(0.01)
        inside.remove(picture)
        return [(fit(picture, 8, 3), None)]

    settings = PixelSettings("pictures", 8, 3, "crop", "white")
    prepared = load_or_prepare(files(), settings, transform, lambda *call: None)
    assert len(prepared.pixels) == 12
    assert max(most) <= pictures_at_once


def test_a_set_of_large_deep_pictures_comes_to_an_end(files, tmp_path, monkeypatch):
    """Each fills the budget, and the first one waits for the white of all others."""
    monkeypatch.setenv("GANKIT_CACHE", str(tmp_path / "cache"))
    for budget in ("DECODING", "MEASURING"):
        monkeypatch.setattr(decode_module, budget, PixelBudget(50))
    settings = PixelSettings("pictures", 8, 3, "crop", "white")
    transform = lambda picture: [(fit(picture, 8, 3), None)]  # noqa: E731
    prepared = load_or_prepare(files(np.uint16), settings, transform, lambda *call: None)
    assert len(prepared.pixels) == 12
