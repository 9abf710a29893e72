"""Finding pictures: all are found in a fixed order, and files that cannot be read are listed."""

import inspect
import os
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from gankit import GankitError
from gankit.data.find.find_pictures import find_pictures


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    return folder


def draw(*files, kind="PNG"):
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), "red").save(file, kind)


def refusal(*places, **options):
    """The one line of the error."""
    with pytest.raises(GankitError) as error:
        find_pictures([str(place) for place in places], **options)
    assert str(error.value).isprintable()
    return str(error.value)


def names_of(left_out):
    """The names in lines "name: reason"."""
    return [line.partition(": ")[0] for line in left_out]


def test_pictures_at_any_depth_are_found_in_order(place):
    draw(*(place / name for name in ("b/deep/2.png", "b/1.PNG", "a/3.jpeg", "0.tif", "B.webp")))
    found = find_pictures([str(place)])
    assert found.names == ["0.tif", "B.webp", "a/3.jpeg", "b/1.PNG", "b/deep/2.png"]
    assert found.classes == ["", "", "a", "b", "deep"]
    assert found.paths == [place / name for name in found.names]
    assert all(path.is_absolute() for path in found.paths)
    assert found.left_out == []


def test_several_sources_keep_their_order_and_have_prefixes(place, monkeypatch):
    draw(place / "a" / "1.png", place / "b" / "x" / "1.png", place / "2.png")
    monkeypatch.chdir(place)
    found = find_pictures(["b", "a/", "2.png", "./2.png"])  # the last one twice
    assert found.names == ["b/x/1.png", "a/1.png", "2.png"]
    assert found.paths == [place / "b" / "x" / "1.png", place / "a" / "1.png", place / "2.png"]
    assert found.classes == ["x", "a", ""]
    assert find_pictures(["a/1.png"]).names == ["1.png"]
    assert find_pictures(["b", "a/1.png"]).names == ["b/x/1.png", "a/1.png"]


def test_sources_that_overlap_give_each_picture_once(place):
    draw(place / "1.png", place / "a" / "2.png")
    found = find_pictures([str(place), str(place / "a"), str(place / "1.png")])
    assert [path.name for path in found.paths] == ["1.png", "2.png"]
    assert names_of(found.left_out) == [str(place / "a")]


def test_hidden_files_and_files_of_systems_are_ignored(place):
    names = ["__MACOSX/._one.png", ".hidden/two.png", "._one.png", ".one.png", ".thumbnails/3.png"]
    draw(
        *(place / name for name in ["one.png", *names, "@eaDir/4.png", "Thumbs.db", "desktop.ini"])
    )
    (place / "notes.txt").write_text("no picture")
    (place / "labels").write_text("BMW, RIFF, GIF8: no picture")
    found = find_pictures([str(place)])
    assert (found.names, found.left_out) == (["one.png"], [])
    assert find_pictures([str(place / ".hidden")]).names == ["two.png"]  # given by name


def test_a_picture_is_recognised_by_its_content(place):
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"):
        draw(place / kind, place / f"{kind}.dat", kind=kind)
    assert len(find_pictures([str(place)]).names) == 12
    assert find_pictures([str(place / "BMP")]).names == ["BMP"]


def test_names_may_be_unusual(place):
    draw(place / "x.jpg" / "1.png", place / "new\nline\x1b[0m.png", place / "花 é.png")
    if sys.platform == "linux":  # elsewhere names are Unicode
        draw(Path(os.fsdecode(os.fsencode(place) + b"/\xff\xfe.png")))
    found = find_pictures([str(place)])
    assert all(name.isprintable() for name in found.names)
    assert {"x.jpg/1.png", "new line?[0m.png", "花 é.png"} <= set(found.names)
    assert len(found.names) == 3 + (sys.platform == "linux")


def test_links_are_followed_and_may_form_cycles(place, tmp_path):
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
    found = find_pictures([str(place)])
    assert found.names == ["0-else/2.png", "3.png", "a/1.png"]
    again = ["0-a", "0-else/back", "a/here", "a/up"]
    again += [f"{name}-{number}" for name in ("real", "first") for number in range(9)]
    assert sorted(names_of(found.left_out)) == sorted([*again, "nowhere.png", "self", "self.png"])
    reasons = dict(line.split(": ", 1) for line in found.left_out)
    assert len({reasons[name] for name in again}) == 1
    assert "no such file" in reasons["nowhere.png"]
    assert "symbolic links" in reasons["self.png"]


def test_pipes_are_not_opened(place):
    draw(place / "one.png")
    os.mkfifo(place / "pipe.png")
    os.mkfifo(place / "pipe")
    found = find_pictures([str(place)])
    assert found.names == ["one.png"]
    assert names_of(found.left_out) == ["pipe.png"]
    assert str(place / "pipe") in refusal(place / "pipe")


def test_unsupported_formats_are_listed(place):
    draw(place / "one.png", place / "2.HEIC", kind="JPEG")  # phones rename without converting
    draw(place / "4.dng", kind="TIFF")
    (place / "3.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    found = find_pictures([str(place)])
    assert found.names == ["2.HEIC", "one.png"]
    assert names_of(found.left_out) == ["3.HEIC", "4.dng"]
    assert all("save it as jpg" in line for line in found.left_out)


def test_a_folder_that_cannot_be_read_is_listed(place, monkeypatch):
    draw(place / "one.png", place / "shut" / "two.png")
    scandir = os.scandir

    def guarded(folder):
        if str(folder).endswith("shut"):
            raise PermissionError(13, "Permission denied", folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", guarded)
    found = find_pictures([str(place)])
    assert found.names == ["one.png"]
    assert names_of(found.left_out) == ["shut"]
    assert "permission denied" in found.left_out[0]
    assert "permission denied" in refusal(place / "shut")


def test_folders_may_be_nested_deeper_than_python_recurses(place):
    draw(place / ("d/" * 300) / "1.png")
    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(len(inspect.stack()) + 100)
        assert find_pictures([str(place)]).names == ["d/" * 300 + "1.png"]
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
def test_classes_match_any_folder_of_the_path(flowers, classes, count):
    found = find_pictures([flowers], classes)
    assert len(found.paths) == len(found.names) == len(found.classes) == count
    assert all(
        {part.lower() for part in path.parts} & {c.lower() for c in classes} for path in found.paths
    )


@pytest.mark.parametrize("typed", ["Bl\u00fcte", "blu\u0308te"])
def test_letters_of_two_parts_in_the_name_of_a_class_are_those_of_one(place, typed):
    draw(place / "a" / "Blu\u0308te" / "1.png", place / "b" / "Bl\u00fcte" / "2.png")
    draw(place / "b" / "oak" / "3.png")
    sources = [str(place / "a"), str(place / "b")]
    assert find_pictures(sources).classes == ["Bl\u00fcte", "Bl\u00fcte", "oak"]
    assert find_pictures(sources, [typed]).classes == ["Bl\u00fcte"] * 2
    spelled = find_pictures(sources, classify=lambda paths: ["Blu\u0308te"] * len(paths))
    assert spelled.classes == ["Bl\u00fcte"] * 3


@pytest.mark.parametrize(
    ("text", "count"),
    [("Red, dark", 3), ("red, DARK,red", 5), ("red,red, dark", 5), ("red", 2), ("a,b,c,red", 3)],
)
def test_the_name_of_a_class_may_have_commas(place, text, count):
    sizes = {"red, dark": 3, "red": 2, "a,b,c": 1}
    draw(*(place / kind / f"{n}.png" for kind, size in sizes.items() for n in range(size)))
    assert len(find_pictures([str(place)], text.split(",")).paths) == count
    assert "' light'" in refusal(place, classes=["red", " light"])


def test_an_unknown_class_is_refused_with_a_list(flowers, place):
    line = refusal(flowers, classes=["tulpi"])
    assert "'tulpi'" in line
    assert "'tulip'" in line
    assert line.endswith("flowers (7), oak (2), red (1), rose (2), tulip (3).")
    assert "'tulip'" not in refusal(flowers, classes=["zebra"])
    line = refusal(place / "flowers" / "oak", classes=["oak"])
    assert "'oak'" in line
    assert "--classes" in line


def test_classify_names_the_classes(flowers):
    def classify(paths):
        return [f"{path.stem}s" for path in paths]

    assert set(find_pictures([flowers], classify=classify).classes) == {"1s", "2s", "3s"}
    assert find_pictures([flowers], ["2S"], classify).classes == ["2s"] * 3
    assert "1s (3), 2s (3), 3s (1)" in refusal(flowers, classes=["rose"], classify=classify)
    line = refusal(flowers, classify=lambda paths: [])
    assert " 0 " in line
    assert " 7 " in line


def test_the_fingerprint_depends_on_the_contents(place, tmp_path):
    draw(place / "a" / "1.png", place / "2.png")
    prints = [find_pictures([str(place)]).fingerprint]
    assert find_pictures([str(place)]).fingerprint == prints[0]
    moved = shutil.move(place, tmp_path / "moved")
    assert (
        find_pictures([moved]).fingerprint
        == find_pictures([f"{moved}/../moved/"]).fingerprint
        == prints[0]
    )
    moved = Path(moved)
    prints.append(find_pictures([str(moved)], ["a"]).fingerprint)
    os.utime(moved / "2.png", (1, 1))
    prints.append(find_pictures([str(moved)]).fingerprint)
    (moved / "2.png").write_bytes((moved / "2.png").read_bytes() + b"\0")
    os.utime(moved / "2.png", (1, 1))
    prints.append(find_pictures([str(moved)]).fingerprint)
    (moved / "2.png").rename(moved / "3.png")
    prints.append(find_pictures([str(moved)]).fingerprint)
    assert len(set(prints)) == 5


def test_an_archive_is_a_source(flowers, tmp_path, monkeypatch):
    """Kaggle packs folders into folders."""
    with zipfile.ZipFile(tmp_path / "flowers.zip", "w") as archive:
        for file in find_pictures([flowers]).paths:
            archive.write(file, Path("archive", "data", file.relative_to(flowers)))
    monkeypatch.chdir(tmp_path)
    found = find_pictures(["flowers.zip"])
    assert found.names[0] == "archive/data/flowers/Rose/1.png"
    assert (len(found.paths), found.classes[0]) == (7, "Rose")
    assert find_pictures(["flowers.zip"], ["rose"]).classes == ["Rose", "Rose"]
    both = find_pictures(["flowers.zip", flowers])
    assert both.names[0] == "flowers.zip/archive/data/flowers/Rose/1.png"
    assert len(both.paths) == 14


def test_each_of_several_sources_is_a_class(place, monkeypatch):
    draw(place / "1.png", place / "roses" / "2.png")
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.setenv("USERPROFILE", str(place))
    for name in ("v1.tulips.tar.bz2", "v1.lilies.zip", "oak.tbz2", "elm.TXZ", "ash.cbz", "fir"):
        if name.endswith(("zip", "cbz")):
            with zipfile.ZipFile(place / name, "w") as archive:
                archive.write(place / "1.png", "1.png")
        else:
            with tarfile.open(place / name, "w") as archive:
                archive.add(place / "1.png", "1.png")
    names = ["roses", "v1.tulips.tar.bz2", "v1.lilies.zip", "oak.tbz2", "elm.TXZ", "ash.cbz", "fir"]
    found = find_pictures([*(f"~/{name}" for name in names), str(place / "1.png")])
    assert found.classes == ["roses", "v1.tulips", "v1.lilies", "oak", "elm", "ash", "fir", ""]
    found = find_pictures([str(place / name) for name in ("v1.tulips.tar.bz2", "fir")])
    assert found.classes == ["v1", "fir"]  # as it always was, where names differ so


def test_what_an_archive_left_out_is_listed(tmp_path):
    draw(tmp_path / "two.png")
    picture = (tmp_path / "two.png").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        archive.writestr("1.png", picture)
        archive.writestr("../x.png", picture)
    assert names_of(find_pictures([str(tmp_path / "one.zip")]).left_out) == ["../x.png"]
    several = find_pictures([str(tmp_path / "one.zip"), str(tmp_path / "two.png")])
    assert names_of(several.left_out) == [f"{tmp_path / 'one.zip'}/../x.png"]


def test_a_source_without_pictures_is_refused(place):
    absent = {str(place / "absent"): str(place / "absent"), "": "''", " ": " ", "a\0b": "a?b"}
    for source, shown in absent.items():
        line = refusal(source)
        assert line.startswith(f"{shown} ")
        assert "--data" in line
    formats = "bmp, gif, jp2, jpg, png"
    line = refusal()
    assert "--data" in line
    assert formats in line
    for _ in range(2):
        line = refusal(place)
        assert str(place) in line
        assert formats in line
        (place / "notes.txt").write_text("no picture")
    assert str(place / "notes.txt") in refusal(place / "notes.txt")
    draw(place / "a" / "1.png")
    (place / "empty").mkdir()
    assert str(place / "empty") in refusal(place / "a", place / "empty")
    (place / "loose").symlink_to("absent")
    assert "no such file" in refusal(place / "loose")


def test_drives_that_number_no_folders_are_read_whole_and_once(place, monkeypatch):
    """Some network drives of Windows give all folders the inode 0."""
    draw(place / "a" / "1.png", place / "b" / "2.png")
    (place / "again").symlink_to(place / "a")
    stat = os.stat

    def stat_without_inode(path, **options):
        numbers = list(stat(path, **options))
        numbers[1] = 0
        return os.stat_result(numbers)

    monkeypatch.setattr("gankit.data.find.walk.os.stat", stat_without_inode)
    found = find_pictures([str(place)])
    assert [path.name for path in found.paths] == ["1.png", "2.png"]
    assert "again" in str(found.left_out)


def test_a_quotation_mark_that_a_backslash_took_is_explained(place):
    draw(place / "1.png")
    assert "leave that out before the closing quotation mark" in refusal(f'{place}" --kimg 5')
