"""What `gankit data check` says about how pictures are read, and that a run reads them so."""

import json

import numpy as np
import pytest
import tifffile
from gankit_datacheck import survey
from PIL import Image, TiffImagePlugin

import gankit
from gankit import compose

RANDOM = np.random.default_rng(3)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty folder; the cache is empty too."""
    monkeypatch.setenv("GANKIT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "pictures").mkdir()
    return tmp_path / "pictures"


def findings(place, *words):
    """The findings of `data check` that hold all these words."""
    report = gankit.check_data(place)
    texts = [(item["level"], f"{item['what']}: {item['mend']}") for item in report["findings"]]
    return [text for text in texts if all(word in text[1] for word in words)]


def prepared(place, registry):
    run = compose(registry, model="dcgan64:base_channels=4", data=[str(place)], image_size=16)
    return gankit.prepare(run, registry)


def sketch(side=64):
    """Dark strokes on white."""
    coarse = RANDOM.integers(0, 256, (9, 9), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))


def test_one_white_of_a_set_is_reported(place, registry):
    for number, largest in enumerate((900, 4095, 2000)):
        values = (sketch() / 255.0 * largest).astype(np.uint16)
        values[0, 0] = largest
        Image.fromarray(values).save(place / f"{number}.png")
    ((level, text),) = findings(place, "more than 8 bits")
    assert level == "fine"
    assert "3 pictures" in text
    assert "4095" in text
    notes = prepared(place, registry).notes
    assert len(notes) == 1
    assert notes[0] in text
    assert prepared(place, registry).notes == notes  # from the cache


def test_a_range_of_a_set_is_reported(place):
    for number, values in enumerate(([[-1000, 0]], [[0, 3000]])):
        tifffile.imwrite(place / f"{number}.tif", np.array(values, np.int16))
    ((_, text),) = findings(place, "more than 8 bits")
    assert "-1000 becomes black" in text
    assert "3000 white" in text


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_sketches_on_cream_paper_stay_in_colour(place, registry, ending):
    for number in range(20):
        pixels = sketch()[:, :, None] / 255 * np.array([245, 240, 231])
        Image.fromarray(pixels.round().astype(np.uint8)).save(place / f"{number}.{ending}")
    ((_, text),) = findings(place, "faintly tinted")
    assert "--channels 1" in text
    assert "20 pictures of 20" in text
    assert findings(place, "one channel") == []
    assert prepared(place, registry).pixels.shape[3] == 3


def test_nearly_grey_pictures_are_reported(place, registry):
    for number in range(20):
        pixels = np.repeat(sketch(256)[:, :, None], 3, axis=2) // 2 + 50
        noisy = pixels + RANDOM.integers(-6, 7, pixels.shape)
        Image.fromarray(noisy.astype(np.uint8)).save(place / f"{number}.jpg", quality=95)
    assert len(findings(place, "--channels 3")) == 1
    ready = prepared(place, registry)
    assert ready.pixels.shape[3] == 1
    assert "--channels 3" in ready.notes[0]


def test_plain_pictures_have_no_such_findings(place, registry):
    for number in range(20):
        pixels = RANDOM.integers(0, 256, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(place / f"{number}.png")
    assert findings(place, "channel") == []
    assert findings(place, "8 bits") == []
    assert findings(place, "pages") == []
    assert prepared(place, registry).notes == []


def test_files_of_several_pages_are_reported(place):
    stack = RANDOM.integers(0, 256, (7, 64, 64), dtype=np.uint8)
    tifffile.imwrite(place / "stack.tif", stack, photometric="minisblack")
    frames = [Image.fromarray(pixels) for pixels in stack]
    frames[0].save(place / "film.gif", save_all=True, append_images=frames[1:])
    frames[0].save(place / "single.tif")
    ((level, text),) = findings(place, "several pages")
    assert level == "advice"
    assert "2 files" in text
    assert "film.gif has 7" in text


def test_the_pages_of_a_tif_are_not_counted_by_pillow(place, monkeypatch):
    """It reads every page for that: 65,535 of them, in a file of 7 MB, take 20 s."""
    n_frames = property(lambda image: pytest.fail("Pillow counts the pages"))
    monkeypatch.setattr(TiffImagePlugin.TiffImageFile, "n_frames", n_frames)
    stack = RANDOM.integers(0, 256, (300, 64, 64), dtype=np.uint8)
    tifffile.imwrite(place / "stack.tif", stack, photometric="minisblack", metadata=None)
    ((_, text),) = findings(place, "several pages")
    assert "stack.tif has 300" in text


def test_run_json_keeps_the_notes(place, tmp_path, gankit_cli):
    for number in range(70):
        values = (sketch() * 16.0).astype(np.uint16)
        Image.fromarray(values).save(place / f"{number}.png")
    result = gankit_cli(
        "run", "--data", place, "--out", tmp_path / "run", "--steps", 1, "--image-size", 16,
        "--model", "dcgan64:base_channels=4",
    )  # fmt: skip
    assert result.code == 0, result.err
    notes = json.loads((tmp_path / "run" / "run.json").read_text())["prepared"]["notes"]
    assert len(notes) == 1
    assert "4095 white" in notes[0]
    assert notes[0].split("(")[0] in " ".join(result.err.split())


# ---------------------------------------------------------------- each kind has its own line


def check_lines(gankit_cli, *arguments):
    """What `data check` prints, on one line."""
    code, out, err = gankit_cli("data", "check", *arguments)
    assert code == 0, err
    return " ".join(out.split())


def test_each_format_has_its_own_line(gankit_cli, tmp_path):
    kinds = {"a.ppm": "RGB", "b.pgm": "L", "c.pbm": "1", "d.jpg": "RGB", "e.jpg": "RGB"}
    for number, (name, mode) in enumerate(kinds.items()):
        Image.new(mode, (64, 64), number).save(tmp_path / name)
    text = check_lines(gankit_cli, str(tmp_path))
    for line in ("2 JPEG", "1 PPM", "1 PGM", "1 PBM"):
        assert line in text


def test_arrays_and_labels_have_a_line_each(gankit_cli, tmp_path):
    pixels = np.random.default_rng(0).random((40, 64, 64, 3), np.float32)
    np.savez(tmp_path / "a.npz", x_train=pixels, y_train=np.arange(40) % 2)
    text = check_lines(gankit_cli, str(tmp_path / "a.npz"))
    assert "40 NPY" in text
    assert "a.npz, x_train: 40 pictures of 64x64 px in colour (float32), labels of 2 cl" in text
    assert "0 becomes black and 1 white" in text
    assert "classes 0 20 · 1 20" in text


def test_frames_and_the_option_that_takes_them(gankit_cli, tmp_path):
    pictures = [Image.effect_noise((64, 64), 50 + 10 * number) for number in range(8)]
    pictures[0].save(tmp_path / "a.webp", save_all=True, append_images=pictures[1:], lossless=True)
    text = check_lines(gankit_cli, str(tmp_path))
    assert "--every 10" in text
    text = check_lines(gankit_cli, str(tmp_path), "--every", 2)
    assert "4 film frames" in text
    assert "a.webp: every 2nd frame, 4 of 8 frames" in text
    assert "--dataset folder:every=2" in text
    code, _, err = gankit_cli("data", "check", "petals", "--every", 2)
    assert code == 2
    assert "petals" in err


@pytest.mark.parametrize(
    ("options", "given"),
    [
        (("--every", 2, "--image-size", "96x64"), "--every 2 --image-size 96x64"),
        (("--classes", "a", "--image-size", 32), "--classes a --image-size 32"),
        ((), ""),
    ],
)
def test_the_command_on_the_page_is_the_one_that_was_given(gankit_cli, place, options, given):
    (place / "a").mkdir()
    frames = [Image.fromarray(sketch()) for _ in range(4)]
    frames[0].save(place / "a" / "a.webp", save_all=True, append_images=frames[1:])
    page = place.parent / "page.html"
    assert gankit_cli("data", "check", str(place), *options, "--page", page).code == 0
    line = f"gankit data check {place} {given}".rstrip()
    assert f"<code>{line}</code>" in page.read_text(encoding="utf-8")


def test_the_size_of_a_turned_picture_is_that_of_training(place, registry):
    pixels = np.asarray(Image.fromarray(sketch()).resize((90, 60)))
    tifffile.imwrite(place / "turned.tif", pixels, extratags=[(274, 3, 1, 6, True)])
    tifffile.imwrite(place / "deep.tif", pixels * np.uint16(257), extratags=[(274, 3, 1, 8, True)])
    Image.fromarray(pixels).save(place / "as-it-is.tif")
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(pixels).save(place / "turned.jpg", exif=exif)
    pictures = gankit.picture_files((str(place),), 0)
    facts = survey.examine(pictures)
    assert [(item.width, item.height) for item in facts] == [item.size for item in pictures]
    assert {item.size for item in pictures} == {(90, 60), (60, 90)}


def test_a_table_of_labels_has_a_line(gankit_cli, tmp_path):
    for number in range(3):
        Image.new("RGB", (64, 64), (90 * number, 0, 0)).save(tmp_path / f"{number}.png")
    (tmp_path / "metadata.csv").write_text("file_name,label\n0.png,rose\n2.png,tulip\n")
    text = check_lines(gankit_cli, str(tmp_path))
    assert "metadata.csv: 2 columns, labels for 2 of 3 pictures: rose 1, tulip 1" in text


def test_frames_that_look_alike_are_not_to_be_deleted(gankit_cli, tmp_path):
    pictures = [Image.fromarray(sketch()) for _ in range(2)]
    frames = pictures * 4
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    text = check_lines(gankit_cli, str(tmp_path / "a.webp"))
    assert "8 film frames" in text
    assert "6 exact copies" in text
    assert "--dataset folder:every=N" in text
    assert "delete" not in text
    text = check_lines(gankit_cli, str(tmp_path / "a.webp"), "--every", 100)
    assert "1 film frame " in text
