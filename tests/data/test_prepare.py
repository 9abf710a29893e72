"""From a run's settings to the pictures it trains on, and the commands for data sets."""

import re

import numpy as np
import pytest
from PIL import Image

import gankit
from gankit import GankitError, compose


@pytest.fixture
def photos(tmp_path):
    """Sixty pictures of 40 x 20 px in two class folders, a red left half and a random right one."""
    random = np.random.default_rng(5)
    for number in range(60):
        folder = tmp_path / "photos" / ("rose" if number % 3 else "tulip")
        folder.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 256, (20, 40, 3), dtype=np.uint8)
        pixels[:, :20] = (250, 10, 20)
        Image.fromarray(pixels).save(folder / f"{number:02d}.png")
    return tmp_path / "photos"


@pytest.fixture
def ready(photos, registry, monkeypatch, tmp_path):
    """`ready(fit="pad")`: the photos, prepared with these settings in an empty cache."""
    monkeypatch.setenv("GANKIT_CACHE", str(tmp_path / "cache"))

    def prepare(**settings):
        settings = {"data": [str(photos)], "image_size": 16, **settings}
        run = compose(registry, model="dcgan64:base_channels=4", **settings)
        return gankit.prepare(run, registry, lambda done, total: None)

    return prepare


def red(picture):
    """The share of a picture that is red."""
    return (np.abs(picture.astype(int) - (250, 10, 20)).max(axis=2) < 30).mean()


def test_fit_decides_what_is_seen(ready):
    assert red(ready(fit="crop").pixels[0]) == pytest.approx(0.5, abs=0.1)
    padded = ready(fit="pad", background="black").pixels[0]
    assert red(padded) == pytest.approx(0.25, abs=0.1)
    assert (padded[:3] < 10).all()
    assert red(ready(fit="stretch").pixels[0]) == pytest.approx(0.5, abs=0.1)


def test_patches_are_cut_from_each_picture(ready):
    cut = ready(fit="patches:size=10")
    assert len(cut.pixels) == 60 * 4 * 2
    assert red(cut.pixels[0]) == 1
    held = ready(fit="patches:size=10", holdout=0.25)
    assert len(held.holdout) == 120  # whole pictures: there are many


def test_patches_of_one_picture_are_held_out_by_region(ready, photos):
    random = np.random.default_rng(0)
    slide = random.integers(0, 256, (160, 320, 3), dtype=np.uint8)
    slide[:, :160, 0] = 255
    slide[:, 160:, 0] = 0  # no red on the right
    Image.fromarray(slide).save(photos.parent / "slide.png")
    cut = ready(data=[str(photos.parent / "slide.png")], fit="patches:size=16", holdout=0.5)
    assert len(cut.pixels) == 200
    assert (cut.pixels[cut.train][..., 0] == 255).all()
    assert (cut.pixels[cut.holdout][..., 0] == 0).all()


@pytest.mark.parametrize(
    ("fit", "fact"),
    [
        ("corp", "'corp'.*crop.*patches"),
        ("patches:tile=9", "'tile'"),
        ("patches:size=0", "size=0"),
        ("patches:size=big", "size=big"),
        ("crop:size=9", "'size'"),
    ],
)
def test_a_fit_that_makes_no_sense_is_named(ready, fit, fact):
    with pytest.raises(GankitError, match=f"--fit.*{fact}"):
        ready(fit=fit)


def test_subset_and_hold_out(ready):
    assert (len(ready().train), len(ready().holdout)) == (60, 0)  # under 500: none is held out
    subset = ready(subset=20, holdout=0.25)
    assert (len(subset.train), len(subset.holdout)) == (15, 5)
    assert len(subset.pixels) == 60  # one file for all of them
    other = ready(subset=20, holdout=0.25, data_seed=1)
    assert set(other.train) != set(subset.train)
    again = ready(subset=20, holdout=0.25, seed=7)  # another run, the same pictures
    assert np.array_equal(again.holdout, subset.holdout)


def test_classes_take_their_folders_only(ready):
    assert len(ready(classes=["tulip"]).pixels) == 20
    assert len(ready(classes=["tulip", "rose"]).pixels) == 60


def test_channels_follow_the_pictures(ready, photos):
    assert ready().pixels.shape[3] == 3
    assert ready(channels=1).pixels.shape[3] == 1
    for path in photos.rglob("*.png"):
        Image.open(path).convert("L").save(path)
    assert ready().pixels.shape[3] == 1
    assert ready(channels=3).pixels.shape[3] == 3


def test_a_changed_picture_is_prepared_again(ready, photos):
    before = ready().fingerprint
    assert ready().fingerprint == before
    path = next(photos.rglob("*.png"))
    Image.new("RGB", (30, 30), "blue").save(path)
    assert ready().fingerprint != before


def test_classes_need_class_folders(ready):
    with pytest.raises(GankitError, match="'petals'.*--classes"):
        ready(data=[], dataset="petals:count=8", classes=["rose"])


def test_a_run_trains_on_what_is_not_held_out(gankit_run, photos, here):
    code, _, _ = gankit_run(
        "--dataset", "folder", "--data", photos, "--holdout", 0.5, "--flip", "--out", "a"
    )
    assert code == 0
    text = (here / "a" / "run.json").read_text()
    assert '"train": 30' in text
    assert '"holdout": 30' in text
    assert '"flip": true' in text


def test_preview_shows_both_sides(gankit_cli, photos, here):
    code, out, _ = gankit_cli(
        "data", "preview", "--data", photos, "--batch-size", 8, "--model",
        "dcgan64:base_channels=4", "--trick", "noisy-d:sigma=0.5", "--page", "seen.png",
    )  # fmt: skip
    assert code == 0
    assert "noisy-d" in out
    image = np.asarray(Image.open(here / "seen.png")).astype(int)
    left, right = image[:, : image.shape[1] // 2 - 20], image[:, image.shape[1] // 2 + 20 :]
    assert left.shape[0] > 500
    assert left[4:60, 4:20].std() != right[4:60, 4:20].std()


PREVIEW = ("--batch-size", 8, "--model", "dcgan64:base_channels=4", "--page", "seen.png")


@pytest.mark.parametrize(
    ("trick", "words"),
    [
        ("ada", ["ada", "p 0.5", "later"]),  # starts at p 0
        ("ada:policy=translate", ["p 0.5", "later"]),
        ("noisy-d", ["noisy-d", "at the start"]),
        ("blur:sigma=3", ["blur", "at the start"]),
        ("diffaugment", ["diffaugment"]),
        ("dropout-d", ["dropout-d"]),
    ],
)
def test_preview_shows_each_trick_while_it_acts(gankit_cli, photos, here, trick, words):
    code, out, _ = gankit_cli("data", "preview", "--data", photos, "--trick", trick, *PREVIEW)
    assert code == 0
    assert [word for word in words if word not in out] == []
    assert "nothing" not in out
    image = np.asarray(Image.open(here / "seen.png")).astype(int)
    side = round(image.shape[1] / (2 + 1 / 16))  # there is a gap of 1/16 of a side
    assert image.shape[1] == 2 * side + side // 16
    assert not np.array_equal(image[:, :side], image[:, -side:])


@pytest.mark.parametrize("trick", ["noisy-d:sigma=0", "dropout-d:p=0", "ada:policy="])
def test_preview_names_a_trick_that_changes_nothing(gankit_cli, photos, here, trick):
    code, out, _ = gankit_cli("data", "preview", "--data", photos, "--trick", trick, *PREVIEW)
    assert code == 0
    assert re.search(rf"{trick.partition(':')[0]} \(.*nothing", out)


def test_preview_of_a_misspelt_option_says_so(gankit_cli, here):
    code, _, err = gankit_cli("data", "preview", "--dataste", "petals")
    assert code == 2
    assert "--dataste" in err
    assert not (here / "preview.png").exists()


def test_preview_into_nowhere_says_so(gankit_cli, here, photos):
    code, _, err = gankit_cli(
        "data", "preview", "--data", photos, "--batch-size", 8, "--page", "no/such/folder.png"
    )
    assert code == 2
    assert "cannot write" in err


def test_clean_keeps_downloads_unless_asked(ready, gankit_cli, tmp_path):
    ready()
    (tmp_path / "cache" / "downloads").mkdir()
    (tmp_path / "cache" / "downloads" / "a.zip").write_bytes(b"long")
    code, out, _ = gankit_cli("data", "clean")
    assert code == 0
    assert "deleted 0." in out
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == ["downloads"]
    assert gankit_cli("data", "clean", "--downloads").code == 0
    assert list((tmp_path / "cache").iterdir()) == []
    assert gankit_cli("data", "clean").code == 0  # nothing left to do


def test_clean_finishes_one_that_was_interrupted(ready, gankit_cli, tmp_path):
    ready()
    (tmp_path / "cache" / "pictures").rename(tmp_path / "cache" / "pictures.deleting")
    ready()
    assert gankit_cli("data", "clean").code == 0
    assert list((tmp_path / "cache").iterdir()) == []


def test_from_python_a_run_is_enough(tiny):
    assert gankit.prepare(gankit.compose(**tiny())).pixels.shape == (64, 16, 16, 3)
