"""Tests of metadata.csv and other tables that say the class of pictures."""

import numpy as np
import pytest
from PIL import Image

from gankit.core.errors import GankitError
from gankit.data.datasets import picture_files
from gankit.data.labels import read_labels

TWO = "file_name,label\na.png,rose\nb.png,tulip\n"
TWO_IN_JSON = '{"file": "a.png", "label": "rose"}\n{"file": "b.png", "label": "tulip"}\n'


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("GANKIT_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "set"
    (folder / "train").mkdir(parents=True)
    for number, name in enumerate(("a.png", "b.png", "train/c.png", "train/d.png")):
        Image.new("RGB", (8, 8), (60 * number, 0, 0)).save(folder / name)
    return folder


def classes(place, content=None, name="metadata.csv", **options):
    """The class of each picture by the first letter of its name; `content` is of the table."""
    if content is not None:
        (place / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    pictures = picture_files((str(place),), **options)
    letters = [picture.rpartition("/")[2][0] for picture in pictures.names]
    return dict(zip(letters, pictures.classes, strict=True)), pictures.file_notes


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("file_name,label\na.png,rose\ntrain/c.png,tulip\n", "metadata.csv"),
        ("\ufefffile_name,label\r\na.png,rose\r\ntrain/c.png,tulip\r\n", "metadata.csv"),
        ("image_id;breed\na;rose\nc;tulip\n", "train.csv"),
        ("Image ID\tClass\na\trose\nc\ttulip\n".encode("utf-16"), "labels.tsv"),
        ("a.png,rose\nc.png,tulip\n", "labels.csv"),  # without a header
        ("lesion_id,image_id,dx,age\n1,a,rose,5\n2,c,tulip,6\n", "HAM10000_metadata.csv"),
        ("label,file_name\nrose,./a.png\ntulip,train\\c.png\n", "metadata.csv"),
        ("sep=;\r\nimage;class\r\na;rose\r\nc;tulip\r\n", "train.csv"),
        ('"sep=\t"\r\nimage\tclass\r\na\trose\r\nc\ttulip\r\n', "train.tsv"),
        ("path|style|year\na.png|rose|1\nc.png|tulip|2\n", "labels.csv"),
        ("image,rose,tulip,oak\na,1.0,0.0,0.0\n\nc,0.0,1.0,0.0\n", "ISIC_GroundTruth.csv"),
        ("tulip, rose,id_code\n0, 1,a\n1, 0,c\n", "train.csv"),
        ('file_name,label,text\na.png,rose,"a ""b"",\nc"\nx/train/c.png,tulip,\n', "metadata.csv"),
        ("a.png,rose\nc.png,tulip\n", "train.csv"),
        ("set/a.png,rose\nset/train/c.png,tulip\n", "labels.csv"),
        (
            '{"file_name": "a.png", "label": "rose", "boxes": [1]}\n\n'
            '{"label": "tulip", "file_name": "train/c.png"}\n',
            "metadata.jsonl",
        ),
    ],
)
def test_every_way_to_write_labels(place, content, name):
    labels, found = classes(place, content, name)
    assert labels == {"a": "rose", "b": "", "c": "tulip", "d": "train"}
    assert name in found[0]
    assert "labels for 2 of 4 pictures: rose 1, tulip 1" in found[0]


def test_a_label_of_a_film_or_an_array_is_that_of_all_its_pictures(tmp_path, place):
    pictures = [Image.new("RGB", (8, 8), (90 * number, 0, 0)) for number in range(3)]
    pictures[0].save(place / "f.gif", save_all=True, append_images=pictures[1:])
    labels, found = classes(place, "file_name,label\nf.gif,rose\nc.png,tulip\n", every=1)
    assert labels == {"a": "", "b": "", "c": "tulip", "d": "train", "f": "rose"}
    assert "labels for 4 of 7 pictures: rose 3, tulip 1" in found[-1]
    both = "file_name,label\nf.gif,rose\nf.gif,tulip\n"
    assert "1 row has another label" in classes(place, both, every=1)[1][-1]
    stack = tmp_path / "arrays"
    stack.mkdir()
    np.save(stack / "n.npy", np.zeros((5, 8, 8, 3), np.uint8))
    _, found = classes(stack, "file_name,label\nn.npy,rose\n")
    assert "labels for 5 of 5 pictures: rose 5" in found[-1]


def test_files_that_differ_only_in_case_have_their_own_labels(place):
    if (place / "A.PNG").exists():
        pytest.skip("this file system does not distinguish them")
    (place / "a.png").rename(place / "e.png")
    (place / "b.png").rename(place / "E.png")
    labels, _ = classes(place, "file_name,label\nE.png,rose\ne.png,tulip\ntrain/C.PNG,lily\n")
    assert labels == {"E": "rose", "e": "tulip", "c": "lily", "d": "train"}
    assert classes(place, "file_name,label\ne,rose\n")[0] == {
        "E": "",
        "e": "",
        "c": "train",
        "d": "train",
    }


def test_letters_of_two_parts_are_those_of_one(place):
    (place / "a.png").rename(place / "au\u0308.png")
    labels, _ = classes(place, "file_name,label\na\u00fc.png,rose\n")
    assert labels["a"] == "rose"


def test_classes_are_chosen_by_label_or_folder(place):
    assert list(classes(place, TWO, classes=("Rose",))[0]) == ["a"]
    assert list(classes(place, classes=("train",))[0]) == ["c", "d"]


def test_a_table_in_a_folder_is_about_that_folder(place):
    (place / "a.png").rename(place / "train" / "a.png")
    (place / "train" / "metadata.csv").write_text(TWO)
    assert classes(place)[0] == {"a": "rose", "b": "tulip", "c": "train", "d": "train"}


@pytest.mark.parametrize("name", ["a.png", "train/a.png", "else/train/a.png", "../set/train/a.png"])
def test_a_row_about_an_absent_picture_is_not_about_another_one(place, name):
    (place / "val").mkdir()
    (place / "a.png").rename(place / "val" / "a.png")
    (place / "train" / "metadata.csv").write_text(f"file_name,label\n{name},rose\nc.png,tulip\n")
    (place / "val" / "metadata.csv").write_text("file_name,label\na.png,lily\n")
    assert classes(place)[0] == {"a": "lily", "b": "", "c": "tulip", "d": "train"}


def test_a_path_is_not_about_a_folder_of_another_name(place):
    (place / "b.png").rename(place / "train" / "b.png")
    content = "val/b.png,oak\ntrain/b.png,rose\nval/sub/train/c.png,oak\nold/a.png,oak\n"
    labels, found = classes(place, f"file_name,label\n{content}")
    assert labels == {"a": "", "b": "rose", "c": "oak", "d": "train"}
    assert "2 rows name no picture" in found[0]


def test_rows_with_the_path_of_a_picture_come_before_those_with_its_name(place):
    (place / "train" / "metadata.csv").write_text("file_name,label\nc.png,rose\n")
    labels, found = classes(place, "file_name,label\nc.png,oak\nd.png,oak\n", "labels.csv")
    assert labels == {"a": "", "b": "", "c": "rose", "d": "oak"}
    assert "1 row has another label" in found[0]


def test_a_table_in_a_folder_of_its_own_is_about_the_pictures_beside_it(place):
    (place / "labels").mkdir()
    (place / "labels" / "train.csv").write_text("image,label\na,rose\nc,tulip\n")
    assert classes(place)[0] == {"a": "rose", "b": "", "c": "tulip", "d": "train"}


def test_names_of_columns_come_before_a_picture_of_that_name(place):
    for name in ("image.png", "width.png"):
        (place / "a.png").rename(place / name)
        labels, _ = classes(place, "width,image,label\n8,b,rose\n8,c,tulip\n", "labels.csv")
        assert (labels["b"], labels["c"], labels[name[0]]) == ("rose", "tulip", "")
        labels, _ = classes(place, "image,flower\nb,rose\nc,tulip\n", "labels.csv")
        assert (labels["b"], labels["c"], labels[name[0]]) == ("rose", "tulip", "")
        (place / name).rename(place / "a.png")


def test_what_is_wrong_with_rows_is_counted(place):
    content = TWO + "x.png,rose\ny.png,oak\na.png,oak\nc.png,\n\nd\n"
    labels, found = classes(place, content)
    assert labels["a"] == "rose"
    for part in ("2 rows name no picture", "1 row has another label", "2 rows have no label"):
        assert part in found[0]


def test_a_name_of_several_pictures_names_none(place):
    (place / "b.png").rename(place / "train" / "a.png")
    content = "file_name,label\nother/a.png,rose\n"
    assert "1 row names no picture" in classes(place, content)[1][0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("file_name,text\na.png,a rose\n", "file_name, text"),
        ("image,striped,red\na,0,1\nc,1,1\n", "image, striped, red"),  # not one class in each
        ("image,width,height\na,0,1\nc,0,2\n", "image, width, height"),
        ("image,rose,tulip\n", "image, rose, tulip"),
        ("file_name,label\na.png," + "x" * 200_000 + "\n", "131,072"),
        ("file_name,split\na.png,train\nb.png,train\n", "file_name, split"),
        ("file_name,image_url\na.png,http://a\nb.png,http://a\n", "file_name, image_url"),
        (bytes(range(256)), "no labels"),
    ],
)
def test_tables_without_labels_are_named_and_change_nothing(place, content, words):
    labels, found = classes(place, content)
    assert labels == {"a": "", "b": "", "c": "train", "d": "train"}
    assert words in found[0]
    assert found[0].isprintable()


@pytest.mark.parametrize("content", ["name,price\nbread,3\n", "", "a", "file,label\nx.png,rose\n",
                                     "filename,split\na,train\nb,train\nc,test\nd,test\n",
                                     "filename,source\na,x\nb,x\nc,y\nd,y\n",
                                     "a.png,rose\nb.png,rose\n"])  # fmt: skip
def test_tables_about_other_things_are_ignored(place, content):
    labels, found = classes(place, content, "prices.csv")
    assert labels == {"a": "", "b": "", "c": "train", "d": "train"}
    assert found == []


def test_a_column_without_a_known_name_needs_few_values_or_a_table_called_labels(place):
    labels, found = classes(place, "image,level\na,0\nb,0\nc,1\nd,1\n", "trainLabels.csv")
    assert labels == {"a": "0", "b": "0", "c": "1", "d": "1"}
    labels, found = classes(place, "image,level\na,0\nb,1\nc,2\nd,2\n", "trainLabels.csv")
    assert labels == {"a": "", "b": "", "c": "train", "d": "train"}
    assert "its column level has 3 values in 4 rows: if it is the class" in found[0]
    (place / "trainLabels.csv").unlink()
    for name in ("labels.csv", "train.csv"):
        labels, _ = classes(place, "image,level\na,0\nb,1\nc,2\nd,2\n", name)
        assert labels == {"a": "0", "b": "1", "c": "2", "d": "2"}


@pytest.mark.parametrize("content", ["{", "[1]\n", "7", TWO_IN_JSON + "[" * 100_000])
def test_a_broken_table_of_json_is_named(place, content):
    labels, found = classes(place, content, "metadata.jsonl")
    assert labels == {"a": "", "b": "", "c": "train", "d": "train"}
    assert "is a broken table: its line" in found[0]


def test_an_error_about_a_class_names_its_table(place):
    content = "file_name,label\na.png,rose\nb.png,rose\nc.png,rose\nd.png,rose\n"
    with pytest.raises(GankitError, match=r"classes are: rose \(4\), train \(2\) \(labels of met"):
        classes(place, content, classes=("oak",))
    pictures = picture_files((str(place),))
    with pytest.raises(GankitError, match=r"one class, 'rose' \(labels of metadata.csv\), so"):
        read_labels("mine", pictures, np.arange(4))


def test_labels_come_from_an_archive_too(place, tmp_path):
    import shutil

    (place / "metadata.csv").write_text(TWO)
    for kind in ("zip", "gztar"):
        archive = shutil.make_archive(str(tmp_path / "packed"), kind, place)
        pictures = picture_files((archive,))
        assert pictures.classes[:2] == ["rose", "tulip"]
        assert pictures.left_out == []


def test_other_labels_are_another_set(place):
    first = picture_files((str(place),)).fingerprint
    (place / "metadata.csv").write_text("file_name,text\na.png,x\n")
    assert picture_files((str(place),)).fingerprint == first
    (place / "metadata.csv").write_text(TWO)
    assert picture_files((str(place),)).fingerprint != first
