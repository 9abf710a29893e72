"""Formats: each is recognised by its first bytes, and nothing else is taken for a picture."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gankit import GankitError
from gankit.data.datasets import picture_files
from gankit.data.read import formats
from gankit.data.read.decode import decode, decode_bytes, looks_like_picture, starts_like_picture
from gankit.data.read.formats import FIRST_BYTES, picture_format

RED = (250, 10, 20)
BLUE = (10, 20, 250)


def two_halves(width=48, height=32):
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def netpbm(magic, header, values):
    return magic + b"\n" + header + b"\n" + values


def psd(image, mode=3, depth=8):
    """A flat PSD, which Pillow cannot write."""
    pixels = np.asarray(image)
    planes = pixels.transpose(2, 0, 1) if pixels.ndim == 3 else pixels[None]
    header = struct.pack(">4sH6xHIIHH", b"8BPS", 1, len(planes), *pixels.shape[:2], depth, mode)
    return header + bytes(12) + b"\0\0" + planes.tobytes()


def sun(image):
    """A Sun raster, which Pillow cannot write."""
    pixels = np.asarray(image)[:, :, ::-1]
    height, width = pixels.shape[:2]
    return (
        struct.pack(">8I", 0x59A66A95, width, height, 24, pixels.size, 1, 0, 0) + pixels.tobytes()
    )


RED_PLANE = np.asarray(two_halves())[:, :, 0].tobytes()
WRITTEN = {
    "JPEG": {},
    "JPEG progressive": {"progressive": True},
    "MPO": {"save_all": True, "append_images": [two_halves()]},
    "PNG": {},
    "PNG animated": {"save_all": True, "append_images": [Image.new("RGB", (48, 32))]},
    "WEBP": {},
    "GIF": {},
    "BMP": {},
    "TIFF": {},
    "TIFF big": {"big_tiff": True},
    "JPEG2000": {},
    "JPEG2000 no_jp2": {"no_jp2": True},
    "AVIF": {},
    "PCX": {},
    "TGA": {},
    "TGA rle": {"compression": "tga_rle"},
    "SGI": {},
    "QOI": {},
    "DDS": {},
    "PPM": {},
    "ICO": {"sizes": [(48, 32), (16, 16)]},
}
Image.init()
PICTURES = {
    kind: encoded(two_halves(), kind.split()[0], **options)
    for kind, options in WRITTEN.items()
    if kind.split()[0] in Image.SAVE  # older Pillows write fewer formats
} | {
    "PSD": psd(two_halves()),
    "SUN": sun(two_halves()),
    "ICNS": encoded(two_halves(128, 128), "ICNS"),
    "PPM plain": netpbm(
        b"P3", b"# two halves\n2 1\n255", b" ".join(b"%d" % v for v in (*RED, *BLUE))
    ),
}
GREY_PICTURES = {
    "PGM": netpbm(b"P5", b"48 32\n255", RED_PLANE),
    "PGM plain": netpbm(b"P2", b"2 1\n255", b"250 10\n"),
    "PBM": netpbm(b"P4", b"16 1", b"\x00\xff"),
    "PFM": netpbm(b"Pf", b"2 1\n-1.0", np.array([0.98, 0.04], "<f4").tobytes()),
    "TGA grey": encoded(two_halves().getchannel(0), "TGA"),
    "PSD grey": psd(two_halves().getchannel(0), mode=1),
    "PCX grey": encoded(two_halves().getchannel(0), "PCX"),
}
OTHERS = {
    "empty": b"",
    "text": b"The quick brown fox jumps over the lazy dog. " * 4,
    "text that begins like a format": b"BMW is a car. P5 is a format. " * 5,
    "text with P5": b"P5 begins grey pictures\n" * 9,
    "csv": b"name,width\nrose,12\n",
    "html": b"<!DOCTYPE html><html>",
    "svg": b"<?xml version='1.0'?><svg/>",
    "pdf": b"%PDF-1.7\n" + bytes(99),
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n" * 6,
    "zip": b"PK\x03\x04" + bytes(99),
    "gzip": b"\x1f\x8b\x08" + bytes(99),
    "mp4": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(99),
    "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99),
    "mpeg": b"\0\0\x01\xba" + bytes(99),
    "idx": b"\0\0\x08\x03" + struct.pack(">3I", 60000, 28, 28) + bytes(99),
    "npy": b"\x93NUMPY\x01\0v\0{'descr': '|u1'" + bytes(99),
    "font": b"\0\x01\0\0\0\x0c\0\x80\0\x03\0\x40" + bytes(99),
    "cursor": b"\0\0\2\0\1\0\x20\x20\0\0\0\0\0\0" + bytes(99),
    "zeros": bytes(200),
    "ones": b"\xff" * 200,
    "wav": b"RIFF\x24\0\0\0WAVEfmt " + bytes(99),
    "dicom": bytes(128) + b"DICM",
    "psb": b"8BPS\0\x02" + bytes(99),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_every_format_is_read_whatever_its_name(file, kind):
    path = file(PICTURES[kind], "one.txt")
    assert looks_like_picture(path)
    assert starts_like_picture(PICTURES[kind][:FIRST_BYTES])
    picture = decode(path)
    assert picture.mode == "RGB"
    width, height = picture.size
    left = picture.getpixel((width // 8, height // 2))
    right = picture.getpixel((width - 1 - width // 8, height // 2))
    for pixel, colour in ((left, RED), (right, BLUE)):
        assert max(abs(a - b) for a, b in zip(pixel, colour, strict=True)) <= 12


def test_the_unused_fourth_byte_of_a_tga_is_not_transparency(file):
    picture = decode(file(encoded(Image.new("RGBA", (4, 4), (*RED, 0)), "TGA")))
    assert picture.getpixel((1, 1)) == RED
    half = Image.new("RGBA", (4, 4), (*RED, 0))
    half.paste((*BLUE, 255), (0, 0, 2, 4))
    picture = decode(file(encoded(half, "TGA")))
    assert [picture.getpixel((x, 1)) for x in (0, 3)] == [BLUE, (255, 255, 255)]


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([*PICTURES, *GREY_PICTURES]),
    st.lists(st.tuples(st.floats(0, 0.9999), st.integers(0, 255)), max_size=5),
    st.floats(0, 1),
)
def test_flipped_bytes_and_cut_ends_give_pixels_or_a_reason(kind, flips, share):
    data = bytearray((PICTURES | GREY_PICTURES)[kind])
    for place, value in flips:
        data[int(place * len(data))] = value
    try:
        picture = decode_bytes(bytes(data[: int(share * len(data))]))
    except ValueError as error:
        reason = str(error)
    else:
        reason = f"has {picture.width}x{picture.height} pixels"
    assert reason.isprintable()
    assert 5 < len(reason) < 140


@pytest.mark.parametrize("kind", GREY_PICTURES)
def test_grey_formats_stay_grey(file, kind):
    assert starts_like_picture(GREY_PICTURES[kind][:FIRST_BYTES])
    picture = decode(file(GREY_PICTURES[kind]))
    assert picture.mode == "L"
    assert abs(picture.getpixel((0, 0)) - (255 if kind == "PBM" else 250)) <= 1
    assert picture.getpixel((picture.width - 1, 0)) <= 10


@pytest.mark.parametrize("kind", ["AVIF", "MPO"])
def test_new_formats_too_are_turned_upright(file, kind):
    if kind not in Image.SAVE:
        pytest.skip("this Pillow does not write it")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter to the right
    more = {"save_all": True, "append_images": [two_halves()]} if kind == "MPO" else {}
    picture = decode(file(encoded(two_halves(), kind, exif=exif, **more)))
    assert picture.size == (32, 48)
    assert picture.getpixel((16, 4))[0] > 200
    assert picture.getpixel((16, 44))[2] > 200


@pytest.mark.parametrize("kind", OTHERS)
def test_nothing_else_starts_like_a_picture(file, kind):
    assert not starts_like_picture(OTHERS[kind][:FIRST_BYTES])
    assert not looks_like_picture(file(OTHERS[kind]))


def test_random_bytes_do_not_start_like_a_picture():
    """TGA and PCX have no long signature, so their other fields must make sense too."""
    random = np.random.default_rng(3)
    starts = random.integers(0, 256, (20_000, FIRST_BYTES), dtype=np.uint8)
    assert not any(starts_like_picture(start.tobytes()) for start in starts)
    starts[:, :3] = (0, 0, 2)
    assert sum(starts_like_picture(start.tobytes()) for start in starts) == 0


@pytest.mark.parametrize("name", ["AVIF", "JPEG2000", "WEBP"])
def test_a_format_that_this_pillow_cannot_read_is_named(tmp_path, monkeypatch, name):
    monkeypatch.setattr(formats, "OPTIONAL", {name: "libimagequant"})
    monkeypatch.setattr(formats.features, "check", lambda feature: feature != "libimagequant")
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(PICTURES["PNG"])
    avif = b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miafMA1B"
    (tmp_path / "4.png").write_bytes(PICTURES.get(name, avif))
    pictures = picture_files((str(tmp_path),))
    with pytest.raises(ValueError, match=f"{name}.*pip install") as error:
        pictures[3]
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ["JPEG", "PSD", "DDS", "SGI", "PCX", "PPM"])
def test_a_kind_that_pillow_cannot_read_is_not_called_cut_off(file, kind):
    jpeg = PICTURES["JPEG"]
    at = jpeg.index(b"\xff\xc0") + 4  # its bits
    data = {
        "JPEG": jpeg[:at] + b"\x0c" + jpeg[at + 1 :],
        "PSD": psd(two_halves(), depth=32),
        "DDS": PICTURES["DDS"][:80] + b"\4\0\0\0ABCD" + PICTURES["DDS"][88:],
        "SGI": PICTURES["SGI"][:3] + b"\7" + PICTURES["SGI"][4:],
        "PCX": PICTURES["PCX"][:65] + b"\2" + PICTURES["PCX"][66:],
        "PPM": netpbm(b"PF", b"2 1\n-1.0", bytes(24)),
    }[kind]
    assert picture_format(data[:FIRST_BYTES]) == kind
    with pytest.raises(ValueError, match=f"{kind}.*save it as png"):
        decode(file(data))


def test_the_message_lists_the_formats(tmp_path):
    (tmp_path / "a.txt").write_text("no picture")
    with pytest.raises(GankitError) as error:
        picture_files((str(tmp_path),))
    for name in ("avif", "jp2", "jpg", "png", "ppm", "psd", "tif", "webp", "zip"):
        assert name in str(error.value)
