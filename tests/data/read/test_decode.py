"""Decoding: every picture file becomes upright, opaque and 8 bits deep, or a clear reason."""

import io
import os
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageFile, ImageOps

from gankit.data.read.decode import decode, looks_like_picture, printable
from gankit.data.read.fit import FIT_METHODS, fit
from gankit.data.read.upright import extent

RED = (250, 10, 20)
BLUE = (10, 20, 250)
TRANSPOSES = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


def two_halves(width=48, height=32):
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def near(pixel, colour, within=6):
    return max(abs(int(a) - b) for a, b in zip(pixel, colour, strict=True)) <= within


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png(width, height, depth, colour, rows=b""):
    """A PNG of its own: Pillow cannot write 16-bit colour, or a header with a false size."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + body


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_every_usual_format_is_read_whatever_its_name(file, kind):
    path = file(encoded(two_halves(), kind), "one.txt")
    assert looks_like_picture(path)
    picture = decode(path)
    assert picture.mode == "RGB"
    assert near(picture.getpixel((5, 20)), RED, within=12)
    assert near(picture.getpixel((43, 20)), BLUE, within=12)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_exif_orientation_is_applied(file, kind, orientation):
    expected = two_halves()
    if orientation > 1:
        expected = expected.transpose(Image.Transpose[TRANSPOSES[orientation]])
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = decode(file(encoded(two_halves(), kind, exif=exif)))
    assert picture.size == expected.size
    for at in ((4, 4), (expected.width - 5, expected.height - 5)):
        assert near(picture.getpixel(at), expected.getpixel(at), within=12)


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0II*\0\x08\0\0\0\xff\xff", b"Exif\0\0nonsense", b"\0" * 60000]
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_broken_exif_data_is_ignored(file, kind, exif):
    assert near(decode(file(encoded(two_halves(), kind, exif=exif))).getpixel((4, 4)), RED, 12)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I", "F", "I;16", "P"])
def test_grey_stays_grey(file, mode):
    grey = Image.new("L", (30, 20), 255)
    image = Image.fromarray(np.full((20, 30), 65535, np.uint16)) if mode == "I;16" else grey
    picture = decode(file(encoded(image.convert(mode), "TIFF")))
    assert (picture.mode, picture.getpixel((3, 3))) == ("L", 255)


@pytest.mark.parametrize("mode", ["RGB", "P", "CMYK", "RGBA", "LAB"])
def test_colour_stays_colour(file, mode):
    image = two_halves().convert("RGB" if mode == "LAB" else mode)
    if mode == "LAB":
        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        image = ImageCms.profileToProfile(image, *profiles, outputMode="LAB")
    picture = decode(file(encoded(image, "TIFF")))
    assert picture.mode == "RGB"
    assert near(picture.getpixel((4, 4)), RED, within=20)  # a palette's nearest is this far


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(
    ("name", "colour"), [("white", (255, 255, 255)), ("#0080ff", (0, 128, 255))]
)
def test_a_transparent_picture_lies_on_the_background(file, mode, kind, name, colour):
    if (mode, kind) == ("P", "TIFF"):
        pytest.skip("TIFF palettes know no transparency")
    image = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 10, 20))
    picture = decode(file(encoded(image.convert(mode), kind)), background=name)
    assert near(picture.convert("RGB").getpixel((2, 10)), (0, 0, 0), within=2)
    assert near(picture.convert("RGB").getpixel((17, 10)), colour, within=2)
    half = Image.new("RGBA", (4, 4), (0, 0, 0, 128))
    assert near(
        decode(file(encoded(half, "PNG")), background=name).getpixel((1, 1)),
        [c * 0.5 for c in colour],
        1,
    )


def test_a_transparent_colour_shows_the_background(file):
    for image, key in ((Image.new("L", (4, 4), 9), 9), (Image.new("RGB", (4, 4), RED), RED)):
        picture = decode(file(encoded(image, "PNG", transparency=key)), background="lime")
        assert picture.getpixel((1, 1)) == (0, 255, 0)


def test_cmyk_is_read_as_adobe_programs_write_it(file):
    picture = decode(file(encoded(two_halves().convert("CMYK"), "JPEG", quality=95)))
    assert near(picture.getpixel((5, 5)), RED, within=12)
    negative = Image.new("RGB", (48, 32), tuple(255 - c for c in RED)).convert("YCbCr")
    planes = [ImageOps.invert(plane) for plane in negative.split()]  # Pillow inverts them back
    data = encoded(Image.merge("CMYK", [*planes, Image.new("L", (48, 32), 0)]), "JPEG", quality=95)
    at = data.index(b"Adobe") + 11
    assert data[at] == 0
    data = data[:at] + b"\2" + data[at + 1 :]  # YCCK
    assert near(decode(file(data)).getpixel((5, 5)), RED, within=12)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("white", [255, 4095, 65535])
def test_sixteen_bits_become_eight(file, kind, white):
    ramp = np.linspace(0, white, 64 * 64).reshape(64, 64).astype(np.uint16)
    picture = decode(file(encoded(Image.fromarray(ramp), kind)))
    assert picture.mode == "L"
    assert np.abs(np.asarray(picture) - ramp * (255 / white)).max() <= 0.501


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 100, 255], [0, 100, 255]),
        ([0, 2048, 4000], [0, 128, 249]),
        ([-1000, 0, 1000], [0, 128, 255]),  # what a CT writes
        ([0, 1_000_000, 2_000_000], [0, 128, 255]),
        ([0.0, 0.5, 1.0], [0, 128, 255]),
        ([0.0, 0.5, 1.02], [0, 128, 255]),  # sharpened
        ([0.0, float("nan"), 1.0], [0, 0, 255]),
        ([0.0, float("inf"), 0.5], [0, 0, 128]),
        ([-3e38, 0.0, 3e38], [0, 128, 255]),
        ([7.0, 7.0, 7.0], [7, 7, 7]),
        ([-7.0, -7.0, -7.0], [0, 0, 0]),
    ],
)
def test_thirty_two_bits_become_eight(file, values, expected):
    deep = np.array([values], np.float32 if isinstance(values[0], float) else np.int32)
    assert np.asarray(decode(file(encoded(Image.fromarray(deep), "TIFF")))).tolist() == [expected]


def test_sixteen_bit_colour_is_read(file):
    tifffile = pytest.importorskip("tifffile")
    row = np.array([[250, 10, 20], [0, 128, 255]], np.uint16)
    picture = decode(file(png(2, 1, 16, 2, b"\0" + (row * 257).astype(">u2").tobytes())))
    assert np.asarray(picture)[0].tolist() == row.tolist()
    deep = io.BytesIO()
    tifffile.imwrite(deep, (row * 257)[None], photometric="rgb", byteorder=">")
    assert np.asarray(decode(file(deep.getvalue())))[0].tolist() == row.tolist()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_an_animation_gives_its_first_frame(file, kind):
    first, second = Image.new("RGB", (16, 16), RED), Image.new("RGB", (16, 16), BLUE)
    data = encoded(first, kind, save_all=True, append_images=[second])
    assert near(decode(file(data)).getpixel((3, 3)), RED, within=12)


def test_a_large_jpeg_is_decoded_a_quarter_above_the_size(file):
    path = file(encoded(two_halves(1600, 1200), "JPEG", quality=95))
    assert decode(path).size == (1600, 1200)
    for size, width in ((64, 200), (120, 200), (121, 400), (240, 400), (480, 800), (481, 1600)):
        assert decode(path, min_size=size).width == width
    assert decode(file(encoded(two_halves(1600, 1200), "PNG")), min_size=64).size == (1600, 1200)


@pytest.mark.parametrize("how", FIT_METHODS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_reduced_scale_does_not_shift_the_picture(file, orientation, how):
    """333 rows at a quarter are 83.25: counting the last one as a whole row would shift it."""
    random = np.random.default_rng(3).integers(0, 256, (25, 38, 3), dtype=np.uint8)
    image = Image.fromarray(random).resize((501, 333), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = file(encoded(image, "JPEG", quality=90, exif=exif))
    assert min(decode(path, 64).size) == 84
    full, small = (fit(decode(path, size), 64, 3, how).astype(float) for size in (0, 64))
    assert 10 * np.log10(255**2 / np.square(full - small).mean()) > 40


def test_the_extent_is_dropped_when_others_resize(file):
    picture = decode(file(encoded(two_halves(501, 333), "JPEG")), 64)
    assert extent(picture) == (0, 0, 125.25, 83.25)
    assert fit(picture.resize((30, 20)), 8, 3).shape == (8, 8, 3)


SAMPLES = [
    encoded(two_halves(), kind, **options)
    for kind, options in [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("WEBP", {}),
        ("GIF", {}),
        ("BMP", {}),
        ("TIFF", {}),
    ]
]


def outcome(path):
    """The pixels, or the one line that says why the file cannot be read."""
    try:
        return np.asarray(decode(path)).tolist()
    except ValueError as error:
        reason = str(error)
    assert reason.isprintable()
    assert 5 < len(reason) < 140
    return reason


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SAMPLES), st.floats(0, 0.9999))
def test_a_file_cut_off_anywhere_is_whole_or_refused(tmp_path_factory, data, share):
    path = tmp_path_factory.getbasetemp() / "cut"
    path.write_bytes(data)
    whole = outcome(path)
    path.write_bytes(data[: int(share * len(data))])
    assert isinstance(outcome(path), str) or outcome(path) == whole


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(SAMPLES),
    st.lists(st.tuples(st.floats(0, 0.9999), st.integers(0, 255)), max_size=9),
)
def test_flipped_bytes_give_pixels_or_a_reason(tmp_path_factory, data, flips):
    flipped = bytearray(data)
    for share, value in flips:
        flipped[int(share * len(data))] = value
    path = tmp_path_factory.getbasetemp() / "flipped"
    path.write_bytes(flipped)
    assert outcome(path)  # pixels or a reason; another error would end the test here


def test_the_reason_is_a_few_words(file):
    reasons = {
        "is empty": [b""],
        "is not a picture": [b"no picture", b"BMW is a car, not a picture"],
        "is cut off": [SAMPLES[0][:400], SAMPLES[2][:60]],
        "is broken or cut off": [SAMPLES[2][:9], png(0, 5, 8, 2)],
    }
    for reason, contents in reasons.items():
        assert {outcome(file(data)) for data in contents} == {reason}


def test_a_picture_with_too_many_pixels_is_refused(file, monkeypatch):
    assert "3600000000" in outcome(file(png(60000, 60000, 8, 2)))
    assert "14000" not in outcome(file(png(14000, 14000, 1, 0)))  # cut off, but not too large
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)  # other code may lift Pillow's limit
    assert "20001x10000" in outcome(file(png(20001, 10000, 1, 0)))


def test_a_path_that_is_not_a_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")  # opening it would wait forever
    for path in (tmp_path, tmp_path / "pipe.jpg"):
        assert "not a regular file" in outcome(path)
    assert "no such file" in outcome(tmp_path / "absent.jpg")


def test_a_file_without_permission_is_refused(file, monkeypatch):
    path = file(SAMPLES[0])
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    assert "permission denied" in outcome(path)


def test_a_phones_largest_picture_is_read_without_a_warning(file):
    assert decode(file(encoded(Image.new("1", (12000, 9000)), "PNG"))).size == (12000, 9000)


def test_pillows_warnings_are_silent_in_every_thread(file):
    data = encoded(two_halves(), "PNG")
    bad = data[:33] + struct.pack(">I4s8xI", 8, b"acTL", zlib.crc32(b"acTL" + bytes(8))) + data[33:]
    path = file(bad)
    before = warnings.filters[:]
    with pytest.warns(UserWarning, match="APNG"), Image.open(path):
        pass
    with ThreadPoolExecutor(8) as pool:
        assert len(list(pool.map(decode, [path] * 400))) == 400
    assert warnings.filters == before
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_names_are_made_printable():
    assert printable("rose é 花 😀.jpg") == "rose é 花 😀.jpg"
    assert printable("a\nb\x1b[31m\udce9\u202f.jpg") == "a b?[31m? .jpg"
