"""Deep pictures: exact values from every kind of file, and one white for all pictures of a set."""

import io
import struct
import tarfile
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tifffile
from PIL import Image

from gankit.data.datasets import picture_files
from gankit.data.read.decode import decode, decode_bytes

RANDOM = np.random.default_rng(3)
GREY = RANDOM.integers(0, 65536, (12, 10), dtype=np.uint16)
COLOUR = RANDOM.integers(0, 65536, (12, 10, 3), dtype=np.uint16)
ALPHA = RANDOM.choice(np.array([0, 65535], np.uint16), (12, 10, 1))
for values in (GREY, COLOUR):
    values[0, 0] = 65535
PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
          (1, 0, 2, 1))  # fmt: skip


def png(values, *chunks, interlaced=False):
    """A PNG of 16 bits a channel, with filters: Pillow writes only grey ones."""
    values = np.atleast_3d(values)
    height, width, channels = values.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    parts = [values[y::dy, x::dx] for y, x, dy, dx in PASSES] if interlaced else [values]
    rows = b"".join(filtered(row) for part in parts if part.size for row in part)
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, interlaced)
    body = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(chunk, body))


def chunk(part):
    kind, data = part
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check


def filtered(row):
    """A row of a PNG with the filter "sub": the difference to the pixel on the left."""
    data = np.frombuffer(row.astype(">u2").tobytes(), np.uint8)
    left = np.concatenate([np.zeros(2 * row.shape[1], np.uint8), data])[: len(data)]
    return b"\1" + (data - left).tobytes()


def tif(values, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, values, **options)
    return file.getvalue()


def pgm(values, white=65535):
    height, width = values.shape[:2]
    magic = b"P5" if values.ndim == 2 else b"P6"
    return b"%s %d %d %d\n" % (magic, width, height, white) + values.astype(">u2").tobytes()


def text_pgm(values, white=65535):
    height, width = values.shape
    return f"P2 {width} {height} {white}\n{' '.join(map(str, values.ravel()))}\n".encode()


def eight(values, white=65535):
    """The values in 8 bits."""
    return (values * (255 / white) + 0.5).astype(np.uint8)


RGB = {"photometric": "rgb"}
PLANES = {"photometric": "rgb", "planarconfig": "separate"}
FILES = {
    "png grey": (png(GREY), GREY),
    "png colour": (png(COLOUR), COLOUR),
    "png colour, interlaced": (png(COLOUR, interlaced=True), COLOUR),
    "png grey, interlaced": (png(GREY, interlaced=True), GREY),
    "tif grey": (tif(GREY), GREY),
    "tif grey, big-endian": (tif(GREY, byteorder=">"), GREY),
    "tif colour": (tif(COLOUR, **RGB), COLOUR),
    "tif colour, big-endian": (tif(COLOUR, byteorder=">", **RGB), COLOUR),
    "tif colour, compressed": (tif(COLOUR, compression="zlib", **RGB), COLOUR),
    "tif colour, compressed, big-endian": (
        tif(COLOUR, compression="zlib", byteorder=">", **RGB),
        COLOUR,
    ),
    "tif colour, tiled": (tif(COLOUR, tile=(16, 16), **RGB), COLOUR),
    "tif colour, in planes": (tif(COLOUR.transpose(2, 0, 1).copy(), **PLANES), COLOUR),
    "tif colour, in compressed planes": (
        tif(COLOUR.transpose(2, 0, 1).copy(), compression="zlib", **PLANES),
        COLOUR,
    ),
    "tif colour, BigTIFF": (tif(COLOUR, bigtiff=True, **RGB), COLOUR),
    "tif colour and one more channel": (
        tif(np.dstack([COLOUR, GREY]), extrasamples=["unspecified"], **RGB),
        COLOUR,
    ),
    "tif 32 bits": (tif(GREY.astype(np.uint32)), GREY),
    "tif 32 bits, big-endian": (tif(GREY.astype(np.uint32), byteorder=">"), GREY),
    "tif 64 bits": (tif(GREY.astype(np.int64)), GREY),
    "tif float": (tif((GREY / 65535).astype(np.float32)), GREY),
    "tif float, big-endian": (tif((GREY / 65535).astype(np.float32), byteorder=">"), GREY),
    "tif double": (tif(GREY / 65535), GREY),
    "tif float colour": (tif((COLOUR / 65535).astype(np.float32), **RGB), COLOUR),
    "tif float colour, not called colour": (
        tif((COLOUR / 65535).astype(np.float32), photometric="minisblack", planarconfig="contig"),
        COLOUR,
    ),
    "tif white is zero": (tif(65535 - GREY, photometric="miniswhite"), GREY),
    "tif white is zero, big-endian": (
        tif(65535 - GREY, photometric="miniswhite", byteorder=">"),
        GREY,
    ),
    "pgm": (pgm(GREY), GREY),
    "ppm": (pgm(COLOUR), COLOUR),
    "ppm that names its white": (pgm(COLOUR // 16, 4095), COLOUR // 16 * (65535 / 4095)),
    "pgm that names its white": (pgm(GREY // 256 * 3, 1023), GREY // 256 * 3 * (65535 / 1023)),
}


@pytest.mark.parametrize("kind", FILES)
def test_the_values_are_exact(kind):
    data, values = FILES[kind]
    picture = decode_bytes(data)
    assert picture.mode == ("RGB" if values.ndim == 3 else "L")
    difference = np.asarray(picture).astype(int) - eight(values)
    assert np.abs(difference).max() == 0


@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_large_pictures_get_the_same_values(byteorder):
    values = np.arange(65536 * 2, dtype=np.uint32).reshape(512, 256).astype(np.uint16)
    picture = decode_bytes(tif(values, byteorder=byteorder))
    assert np.array_equal(np.asarray(picture), eight(values))


def outcome(data):
    """The pixels, or the one line that says why the file cannot be read."""
    try:
        return np.asarray(decode_bytes(data)).tolist()
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize("kind", FILES)
def test_a_deep_file_that_is_cut_off_is_refused(kind):
    data, values = FILES[kind]
    for size in range(0, len(data), 17):
        result = outcome(data[:size])
        if isinstance(result, str):
            assert result.isprintable()
            assert len(result) < 140
        else:
            assert result == eight(values).tolist()


def test_transparent_values_show_the_background():
    for data, colours in (
        (png(np.dstack([GREY, ALPHA])), np.stack([GREY] * 3, axis=2)),
        (png(np.dstack([COLOUR, ALPHA])), COLOUR),
        (tif(np.dstack([COLOUR, ALPHA]), extrasamples=["unassalpha"], **RGB), COLOUR),
        (tif(np.dstack([GREY, ALPHA]), extrasamples=["unassalpha"], photometric=1,
             planarconfig="contig"), np.stack([GREY] * 3, axis=2)),
    ):  # fmt: skip
        picture = decode_bytes(data, background="lime")
        expected = np.where(ALPHA > 0, eight(colours), (0, 255, 0))
        assert np.array_equal(np.asarray(picture.convert("RGB")), expected)


def test_a_deep_picture_keeps_its_alpha():
    picture = decode_bytes(png(np.dstack([COLOUR, ALPHA])), background=None)
    assert picture.mode == "RGBA"
    alpha = np.asarray(picture)[..., 3].astype(int)
    assert np.abs(alpha - ALPHA[..., 0] / 257).max() <= 1
    grey = decode_bytes(png(np.dstack([GREY, ALPHA])), background=None)
    assert np.array_equal(np.asarray(grey.convert("RGBA"))[..., 3], np.asarray(picture)[..., 3])


@pytest.mark.parametrize("white", [65535, 4095])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 3])
def test_premultiplied_values_are_divided_by_alpha(channels, dtype, white):
    share = np.linspace(0, 1, 120).reshape(12, 10, 1)
    stored = np.dstack([COLOUR[..., :channels] / 65535 * share, share])
    stored = stored if dtype == np.float32 else np.rint(stored * white)
    photometric = {1: "minisblack", 3: "rgb"}[channels]
    for byteorder in "<>":
        data = tif(
            stored.astype(dtype), photometric=photometric, planarconfig="contig",
            extrasamples=["assocalpha"], byteorder=byteorder,
        )  # fmt: skip
        read = np.asarray(decode_bytes(data, background=None).convert("RGBA")).astype(int)
        assert np.abs(read[..., 3] - eight(share[..., 0], 1)).max() <= 1
        expected = np.broadcast_to(eight(COLOUR[..., :channels]), (12, 10, 3)).astype(int)
        is_seen = share[..., 0] > 0.05
        assert np.abs(read[..., :3] - expected)[is_seen].max() <= 2
        assert not read[0, 0].any()


def test_a_transparent_value_is_compared_in_full():
    key = (b"tRNS", struct.pack(">H", 258))
    picture = decode_bytes(png(np.array([[258, 259, 65535]]), key), background="lime")
    assert np.asarray(picture).tolist() == [[[0, 255, 0], [1, 1, 1], [255, 255, 255]]]
    key = (b"tRNS", struct.pack(">3H", 258, 2, 3))
    colours = np.array([[[258, 2, 3], [259, 2, 3], [65535, 0, 0]]])
    picture = decode_bytes(png(colours, key), background="lime")
    assert np.asarray(picture).tolist() == [[[0, 255, 0], [1, 0, 0], [255, 0, 0]]]


def test_a_deep_picture_is_turned_upright():
    turned = np.rot90(GREY)  # by a quarter to the left; 6 asks to turn it back
    for data in (tif(turned, extratags=[(274, 3, 1, 6, True)]),
                 tif(turned.astype(float) / 65535, extratags=[(274, 3, 1, 6, True)])):  # fmt: skip
        assert np.array_equal(np.asarray(decode_bytes(data)), eight(GREY))


@pytest.fixture
def write(tmp_path):
    """`write({name: bytes})`: a folder that holds these files."""

    def write_files(files, name="set"):
        (tmp_path / name).mkdir()
        for file, data in files.items():
            (tmp_path / name / file).write_bytes(data)
        return tmp_path / name

    return write_files


def pixels(*sources):
    return [np.asarray(picture) for picture in picture_files(tuple(map(str, sources)), 0)]


def ramp(largest, channels=1):
    values = np.linspace(0, largest, 100).reshape(10, 10, 1).astype(np.uint16)
    return np.repeat(values, channels, axis=2).squeeze()


@pytest.mark.parametrize(
    ("largest", "white"),
    [
        ((200, 255), 255), ((200, 256), 1023), ((900, 1023), 1023), ((4095, 900), 4095),
        ((4095, 4096), 16383), ((16383, 5), 16383), ((900, 16384), 65535), ((3, 65535), 65535),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["png grey", "png colour", "tif grey", "tif colour", "pgm", "ppm"])
def test_a_set_has_one_white(write, largest, white, kind):
    channels = 3 if kind in ("png colour", "tif colour", "ppm") else 1
    ramps = [ramp(value, channels) for value in largest]
    encode = {"png": png, "tif": tif}.get(kind.split()[0], pgm)
    place = write({f"{number}.x": encode(values) for number, values in enumerate(ramps)})
    for picture, values in zip(pixels(place), ramps, strict=True):
        assert np.abs(picture.astype(int) - eight(values, white)).max() == 0


def test_one_white_holds_for_grey_and_colour_but_not_for_8_bits_and_floats(write):
    place = write({
        "1.png": png(ramp(4095)),
        "2.png": png(ramp(900, 3)),
        "3.tif": tif(ramp(900)),
        "4.pgm": pgm(ramp(900)),
        "5.png": pgm(ramp(900), 1023),  # it says itself what is white
        "6.tif": tif((ramp(65535) / 65535).astype(np.float32)),
        "7.tif": tif((ramp(65535) / 131070).astype(np.float32)),
        "8.tif": tif(ramp(200).astype(np.uint8)),
        "9.pgm": text_pgm(ramp(2048), 4095),  # so do these
        "9a.pgm": text_pgm(ramp(100), 1023),
    })  # fmt: skip
    whites = [int(picture.max()) for picture in pixels(place)]
    assert whites == [255, 56, 56, 56, 224, 255, 128, 200, 128, 25]


def test_a_set_with_negative_values_has_one_range(write):
    first = np.array([[-1000, 0]], np.int16)
    second = np.array([[0, 3000]], np.int16)
    place = write({"1.tif": tif(first), "2.tif": tif(second, byteorder=">")})
    assert np.concatenate(pixels(place)).tolist() == [[0, 64], [64, 255]]
    place = write({"1.tif": tif(np.array([[-3, 5]], np.int8)), "2.tif": tif(first)}, "bytes")
    assert np.concatenate(pixels(place)).tolist() == [[253, 255], [0, 254]]


def test_a_search_that_fails_is_repeated(write, monkeypatch):
    pictures = picture_files((str(write({"1.png": png(ramp(900)), "2.png": png(ramp(4095))})),), 0)
    measure_all = pictures.ranges._measure_all

    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(pictures.ranges, "_measure_all", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pictures[0]
    monkeypatch.setattr(pictures.ranges, "_measure_all", measure_all)
    assert pictures[0].getextrema() == (0, 56)


def test_white_is_zero_in_a_set(write):
    files = {f"{n}.tif": tif(ramp(n), photometric="miniswhite") for n in (4095, 1000)}
    brightest = [picture.max() for picture in pixels(write(files))]
    darkest = [picture.min() for picture in pixels(write(files, "again"))]
    assert brightest == [255, 255]
    assert darkest == [193, 0]


def test_folders_and_archives_agree_and_so_do_threads(write, tmp_path, monkeypatch):
    monkeypatch.setenv("GANKIT_CACHE", str(tmp_path / "cache"))
    values = {f"{number:03}.png": png(ramp(number * 41)) for number in range(1, 100)}
    place = write(values | {"broken.png": b"\x89PNG\r\n\x1a\n" + bytes(30)})
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in values:
            archive.write(place / name, name)
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name in values:
            archive.add(place / name, name)
    (place / "broken.png").unlink()
    alone = pixels(place)
    assert all(np.array_equal(a, b) for a, b in zip(alone, pixels(tmp_path / "a.zip"), strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(alone, pixels(tmp_path / "a.tar"), strict=True))
    pictures = picture_files((str(place),), 0)
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(pictures.__getitem__, range(99)))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))
    assert len(pictures.notes) == 1
    assert "99 pictures" in pictures.notes[0]
    assert "4095" in pictures.notes[0]


def test_a_set_of_8_bits_is_not_searched(write, monkeypatch):
    place = write({"1.png": encoded(Image.new("L", (4, 4), 9), "PNG")})
    pictures = picture_files((str(place),), 0)
    monkeypatch.setattr(pictures.ranges, "_measure_all", lambda: pytest.fail("searched"))
    assert pictures[0].getpixel((0, 0)) == 9
    assert pictures.notes == []


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("channels", [2, 5, 7])
def test_many_channels_are_named(tmp_path, dtype, channels):
    values = np.repeat(GREY[:, :, None], channels, axis=2).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack", planarconfig="contig")
    with pytest.raises(ValueError, match=f"{channels} channels.*RGB"):
        decode(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("values", "options", "word"),
    [
        (GREY.astype(np.complex64), {}, "png"),
        (COLOUR, {"photometric": "cielab"}, "CIELAB"),
        (GREY, {"photometric": "cfa"}, "CFA"),
        (COLOUR.astype(np.float32), {"photometric": "ycbcr"}, "YCBCR"),
    ],
)
def test_a_whole_tif_is_never_called_broken(tmp_path, values, options, word):
    tifffile.imwrite(tmp_path / "a.tif", values, **options)
    with pytest.raises(ValueError, match=word) as error:
        decode(tmp_path / "a.tif")
    assert "broken" not in str(error.value)
    assert "cut off" not in str(error.value)


def test_a_tif_whose_packing_is_unknown_is_named():
    data = tif((COLOUR / 65535).astype(np.float32), **RGB)
    at = data.index(struct.pack("<HHIH", 259, 3, 1, 1))  # the tag of the compression
    data = data[: at + 8] + struct.pack("<H", 5) + data[at + 10 :]
    with pytest.raises(ValueError, match="LZW"):
        decode_bytes(data)


def test_a_tif_of_several_pages_gives_the_first():
    stack = np.stack([GREY, 65535 - GREY, GREY // 2])
    for values in (stack, (stack / 65535).astype(np.float64)):
        picture = decode_bytes(tif(values, photometric="minisblack"))
        assert np.array_equal(np.asarray(picture), eight(GREY))
