"""Archives as people make them, cut off or damaged by a transfer, and made by an attacker."""

import bz2
import contextlib
import errno
import gzip
import io
import lzma
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import threading
import warnings
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gankit import GankitError
from gankit.data.fetch import archives, limited_writer, make_once, unpack
from gankit.data.fetch.unpack import is_archive, unpack_pictures

JPEG = b"\xff\xd8\xff\xe0" + os.urandom(3000)  # does not compress, like a picture
TARS = {".tar": lambda data: data, ".tar.gz": gzip.compress, ".tar.bz2": bz2.compress,
        ".tar.xz": lzma.compress}  # fmt: skip


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache."""
    monkeypatch.setenv("GANKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def zip_of(path, files, method=zipfile.ZIP_DEFLATED):
    """A zip of (name or ZipInfo, content) pairs, or of a dictionary."""
    pairs = files.items() if isinstance(files, dict) else files
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in pairs:
            info = name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo("x")
            if not isinstance(name, zipfile.ZipInfo):
                info.filename = name  # ZipInfo would change it
                info.compress_type = method
            archive.writestr(info, content)
    return path


def tar_of(path, files, **header):
    """A tar, compressed as its ending says; a content may be a TarInfo's fields instead."""
    pairs = files.items() if isinstance(files, dict) else files
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", **header) as archive:
        for name, content in pairs:
            info = tarfile.TarInfo(name)
            if isinstance(content, dict):
                for field, value in content.items():
                    setattr(info, field, value)
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    path.write_bytes(TARS[path.name[path.name.index(".") :]](data.getvalue()))
    return path


def archive_of(path, files):
    return (zip_of if path.suffix == ".zip" else tar_of)(path, files)


def read(archive):
    """({path in the folder: content}, what was left out)."""
    folder, pictures, left_out = unpack_pictures(archive, lambda done, total: None)
    assert all(line.isprintable() for line in left_out)
    found = {}
    for path in sorted(folder.rglob("*")):
        assert not path.is_symlink()
        if path.is_file():
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    sizes = {picture.file: picture.size for picture in pictures}
    labels = {file for file in found if file.endswith("imagelabels.mat")}
    assert sizes == {file: len(found[file]) for file in found if file not in labels}
    return found, left_out


def picture(content=b""):
    """Bytes that begin like a picture."""
    return b"\xff\xd8\xff" + content


def names_of(left_out):
    """The names in lines "name: reason"."""
    return [line.partition(":")[0] for line in left_out]


def refusal(archive, code=2):
    """The one line that refuses an archive; it names the archive."""
    before = in_cache()
    with pytest.raises(GankitError) as caught:
        unpack_pictures(archive, lambda done, total: None)
    assert caught.value.exit_code == code
    assert str(caught.value).isprintable()
    assert str(archive) in str(caught.value)
    assert in_cache() == before
    return str(caught.value)


def in_cache():
    """The folders of unpacked archives, and what else is there, except locks."""
    everything = Path(os.environ["GANKIT_CACHE"], "unpacked").glob("*")
    return {path.name for path in everything if path.suffix != ".lock"}


ALL = [".zip", *TARS]


@pytest.mark.parametrize("ending", ALL)
def test_pictures_keep_their_folders(tmp_path, ending):
    files = {"set/cats/1.jpg": JPEG, "set/dogs/1.JPG": picture(), "imagelabels.mat": b"MATLAB",
             "top": JPEG, "set/\u00e9\u4e2d \U0001f431.webp": picture(b"cat")}  # fmt: skip
    others = {"readme.txt": b"x", "set/run.sh": b"x", "x.jpg.exe": b"x", "jpg": b"x"}
    archive = archive_of(tmp_path / f"a{ending}", {**files, **others})
    assert is_archive(archive)
    assert read(archive) == (files, [])


@pytest.mark.parametrize("ending", ALL)
def test_files_that_systems_add_are_ignored(tmp_path, ending):
    hidden = ["__MACOSX/._1.jpg", "__MACOSX/1.jpg", "a/__macosx/1.jpg", ".hidden.jpg",
              ".git/x.jpg", "a/.b/x.jpg", "@eaDir/1.jpg", "Thumbs.db", ".DS_Store"]  # fmt: skip
    files = {**dict.fromkeys(hidden, b"x"), "./a/1.jpg": JPEG, "a//./2.jpg": JPEG}
    archive = archive_of(tmp_path / f"a{ending}", files)
    assert read(archive) == ({"a/1.jpg": JPEG, "a/2.jpg": JPEG}, [])


@pytest.mark.parametrize("ending", ALL)
def test_an_archive_is_recognised_by_its_content(tmp_path, ending):
    archive = archive_of(tmp_path / f"a{ending}", {"1.jpg": JPEG})
    other = archive.rename(tmp_path / "download")
    assert is_archive(other)
    assert read(other)[0] == {"1.jpg": JPEG}


def test_files_that_are_not_archives(tmp_path):
    contents = {"a.zip": b"", "b.zip": b"no zip", "c.tar.gz": gzip.compress(b"no tar" * 500),
                "d.tar": os.urandom(5000), "e.tar.gz": b"\x1f\x8b", "f.tar.xz": b"\xfd7zXZ\x00",
                "g.jpg": JPEG, "h.tar.bz2": b"BZh9" + bytes(100)}  # fmt: skip
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        assert not is_archive(tmp_path / name), name
        refusal(tmp_path / name)
    assert not is_archive(tmp_path)
    assert not is_archive(tmp_path / "nothing")
    assert "No such file" in refusal(tmp_path / "nothing", code=1)


@pytest.mark.parametrize("ending", ALL)
@pytest.mark.parametrize("files", [{}, {"readme.txt": b"x"}, {"__MACOSX/1.jpg": JPEG}])
def test_an_archive_without_pictures(tmp_path, ending, files):
    refusal(archive_of(tmp_path / f"a{ending}", files))


BAD_NAMES = [
    "/abs.jpg", "//host/share/x.jpg", "../up.jpg", "a/../../up.jpg", "C:/x.jpg", "a/..",
    "./../up.jpg", "a/" + "n" * 300 + ".jpg", "\u00e9" * 150 + ".jpg",
    "d/" * 60 + "x.jpg", "d/" * 1500 + "x.jpg",
]  # fmt: skip


@pytest.mark.parametrize("ending", [".zip", ".tar.gz"])
def test_paths_out_of_the_folder_are_left_out_and_listed(tmp_path, ending):
    files = [("ok.jpg", JPEG), *((name, b"evil") for name in BAD_NAMES)]
    found, left_out = read(archive_of(tmp_path / f"a{ending}", files))
    assert found == {"ok.jpg": JPEG}
    assert len(left_out) == len(BAD_NAMES)
    assert len({line.partition(": ")[2] for line in left_out}) == 3  # reasons
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a{ending}", "cache"]


def windows_zip_of(path, files):
    """A zip of a program that writes backslashes between folders, as some do on Windows."""
    pairs = [(zipfile.ZipInfo("x"), name, content) for name, content in files]
    for info, name, _ in pairs:
        info.filename = name  # ZipInfo would change it
        info.create_system = 0
    return zip_of(path, [(info, content) for info, _, content in pairs])


def test_backslashes_between_folders_are_those_of_windows(tmp_path):
    bad_names = ["..\\up.jpg", "a\\..\\up.jpg", "\\abs.jpg", "\\\\host\\share\\x.jpg", "C:\\x.jpg"]
    files = [("a\\b\\ok.jpg", JPEG), ("empty\\", b""), *((name, b"evil") for name in bad_names)]
    found, left_out = read(windows_zip_of(tmp_path / "a.zip", files))
    assert found == {"a/b/ok.jpg": JPEG}
    assert len(left_out) == len(bad_names)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "cache"]


@pytest.mark.parametrize("ending", [".zip", ".tar.gz"])
@pytest.mark.parametrize(
    ("name", "portable"),
    [
        ("CON.jpg", "_CON.jpg"),
        ("a/nul .x.jpg", "a/_nul .x.jpg"),
        ("com1/lpt\u00b2.png", "_com1/_lpt\u00b2.png"),
        ("console.jpg", "console.jpg"),
        ("a:b/what?.jpg", "a_b/what_.jpg"),
        ("c:x.jpg", "c_x.jpg"),
        ("a./b /.../c.jpg", "a/b/_/c.jpg"),
        ("a/.. /b.jpg", "a/_/b.jpg"),
        ("line\nbreak\x1b[31m.jpg", "line_break_[31m.jpg"),
        ("back\\slash.jpg", "back_slash.jpg"),
        ("up..\\up.jpg", "up.._up.jpg"),
        ("e\u0301.jpg", "\u00e9.jpg"),
    ],
)
def test_names_are_made_portable(tmp_path, ending, name, portable):
    archive = archive_of(tmp_path / f"a{ending}", {name: JPEG})
    assert read(archive) == ({portable: JPEG}, [])


def test_names_of_another_encoding(tmp_path):
    files = {"caf\u00e9/\u00fc.jpg": JPEG}
    old = tar_of(tmp_path / "a.tar", files, encoding="latin-1", format=tarfile.GNU_FORMAT)
    assert read(old) == ({"caf_/_.jpg": JPEG}, [])
    data = zip_of(tmp_path / "a.zip", {"caf\u00e9.jpg": JPEG}).read_bytes()
    assert data.count("caf\u00e9".encode()) == 2
    unflagged = data
    for at in (6, data.index(b"PK\x01\x02") + 8):  # flag bit 11: the name is in UTF-8
        unflagged = unflagged[: at + 1] + b"\x00" + unflagged[at + 2 :]
    (tmp_path / "dos.zip").write_bytes(unflagged.replace("caf\u00e9".encode(), b"caf\x82e"))
    assert list(read(tmp_path / "dos.zip")[0]) == ["caf\u00e9e.jpg"]
    (tmp_path / "utf-8.zip").write_bytes(unflagged)
    assert list(read(tmp_path / "utf-8.zip")[0]) == ["caf\u00e9.jpg"]


@pytest.mark.parametrize("ending", [".zip", ".tar.gz"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "second",
    [
        "a/B.jpg",
        "A/b.jpg",
        "a/b.JPG",
        "a/b.jpg/c.jpg",
        "a/B.jpg/c.jpg",
        "a/\u212a.jpg",
        "a/b.jpg.",
        "a/b.jpg ",
        "a/b?.jpg",
    ],
)
def test_names_that_are_equal_on_some_disks(tmp_path, ending, second):
    first = {"a/\u212a.jpg": "a/k.jpg", "a/b?.jpg": "a/b_.jpg"}.get(second, "a/b.jpg")
    files = {first: picture(b"1"), second: picture(b"2"), "a/b/c.jpg": picture(b"3")}
    archive = archive_of(tmp_path / f"a{ending}", files)
    unpacked = unpack_pictures(archive, lambda done, total: None)
    assert {
        name: (unpacked.folder / file).read_bytes() for name, file, *_ in unpacked.pictures
    } == files
    paths = [picture.file for picture in unpacked.pictures]
    assert len({path.casefold() for path in paths}) == 3
    assert unpacked.left_out == []


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("ending", [".zip", ".tar.gz"])
def test_the_first_of_two_equal_names_is_kept(tmp_path, ending):
    files = [("a.jpg", picture(b"1")), ("a.jpg", picture(b"2")), ("X.jpg", picture(b"3"))]
    found, left_out = read(archive_of(tmp_path / f"a{ending}", files))
    assert found == {"a.jpg": picture(b"1"), "X.jpg": picture(b"3")}
    assert names_of(left_out) == ["a.jpg"]


def test_a_disk_that_confuses_two_names(tmp_path, monkeypatch):
    monkeypatch.setattr(limited_writer.PortableNames, "reserve", lambda self, parts: parts)
    archive = tar_of(tmp_path / "a.tar", [("a.jpg", JPEG), ("a.jpg", picture(b"2"))])
    found, left_out = read(archive)
    assert found == {"a.jpg": JPEG}
    assert names_of(left_out) == ["a.jpg"]


@pytest.mark.parametrize("ending", ALL)
def test_folders_are_skipped(tmp_path, ending):
    folder = {"type": tarfile.DIRTYPE} if ending != ".zip" else b""
    archive = archive_of(tmp_path / f"a{ending}", {"a.jpg/": folder, "a.jpg/b.jpg": JPEG})
    assert [member.name for member in archives.iter_members(archive)] == ["a.jpg/b.jpg"]


def test_links_and_devices_in_a_tar(tmp_path):
    outside = tmp_path / "outside.jpg"
    outside.write_bytes(b"secret")
    kinds = {
        "soft.jpg": {"type": tarfile.SYMTYPE, "linkname": str(outside)},
        "hard-out.jpg": {"type": tarfile.LNKTYPE, "linkname": str(outside)},
        "char.jpg": {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 5},
        "block.jpg": {"type": tarfile.BLKTYPE, "devmajor": 8},
        "pipe.jpg": {"type": tarfile.FIFOTYPE},
        "unknown.jpg": {"type": b"Z"},
    }
    folder = {"folder.jpg": {"type": tarfile.DIRTYPE, "mode": 0o755}}
    # The classic: a link to elsewhere under the name of a folder, then a file in that folder.
    way_out = {"way": {"type": tarfile.SYMTYPE, "linkname": str(tmp_path)}, "way/new.jpg": JPEG}
    archive = tar_of(tmp_path / "a.tar.gz", {"ok.jpg": JPEG, **kinds, **folder, **way_out})
    found, left_out = read(archive)
    assert found == {"ok.jpg": JPEG, "way/new.jpg": JPEG}
    assert sorted(names_of(left_out)) == sorted(kinds)
    assert not (tmp_path / "new.jpg").exists()


def test_links_in_a_tar_lead_to_its_own_pictures(tmp_path):
    """As in a folder: a tar keeps the second name of a file as a link."""
    hard, soft = tarfile.LNKTYPE, tarfile.SYMTYPE
    links = {
        "first.jpg": {"type": soft, "linkname": "set/ok.jpg"},
        "set/hard.jpg": {"type": hard, "linkname": "set/ok.jpg"},
        "set/hard2.jpg": {"type": hard, "linkname": "./set/hard.jpg"},
        "set/no ending": {"type": soft, "linkname": "ok.jpg"},
        "other/up.jpg": {"type": soft, "linkname": "../set/./ok.jpg"},
    }
    lost = {
        "loop.jpg": {"type": soft, "linkname": "loop.jpg"},
        "absent.jpg": {"type": soft, "linkname": "set/absent.jpg"},
        "text.jpg": {"type": hard, "linkname": "a.txt"},
        "out.jpg": {"type": soft, "linkname": "../../ok.jpg"},
    }
    files = {"a.txt": b"text", "set/ok.jpg": JPEG}
    archive = tar_of(
        tmp_path / "a.tar", {"first.jpg": links.pop("first.jpg"), **files, **links, **lost}
    )
    found, left_out = read(archive)
    assert found == dict.fromkeys(["first.jpg", "set/ok.jpg", *links], JPEG)
    assert sorted(names_of(left_out)) == sorted(lost)
    assert all("tar -h" in line for line in left_out)


@pytest.mark.parametrize(
    "name", ["/home/me/a.jpg", "../a.jpg", "C:\\me\\a.jpg", "d/" * 60 + "a.jpg"]
)
def test_a_path_that_is_refused_comes_with_what_to_do(tmp_path, name):
    archive = windows_zip_of(tmp_path / "a.zip", [("ok.jpg", JPEG), (name, JPEG)])
    found, left_out = read(archive)
    assert found == {"ok.jpg": JPEG}
    assert "pack" in left_out[0].rpartition(": ")[2]


def test_links_in_a_zip(tmp_path):
    link = zipfile.ZipInfo("link.jpg")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive = zip_of(tmp_path / "a.zip", [("ok.jpg", JPEG), (link, b"/etc/passwd")])
    found, left_out = read(archive)
    assert found == {"ok.jpg": JPEG}
    assert names_of(left_out) == ["link.jpg"]


@pytest.mark.parametrize("ending", [".zip", ".tar.gz", ".tar.xz"])
def test_a_bomb_is_left_out(tmp_path, ending, monkeypatch):
    monkeypatch.setattr(limited_writer, "RATIO_BYTES", 100_000)
    monkeypatch.setattr(archives, "READ_AHEAD", 10_000)
    files = {"1.jpg": JPEG, "bomb.jpg": picture(bytes(4_000_000)),
             "small.bmp": picture(bytes(99_000)), "2.jpg": JPEG}  # fmt: skip
    found, left_out = read(archive_of(tmp_path / f"a{ending}", files))
    assert list(found) == ["1.jpg", "2.jpg", "small.bmp"]
    assert names_of(left_out) == ["bomb.jpg"]
    assert "200" in left_out[0]


def test_a_zip_that_lies_about_sizes(tmp_path, monkeypatch):
    """Bytes are counted as they are written; the sizes in headers are not trusted."""
    archive = zip_of(tmp_path / "a.zip", {"1.jpg": JPEG, "bomb.jpg": picture(bytes(3_000_000))})
    data = bytearray(archive.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = (4_000_000_000).to_bytes(4, "little")  # its length, unpacked
    archive.write_bytes(data)
    monkeypatch.setattr(limited_writer, "MAX_FILE_BYTES", 1_000_000)
    found, left_out = read(archive)
    assert list(found) == ["1.jpg"]
    assert names_of(left_out) == ["bomb.jpg"]
    assert "0 MB" in left_out[0]


def test_a_zip_that_lies_about_its_compression(tmp_path, monkeypatch):
    archive = zip_of(tmp_path / "a.zip", {"1.jpg": JPEG, "bomb.jpg": picture(bytes(3_000_000))})
    data = bytearray(archive.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 20 : at + 24] = (2_000_000_000).to_bytes(4, "little")  # its length, packed
    archive.write_bytes(data)
    monkeypatch.setattr(limited_writer, "RATIO_BYTES", 100_000)
    found, left_out = read(archive)
    assert list(found) == ["1.jpg"]
    assert len(left_out) == 1
    assert "()" not in left_out[0]


@pytest.mark.parametrize("ending", [".zip", ".tar.gz"])
def test_limits_of_one_picture_of_all_and_of_their_number(tmp_path, ending, monkeypatch):
    files = {f"{i}.jpg": JPEG * (i + 1) for i in range(4)}
    archive = archive_of(tmp_path / f"a{ending}", files)
    monkeypatch.setattr(limited_writer, "MAX_FILE_BYTES", len(JPEG) * 3)
    assert list(read(archive)[0]) == ["0.jpg", "1.jpg", "2.jpg"]
    others = archive_of(tmp_path / f"b{ending}", files)
    monkeypatch.setattr(limited_writer, "MAX_TOTAL_BYTES", len(JPEG) * 5)
    assert "0 GB" in refusal(others)
    monkeypatch.setattr(limited_writer, "MAX_TOTAL_BYTES", len(JPEG) * 6)
    monkeypatch.setattr(unpack, "MAX_ENTRIES", 3)
    assert " 3 " in refusal(others)
    monkeypatch.setattr(unpack, "MAX_ENTRIES", 4)
    assert len(read(others)[0]) == 3


def test_some_disk_space_stays_free(tmp_path, monkeypatch):
    free = limited_writer.MIN_FREE_BYTES + 2 * len(JPEG)
    monkeypatch.setattr(
        limited_writer.shutil, "disk_usage", lambda path: SimpleNamespace(free=free)
    )
    two = zip_of(tmp_path / "a.zip", {"1.jpg": JPEG, "2.jpg": JPEG})
    assert len(read(two)[0]) == 2
    assert "GANKIT_CACHE" in refusal(
        zip_of(tmp_path / "b.zip", {f"{i}.jpg": JPEG for i in range(3)})
    )


def test_a_password(tmp_path):
    archive = zip_of(tmp_path / "a.zip", {"note.txt": b"x", "1.jpg": JPEG})
    data = bytearray(archive.read_bytes())
    for magic, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.rindex(magic) + flags] |= 1
    archive.write_bytes(data)
    assert "password" in refusal(archive)


NINE = {f"set/{i}.jpg": b"\xff\xd8\xff\xe0" + os.urandom(3000) for i in range(9)}


@pytest.mark.parametrize("ending", TARS)
@pytest.mark.parametrize("part", [0.3, 0.5, 0.7])
def test_the_first_pictures_of_a_tar_cut_short_are_kept(tmp_path, ending, part):
    archive = tar_of(tmp_path / f"a{ending}", NINE)
    data = archive.read_bytes()
    archive.write_bytes(data[: int(len(data) * part)])
    if ending == ".tar.bz2":  # one block holds it all
        refusal(archive)
        return
    found, left_out = read(archive)
    assert 0 < len(found) < 9
    assert all(NINE[name] == content for name, content in found.items())
    assert len(left_out) in (1, 2)  # the picture that was cut, and the rest


def test_a_tar_cut_between_two_members_is_noticed(tmp_path):
    archive = tar_of(tmp_path / "a.tar", NINE)
    archive.write_bytes(archive.read_bytes()[: 3 * (512 + 3072)])
    found, left_out = read(archive)
    assert list(found) == list(NINE)[:3]
    assert "ends too early" in left_out[0]


def test_a_tar_with_a_damaged_header(tmp_path):
    archive = tar_of(tmp_path / "a.tar", NINE)
    data = bytearray(archive.read_bytes())
    data[3 * (512 + 3072) + 5] ^= 1
    archive.write_bytes(data)
    found, left_out = read(archive)
    assert list(found) == list(NINE)[:3]
    assert len(left_out) == 1


def test_a_flipped_bit_in_a_compressed_tar_is_noticed(tmp_path):
    data = bytearray(gzip.compress(tar_of(tmp_path / "a.tar", NINE).read_bytes(), 0))
    data[5000] ^= 1  # not compressed: only the checksum at the end shows it
    (tmp_path / "b").write_bytes(data)
    found, left_out = read(tmp_path / "b")
    assert len(found) == 9
    assert "CRC" in left_out[0]


def test_a_tar_compressed_in_parts_is_one(tmp_path):
    data = tar_of(tmp_path / "a.tar", NINE).read_bytes()
    (tmp_path / "b").write_bytes(gzip.compress(data[:9000]) + gzip.compress(data[9000:]))
    assert read(tmp_path / "b") == (NINE, [])


def test_a_second_tar_in_the_file_is_noticed(tmp_path):
    data = tar_of(tmp_path / "a.tar", NINE).read_bytes()
    (tmp_path / "b").write_bytes(data + data)
    found, left_out = read(tmp_path / "b")
    assert found == NINE
    assert "after the archive's end" in left_out[0]


def test_the_undamaged_members_of_a_zip_are_kept(tmp_path):
    archive = zip_of(tmp_path / "a.zip", NINE, zipfile.ZIP_STORED)
    data = bytearray(archive.read_bytes())
    data[data.index(b"set/4.jpg") + 500] ^= 1  # its content
    data[data.index(b"set/6.jpg") - 30] ^= 1  # its header
    archive.write_bytes(data)
    found, left_out = read(archive)
    assert found == {name: NINE[name] for name in NINE if name[4] not in "46"}
    assert names_of(left_out) == ["set/4.jpg", "set/6.jpg"]


def test_a_zip_cut_short_must_be_downloaded_again(tmp_path):
    archive = zip_of(tmp_path / "a.zip", NINE)
    data = archive.read_bytes()
    for part in (0.2, 0.99):
        archive.write_bytes(data[: int(len(data) * part)])
        assert is_archive(archive)
        assert "download it again" in refusal(archive)


@pytest.mark.parametrize("kind", [b"L", b"K", b"x", b"g"])
def test_names_that_would_fill_the_memory(tmp_path, kind):
    long = tarfile.TarInfo("long")
    long.type, long.size = kind, 200_000
    start = tar_of(tmp_path / "a.tar", NINE).read_bytes()[: 3 * (512 + 3072)]
    (tmp_path / "b.tar").write_bytes(start + long.tobuf(tarfile.GNU_FORMAT) + bytes(300_000))
    found, left_out = read(tmp_path / "b.tar")
    assert len(found) == 3
    assert "200000" in left_out[0]


@pytest.mark.parametrize("size", [1 << 60, -512])
@pytest.mark.parametrize("first", [0, 3])
def test_sizes_that_would_never_end(tmp_path, size, first):
    vast = tarfile.TarInfo("vast.txt")
    vast.size = size
    start = tar_of(tmp_path / "a.tar", NINE).read_bytes()[: first * (512 + 3072)]
    (tmp_path / "b.tar").write_bytes(start + vast.tobuf(tarfile.GNU_FORMAT) + bytes(10_000))
    if first == 0:
        assert str(size) in refusal(tmp_path / "b.tar")
    else:
        assert len(read(tmp_path / "b.tar")[0]) == 3


def test_an_unpacked_archive_is_not_read_again(tmp_path, monkeypatch):
    archive = zip_of(tmp_path / "a.zip", {**NINE, "../up.jpg": JPEG})
    first = unpack_pictures(archive, lambda done, total: None)
    monkeypatch.setattr(make_once, "file_lock", None)  # the cache may be read-only
    assert unpack_pictures(archive, lambda done, total: None) == first
    assert len(first.left_out) == 1
    assert len(in_cache()) == 1


def test_a_half_deleted_folder_is_unpacked_again(tmp_path):
    archive = zip_of(tmp_path / "a.zip", NINE)
    folder = unpack_pictures(archive, lambda done, total: None).folder
    (folder.parent / "contents.json").unlink()
    (folder / "set/3.jpg").unlink()
    assert read(archive) == (NINE, [])


def test_a_name_of_64_kb_in_a_zip_is_not_quoted_whole(tmp_path):
    large = JPEG + os.urandom(70_000)
    data = bytearray(zip_of(tmp_path / "a.zip", {"a.jpg": JPEG, "b.jpg": large}).read_bytes())
    data[26:28] = b"\xff\xff"  # the length of the first name
    (tmp_path / "b.zip").write_bytes(data)
    result = unpack_pictures(tmp_path / "b.zip", lambda done, total: None)
    assert [line[:5] for line in result.left_out] == ["a.jpg"]
    assert len(result.left_out[0]) < 300


def test_another_archive_of_the_same_name_is_unpacked_again(tmp_path):
    archive = zip_of(tmp_path / "a.zip", {"1.jpg": JPEG})
    assert list(read(archive)[0]) == ["1.jpg"]
    zip_of(archive, {"2.jpg": JPEG})
    os.utime(archive, ns=(7, 7))
    assert list(read(archive)[0]) == ["2.jpg"]
    moved = archive.rename(tmp_path / "b.zip")
    assert list(read(moved)[0]) == ["2.jpg"]


@pytest.mark.parametrize("ending", ALL)
def test_progress_grows_to_the_end(tmp_path, ending):
    archive = archive_of(tmp_path / f"a{ending}", NINE)
    calls = []
    unpack_pictures(archive, lambda *call: calls.append(call))
    size = archive.stat().st_size
    assert calls == sorted(calls)
    assert calls[-1] == (size, size)
    assert {total for _, total in calls} == {size}
    assert len(calls) == 10


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(self, *arguments):
        raise OSError(28, "No space left on device", "x")

    archive = zip_of(tmp_path / "a.zip", NINE)
    monkeypatch.setattr(limited_writer.LimitedWriter, "_write_chunks", full)
    line = refusal(archive, code=1)
    assert "No space left on device" in line
    assert "GANKIT_CACHE" in line


def test_ctrl_c_leaves_nothing(tmp_path):
    def stop(done, total):
        if done:
            raise KeyboardInterrupt

    archive = zip_of(tmp_path / "a.zip", NINE)
    with pytest.raises(KeyboardInterrupt):
        unpack_pictures(archive, stop)
    assert in_cache() == set()
    assert read(archive)[0] == NINE


UNPACK = """
import sys, time
from pathlib import Path
from gankit.data.fetch.unpack import unpack_pictures
def progress(done, total):
    print(done, flush=True)
    time.sleep(float(sys.argv[2]))
unpack_pictures(Path(sys.argv[1]), progress)
"""


def start_process(archive, pause):
    argv = [sys.executable, "-c", UNPACK, str(archive), str(pause)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_killed_in_the_middle(tmp_path):
    archive = tar_of(tmp_path / "a.tar.gz", NINE)
    other = start_process(archive, 0.05)
    for _ in range(4):
        other.stdout.readline()
    other.kill()
    other.communicate(timeout=20)
    assert any(name.endswith(".aside") for name in in_cache())
    assert read(archive) == (NINE, [])
    assert len(in_cache()) == 1


def test_several_at_once_unpack_once(tmp_path):
    archive = tar_of(tmp_path / "a.tar.gz", NINE)
    others = [start_process(archive, 0.02) for _ in range(3)]
    ends = [other.communicate(timeout=20) for other in others]
    assert [other.returncode for other in others] == [0, 0, 0], ends
    assert sorted(len(out.split()) for out, _ in ends) == [0, 0, 10]
    assert read(archive) == (NINE, [])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")
def test_two_threads_without_locks_end_well(tmp_path, monkeypatch):
    def unsupported(*args):
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", unsupported)
    archive = tar_of(tmp_path / "a.tar", NINE)
    barrier = threading.Barrier(2, timeout=10)
    results = []

    def progress(done, total):
        if done == total:  # both have unpacked everything, and now rename
            barrier.wait()

    threads = [
        threading.Thread(target=lambda: results.append(unpack_pictures(archive, progress)))
        for _ in "12"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results[0] == results[1]
    assert read(archive) == (NINE, [])
    assert len(in_cache()) == 1


SLOW_FIXTURES = [HealthCheck.function_scoped_fixture]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.lists(
    st.sampled_from(["..", ".", "", "/", "\\", "C:", "a", "A", "con", "x.jpg", "X.JPG", " ", "...",
                     "\u00e9", "e\u0301", "\udc80", "\n", "~", "$HOME", "link", "x.jpg ", "\u212a"])
    | TEXT,
    max_size=6,
).map("/".join) | TEXT  # fmt: skip


def everything_but(cache):
    """Each path of the test's folder outside the cache."""
    return sorted(path for path in cache.parent.rglob("*") if cache not in (path, *path.parents))


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW_FIXTURES)
@given(st.lists(st.tuples(NAMES, st.booleans()), max_size=8), st.booleans())
def test_nothing_is_written_outside_the_cache(cache, files, is_zip):
    pairs = [(name + ".jpg" * (not name.endswith("jpg")), picture()) for name, _ in files]
    archive = cache.parent / ("a.zip" if is_zip else "a.tar")
    if is_zip:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of duplicates
            pairs = [(name.encode(errors="ignore").decode(), content) for name, content in pairs]
            zip_of(archive, pairs)
    else:
        links = {"type": tarfile.SYMTYPE, "linkname": str(cache.parent)}
        pairs = [
            (name, content if plain else links)
            for (name, content), (_, plain) in zip(pairs, files, strict=True)
        ]
        tar_of(archive, [*pairs, ("link", links), ("link/x.jpg", picture())])
    before = everything_but(cache)
    shutil.rmtree(cache, ignore_errors=True)
    try:
        found, left_out = read(archive)
    except GankitError:
        assert is_zip
    else:
        assert len(found) + len(left_out) <= len(pairs) + 1
        assert len({name.casefold() for name in found}) == len(found)
        assert not any(part in ("", ".", "..") for name in found for part in name.split("/"))
    assert everything_but(cache) == before


@settings(max_examples=80, deadline=None, suppress_health_check=SLOW_FIXTURES)
@given(st.sampled_from(ALL), st.data())
def test_any_damage_is_a_clear_error(cache, ending, data):
    sound = archive_of(
        cache.parent / f"sound{ending}", {"a.jpg": JPEG[:50], "b/c.jpg": picture(bytes(900))}
    )
    content = bytearray(sound.read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=4)):
        content[at] = data.draw(st.integers(0, 255))
    damaged = cache.parent / "damaged"
    damaged.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    before = everything_but(cache)
    shutil.rmtree(cache, ignore_errors=True)
    is_archive(damaged)
    with contextlib.suppress(GankitError):
        read(damaged)
    assert everything_but(cache) == before
