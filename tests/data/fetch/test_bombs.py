"""Small archives that would fill the disk, the memory or an hour."""

import bz2
import contextlib
import gzip
import io
import lzma
import os
import tarfile
import tracemalloc
import zipfile

import pytest

from gankit import GankitError
from gankit.data.fetch import archives, limited_writer
from gankit.data.fetch.unpack import unpack_pictures

START = b"\xff\xd8\xff\xe0"  # of a JPEG
NOISE = START + os.urandom(3000)  # does not compress, like a picture
PACKERS = {".tar.gz": gzip.compress, ".tar.bz2": bz2.compress, ".tar.xz": lzma.compress}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache."""
    monkeypatch.setenv("GANKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def zip_of(path, files, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tar_of(path, files):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    path.write_bytes(PACKERS[path.name[1:]](data.getvalue()))
    return path


def archive_of(path, files):
    return (zip_of if path.suffix == ".zip" else tar_of)(path, files)


def unpacked(archive):
    return unpack_pictures(archive, lambda done, total: None)


def refusal(archive, cache):
    """The line that refuses an archive, of which nothing stays in the cache."""
    with pytest.raises(GankitError) as caught:
        unpacked(archive)
    assert caught.value.exit_code == 2
    assert str(archive) in str(caught.value)
    assert not [path for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock"]
    return str(caught.value)


@pytest.mark.parametrize("ending", [".zip", *PACKERS])
def test_many_small_members_are_a_bomb_together(tmp_path, cache, ending):
    files = {f"{i}.bmp": START + bytes(2_000_000) for i in range(20)}  # each is below RATIO_BYTES
    archive = archive_of(tmp_path / f"a{ending}", files)
    assert archive.stat().st_size < 100_000
    assert "200-fold" in refusal(archive, cache)


def test_many_links_to_one_picture_are_a_bomb_together(tmp_path, cache):
    path = tmp_path / "a.tar"
    picture = START + os.urandom(200_000)
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("a.jpg")
        member.size = len(picture)
        archive.addfile(member, io.BytesIO(picture))
        for number in range(2000):
            link = tarfile.TarInfo(f"{number}.jpg")
            link.type = tarfile.LNKTYPE
            link.linkname = "a.jpg"
            archive.addfile(link)
    assert "200-fold" in refusal(path, cache)


@pytest.mark.parametrize("ending", [".zip", *PACKERS])
def test_a_file_of_a_few_bytes_counts_as_what_it_takes_on_the_disk(tmp_path, cache, ending):
    files = {f"{i}.jpg": START for i in range(400)}
    archive = archive_of(tmp_path / f"a{ending}", files)
    taken = 400 * 4096
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limited_writer, "RATIO_BYTES", taken - 1)
        patch.setattr(limited_writer, "MAX_RATIO", 1)
        assert "200-fold" in refusal(archive, cache)
        patch.setattr(limited_writer, "RATIO_BYTES", taken)
        assert len(unpacked(archive).pictures) == 400


@pytest.mark.parametrize("ending", [".zip", *PACKERS])
def test_what_does_not_begin_like_a_picture_is_never_written(tmp_path, cache, ending):
    files = {"ok.jpg": NOISE, **{f"{i}.jpg": bytes(300_000) for i in range(5)}}
    pictures = unpacked(archive_of(tmp_path / f"a{ending}", files)).pictures
    assert [picture.name for picture in pictures] == ["ok.jpg"]
    written = [path for path in cache.rglob("files/*") if path.is_file()]
    assert [path.name for path in written] == ["ok.jpg"]


@pytest.mark.parametrize("ending", PACKERS)
def test_bytes_that_are_only_passed_over_are_limited_too(tmp_path, cache, monkeypatch, ending):
    monkeypatch.setattr(archives, "MIN_STREAM_BYTES", 3_000_000)
    files = {"ok.jpg": NOISE, "table.csv": bytes(4_000_000)}
    archive = tar_of(tmp_path / f"a{ending}", files)
    assert "200-fold" in refusal(archive, cache)
    monkeypatch.setattr(archives, "MIN_STREAM_BYTES", 5_000_000)
    assert len(unpacked(archive).pictures) == 1


@pytest.mark.parametrize("ending", PACKERS)
def test_zeros_after_the_end_of_a_tar_are_limited(tmp_path, cache, monkeypatch, ending):
    monkeypatch.setattr(archives, "MIN_STREAM_BYTES", 3_000_000)
    archive = tar_of(tmp_path / f"a{ending}", {"ok.jpg": NOISE})
    with archive.open("ab") as file:
        file.write(PACKERS[ending](bytes(4_000_000)))
    assert "200-fold" in refusal(archive, cache)


@pytest.fixture
def peak():
    """`peak()`: the most bytes that Python has held since the test began."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("start", [START, b""])
def test_a_packed_member_is_never_unpacked_at_once(tmp_path, peak, method, start):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("ok.jpg", NOISE)
        with archive.open("big.bmp", "w", force_zip64=True) as member:
            member.write(start)
            for _ in range(150):
                member.write(bytes(1 << 20))
    with contextlib.suppress(GankitError):
        assert len(unpacked(path).pictures) == 1
    assert peak() < 200e6


def test_a_map_of_holes_does_not_fill_the_memory(tmp_path, cache, peak):
    """A sparse file's map has 21 entries in each block, and may go on for ever."""
    header = bytearray(tarfile.TarInfo("x.bmp").tobuf(tarfile.GNU_FORMAT))
    header[156:157] = b"S"
    header[482] = 1  # a further block follows
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    block = (b"%011o\0" % 1 * 2) * 21 + b"\1" + bytes(7)
    archive = tmp_path / "a.tar.xz"
    with lzma.open(archive, "wb", preset=0) as file:
        file.write(header)
        for _ in range(30):
            file.write(block * 1000)
    assert "header" in refusal(archive, cache)
    assert peak() < 50e6


def test_inherited_headers_do_not_fill_the_memory(tmp_path, cache, peak):
    """Each global header of a tar adds keys, which every later member would inherit."""
    archive = tmp_path / "a.tar.gz"
    with gzip.open(archive, "wb", compresslevel=1) as file:
        for number in range(60):
            text = b"".join(b"%d k%07d=x\n" % (14, number * 2000 + i) for i in range(2000))
            header = tarfile.TarInfo("g")
            header.type = tarfile.XGLTYPE
            header.size = len(text)
            file.write(header.tobuf(tarfile.USTAR_FORMAT) + text + bytes(-len(text) % 512))
            file.write(tarfile.TarInfo(f"{number}.txt").tobuf(tarfile.USTAR_FORMAT))
        file.write(bytes(10240))
    refusal(archive, cache)
    assert peak() < 10e6


def test_a_name_longer_than_any_path_is_kept_short(tmp_path):
    archive = zip_of(tmp_path / "a.zip", {"ok.jpg": NOISE, "a/" * 30_000 + "x.jpg": NOISE})
    result = unpacked(archive)
    assert [picture.name for picture in result.pictures] == ["ok.jpg"]
    assert len(result.left_out[0]) < 300
