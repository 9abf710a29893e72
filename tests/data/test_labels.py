"""The class of each prepared picture, whatever happened to the pictures before it."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gankit import GankitError, compose, prepare
from gankit.data.labels import FEW, ClassLabels, check_training_classes, read_labels

TONES = {"rose": 40, "daisy": 130, "tulip": 220}
SMALL = {"image_size": 16, "class_labels": True, "holdout": 0.2}


def paint(folder, tone, count, size=20):
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(tone)
    for index in range(count):
        pixels = random.integers(tone - 20, tone + 20, (size, size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index:02d}.png")


@pytest.fixture
def flowers(tmp_path):
    """Class folders whose pictures have a tone for each class."""
    folder = tmp_path / "flowers"
    for name, tone in TONES.items():
        paint(folder / name, tone, 12)
    return folder


def assert_tones_fit(prepared):
    """Each picture has the tone of its class."""
    tones = prepared.pixels.reshape(len(prepared.pixels), -1).mean(axis=1)
    expected = [TONES[prepared.class_names[label]] for label in prepared.labels]
    assert np.abs(tones - expected).max() < 12


def test_class_folders_are_the_labels(flowers):
    prepared = prepare(compose(data=[flowers], **SMALL))
    assert prepared.class_names == ("daisy", "rose", "tulip")
    assert np.bincount(prepared.labels).tolist() == [12, 12, 12]
    assert_tones_fit(prepared)


def test_labels_stay_right_when_pictures_are_skipped(flowers):
    (flowers / "daisy" / "03.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    (flowers / "rose" / "00.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    for _ in range(2):  # from the files, then from the cache
        prepared = prepare(compose(data=[flowers], **SMALL))
        assert len(prepared.skipped) == 2
        assert np.bincount(prepared.labels).tolist() == [11, 11, 12]
        assert_tones_fit(prepared)


def test_patches_have_the_class_of_their_picture(flowers):
    paint(flowers / "tulip", TONES["tulip"], 12, size=40)
    run = compose(data=[flowers], fit="patches:size=16,stride=16", **SMALL)
    prepared = prepare(run)
    assert np.bincount(prepared.labels).tolist() == [12, 12, 108]
    assert_tones_fit(prepared)


def test_a_subset_keeps_the_numbers_of_the_classes(flowers):
    prepared = prepare(compose(data=[flowers], subset=20, **SMALL))
    assert prepared.class_names == ("daisy", "rose", "tulip")
    assert len(prepared.labels) == len(prepared.pixels) == 36
    assert len(prepared.train) + len(prepared.holdout) == 20


def test_chosen_classes_may_have_folders_in_them(flowers):
    paint(flowers / "rose" / "more", TONES["rose"], 4)
    prepared = prepare(compose(data=[flowers], classes=["Rose", "tulip"], **SMALL))
    assert prepared.class_names == ("rose", "tulip")
    assert np.bincount(prepared.labels).tolist() == [16, 12]


def test_each_of_several_folders_is_a_class(flowers):
    run = compose(data=[flowers / "rose", flowers / "tulip"], **SMALL)
    assert prepare(run).class_names == ("rose", "tulip")


def test_the_fingerprint_depends_on_the_labels(flowers):
    plain = prepare(compose(data=[flowers], **{**SMALL, "class_labels": False}))
    assert plain.labels is None
    before = prepare(compose(data=[flowers], **SMALL)).fingerprint
    (flowers / "rose").rename(flowers / "carnation")
    after = prepare(compose(data=[flowers], **SMALL)).fingerprint
    assert len({plain.fingerprint, before, after}) == 3


def test_petals_have_six_colours():
    prepared = prepare(compose(dataset="petals:count=64", image_size=16, class_labels=True))
    assert prepared.class_names == ("red", "yellow", "white", "pink", "violet", "blue")
    assert sorted(set(prepared.labels.tolist())) == list(range(6))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("flat", "has no classes: put the pictures of each class into a folder"),
        ("one", "are of one class, 'rose'"),
        ("some", "2 of 38 pictures .* have no class, such as 0[01].png.* metadata.csv"),
    ],
)
def test_pictures_without_classes_are_a_sentence(flowers, wrong, message):
    folder = flowers / "rose" if wrong == "flat" else flowers
    options = {"classes": ["rose"]} if wrong == "one" else {}
    if wrong == "some":
        paint(flowers, 90, 2)
    with pytest.raises(GankitError, match=message):
        prepare(compose(data=[folder], **options, **SMALL))


def test_a_class_without_training_pictures_is_an_error_and_few_are_a_note(flowers):
    classes = ClassLabels(np.repeat([0, 1], [30, 4]), ("rose", "daisy"))
    (note,) = check_training_classes(classes, np.arange(34))
    assert "'daisy' (4)" in note
    assert "'rose'" not in note
    assert f"fewer than {FEW}" in note


def test_classes_that_may_be_one_are_a_note():
    names = ("Rose", "daisy", "dai sy", "rose", "oak")
    classes = ClassLabels(np.repeat(range(5), [30] * 5), names)
    (note,) = check_training_classes(classes, np.arange(150))
    assert "'Rose' and 'rose', 'daisy' and 'dai sy'; if they are one class" in note
    assert "oak" not in note
    with pytest.raises(GankitError, match="'daisy' has no picture to train on"):
        check_training_classes(classes, np.arange(30))


class Named(list):
    """Pictures whose classes are given."""

    def __init__(self, classes, class_names=()):
        super().__init__(classes)
        self.classes = classes
        self.class_names = class_names


def read(*classes, class_names=()):
    return read_labels("mine", Named([*classes], class_names), np.arange(len(classes)))


def test_numbers_are_sorted_by_value_and_a_given_order_comes_first():
    assert read("10", "9", "2").names == ("2", "9", "10")
    assert read("a", "b", "c", class_names=["c", "b"]).names == ("c", "b", "a")


def test_letters_of_two_parts_are_those_of_one_in_the_order_of_a_run():
    spelled = ("A\u0308pfel", "Birne")  # in alphabetical order, as macOS spells them
    assert read(*spelled).names == read("\u00c4pfel", "Birne").names == ("Birne", "\u00c4pfel")
    assert read("\u00c4pfel", "A\u0308pfel", "Birne").labels.tolist() == [1, 1, 0]
    ordered = read("a", "\u00fc", class_names=["u\u0308", "a"])
    assert ordered.names == ("\u00fc", "a")
    classes = read_labels("mine", Named(["\u00c4pfel", "Birne"]), np.arange(2), spelled)
    assert classes.names == spelled
    assert classes.labels.tolist() == [0, 1]
    for others in (
        ("A\u0308pfel",),
        ("A\u0308pfel", "Elm"),
        ("A\u0308pfel", "Birne", "\u00c4pfel"),
    ):
        names = read_labels("mine", Named(["\u00c4pfel", "Birne"]), np.arange(2), others).names
        assert names == ("Birne", "\u00c4pfel")


def test_a_run_keeps_the_classes_as_it_has_recorded_them(flowers):
    (flowers / "rose").rename(flowers / "A\u0308pfel")
    run = compose(data=[flowers], **SMALL)
    first = prepare(run)
    assert first.class_names == ("daisy", "tulip", "\u00c4pfel")
    recorded = ("A\u0308pfel", "daisy", "tulip")
    again = prepare(dataclasses.replace(run, class_names=recorded))
    assert again.class_names == recorded
    assert again.labels.tolist() == [(label + 1) % 3 for label in first.labels.tolist()]


def test_hostile_names_are_printable_short_and_different():
    names = read("a\nb", "a b", "\x1b[31m", "x" * 500, "x" * 501).names
    assert len(set(names)) == 5
    assert all(name.isprintable() and len(name) <= 200 for name in names)


def test_too_many_classes_and_a_wrong_number_of_names_are_refused():
    with pytest.raises(GankitError, match="1,001 classes"):
        read(*map(str, range(1001)))
    short = Named(["a", "b", "c"])
    short.classes = ["a", "b"]
    with pytest.raises(GankitError, match="2 names for 3 pictures"):
        read_labels("mine", short, np.arange(3))


class Pairs(torch.utils.data.Dataset):
    """Pictures and the numbers of their classes, as torchvision has them."""

    def __init__(self, classes=None, targets=None):
        if classes:
            self.classes = classes
        if targets:
            self.targets = targets

    def __len__(self):
        return 40

    def __getitem__(self, index):
        return Image.new("RGB", (16, 16), (index * 6, 40, 90)), index % 2


@pytest.mark.parametrize(
    ("dataset", "names"),
    [
        (Pairs(), ("0", "1")),
        (Pairs(classes=["cat", "dog"]), ("cat", "dog")),
        (Pairs(classes=["cat", "dog"], targets=[0, 1] * 20), ("cat", "dog")),
    ],
)
def test_pairs_of_a_torch_data_set_are_labels(dataset, names):
    prepared = prepare(compose(dataset=dataset, image_size=16, class_labels=True))
    assert prepared.class_names == names
    assert prepared.labels.tolist() == [0, 1] * 20


def test_an_array_has_no_classes():
    pictures = np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3), dtype=np.uint8)
    with pytest.raises(GankitError, match="has no classes"):
        prepare(compose(dataset=pictures, image_size=16, class_labels=True))


def test_pictures_of_an_older_gankit_whose_classes_are_lost_are_a_sentence(flowers):
    (flowers / "rose" / "00.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    prepared = prepare(compose(data=[flowers], **{**SMALL, "class_labels": False}))
    folder = Path(prepared.pixels.filename).parent
    (folder / "sources.npy").unlink()
    assert prepare(compose(data=[flowers], **{**SMALL, "class_labels": False})).labels is None
    with pytest.raises(GankitError, match="older gankit has prepared .*: delete "):
        prepare(compose(data=[flowers], **SMALL))
