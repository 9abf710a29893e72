"""The named sets, on small archives in the layout of the real ones."""

import dataclasses
import hashlib
import http.server
import io
import tarfile
import threading
import zipfile

import numpy as np
import pytest
from PIL import Image

import gankit
from gankit import Download, GankitError, compose
from gankit.core.parts.registry import load_registry

FLOWERS = ("daisy", "dandelion", "roses", "sunflowers", "tulips")
TISSUE = ("TUMOR", "STROMA", "COMPLEX", "LYMPHO", "DEBRIS", "MUCOSA", "ADIPOSE", "EMPTY")
LAYOUTS = {  # data set: the archive's name, the pictures in it, its other files
    "tf-flowers": (
        "flower_photos.tgz",
        [f"flower_photos/{kind}/{n}_0b1c{n}.jpg" for kind in FLOWERS for n in range(3)],
        ["flower_photos/LICENSE.txt"],
    ),
    "flowers102": ("102flowers.tgz", [f"jpg/image_{n:05d}.jpg" for n in range(1, 13)], []),
    "tissue": (
        "Kather_texture_2016_image_tiles_5000.zip",
        [
            f"Kather_texture_2016_image_tiles_5000/{k:02d}_{name}/1{n}_CRC-Prim-HE-0{k}_00{n}.tif"
            f"_Row_301_Col_151.tif"
            for k, name in enumerate(TISSUE, start=1)
            for n in range(2)
        ],
        [],
    ),
    "ovarian": ("archive.zip", [f"patches/patches/slide {s}/{n}.png" for s in "AB" for n in "123"],
                ["patches/labels.csv"]),
    "art-by-ai": ("archive.zip", [f"neural style/art {n}.jpg" for n in range(9)],
                  ["__MACOSX/neural style/._art 0.jpg"]),
}  # fmt: skip
for painter in ("vangogh", "monet", "cezanne", "ukiyoe"):
    LAYOUTS[painter] = (
        f"{painter}2photo.zip",
        [f"{painter}2photo/{part}/{n:05d}.jpg" for part in ("trainA", "testA") for n in range(4)],
        [f"{painter}2photo/{part}/photo.jpg" for part in ("trainB", "testB")],
    )


def picture(name, seed):
    """A small random picture, encoded as the name says."""
    stream = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (20, 24, 3), np.uint8)
    kind = {"jpg": "JPEG", "png": "PNG", "tif": "TIFF"}[name.rsplit(".")[-1]]
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


@pytest.fixture
def archive(tmp_path):
    """`archive(name)`: the path of a small archive in that set's layout."""

    def make(name):
        file, pictures, others = LAYOUTS[name]
        contents = {inside: picture(inside, n) for n, inside in enumerate(pictures)}
        for inside in others:
            contents[inside] = picture(inside, 99) if inside.endswith(".jpg") else b"words"
        path = tmp_path / file
        if file.endswith(".zip"):
            with zipfile.ZipFile(path, "w") as zipped:
                for inside, content in contents.items():
                    zipped.writestr(inside, content)
        else:
            with tarfile.open(path, "w:gz") as tarred:
                for inside, content in contents.items():
                    about = tarfile.TarInfo(inside)
                    about.size = len(content)
                    tarred.addfile(about, io.BytesIO(content))
        return path

    return make


def prepared(registry, **settings):
    run = compose(registry, model="dcgan64:base_channels=4", image_size=16, **settings)
    return gankit.prepare(run, registry, lambda done, total: None)


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_layout_is_read(name, archive, registry):
    ready = prepared(registry, dataset=name, data=[str(archive(name))])
    assert len(ready.pixels) == len(LAYOUTS[name][1])
    assert not ready.skipped
    assert ready.pixels.shape[1:] == (16, 16, 3)


def test_all_data_sets_are_tested(registry):
    assert {spec.name for spec in registry.specs("dataset")} == {*LAYOUTS, *LOCAL}


LOCAL = ("petals", "ihc", "folder", "shards")  # they need no archive; other files test them


@pytest.mark.parametrize("name", LAYOUTS)
def test_source_licence_and_downloads_are_given(name, registry):
    spec = registry.find("dataset", name)
    for text in (spec.pictures, spec.licence, spec.home, spec.source):
        assert text
    assert bool(spec.downloads) != bool(spec.by_hand)
    for file in spec.downloads:
        assert file.url.startswith("http")
        assert file.bytes > 1e8
        assert len(file.sha256) == 64


def test_unpacked_folders_are_read_too(archive, registry, tmp_path):
    with zipfile.ZipFile(archive("vangogh")) as zipped:
        zipped.extractall(tmp_path / "by hand")
    ready = prepared(registry, dataset="vangogh", data=[str(tmp_path / "by hand")])
    assert len(ready.pixels) == 8  # the paintings, without the photographs


def test_classes_choose_folders(archive, registry):
    path = str(archive("tf-flowers"))
    assert len(prepared(registry, dataset="tf-flowers", data=[path], classes=["roses"]).pixels) == 3
    with pytest.raises(GankitError, match="rosses.*roses"):
        prepared(registry, dataset="tf-flowers", data=[path], classes=["rosses"])
    photos = prepared(registry, dataset="vangogh", data=[str(archive("vangogh"))], classes="trainB")
    assert len(photos.pixels) == 1


def test_kinds_of_flowers102_come_from_its_labels(archive, registry, tmp_path):
    from scipy.io import savemat

    with tarfile.open(archive("flowers102")) as tarred:  # as torchvision lays it out
        tarred.extractall(tmp_path / "flowers-102", filter="data")
    labels = np.array([[77] * 5 + [73] * 4 + [1] * 3])
    savemat(tmp_path / "flowers-102" / "imagelabels.mat", {"labels": labels})
    settings = {"dataset": "flowers102", "data": [str(tmp_path / "flowers-102")]}
    assert len(prepared(registry, **settings).pixels) == 12
    assert len(prepared(registry, **settings, classes=["passion flower"]).pixels) == 5
    assert len(prepared(registry, **settings, classes=["water lily", "pink primrose"]).pixels) == 7


@pytest.fixture
def server(tmp_path):
    """A web server for the files in tmp_path; yields its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(tmp_path))

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


def with_download(name, url, path):
    """A registry in which the set is downloaded from another url."""
    registry = load_registry()
    content = path.read_bytes()
    file = Download(f"{url}/{path.name}", len(content), hashlib.sha256(content).hexdigest())
    for plugin in registry.plugins:
        plugin.specs = [
            dataclasses.replace(spec, downloads=(file,)) if spec.name == name else spec
            for spec in plugin.specs
        ]
    return registry


def test_a_set_is_downloaded_once(archive, server, tmp_path, monkeypatch):
    monkeypatch.setenv("GANKIT_CACHE", str(tmp_path / "cache"))
    path = archive("tf-flowers")
    registry = with_download("tf-flowers", server, path)
    assert len(prepared(registry, dataset="tf-flowers").pixels) == 15
    path.unlink()  # now the server has no file
    assert len(prepared(registry, dataset="tf-flowers", classes=["tulips"]).pixels) == 3


def test_without_a_network_the_error_says_what_to_download(archive, tmp_path, monkeypatch):
    monkeypatch.setenv("GANKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    registry = with_download("monet", "http://127.0.0.1:9", archive("monet"))
    with pytest.raises(GankitError) as error:
        prepared(registry, dataset="monet")
    assert "http://127.0.0.1:9/monet2photo.zip" in str(error.value)
    assert str(tmp_path / "cache") in str(error.value)
    assert "--data" in str(error.value)


@pytest.mark.parametrize("name", ["ovarian", "art-by-ai"])
def test_a_set_behind_a_login_names_its_page(name, registry):
    with pytest.raises(GankitError, match=f"{name}.*Kaggle.*https://www.kaggle.com.*data"):
        compose(registry, dataset=name)
