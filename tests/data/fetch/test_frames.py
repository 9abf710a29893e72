"""Tests of the frames of films and animations: which are taken, and when they are seen."""

from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from gankit.core.errors import GankitError
from gankit.core.parts.choice import Choice
from gankit.data.datasets import picture_files
from gankit.data.fetch import frames
from gankit.data.prepare import prepare
from gankit.training.settings.compose import compose

SIZE = (48, 32)


def scene(number):
    """A picture of its own for each number: a bright square on dark noise."""
    pixels = np.random.default_rng(number // 12).integers(0, 90, (8, 12, 3), np.uint8)
    picture = Image.fromarray(pixels).resize(SIZE, Image.Resampling.BICUBIC)
    picture.paste((250, 200 - number % 12 * 10, 40), (number % 12 * 3, 8, number % 12 * 3 + 10, 18))
    return picture


def film(path, count=48, rate=12, rotation=0, gaps=1, pictures=None, **options):
    with av.open(str(path), "w", options=options) as video:
        stream = video.add_stream("libx264", rate=rate, options={"crf": "10", "g": "6"})
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        if rotation:
            stream.set_display_rotation(rotation)
        for number, picture in enumerate(pictures or map(scene, range(count))):
            frame = av.VideoFrame.from_image(picture)
            frame.pts = number * gaps
            frame.time_base = Fraction(1, rate)
            video.mux(stream.encode(frame))
        video.mux(stream.encode(None))
    return str(path)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GANKIT_CACHE", str(tmp_path / "cache"))


def difference(picture, expected):
    return np.abs(np.asarray(picture.convert("RGB"), int) - np.asarray(expected)).mean()


def test_every_nth_frame_of_a_film(tmp_path):
    path = film(tmp_path / "a.mp4")
    pictures = picture_files((path,), 0, every=5)
    assert pictures.names[:2] == ["a.mp4, frame 0", "a.mp4, frame 5"]
    assert len(pictures) == 10
    assert [moment.time for moment in pictures.moments[:3]] == [0, 417, 833]
    for number in (0, 5, 9):
        assert difference(pictures[number], scene(5 * number)) < 6
        assert difference(pictures[number], scene(5 * number + 2)) > 6
    assert pictures.file_notes == ["a.mp4: every 5th frame, 10 of 48 frames"]


def test_each_of_several_films_is_a_class(tmp_path):
    paths = (film(tmp_path / "walk.mp4"), film(tmp_path / "run.mp4"))
    assert picture_files(paths, 0).classes == ["walk"] * 8 + ["run"] * 8


def test_two_frames_a_second_unless_you_say(tmp_path):
    assert len(picture_files((film(tmp_path / "a.mkv"),), 0)) == 8


def test_a_film_is_turned_as_the_phone_was(tmp_path):
    picture = picture_files((film(tmp_path / "a.mp4", 3, rotation=90),), 0, every=1)[0]
    assert difference(picture, scene(0).rotate(90, expand=True)) < 6


def test_times_of_a_variable_rate_are_those_of_the_file(tmp_path):
    pictures = picture_files((film(tmp_path / "a.mp4", 6, gaps=24),), 0, every=1)
    assert [moment.time for moment in pictures.moments] == [0, 2000, 4000, 6000, 8000, 10000]


def test_large_frames_are_kept_as_jpeg(tmp_path, monkeypatch):
    monkeypatch.setattr(frames, "MAX_PNG_SIDE", 20)
    pictures = picture_files((film(tmp_path / "a.mp4"),), 0)
    assert {path.suffix for path in pictures.paths} == {".jpg"}
    assert difference(pictures[0], scene(0)) < 8


def test_still_scenes_are_left_out(tmp_path):
    pictures = [scene(0)] * 20 + [scene(30)] * 20
    found = picture_files((film(tmp_path / "a.mp4", pictures=pictures),), 0, every=1)
    assert len(found) <= 8  # of each scene one, and those in which the codec is still busy
    assert "frames like the one before are left out" in found.file_notes[0]


@pytest.mark.parametrize("ending", ["gif", "webp", "png"])
def test_an_animation_gives_its_frames_if_it_is_asked_for(tmp_path, ending):
    folder = tmp_path / "stickers"
    folder.mkdir()
    first, *rest = map(scene, range(12))
    path = folder / f"a.{ending}"
    options = {"lossless": True} if ending == "webp" else {}
    first.save(path, save_all=True, append_images=rest, duration=50, **options)
    assert len(picture_files((str(path),), 0)) == 12  # itself
    assert picture_files((str(folder),), 0).names == [f"a.{ending}"]  # its first frame
    pictures = picture_files((str(folder),), 0, every=4)
    assert [moment.time for moment in pictures.moments] == [0, 200, 400]
    assert difference(pictures[2], scene(8)) < 6


def test_frames_that_differ_only_in_what_is_transparent_are_kept(tmp_path):
    pictures = [Image.new("RGBA", SIZE) for _ in range(4)]
    for number, picture in enumerate(pictures[:3]):
        picture.paste((0, 0, 0, 255), (12 * number, 8, 12 * number + 10, 18))
    pictures[3] = pictures[2].copy()
    pictures[3].paste((9, 200, 9, 0), (0, 0, 8, 8))  # which nobody sees
    path = tmp_path / "a.png"
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=100)
    found = picture_files((str(path),), 0)
    assert found.names == ["a.png, frame 0", "a.png, frame 1", "a.png, frame 2"]


def test_films_in_a_folder_need_every(tmp_path):
    film(tmp_path / "a.mp4", 12)
    scene(3).save(tmp_path / "b.png")
    pictures = picture_files((str(tmp_path),), 0)
    assert pictures.names == ["b.png"]
    assert pictures.moment(0) is None
    assert "--data" in pictures.left_out[0]
    pictures = picture_files((str(tmp_path),), 0, every=6)
    assert len(pictures) == 3
    assert [pictures.moment(index) for index in range(3)] == [(0, 0), (0, 500), (-1, 0)]


def test_a_cut_off_film_gives_what_it_has(tmp_path):
    path = tmp_path / "a.mp4"
    film(path, 96, movflags="faststart")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    pictures = picture_files((str(path),), 0)
    assert 4 <= len(pictures) < 16
    assert pictures.left_out == []
    assert "a.mp4 is cut off after frame" in pictures.file_notes[0]


@pytest.mark.parametrize(
    "content",
    [
        b"\0\0\0\x18ftypmp42" + bytes(300),
        b"#EXTM3U\n#EXTINF:1,\nfile:///{folder}/good.mp4\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile {folder}/good.mp4\n",
        b"RIFF\0\0\0\0AVI LIST",
        b"no film",
    ],
)
def test_broken_films_and_playlists_are_refused_in_a_line(tmp_path, content):
    film(tmp_path / "good.mp4", 3)
    path = tmp_path / "a.mp4"
    path.write_bytes(content.replace(b"{folder}", str(tmp_path).encode()))
    with pytest.raises(GankitError) as error:
        picture_files((str(path),), 0)
    assert "a.mp4" in str(error.value)
    assert str(error.value).isprintable()
    is_playlist = content.startswith((b"#EXTM3U", b"ffconcat"))
    assert ("is a playlist" in str(error.value)) == is_playlist


def test_a_film_is_decoded_once(tmp_path, monkeypatch):
    path = film(tmp_path / "a.mp4", 6)
    first = picture_files((path,), 0, every=2)
    monkeypatch.setattr(frames, "_write_frames", None)
    assert picture_files((path,), 0, every=2).paths == first.paths


def test_a_full_disk_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(frames, "MAX_TOTAL_BYTES", 3000)
    with pytest.raises(GankitError, match="every=N"):
        picture_files((film(tmp_path / "a.mp4"),), 0, every=1)
    assert not list((tmp_path / "cache" / "unpacked").glob("*.aside"))


def test_every_is_checked():
    with pytest.raises(GankitError, match="every=-1"):
        picture_files(("x",), every=-1)


def test_frames_are_not_cut_into_patches(tmp_path, registry):
    path = film(tmp_path / "a.mp4")
    settings = {"dataset": "folder:every=5", "data": path, "image_size": 16, "channels": 3}
    run = compose(registry, **settings, model="dcgan64-quick", fit="patches:size=16,stride=8")
    with pytest.raises(GankitError, match="--fit patches .* frames"):
        prepare(run, registry)
    assert len(prepare(replace(run, fit=Choice("crop")), registry).pixels) == 10
