"""`gankit sample`: walks that you steer, as videos."""

import json
import shlex
import shutil
from pathlib import Path

import av
import imageio.v3 as iio
import numpy as np
import pytest
import torch
from PIL import Image

from gankit import GankitError
from gankit.runs.latent_walk import circle, walk
from gankit.runs.provenance import read_provenance
from gankit.runs.video import write_video

WALK = {
    "gankit": "walk", "version": 1, "latent_dim": 100, "loop": False, "seconds_per_picture": 0.5,
    "points": [{"seed": 3}, {"seed": 5}, {"z": [0.5] * 100}],
}  # fmt: skip


@pytest.fixture
def walk_file(here):
    """`walk_file(version=2)`: the file of a walk, with these entries changed."""

    def write(**changes):
        record = {name: value for name, value in {**WALK, **changes}.items() if value is not None}
        (here / "walk.json").write_text(json.dumps(record))
        return "walk.json"

    return write


def frames_of(path):
    return iio.imread(path, plugin="pyav").astype(int)


def is_like(frame, sampler, seed):
    """Whether a frame, which a video changes a little, shows the picture of a seed."""
    return np.abs(frame - np.asarray(sampler.sample(seed))).mean() < 12


@pytest.mark.parametrize(
    ("options", "count", "at"),
    [
        (("--seeds", "3,17,42", "--seconds", 2, "--fps", 15, "--loop"), 30, {0: 3, 10: 17, 20: 42}),
        (("--seeds", "3,17", "--seconds", 1), 24, {0: 3, 23: 17}),
        (("--seeds", "3,17,42", "--loop", "--fps", 10), 30, {0: 3, 20: 42}),
        (("--count", 2, "--seed", 3, "--seconds", 1), 24, {0: 3, 23: 4}),
    ],
)
def test_a_walk_passes_its_pictures_in_time(sample, sampler, options, count, at):
    assert sample(*options, "--out", "a.mp4").code == 0
    frames = frames_of("a.mp4")
    assert len(frames) == count
    assert all(is_like(frames[number], sampler, seed) for number, seed in at.items())


def test_a_walk_rests_at_each_picture_unless_told_otherwise():
    z = torch.randn(3, 100, generator=torch.Generator().manual_seed(1))
    eased, even = (torch.stack(list(walk(z, 21, eased=eased))) for eased in (True, False))
    even_steps, eased_steps = (p.diff(dim=0).norm(dim=1).tolist() for p in (even, eased))
    assert even_steps[:10] == pytest.approx([even_steps[0]] * 10, rel=0.2)
    assert max(eased_steps[0], eased_steps[9]) < eased_steps[5] / 3
    assert torch.equal(eased[10], z[1])


def test_a_loop_around_a_picture_stays_near_and_closes():
    z, *noise = torch.randn(3, 100, generator=torch.Generator().manual_seed(1))
    points = torch.stack(list(circle(z, torch.stack(noise), 0.3, 40)))
    assert points.norm(dim=1).tolist() == pytest.approx([z.norm().item()] * 40, rel=0.2)
    assert (points - z).norm(dim=1).max() < 0.45 * z.norm()
    steps = torch.cat([points, points[:1]]).diff(dim=0).norm(dim=1)
    assert steps.tolist() == pytest.approx([steps.mean().item()] * 40, rel=0.2)


def test_films_of_a_circle_of_directions_and_of_any_size(sample, walk_file):
    assert sample("--near", 3, "--loop", "--seconds", 1, "--size", 64, "--out", "a.mp4").code == 0
    frames = frames_of("a.mp4")
    assert frames.shape == (24, 64, 64, 3)
    assert np.abs(frames[0] - frames[12]).mean() > 0
    assert sample("--directions", walk_file(), "--out", "b.mp4").code == 0
    assert len(frames_of("b.mp4")) == 24  # two parts of half a second
    assert sample("--directions", walk_file(loop=True), "--out", "c.mp4").code == 0
    assert len(frames_of("c.mp4")) == 36
    assert sample("--directions", walk_file(loop=True), "--no-loop", "--out", "e.mp4").code == 0
    assert len(frames_of("e.mp4")) == 24
    assert "--no-loop" in shlex.split(read_provenance(Path("e.mp4")).command)
    assert sample("--directions", walk_file(), "--loop", "--out", "f.mp4").code == 0
    assert len(frames_of("f.mp4")) == 36
    code, out, _ = sample("--history", "--size", 32, "--fps", 5, "--out", "d.mp4")
    assert (code, "enlarged" in out) == (0, True)
    assert iio.immeta("d.mp4", plugin="pyav")["fps"] == 5
    assert frames_of("d.mp4").shape[1:] == (292, 292, 3)


@pytest.mark.parametrize(
    "options",
    [
        ("--seeds", "3,9", "--seconds", 0.5, "--fps", 12, "--loop", "--no-ease"),
        ("--near", 3, "--seconds", 0.5, "--spread", 0.2, "--size", 20),
        ("--history", "--fps", 4, "--size", 18),
    ],
)
def test_the_command_in_a_film_makes_it_again(sample, gankit_cli, options):
    assert sample(*options, "--out", "a.gif").code == 0
    words = shlex.split(read_provenance(Path("a.gif")).command)
    assert gankit_cli(*words[1:], "--out", "b.gif").code == 0
    assert Path("a.gif").read_bytes() == Path("b.gif").read_bytes()


@pytest.mark.parametrize(("ending", "unit"), [("gif", 10), ("webp", 1)])
@pytest.mark.parametrize("fps", [7, 24, 30, 50])
def test_a_film_has_the_right_speed(tmp_path, ending, unit, fps):
    frames = [Image.new("RGB", (8, 8), ("red", "blue")[number % 2]) for number in range(61)]
    write_video(frames, tmp_path / f"a.{ending}", fps)
    times = []
    with Image.open(tmp_path / f"a.{ending}") as film:
        for number in range(film.n_frames):
            film.seek(number)
            film.load()
            times.append(film.info["duration"])
    assert len(times) == 61
    assert sum(times) == pytest.approx(61 * 1000 / fps, abs=unit)
    assert max(times) - min(times) <= unit
    assert min(times) > 10  # else browsers show it for 100 ms


@pytest.mark.parametrize("name", ["a.gif", "a.webp"])
def test_a_film_that_browsers_would_slow_down_is_refused(tmp_path, name):
    with pytest.raises(GankitError, match=f"{name} would have 120"):
        write_video([Image.new("RGB", (8, 8))] * 2, tmp_path / name, 120)
    write_video([Image.new("RGB", (8, 8))] * 2, tmp_path / "a.mp4", 120)
    write_video([Image.new("RGB", (8, 8))], tmp_path / name, 50)


def test_a_long_history_needs_an_mp4(gankit_cli, trained, here):
    run = shutil.copytree(trained, here / "run")
    for step in range(100, 110):
        shutil.copy(run / "samples" / "000008.png", run / "samples" / f"000{step}.png")
    code, _, err = gankit_cli("sample", "run", "--history", "--size", 440, "--out", "a.webp")
    assert (code, Path("a.webp").exists()) == (2, False)
    assert "frames of 4015 x 4015" in err
    assert ".mp4" in err


def test_a_video_says_its_colours_and_begins_with_its_index(sample):
    assert sample("--seeds", "3,9", "--seconds", 0.5, "--out", "a.mp4").code == 0
    content = Path("a.mp4").read_bytes()
    assert 0 < content.find(b"moov") < content.find(b"mdat")
    assert b"colrnclx\x00\x01\x00\x01\x00\x01\x00" in content  # BT.709, not the full range
    with av.open("a.mp4") as video:
        codec = video.streams.video[0].codec_context
        assert (codec.name, codec.pix_fmt, codec.width % 2) == ("h264", "yuv420p", 0)


def test_colours_are_those_of_the_pictures(tmp_path):
    colours = [(200, 0, 0), (0, 200, 0), (0, 0, 200), (255, 255, 255), (0, 0, 0), (90, 60, 200)]
    write_video([Image.new("RGB", (33, 32), colour) for colour in colours], tmp_path / "a.mp4")
    with av.open(str(tmp_path / "a.mp4")) as video:
        for frame, colour in zip(video.decode(video=0), colours, strict=True):
            luma, blue, red = (plane[0, 0] for plane in split_planes(frame))
            assert np.abs(np.subtract(to_rgb(luma, blue, red), colour)).max() <= 3


def split_planes(frame):
    """Y (32, 34), U and V (16, 17) of a frame of yuv420p."""
    planes = frame.to_ndarray()
    chroma = planes[frame.height :].reshape(2, frame.height // 2, -1)
    return planes[: frame.height], chroma[0], chroma[1]


def to_rgb(luma, blue, red):
    """Red, green and blue by the formula of BT.709, in the range of videos."""
    y, u, v = (luma - 16.0) / 219, (blue - 128.0) / 224, (red - 128.0) / 224
    r, b = y + 1.5748 * v, y + 1.8556 * u
    return [255 * r, 255 * (y - 0.2126 * r - 0.0722 * b) / 0.7152, 255 * b]


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({"gankit": "run"}, ("gankit", "run")),
        ({"version": 2}, ("version", "2")),
        ({"latent_dim": 64}, ("64", "100")),
        ({"loop": None}, ("loop", "missing")),
        ({"loop": 1}, ("loop", "1")),
        ({"points": [{"seed": 3}]}, ("1 points",)),
        ({"points": [{"seed": 3}] * 1001}, ("1,001 points",)),
        ({"points": [{"seed": 3}, {"seed": -1}]}, ("points[1]", "-1")),
        ({"points": [{"seed": 3}, {"z": [1.0]}]}, ("points[1]", "100 numbers")),
        ({"points": [{"seed": 3}, {"z": [1e30] * 100}]}, ("points[1]",)),
        ({"points": [{"seed": 3, "z": []}, 5]}, ("points[0]",)),
        ({"seconds_per_picture": 0}, ("seconds_per_picture", "0")),
        ({"seconds_per_picture": 1e9}, ("seconds_per_picture", "60")),
    ],
)
def test_a_file_that_holds_no_walk_is_refused(sample, walk_file, changes, facts):
    code, out, err = sample("--directions", walk_file(**changes), "--out", "a.mp4")
    assert (code, out) == (2, "")
    (line,) = err.splitlines()
    assert [fact for fact in ("walk.json", *facts) if fact not in line] == [], line


@pytest.mark.parametrize(
    ("options", "facts"),
    [
        (("--fps", 30), ("--fps", "--seconds")),
        (("--ease",), ("--ease", "--loop")),
        (("--seeds", 3, "--loop"), ("--seeds", "two", "--near")),
        (("--count", 1, "--loop"), ("--count", "two", "--near")),
        (("--count", 1, "--seconds", 3), ("--count", "two", "--near")),
        (("--no-loop",), ("--no-loop", "--directions")),
        (("--seeds", "3,4", "--seconds", 3, "--no-loop"), ("--no-loop", "--directions")),
        (("--loop", "--fps", 51, "--out", "a.gif"), ("a.gif", "51", "50", ".mp4")),
        (("--history", "--fps", 91, "--out", "a.webp"), ("a.webp", "91", "90", ".mp4")),
        (("--history", "--size", 1024), ("--size", "9,344", "4,096")),
        (("--seconds", 0), ("--seconds", "0.1")),
        (("--seconds", "nan"), ("--seconds", "nan")),
        (("--loop", "--fps", 0), ("--fps", "0")),
        (("--loop", "--numbers"), ("--loop", "--numbers")),
        (("--near", 2, "--loop", "--ease"), ("--near", "--ease")),
        (("--history", "--seconds", 3), ("--history", "--seconds")),
        (("--loop", "--size", 5000), ("--size", "5,000", "4,096")),
        (("--loop", "--size", 2000, "--out", "a.gif"), ("288 frames", ".gif", ".mp4")),
        (("--directions", "absent.json"), ("absent.json",)),
        (("--directions", "absent.json", "--seeds", "3,4"), ("--directions", "--seeds")),
    ],
)
def test_films_that_cannot_be_made_are_refused_by_name(sample, here, options, facts):
    code, out, err = sample(*options)
    assert (code, out, list(here.iterdir())) == (2, "", [])
    (line,) = err.splitlines()
    assert [fact for fact in facts if fact not in line] == [], line
