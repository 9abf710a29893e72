"""A run goes through the files that docs/design.md walks through, in that order."""

import re
import sys
import threading
from itertools import groupby
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DESIGN = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
LONGEST = {"From an option to a number": 12, "From a folder to D": 15}  # files
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def walk(heading):
    """The files of the numbered list under a heading."""
    section = DESIGN.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\d+\. `([^`]+)`", section, re.MULTILINE)


def is_subsequence(files, entered):
    entered = iter(entered)
    return all(file in entered for file in files)


@pytest.fixture(scope="module")
def entered(tmp_path_factory):
    """The files whose functions a run calls, one after another, until the trick meets an image."""
    from PIL import Image

    from gankit.cli.main import main

    place = tmp_path_factory.mktemp("walk")
    (place / "pictures").mkdir()
    for number in range(8):
        picture = Image.effect_noise((20 + number, 24), 60 + number)
        picture.save(place / "pictures" / f"{number}.png")
    calls = []

    def called(frame, event, argument):
        if event == "call":
            calls.append((frame.f_code.co_filename, frame.f_code.co_name))

    argv = ["run", "--data", place / "pictures", "--model", "dcgan64:base_channels=4"]
    argv += ["--image-size", 16, "--batch-size", 8, "--steps", 1, "--device", "cpu"]
    argv += ["--precision", 32, "--out", place / "run", "--trick", "noisy-d:sigma=0.2"]
    before = sys.getprofile()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANKIT_CACHE", str(place / "cache"))
        threading.setprofile(called)  # pictures are decoded in threads
        sys.setprofile(called)
        try:
            with pytest.raises(SystemExit) as left:
                main([str(word) for word in argv])
        finally:
            sys.setprofile(before)
            threading.setprofile(before)
    assert not left.value.code
    d_input = (str(ROOT / "plugins" / "gankit_tricks" / "noisy_d.py"), "d_input")
    until_d = [path for path, _ in calls[: calls.index(d_input) + 1]]
    inside = [path for path in until_d if path.startswith(f"{ROOT}/")]
    return [file.removeprefix(f"{ROOT}/") for file, _ in groupby(inside)]


@pytest.mark.parametrize("heading", LONGEST)
def test_a_run_goes_through_the_files_in_that_order(heading, entered):
    files = walk(heading)
    assert [file for file in files if file not in entered] == []
    assert is_subsequence(files, entered)
    assert not is_subsequence(files[::-1], entered)
    assert 8 < len(files) <= LONGEST[heading]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_files_named_in_a_page_are_there(page):
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"`((?:\.ci|docs|gankit|lessons|plugins|tests)/[\w./-]*)`", text)
    written = ("docs/_build/index.html",)  # by the build of the site
    assert [name for name in named if name not in written and not (ROOT / name).exists()] == []
