"""Sets of pictures as people report them, with the right outcome beside each."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from kinds import KINDS
from odd_sets import OddFile, OddSet
from trial import TRAINING, check_refusal, look
from writers import Picture


class Row(NamedTuple):
    """How a set is made in the folder `set`, and what gankit has to do with it."""

    make: Callable[[Path], object]
    taken: int  # pictures that can be read
    named: int = 0  # other files that are named
    channels: int = 3  # of the prepared pictures; 0 if there is nothing to train on
    facts: tuple[str, ...] = ()  # of what is said about the files that are not taken


def files(kind: str, count: int = 1, size: tuple[int, int] = (24, 24), look: str = "noise",
          name: str = "{}", seed: int | None = None) -> Callable[[Path], None]:  # fmt: skip
    """Makes files of a kind; with a `seed`, all are the same."""

    def make(folder: Path) -> None:
        ending = "" if "." in name else KINDS[kind].endings[0]
        for number in range(count):
            picture = Picture(*size, look, number if seed is None else seed)
            path = folder / (name.format(number) + ending)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(KINDS[kind].write(picture))

    return make


def together(*makers: Callable[[Path], object]) -> Callable[[Path], None]:
    """Makes everything that the makers make."""

    def make_all(folder: Path) -> None:
        for make in makers:
            make(folder)

    return make_all


def link(name: str, target: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).symlink_to(target)


def mixed_zip(folder: Path) -> None:
    """A zip in the folder, as Kaggle and phones leave them beside the pictures."""
    picture = OddFile((), "inside", ".png", "RGB png", Picture(24, 24, "noise", 1))
    OddSet((picture,)).write_zip(folder / "more.zip")


REPORTED = {
    "nothing": Row(lambda folder: None, 0, channels=0, facts=("no pictures",)),
    "texts only": Row(files("text", 5), 0, channels=0, facts=("no pictures",)),
    "one picture": Row(files("jpeg"), 1, channels=0, facts=("1 picture", "--batch-size")),
    "three pictures": Row(files("jpeg", 3), 3, channels=0, facts=("3 pictures", "--batch-size 3")),
    "broken pictures only": Row(files("random bytes", 9), 0, 9, 0, ("0.jpg", "pictures")),
    "more broken than whole": Row(
        together(files("jpeg", 4), files("empty file", 5, name="e{}")), 4, 5, 0, ("5 of 9",)
    ),
    "60 copies of a picture": Row(files("jpeg", 60, seed=1), 60),
    "60 black": Row(files("jpeg", 60, look="black"), 60, channels=1),
    "60 of one colour": Row(files("RGB png", 60, look="one colour", seed=3), 60),
    "60 of noise": Row(files("RGB png", 60), 60),
    "60 of one pixel": Row(files("RGB png", 60, (1, 1)), 60),
    "long strips": Row(files("jpeg", 5, (2000, 3)), 5),
    "grey scans saved in colour": Row(files("jpeg", 8, look="grey noise"), 8, channels=1),
    "sketches on cream paper": Row(files("jpeg", 8, look="cream paper"), 8),
    "sketches on cream paper as png": Row(files("RGB png", 8, look="cream paper"), 8),
    "one in colour among grey ones": Row(
        together(files("jpeg", 7, look="grey noise"), files("jpeg", 1, name="colour")), 8
    ),
    "downloads with the address behind the name": Row(files("jpeg", 6, name="{}.jpg?w=500"), 6),
    "downloads of the same name": Row(files("jpeg", 6, name="a.jpg.{}"), 6),
    "upper-case endings": Row(files("RGB png", 6, name="{}.PNG"), 6),
    "renamed by a phone": Row(files("jpeg", 6, name="{}.HEIC"), 6),
    "HEIC of a phone": Row(files("heic", 6), 0, channels=0, facts=("0.heic", "jpg")),
    "raw of a camera": Row(files("raw", 6), 0, channels=0, facts=("0.dng", "jpg")),
    "DICOM of a hospital": Row(files("dicom", 6), 0, channels=0, facts=("0.dcm",)),
    "films": Row(files("mp4", 2), 0, channels=0, facts=("0.mp4",)),
    "a film among pictures": Row(together(files("jpeg", 5), files("mp4", name="film")), 5, 1),
    "an archive that is not read": Row(together(files("jpeg", 5), files("7z", name="x")), 5, 1),
    "a zip among pictures": Row(together(files("jpeg", 5), mixed_zip), 5, 1, facts=("more.zip",)),
    "git-lfs without its files": Row(files("git-lfs pointer", 6), 0, 6, 0, ("git",)),
    "pages instead of pictures": Row(files("web page named jpg", 6), 0, 6, 0, ("page",)),
    "arrays": Row(files("npy", 6), 6),
    "medical 12-bit tiff": Row(files("12-bit tiff in 16", 6), 6, channels=1),
    "12 bits in 16-bit colour": Row(files("12-bit RGB png", 6), 6),
    "pgm of a benchmark": Row(files("pgm", 6), 6, channels=1),
    "folders of classes": Row(
        together(files("jpeg", 3, name="rose/{}.jpg"), files("jpeg", 3, name="tulip/{}.jpg")), 6
    ),
    "what macOS adds": Row(
        together(
            files("jpeg", 5),
            files("jpeg", 5, name="__MACOSX/._{}.jpg"),
            files("text", name=".DS_Store.x"),
        ),
        5,
    ),
    "checkpoints of a notebook": Row(
        together(files("jpeg", 5), files("jpeg", 5, name=".ipynb_checkpoints/{}.jpg")), 5
    ),
    "a link to the folder itself": Row(together(files("jpeg", 5), link("loop", ".")), 5, 1),
    "a link to nothing": Row(together(files("jpeg", 5), link("x.jpg", "absent")), 5, 1),
}


@pytest.mark.skipif(sys.platform == "win32", reason="names that Windows refuses")
@pytest.mark.parametrize("name", REPORTED)
def test_a_reported_set_has_its_outcome(name, gankit_cli, here, monkeypatch):
    monkeypatch.setattr(
        "gankit.runs.video.write_video", lambda *args, **options: None
    )  # it is slow
    row = REPORTED[name]
    (here / "set").mkdir()
    row.make(here / "set")
    seen = look(gankit_cli, "set")
    said = " ".join(seen.listed) if seen else ""
    if seen:
        assert (seen.taken.total(), len(seen.listed)) == (row.taken, row.named)
    run = gankit_cli("run", "--data", "set", *TRAINING, "--batch-size", 4, "--out", "run")
    said += run.err
    assert [fact for fact in row.facts if fact not in said] == [], said
    if row.channels:
        assert run.code == 0
        prepared = json.loads((here / "run" / "run.json").read_text(encoding="utf-8"))
        assert prepared["channels"] == row.channels
        assert prepared["prepared"]["pictures"] == row.taken
    else:
        check_refusal(run)
        assert run.code == 2


def test_runs_below_the_pictures_are_no_pictures(gankit_cli, here):
    """People call `gankit run --data .` again, in the folder that has runs/ by then."""
    files("jpeg", 5)(here)
    argv = ("run", "--data", ".", *TRAINING, "--batch-size", 4)
    for _ in range(2):
        assert gankit_cli(*argv).code == 0
    records = [json.loads(path.read_text()) for path in sorted(here.glob("runs/*/run.json"))]
    assert [record["prepared"]["pictures"] for record in records] == [5, 5]
    assert records[0]["fingerprint"] == records[1]["fingerprint"]
    assert look(gankit_cli, ".").taken.total() == 5


def test_a_zip_of_the_working_folder_is_the_working_folder(gankit_cli, here):
    (here / "set").mkdir()
    files("jpeg", 5)(here / "set")
    argv = ("run", "--data", "set", *TRAINING, "--batch-size", 4, "--out", "set/runs/a")
    assert gankit_cli(*argv).code == 0
    shutil.make_archive("set", "zip", "set")
    shutil.make_archive("set", "gztar", "set")
    seen = [look(gankit_cli, source) for source in ("set", "set.zip", "set.tar.gz")]
    assert [one.taken.total() for one in seen] == [5, 5, 5]
    assert seen[0].pixels == seen[1].pixels == seen[2].pixels
