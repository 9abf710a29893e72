"""Finding pictures: what is there is found in a fixed order, and what is not read is said."""

import inspect
import os
import shutil
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from gankit import GankitError
from gankit.data.fetch import unpack
from gankit.data.read.find import find


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    return folder


def draw(*files, kind="PNG"):
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), "red").save(file, kind)


def refusal(*places, **asked):
    """The one line that refuses."""
    with pytest.raises(GankitError) as refused:
        find([str(place) for place in places], **asked)
    assert str(refused.value).isprintable()
    return str(refused.value)


def test_pictures_at_any_depth_are_found_in_order(place):
    draw(*(place / name for name in ("b/deep/2.png", "b/1.PNG", "a/3.jpeg", "0.tif", "B.webp")))
    found = find([str(place)])
    assert found.names == ["0.tif", "B.webp", "a/3.jpeg", "b/1.PNG", "b/deep/2.png"]
    assert found.classes == ["", "", "a", "b", "deep"]
    assert found.paths == [place / name for name in found.names]
    assert all(path.is_absolute() for path in found.paths)
    assert found.left_out == []


def test_several_places_keep_their_order_and_are_told_apart(place, monkeypatch):
    draw(place / "a" / "1.png", place / "b" / "x" / "1.png", place / "2.png")
    monkeypatch.chdir(place)
    found = find(["b", "a/", "2.png", "./2.png"])  # the last one twice
    assert found.names == ["b/x/1.png", "a/1.png", "2.png"]
    assert found.paths == [place / "b" / "x" / "1.png", place / "a" / "1.png", place / "2.png"]
    assert found.classes == ["x", "", ""]
    assert find(["a/1.png"]).names == ["1.png"]
    assert find(["b", "a/1.png"]).names == ["b/x/1.png", "a/1.png"]


def test_places_that_overlap_give_each_picture_once(place):
    draw(place / "1.png", place / "a" / "2.png")
    found = find([str(place), str(place / "a"), str(place / "1.png")])
    assert [path.name for path in found.paths] == ["1.png", "2.png"]
    assert found.left_out == [f"{place / 'a'}: leads to a folder that is read already"]


def test_what_no_person_put_there_is_left_out_without_a_word(place):
    names = ["__MACOSX/._one.png", ".hidden/two.png", "._one.png", ".one.png", ".thumbnails/3.png"]
    draw(
        *(place / name for name in ["one.png", *names, "@eaDir/4.png", "Thumbs.db", "desktop.ini"])
    )
    (place / "notes.txt").write_text("no picture")
    (place / "labels").write_text("BMW, RIFF, GIF8: no picture")
    found = find([str(place)])
    assert (found.names, found.left_out) == (["one.png"], [])
    assert find([str(place / ".hidden")]).names == ["two.png"]  # asked for by name


def test_a_picture_is_known_by_its_contents(place):
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"):
        draw(place / kind, place / f"{kind}.dat", kind=kind)
    assert len(find([str(place)]).names) == 12
    assert find([str(place / "BMP")]).names == ["BMP"]


def test_folders_may_be_called_like_pictures_and_pictures_like_nothing_on_earth(place):
    draw(place / "x.jpg" / "1.png", place / "new\nline\x1b[0m.png", place / "花 é.png")
    if sys.platform == "linux":  # elsewhere names are Unicode
        draw(Path(os.fsdecode(os.fsencode(place) + b"/\xff\xfe.png")))
    found = find([str(place)])
    assert all(name.isprintable() for name in found.names)
    assert {"x.jpg/1.png", "new line?[0m.png", "花 é.png"} <= set(found.names)
    assert len(found.names) == 3 + (sys.platform == "linux")


def test_links_are_followed_and_may_lead_in_circles(place, tmp_path):
    draw(place / "a" / "1.png", tmp_path / "else" / "2.png", tmp_path / "3.png")
    (place / "a" / "up").symlink_to(place)
    (place / "a" / "here").symlink_to(".")
    (place / "0-else").symlink_to(tmp_path / "else")
    (place / "0-a").symlink_to(place / "a")  # the real folder keeps its name
    (tmp_path / "else" / "back").symlink_to(place / "a")
    (place / "3.png").symlink_to(tmp_path / "3.png")
    for number in range(9):  # in whatever order the disk lists them
        (place / f"real-{number}").symlink_to(place / "a")
        (place / f"first-{number}").symlink_to(tmp_path / "else")
    (place / "nowhere.png").symlink_to(place / "absent")
    (place / "self.png").symlink_to("self.png")
    (place / "self").symlink_to("self")
    found = find([str(place)])
    assert found.names == ["0-else/2.png", "3.png", "a/1.png"]
    again = ["0-a", "0-else/back", "a/here", "a/up"]
    again += [f"{name}-{number}" for name in ("real", "first") for number in range(9)]
    assert found.left_out == sorted(
        [f"{name}: leads to a folder that is read already" for name in again]
        + ["nowhere.png: cannot be read: no such file or directory"]
        + [f"self{end}: cannot be read: too many levels of symbolic links" for end in (".png", "")]
    )


def test_pipes_are_not_waited_for(place):
    draw(place / "one.png")
    os.mkfifo(place / "pipe.png")
    os.mkfifo(place / "pipe")
    found = find([str(place)])
    assert found.names == ["one.png"]
    assert found.left_out == ["pipe.png: is no file, but a pipe or a device"]
    assert "is a pipe or a device" in refusal(place / "pipe")


def test_kinds_that_are_not_read_are_listed(place):
    draw(place / "one.png", place / "2.HEIC", kind="JPEG")  # phones rename without converting
    draw(place / "4.dng", kind="TIFF")
    (place / "3.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    found = find([str(place)])
    assert found.names == ["2.HEIC", "one.png"]
    unread = "is of a kind gankit does not read; save it as jpg"
    assert found.left_out == [f"3.HEIC: {unread}", f"4.dng: {unread}"]


def test_a_folder_that_cannot_be_read_is_listed(place, monkeypatch):
    draw(place / "one.png", place / "shut" / "two.png")
    scandir = os.scandir

    def guarded(folder):
        if str(folder).endswith("shut"):
            raise PermissionError(13, "Permission denied", folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", guarded)
    found = find([str(place)])
    assert found.names == ["one.png"]
    assert found.left_out == ["shut: cannot be read: permission denied"]
    assert "(left out: shut: cannot be read: permission denied)" in refusal(place / "shut")


def test_folders_may_be_nested_deeper_than_python_recurses(place):
    draw(place / ("d/" * 300) / "1.png")
    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(len(inspect.stack()) + 100)
        assert find([str(place)]).names == ["d/" * 300 + "1.png"]
    finally:
        sys.setrecursionlimit(limit)


@pytest.fixture
def flowers(place):
    draw(
        *(place / "flowers" / kind / f"{n}.png" for kind in ("Rose", "tulip", "oak") for n in "12")
    )
    draw(place / "flowers" / "tulip" / "red" / "3.png")
    return str(place)


@pytest.mark.parametrize(
    ("classes", "count"),
    [(["rose"], 2), (["TULIP"], 3), (["tulip", "rose"], 5), (["red"], 1), (["flowers"], 7)],
)
def test_classes_pick_by_any_folder_on_the_way(flowers, classes, count):
    found = find([flowers], classes)
    assert len(found.paths) == len(found.names) == len(found.classes) == count
    assert all(
        {part.lower() for part in path.parts} & {c.lower() for c in classes} for path in found.paths
    )


def test_an_unknown_class_is_refused_with_those_that_are_there(flowers, place):
    line = refusal(flowers, classes=["tulpi"])
    assert line.startswith("there is no class 'tulpi'. Did you mean 'tulip'?")
    assert line.endswith("There is: flowers (7), oak (2), red (1), rose (2), tulip (3).")
    assert "Did you mean" not in refusal(flowers, classes=["zebra"])
    assert "lie in no class folders" in refusal(place / "flowers" / "oak", classes=["oak"])


def test_a_set_may_know_its_classes_otherwise(flowers):
    def classify(paths):
        return [f"{path.stem}s" for path in paths]

    assert set(find([flowers], classify=classify).classes) == {"1s", "2s", "3s"}
    assert find([flowers], ["2S"], classify).classes == ["2s"] * 3
    assert "There is: 1s (3), 2s (3), 3s (1)." in refusal(
        flowers, classes=["rose"], classify=classify
    )
    assert "classify gave 0 names" in refusal(flowers, classify=lambda paths: [])


def test_the_fingerprint_tells_contents_apart_and_knows_them_again(place, tmp_path):
    draw(place / "a" / "1.png", place / "2.png")
    prints = [find([str(place)]).fingerprint]
    assert find([str(place)]).fingerprint == prints[0]
    moved = shutil.move(place, tmp_path / "moved")
    assert find([moved]).fingerprint == find([f"{moved}/../moved/"]).fingerprint == prints[0]
    moved = Path(moved)
    prints.append(find([str(moved)], ["a"]).fingerprint)
    os.utime(moved / "2.png", (1, 1))
    prints.append(find([str(moved)]).fingerprint)
    (moved / "2.png").write_bytes((moved / "2.png").read_bytes() + b"\0")
    os.utime(moved / "2.png", (1, 1))
    prints.append(find([str(moved)]).fingerprint)
    (moved / "2.png").rename(moved / "3.png")
    prints.append(find([str(moved)]).fingerprint)
    assert len(set(prints)) == 5


def test_an_archive_is_a_place(flowers, tmp_path, monkeypatch):
    """Kaggle packs folders into folders."""
    with zipfile.ZipFile(tmp_path / "flowers.zip", "w") as archive:
        for file in find([flowers]).paths:
            archive.write(file, Path("archive", "data", file.relative_to(flowers)))
    monkeypatch.chdir(tmp_path)
    found = find(["flowers.zip"])
    assert found.names[0] == "archive/data/flowers/Rose/1.png"
    assert (len(found.paths), found.classes[0]) == (7, "Rose")
    assert find(["flowers.zip"], ["rose"]).classes == ["Rose", "Rose"]
    both = find(["flowers.zip", flowers])
    assert both.names[0] == "flowers.zip/archive/data/flowers/Rose/1.png"
    assert len(both.paths) == 14


def test_what_an_archive_left_out_is_listed(flowers, tmp_path, monkeypatch):
    (tmp_path / "one.zip").write_bytes(b"PK")
    monkeypatch.setattr(unpack, "is_archive", lambda path: path.name == "one.zip")
    monkeypatch.setattr(
        unpack, "unpacked", lambda path, progress: (Path(flowers), ["x.png: leads out"])
    )
    assert find([str(tmp_path / "one.zip")]).left_out == ["x.png: leads out"]
    draw(tmp_path / "two.png")
    several = find([str(tmp_path / "one.zip"), str(tmp_path / "two.png")])
    assert several.left_out == [f"{tmp_path / 'one.zip'}/x.png: leads out"]


def test_a_place_without_pictures_is_refused(place):
    reads = "gankit reads bmp, gif, jpg, png, tif and webp, in a folder, a zip or a tar"
    for absent in (place / "absent", "", " ", "a\0b"):
        assert "does not exist; check the path given with --data" in refusal(absent)
    assert refusal() == f"name a place with --data; {reads}"
    assert refusal(place) == f"no pictures in {place}; {reads}"
    (place / "notes.txt").write_text("no picture")
    assert refusal(place) == f"no pictures in {place}; {reads}"
    assert "is neither a picture nor an archive; gankit reads" in refusal(place / "notes.txt")
    draw(place / "a" / "1.png")
    (place / "empty").mkdir()
    assert f"no pictures in {place / 'empty'}" in refusal(place / "a", place / "empty")
    (place / "loose").symlink_to("absent")
    assert "cannot be read: no such file or directory" in refusal(place / "loose")
