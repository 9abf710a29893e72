"""`gankit sample`: every combination of options does what it says, or is refused by name."""

import errno
import gc
import os
import shutil
import sys
import weakref
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image

import gankit
from gankit.cli.sample.output import check_picture_fits
from gankit.runs.video import write_video


@pytest.fixture
def refused(sample, here):
    """`refused("--count", 0)`: the one line that refuses these options; nothing is written."""

    def call(*options):
        before = sorted(here.rglob("*"))
        code, out, err = sample(*options)
        assert (code, out) == (2, "")
        assert sorted(here.rglob("*")) == before
        (line,) = err.splitlines()
        return line

    return call


@pytest.mark.parametrize(
    ("options", "frames"), [((), 12 * 24), (("--count", 2), 48), (("--count", 30), 30 * 24)]
)
def test_a_loop_walks_through_all_pictures(sample, options, frames):
    assert sample("--loop", *options, "--out", "a.mp4").code == 0
    assert len(iio.imread("a.mp4", plugin="pyav")) == frames


def test_a_loop_passes_the_pictures_of_its_seeds(sample, trained, registry):
    assert sample("--loop", "--count", 14, "--seed", 5, "--out", "a.mp4").code == 0
    sampler = gankit.load(trained, registry=registry)
    frames = iio.imread("a.mp4", plugin="pyav").astype(int)
    for number in (0, 13):
        still = np.asarray(sampler.sample(5 + number))
        assert np.abs(frames[24 * number] - still).mean() < 12


@pytest.mark.parametrize(("options", "pictures"), [((), 10), (("--count", 20), 20)])
def test_a_strip_has_as_many_pictures_as_asked_for(sample, options, pictures):
    assert sample("--strip", *options, "--out", "a.png").code == 0
    with Image.open("a.png") as picture:
        assert picture.size == (pictures * 18 + 2, 20)


@pytest.mark.parametrize("ending", ["PNG", "Jpg", "JPEG", "WebP"])
def test_a_picture_may_have_an_upper_case_ending(sample, ending):
    assert sample("--count", 4, "--out", f"a.{ending}") == (0, f"a.{ending}\n", "")
    expected = {"PNG": "PNG", "WebP": "WEBP"}.get(ending, "JPEG")
    with Image.open(f"a.{ending}") as picture:
        assert picture.format == expected


@pytest.mark.parametrize("ending", ["MP4", "GIF", "WEBP", "Mp4"])
def test_a_video_may_have_an_upper_case_ending(sample, ending):
    for form in ("--loop", "--history"):
        assert sample(form, "--out", f"a.{ending}") == (0, f"a.{ending}\n", "")
        video = Path(f"a.{ending}").read_bytes()
        assert {"MP4": b"ftyp", "GIF": b"GIF89a", "WEBP": b"WEBP"}[ending.upper()] in video[:12]


@pytest.mark.parametrize(
    ("options", "facts"),
    [
        (("--history", "--count", 5), ("--history", "--count")),
        (("--history", "--seed", 0), ("--history", "--seed")),
        (("--history", "--checkpoint", 4), ("--history", "--checkpoint")),
        (("--strip", "--loop"), ("--strip", "--loop")),
        (("--show", "--history"), ("--show", "--history")),
        (("--count", 0), ("--count", "0")),
        (("--loop", "--count", -3), ("--count", "-3")),
        (("--count", 2_000_000), ("--count 2000000", "--files")),
        (("--strip", "--count", 5000, "--out", "a.webp"), ("--count 5000", ".webp", "16,383")),
        (("--strip", "--count", 5000, "--out", "a.JPG"), ("--count 5000", ".JPG", "65,500")),
        (("--loop", "--count", 20_000, "--out", "a.gif"), ("--count 20000", ".gif", ".mp4")),
        (("--out", "flower"), ("flower", ".png")),
        (("--out", "a.mp4"), ("a.mp4", "--loop", "--history")),
        (("--loop", "--out", "a.png"), ("--loop", "a.png", ".mp4")),
        (("--history", "--out", "a"), ("--history", ".mp4")),
        (("--out", "folder"), ("folder", "--files")),
        (("--loop", "--out", "folder"), ("folder", ".mp4")),
        (("--loop", "--out", "nowhere/a.mp4"), ("nowhere/a.mp4", "no folder nowhere")),
        (("--files", "--out", "a.png"), ("--files", "a.png", "folder")),
        (("--out", "a.png", "--out", "b.png"), ("--out", "2 times")),
        (("--seed", 1, "--seed", 2), ("--seed", "2 times")),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(refused, here, options, facts):
    (here / "folder").mkdir()
    line = refused(*options)
    assert [fact for fact in facts if fact not in line] == [], line


@pytest.mark.parametrize("form", [(), ("--strip",), ("--files",)])
def test_show_changes_nothing_in_a_pipe(sample, here, form):
    for name, show in (("a", ()), ("b", ("--show",))):
        out = name if "--files" in form else f"{name}.png"
        assert sample("--count", 3, *form, *show, "--out", out) == (0, f"{out}\n", "")
    files = {path.relative_to(here): path.read_bytes() for path in here.rglob("*.png")}
    assert len(files) == len(set(files.values())) * 2


def test_the_grids_of_training_are_not_overwritten(gankit_cli, trained, here):
    run = shutil.copytree(trained, here / "a")
    before = {path: path.read_bytes() for path in run.rglob("*.png")}
    code, _, err = gankit_cli("sample", "a", "--files", "--count", 3, "--out", "a/samples")
    assert code == 2
    assert "a/samples" in err
    assert {path: path.read_bytes() for path in run.rglob("*.png")} == before


def test_a_place_that_cannot_be_written_is_named(gankit_cli, trained, here, monkeypatch):
    """In a folder without write permission; a superuser may write there, so it is imitated."""

    def refuse(*args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("gankit.core.files.atomic_write.os.urandom", refuse)
    for options in (("--out", "a.png"), ("--loop", "--out", "a.mp4"), ("--history",)):
        code, _, err = gankit_cli("sample", trained, *options)
        assert code == 2
        assert "Permission denied" in err
        assert "--out" in err


def test_a_damaged_grid_is_named(gankit_cli, trained, here):
    run = shutil.copytree(trained, here / "a")
    (run / "samples" / "000004.png").write_bytes(b"")
    before = (run / "progress.mp4").read_bytes()
    code, _, err = gankit_cli("sample", "a", "--history")
    assert code == 2
    assert "samples/000004.png" in err
    assert (run / "progress.mp4").read_bytes() == before  # the old film is kept


def test_an_interrupted_video_leaves_the_old_one(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"old")

    def frames():
        yield Image.new("RGB", (16, 16))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_video(frames(), path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]
    assert path.read_bytes() == b"old"


def test_the_frames_of_an_mp4_are_written_one_by_one(tmp_path):
    """Not collected first: a film of many pictures does not need more memory than a short one."""
    alive = []

    def frames():
        for _ in range(200):
            frame = Image.new("RGB", (16, 16))
            alive.append(weakref.ref(frame))
            assert sum(reference() is not None for reference in alive) < 5
            yield frame

    write_video(frames(), tmp_path / "a.mp4")
    assert len(iio.imread(tmp_path / "a.mp4", plugin="pyav")) == 200


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of a file's size")
@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "a.webp"])
def test_a_disk_that_is_full_is_an_error_without_a_traceback(tmp_path, monkeypatch, name):
    import resource

    noise = np.random.default_rng(0).integers(0, 256, (9, 64, 64, 3), dtype=np.uint8)
    printed = []  # "Exception ignored in ..." and a traceback, for each
    monkeypatch.setattr(sys, "unraisablehook", lambda error: printed.append(str(error.exc_value)))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    try:
        with pytest.raises(OSError, match=os.strerror(errno.EFBIG)):
            write_video(map(Image.fromarray, noise), tmp_path / name)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    gc.collect()
    assert printed == []
    assert list(tmp_path.iterdir()) == []


def test_videos_from_python(tmp_path):
    frame = Image.new("RGB", (300, 20))
    with pytest.raises(gankit.GankitError, match=r"no picture.* a\.mp4"):
        write_video([], tmp_path / "a.mp4")
    with pytest.raises(gankit.GankitError, match=r"300 x 20 and 20 x 20"):
        write_video([frame, Image.new("RGB", (20, 20))], tmp_path / "a.webp")
    write_video([frame], str(tmp_path / "a.MP4"))
    assert [path.name for path in tmp_path.iterdir()] == ["a.MP4"]


def test_a_gif_that_is_made_smaller_says_so(tmp_path, caplog):
    write_video([Image.new("RGB", (257, 20))] * 2, tmp_path / "a.gif")
    assert "a.gif" in caplog.text
    caplog.clear()
    write_video([Image.new("RGB", (256, 20))] * 2, tmp_path / "b.gif")
    assert caplog.text == ""


def test_the_largest_count_that_fits_is_allowed():
    check_picture_fits([], 910, 910, (16, 16), 2, Path("a.webp"))  # 18 pixels each, and 2
    with pytest.raises(gankit.GankitError, match="--count 911.*16,400"):
        check_picture_fits(["--count", "911"], 911, 911, (16, 16), 2, Path("a.webp"))
