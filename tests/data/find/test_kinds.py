"""Every file of a folder, a zip or a tar is taken as a picture, named with a reason, or ignored."""

import gzip
import io
import pickle
import random
import shutil
import tarfile
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from gankit import GankitError
from gankit.data.find.find_pictures import find_pictures
from gankit.runs.images import save_picture
from gankit.runs.video import write_video

DICE = random.Random(3)


def encoded(kind="JPEG"):
    """A small picture of its own colours."""
    data = io.BytesIO()
    Image.frombytes("RGB", (4, 4), DICE.randbytes(48)).save(data, kind)
    return data.getvalue()


def zip_bytes(files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def tar_bytes(files):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return data.getvalue()


TAKEN = {
    "a.jpg": encoded(),
    "a.jpg?w=500": encoded(),
    "a.jpg.1": encoded(),
    "a.JPG (1)": encoded(),
    "b.jpe": encoded(),
    "no ending": encoded(),
    "photo.HEIC": encoded(),  # phones rename without converting
    "notes.txt": encoded(),
    "Cats/1.png": encoded("PNG"),
    "cats/2.png": encoded("PNG"),
    "same.png": encoded("PNG"),
    "SAME.png": encoded("PNG"),
    "what:*/q?.png": encoded("PNG"),
    "back\\slash.png": encoded("PNG"),
    "a backslash before its ending\\.png": encoded("PNG"),
}
# name: (content, a word of the reason)
NAMED = {
    "x.heic": (b"\0\0\0\x18ftypheic", "HEIC"),
    "no ending heic": (b"\0\0\0\x18ftypmif1", "HEIC"),
    "x.heics": (b"\0\0\0\x18ftyphevc", "HEIC"),
    "x.jxl": (b"\xff\x0a12", "save it as jpg"),
    "raw.dng": (encoded("TIFF"), "raw"),
    "raw.NEF_original": (encoded("TIFF"), "raw"),  # as exiftool keeps it
    "raw.CR2": (b"II*\0\x10\0\0\0CR", "raw"),
    "raw.cr3": (b"\0\0\0\x18ftypcrx ", "raw"),
    "scan.dcm": (bytes(200), "3D Slicer"),
    "no ending dicom": (bytes(128) + b"DICM" + bytes(9), "3D Slicer"),
    "brain.nii.gz": (gzip.compress(b"x"), "3D Slicer"),
    "stack.czi": (b"ZISRAWFILE\0", "ImageJ"),
    "film.mp4": (b"\0\0\0\x20ftypisom", "film"),
    "film.MOV": (b"\0\0\0\x14ftypqt  ", "film"),
    "film.avi": (b"RIFF\0\0\0\0AVI LIST", "film"),
    "film.webm": (b"\x1aE\xdf\xa3\0", "film"),
    "no ending film": (b"\0\0\0\x20ftypmp42", "film"),
    "more.zip": (zip_bytes({"x.jpg": encoded()}), "unpack"),
    "more.tar": (b"x", "unpack"),
    "more.tar.gz": (tar_bytes({"x.jpg": encoded()}), "unpack"),
    "no ending zip": (zip_bytes({"x.jpg": encoded()}), "unpack"),
    "more.7z": (b"7z\xbc\xaf\x27\x1c\0", "unpack"),
    "more.rar": (b"Rar!\x1a\x07\0", "unpack"),
    "more.tar.zst": (b"\x28\xb5\x2f\xfd\0", "unpack"),
    "one.jpg.gz": (gzip.compress(encoded()), "unpack"),
    "slides.pptx": (zip_bytes({"x.xml": b"x"}), "document"),
    "book.pdf": (b"%PDF-1.7", "document"),
    "drawing.svg": (b'<?xml version="1.0"?>\n<svg/>', "png"),
    "drawing.ai": (b"%!PS-Adobe-3.0", "png"),
    "drawing.xcf": (b"gimp xcf v011\0", "png"),
    "drawing.kra": (zip_bytes({"x.xml": b"x"}), "png"),
    "data_batch_1": (pickle.dumps({"data": b"x"}, protocol=2), "data file"),
    "array.npy": (b"\x93NUMPY\1\0", "array"),
    "arrays.npz": (zip_bytes({"x.npy": b"\x93NUMPY"}), "array"),
    "train.h5": (b"\x89HDF\r\n", "data file"),
    "train.mat": (b"MATLAB 5.0 MAT-file", "data file"),
    "train.parquet": (b"PAR1\0", "data file"),
    "train.tfrecord-00000-of-00010": (b"\x01\0\0\0", "data file"),
    "train-images-idx3-ubyte.gz": (gzip.compress(b"x"), "data file"),
    "photos.lnk": (b"L\0\0\0\1\x14\2\0", "shortcut"),
    "alias": (b"book\0\0\0\0mark\0", "shortcut"),
    "lfs.png": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
    "page.jpg": (b"\n<!DOCTYPE html><html>404</html>", "web page"),
    "page?id=5": (b"<html>", "web page"),
    "denied.png": (b'{"error": "denied"}', "text"),
    "empty.jpg": (b"", "empty"),
    "empty": (b"", "OneDrive"),
    "zeros.jpg": (bytes(5000), "zeros"),
    "noise.png": (b"\x00\x07" + DICE.randbytes(900), "not a picture"),
    "noise.xyz": (b"\x00\x07" + DICE.randbytes(900), "not a picture"),
    "noise": (b"\x00\x07" + DICE.randbytes(900), "not a picture"),
}
IGNORED = {
    "README": b"BMW, RIFF and GIF8",
    "README.md": b"# Pictures",
    "notes (1).txt": b"",
    "labels.csv": b"absent.jpg,1",
    "voc.xml": b"<annotation/>",
    "index.html": b"<!doctype html>",
    "sound.mp3": b"ID3\4\0",
    "model.safetensors": b"\x10\0\0\0",
    "latin1.txt": b"caf\xe9",
    "imagelabels.mat": b"MATLAB 5.0 MAT-file",
    "Thumbs.db": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    ".hidden.jpg": encoded(),
    "@eaDir/a.jpg": encoded(),
    "__MACOSX/._a.jpg": b"\0\5\x16\7",
    ".ipynb_checkpoints/a.jpg": encoded(),
    "lib/site-packages/logo.png": encoded("PNG"),
}
CONTENTS = {**TAKEN, **{name: content for name, (content, _) in NAMED.items()}, **IGNORED}


@pytest.fixture(params=["folder", "zip", "tar"])
def source(request, tmp_path, monkeypatch):
    """`source(files)`: the path of a folder or an archive with these files."""
    monkeypatch.setenv("GANKIT_CACHE", str(tmp_path / "cache"))

    def make(files):
        path = tmp_path / request.param
        if request.param == "folder":
            for name, content in files.items():
                (path / name).parent.mkdir(parents=True, exist_ok=True)
                (path / name).write_bytes(content)
        else:
            path.write_bytes((zip_bytes if request.param == "zip" else tar_bytes)(files))
        return str(path)

    return make


def reasons_of(found):
    return dict(line.split(": ", 1) for line in found.left_out)


def test_the_same_pictures_come_from_a_folder_a_zip_and_a_tar(source):
    found = find_pictures([source(CONTENTS)])
    assert found.names == sorted(TAKEN)
    assert [path.read_bytes() for path in found.paths] == [TAKEN[name] for name in found.names]
    folders = [name.rpartition("/")[0] for name in found.names]
    assert found.classes == folders
    assert set(reasons_of(found)) == set(NAMED)
    assert found.left_out == sorted(found.left_out)


def test_a_file_that_is_not_taken_is_named_with_what_to_do(source):
    found = find_pictures([source(CONTENTS)])
    for name, reason in reasons_of(found).items():
        assert NAMED[name][1] in reason, name
        assert 5 < len(reason) < 120
        assert reason.isprintable()


def test_only_bytes_that_begin_like_a_picture_are_kept_in_the_cache(source, tmp_path):
    find_pictures([source(CONTENTS)])
    kept = [path.read_bytes() for path in tmp_path.glob("cache/unpacked/*/files/**/*.*")]
    assert set(kept) <= {*TAKEN.values(), IGNORED["imagelabels.mat"], IGNORED["labels.csv"]}


def test_a_placeholder_of_icloud_is_named(source):
    found = find_pictures([source({"a.jpg": encoded(), "sea/.b.jpg.icloud": b"bplist00"})])
    assert found.names == ["a.jpg"]
    assert "iCloud" in reasons_of(found)["sea/b.jpg"]


@pytest.mark.parametrize("name", sorted(NAMED))
def test_a_source_that_is_not_a_picture_is_refused_with_what_it_is(name, tmp_path, monkeypatch):
    monkeypatch.setenv("GANKIT_CACHE", str(tmp_path / "cache"))
    content, word = NAMED[name]
    path = tmp_path / name
    path.write_bytes(content)
    if zipfile.is_zipfile(path) or name == "more.tar.gz":
        return  # an archive that is read
    with pytest.raises(GankitError) as caught:
        find_pictures([str(path)])
    line = str(caught.value)
    assert line.startswith(str(path))
    assert line.isprintable()
    if name not in ("noise", "noise.xyz", "more.tar"):
        assert word in line


def test_members_that_python_cannot_unpack_are_named(tmp_path, monkeypatch):
    """Windows packs large files with Deflate64."""
    monkeypatch.setenv("GANKIT_CACHE", str(tmp_path / "cache"))
    files = {"a.jpg": encoded(), "b.jpg": encoded(), "b.txt": b"x", "unnamed": encoded()}
    data = bytearray(zip_bytes(files))
    for name in ("b.jpg", "b.txt", "unnamed"):
        start = data.rindex(name.encode())  # in the index at the end
        data[start - 36] = 9
        start = data.index(name.encode())
        data[start - 22] = 9
    (tmp_path / "a.zip").write_bytes(data)
    found = find_pictures([str(tmp_path / "a.zip")])
    assert found.names == ["a.jpg"]
    reasons = reasons_of(found)
    assert set(reasons) == {"b.jpg", "unnamed"}
    assert all("unpack it yourself" in reason for reason in reasons.values())


RUN_FILE = b'{\n  "dataset": "folder",\n  "data": ["."]\n}'


def test_folders_of_runs_are_passed_over_and_named_once(source):
    files = {
        "a.jpg": encoded(),
        "runs/folder-1/run.json": RUN_FILE,
        "runs/folder-1/samples/000100.png": encoded("PNG"),
        "runs/folder-1/samples/film.mp4": b"\0\0\0\x20ftypisom",
        "lesson-04-pictures/warm/000.png": encoded("PNG"),
        "race/race.json": b'{\n "gankit": "0.2"}',
        "race/race.png": encoded("PNG"),
        "race/a-0/run.json": RUN_FILE,
        "race/a-0/samples/000100.png": encoded("PNG"),
        "sports/run.json": b'{"kilometres": 12}',  # of another program
        "sports/b.jpg": encoded(),
    }
    found = find_pictures([source(files)])
    assert found.names == ["a.jpg", "sports/b.jpg"]
    assert set(reasons_of(found)) == {"lesson-04-pictures", "race", "runs/folder-1"}


def test_a_folder_of_a_run_is_taken_if_it_is_given_by_name(source):
    files = {"run.json": RUN_FILE, "samples/000100.png": encoded("PNG")}
    assert find_pictures([source(files)]).names == ["samples/000100.png"]


@pytest.mark.parametrize("ending", ["png", "jpg", "gif", "webp"])
def test_pictures_that_gankit_drew_are_passed_over(ending, source, tmp_path):
    picture = Image.frombytes("RGB", (90, 60), DICE.randbytes(90 * 60 * 3))
    save_picture(picture, tmp_path / f"grid.{ending}")
    files = {"a.jpg": encoded(), f"grid.{ending}": (tmp_path / f"grid.{ending}").read_bytes()}
    if ending in ("gif", "webp"):
        write_video([picture, picture.rotate(180)], tmp_path / f"film.{ending}", fps=10)
        files[f"film.{ending}"] = (tmp_path / f"film.{ending}").read_bytes()
    found = find_pictures([source(files)])
    assert found.names == ["a.jpg"]
    assert set(reasons_of(found)) == set(files) - {"a.jpg"}


def test_a_webp_of_another_program_is_taken(source, tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Software] = "another program"
    Image.new("RGB", (9, 9), "red").save(tmp_path / "b.webp", exif=exif)
    files = {"a.jpg": encoded(), "b.webp": (tmp_path / "b.webp").read_bytes()}
    assert find_pictures([source(files)]).names == ["a.jpg", "b.webp"]


STEMS = [
    "a",
    "A",
    "\u00e9",
    "e\u0301",
    "con",
    ".x",
    "~1",
    "a:b",
    "a?b",
    "x\ny",
    "\u212a",
    "lesson-01",
]
ENDINGS = ["", ".jpg", ".JPG", ".jpg?w=1", ".jpg.1", ".txt", ".zip", ".mp4", ".xyz", ".", " "]
NAMES = st.builds(lambda stem, ending: stem + ending, *map(st.sampled_from, (STEMS, ENDINGS)))
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
BYTES = st.sampled_from([*TAKEN.values(), *(content for content, _ in NAMED.values()), RUN_FILE])


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(PATHS, BYTES, min_size=1, max_size=9))
def test_any_files_give_the_same_from_a_folder_a_zip_and_a_tar(tmp_path, files):
    shutil.rmtree(tmp_path)
    folder = tmp_path / "folder"
    folder.mkdir(parents=True)
    written = {}
    for name, content in files.items():
        if not any(name.startswith(f"{file}/") or file.startswith(f"{name}/") for file in written):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
            written[name] = content
    (tmp_path / "zip").write_bytes(zip_bytes(written))
    (tmp_path / "tar").write_bytes(tar_bytes(written))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANKIT_CACHE", str(tmp_path / "cache"))
        results = [outcome(tmp_path / source) for source in ("folder", "zip", "tar")]
    assert results[0] == results[1] == results[2]


def outcome(source):
    """What is found in a source: names, bytes, classes and what is left out; None if nothing is."""
    try:
        found = find_pictures([str(source)])
    except GankitError:
        return None
    contents = [path.read_bytes() for path in found.paths]
    return found.names, contents, found.classes, found.left_out
