"""A folder of pictures: what cameras, phones and drawing programs leave there."""

import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gankit import GankitError
from gankit.pictures import prepare

RED, BLUE = (250, 10, 20), (10, 20, 250)


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    return folder


@pytest.fixture
def folder(registry):
    """`folder(place, ...)`: the data set of these folders."""
    return lambda *places, **size: registry.make("dataset", "folder", data=map(str, places), **size)


def prepared(pictures, tmp_path, monkeypatch, size=8):
    monkeypatch.setenv("GANKIT_CACHE", str(tmp_path / "cache"))
    return prepare(pictures, "folder", size, 3, lambda done, total: None)


def two_halves(width=40, height=40):
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def near(pixel, colour, within=6):
    return max(abs(int(a) - b) for a, b in zip(pixel, colour, strict=True)) <= within


def test_every_usual_format_is_read(place, folder):
    for ending in ("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "JPG", "Png"):
        two_halves().save(place / f"one.{ending}")
    pictures = folder(place)
    assert len(pictures) == 10
    for picture in pictures:
        assert near(picture.convert("RGB").getpixel((5, 20)), RED, within=12)
        assert near(picture.convert("RGB").getpixel((35, 20)), BLUE, within=12)


def test_folders_are_read_at_any_depth_and_in_order(place, folder):
    for name in ("b/deep/2.png", "b/1.png", "a/3.png", "0.png"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        two_halves().save(place / name)
    names = [Path(name).relative_to(place).as_posix() for name in folder(place).names]
    assert names == ["0.png", "a/3.png", "b/1.png", "b/deep/2.png"]
    assert len(folder(place / "a", place / "b")) == 3


def test_what_no_person_put_there_is_left_out(place, folder):
    two_halves().save(place / "one.png")
    (place / "notes.txt").write_text("no picture")
    (place / "Thumbs.db").write_text("no picture")
    for name in ("__MACOSX/._one.png", ".hidden/two.png", "._one.png", ".one.png"):
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text("no picture")
    assert [Path(name).name for name in folder(place).names] == ["one.png"]


@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_its_camera_says(place, folder, ending, orientation):
    stored = Image.new("RGB", (48, 32), RED)
    stored.paste(BLUE, (24, 0, 48, 32))
    turns = {
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_270],
        7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_90],
    }
    wanted = stored
    for turn in turns.get(orientation, []):
        wanted = wanted.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(place / f"one.{ending}", exif=exif)
    (picture,) = folder(place)
    assert picture.size == wanted.size
    for at in ((4, 4), (wanted.width - 5, wanted.height - 5)):
        assert near(picture.convert("RGB").getpixel(at), wanted.getpixel(at), within=12)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_a_transparent_picture_lies_on_white(place, folder, mode):
    image = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 10, 20))
    image.convert(mode).save(place / "one.png")
    (picture,) = folder(place)
    assert near(picture.convert("RGB").getpixel((2, 10)), (0, 0, 0))
    assert near(picture.convert("RGB").getpixel((17, 10)), (255, 255, 255))


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_sixteen_bits_become_eight(place, folder, ending, tmp_path, monkeypatch):
    ramp = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    Image.fromarray(ramp).save(place / f"one.{ending}")
    pixels = prepared(folder(place), tmp_path, monkeypatch, size=64).pixels[0, :, :, 0]
    assert np.abs(pixels - ramp / 257).max() <= 1.5


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK"])
def test_every_mode_is_prepared(place, folder, mode, tmp_path, monkeypatch):
    Image.new("RGB", (30, 20), "white").convert(mode).save(place / "one.tif")
    assert (prepared(folder(place), tmp_path, monkeypatch).pixels == 255).all()


def test_a_grey_jpeg_stays_grey(place, folder, tmp_path, monkeypatch):
    Image.new("L", (300, 200), 77).save(place / "one.jpg")
    assert np.abs(prepared(folder(place), tmp_path, monkeypatch).pixels.astype(int) - 77).max() <= 1


def test_an_animation_gives_its_first_frame(place, folder):
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, BLUE)]
    frames[0].save(place / "one.gif", save_all=True, append_images=frames[1:])
    assert near(folder(place)[0].convert("RGB").getpixel((3, 3)), RED)


def test_a_large_jpeg_is_decoded_small_and_stays_sharp(place, folder, tmp_path, monkeypatch):
    two_halves(1600, 1600).save(place / "one.jpg", quality=95)
    picture = folder(place, image_size=16)[0]
    assert 32 <= picture.width <= 400
    pixels = prepared(folder(place, image_size=16), tmp_path, monkeypatch, 16).pixels[0]
    assert near(pixels[8, 6], RED, within=12)
    assert near(pixels[8, 9], BLUE, within=12)


def test_broken_pictures_are_skipped_and_named(place, folder, tmp_path, monkeypatch):
    two_halves(64, 64).save(place / "good.jpg")
    whole = (place / "good.jpg").read_bytes()
    (place / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (place / "empty.png").write_bytes(b"")
    (place / "text.png").write_text("not a picture")
    (place / "loose.png").symlink_to(place / "nowhere.png")
    result = prepared(folder(place), tmp_path, monkeypatch)
    assert len(result.pixels) == 1
    skipped = {Path(line.split(": ")[0]).name for line in result.skipped}
    assert skipped == {"cut.jpg", "empty.png", "loose.png", "text.png"}
    assert all("\n" not in line for line in result.skipped)


def test_a_picture_that_would_fill_the_memory_is_skipped(place, folder, tmp_path, monkeypatch):
    two_halves().save(place / "good.png")
    header = struct.pack(">IIBBBBB", 30000, 20000, 1, 0, 0, 0, 0)
    chunk = b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    (place / "huge.png").write_bytes(b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk)
    result = prepared(folder(place), tmp_path, monkeypatch)
    assert len(result.pixels) == 1
    assert "huge.png" in result.skipped[0]


def test_a_phones_largest_picture_is_read_without_a_warning(place, folder):
    Image.new("1", (12000, 9000)).save(place / "one.png")  # 108 megapixels
    assert folder(place)[0].size == (12000, 9000)


def test_a_changed_folder_is_prepared_anew(place, folder):
    two_halves().save(place / "one.png")
    first = folder(place).fingerprint
    assert folder(place).fingerprint == first
    Image.new("RGB", (99, 9)).save(place / "one.png")
    second = folder(place).fingerprint
    shutil.copy(place / "one.png", place / "two.png")
    assert len({first, second, folder(place).fingerprint}) == 3


def test_a_folder_without_pictures_is_refused(place, folder):
    with pytest.raises(GankitError, match=r"does not exist; check the path given with --data"):
        folder(place / "absent")
    with pytest.raises(GankitError, match=r"no pictures in .*; gankit reads .*png"):
        folder(place)
    (place / "one.png").write_bytes(b"")
    with pytest.raises(GankitError, match=r"is a file; --data takes a folder"):
        folder(place / "one.png")
