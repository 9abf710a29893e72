"""Decoding: every kind of picture file comes out upright, opaque and in 8 bits, or says why not."""

import io
import os
import re
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageFile, ImageOps

from gankit.data.read.decode import decode, extent, looks_like_picture, printable
from gankit.data.read.fit import HOWS, fit

RED, BLUE = (250, 10, 20), (10, 20, 250)
FLIP, TURN = Image.Transpose, {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM"}
TURN |= {5: "TRANSPOSE", 6: "ROTATE_270", 7: "TRANSVERSE", 8: "ROTATE_90"}


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
    """A PNG by hand: Pillow writes no 16-bit colour, and no false promises either."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + body


@pytest.fixture
def file(tmp_path):
    """`file(bytes)`: the path of a file that holds them."""

    def write(data, name="one"):
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return write


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
def test_a_picture_is_turned_as_its_camera_says(file, kind, orientation):
    wanted = two_halves()
    if orientation > 1:
        wanted = wanted.transpose(FLIP[TURN[orientation]])
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = decode(file(encoded(two_halves(), kind, exif=exif)))
    assert picture.size == wanted.size
    for at in ((4, 4), (wanted.width - 5, wanted.height - 5)):
        assert near(picture.getpixel(at), wanted.getpixel(at), within=12)


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0II*\0\x08\0\0\0\xff\xff", b"Exif\0\0nonsense", b"\0" * 60000]
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_broken_remark_about_the_camera_spoils_no_picture(file, kind, exif):
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


def test_one_colour_may_be_the_transparent_one(file):
    for image, key in ((Image.new("L", (4, 4), 9), 9), (Image.new("RGB", (4, 4), RED), RED)):
        picture = decode(file(encoded(image, "PNG", transparency=key)), background="lime")
        assert picture.getpixel((1, 1)) == (0, 255, 0)


def test_printers_colours_are_read_as_the_adobe_programs_write_them(file):
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
    ("values", "wanted"),
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
def test_thirty_two_bits_become_eight(file, values, wanted):
    deep = np.array([values], np.float32 if isinstance(values[0], float) else np.int32)
    assert np.asarray(decode(file(encoded(Image.fromarray(deep), "TIFF")))).tolist() == [wanted]


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


def test_a_large_jpeg_is_decoded_at_a_quarter_above_the_size_wanted(file):
    path = file(encoded(two_halves(1600, 1200), "JPEG", quality=95))
    assert decode(path).size == (1600, 1200)
    for wanted, width in ((64, 200), (120, 200), (121, 400), (240, 400), (480, 800), (481, 1600)):
        assert decode(path, at_least=wanted).width == width
    assert decode(file(encoded(two_halves(1600, 1200), "PNG")), at_least=64).size == (1600, 1200)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_reduced_scale_is_not_to_be_seen_however_the_camera_was_held(file, orientation, how):
    """333 rows at a quarter are 83.25: what is taken for a whole row there shifts the picture."""
    random = np.random.default_rng(3).integers(0, 256, (25, 38, 3), dtype=np.uint8)
    image = Image.fromarray(random).resize((501, 333), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = file(encoded(image, "JPEG", quality=90, exif=exif))
    assert min(decode(path, 64).size) == 84
    full, small = (fit(decode(path, size), 64, 3, how).astype(float) for size in (0, 64))
    assert 10 * np.log10(255**2 / np.square(full - small).mean()) > 40


def test_a_picture_resized_by_others_has_no_borders_between_its_pixels(file):
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
    """The pixels, or the one line that says why there are none."""
    try:
        return np.asarray(decode(path)).tolist()
    except ValueError as error:
        reason = str(error)
    assert reason.isprintable()
    assert re.fullmatch("(is|cannot be read:) .{2,130}", reason)
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
def test_flipped_bytes_raise_nothing_but_a_reason(tmp_path_factory, data, flips):
    flipped = bytearray(data)
    for where, value in flips:
        flipped[int(where * len(data))] = value
    path = tmp_path_factory.getbasetemp() / "flipped"
    path.write_bytes(flipped)
    assert outcome(path)  # pixels or a reason; another error would end the test here


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"no picture", "is no picture"),
        (b"BMW is a car, not a picture", "is no picture"),
        (SAMPLES[0][:400], "is cut off"),
        (SAMPLES[2][:60], "is cut off"),
        (SAMPLES[2][:9], "is broken or cut off"),
        (png(60000, 60000, 8, 2), "is too large: "),
        (png(20001, 10000, 1, 0), "is too large: "),
        (png(14000, 14000, 1, 0), "is (broken or )?cut off"),  # large, but not too large
        (png(0, 5, 8, 2), "is broken or cut off"),
    ],
)
def test_what_is_wrong_is_said_in_a_few_words(file, data, reason):
    with pytest.raises(ValueError, match=f"^{reason}"):
        decode(file(data))


def test_the_limit_holds_where_others_have_lifted_pillows(file, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    with pytest.raises(ValueError, match="^is too large: 20001x10000 pixels"):
        decode(file(png(20001, 10000, 1, 0)))


def test_what_is_no_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")  # to open it would be to wait for ever
    for path in (tmp_path, tmp_path / "pipe.jpg"):
        with pytest.raises(ValueError, match="^is no file, but a folder, a pipe or a device"):
            decode(path)
    with pytest.raises(ValueError, match="^cannot be read: no such file"):
        decode(tmp_path / "absent.jpg")


def test_a_file_one_may_not_read_says_so(file, monkeypatch):
    path = file(SAMPLES[0])
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(ValueError, match="^cannot be read: permission denied"):
        decode(path)


def test_a_phones_largest_picture_is_read_without_a_warning(file):
    assert decode(file(encoded(Image.new("1", (12000, 9000)), "PNG"))).size == (12000, 9000)


def test_pillows_warnings_stay_inside_in_every_thread(file):
    data = encoded(two_halves(), "PNG")
    bad = data[:33] + struct.pack(">I4s8xI", 8, b"acTL", zlib.crc32(b"acTL" + bytes(8))) + data[33:]
    path, before = file(bad), warnings.filters[:]
    with pytest.warns(UserWarning, match="APNG"), Image.open(path):
        pass
    with ThreadPoolExecutor(8) as pool:
        assert len(list(pool.map(decode, [path] * 400))) == 400
    assert warnings.filters == before
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_names_are_fit_for_one_line():
    assert printable("rose é 花 😀.jpg") == "rose é 花 😀.jpg"
    assert printable("a\nb\x1b[31m\udce9\u202f.jpg") == "a b?[31m? .jpg"
