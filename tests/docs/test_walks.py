"""A run calls functions of the files in the lists of docs/design.md, in the same order."""

import re
import sys
import threading
from itertools import groupby
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DESIGN = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
MAX_FILES = {"From an option to a number": 12, "From a folder to D": 15}  # heading -> files
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def listed_files(heading):
    """The files of the numbered list under a heading."""
    section = DESIGN.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\d+\. `([^`]+)`", section, re.MULTILINE)


def is_subsequence(files, called_files):
    remaining = iter(called_files)
    return all(file in remaining for file in files)


@pytest.fixture(scope="module")
def called_files(tmp_path_factory):
    """The files whose functions a run calls, in order, until the trick changes D's input."""
    from PIL import Image

    from gankit.cli.main import main

    folder = tmp_path_factory.mktemp("walk")
    (folder / "pictures").mkdir()
    for number in range(8):
        picture = Image.effect_noise((20 + number, 24), 60 + number)
        picture.save(folder / "pictures" / f"{number}.png")
    calls = []

    def record_call(frame, event, argument):
        if event == "call":
            calls.append((frame.f_code.co_filename, frame.f_code.co_name))

    argv = ["run", "--data", folder / "pictures", "--model", "dcgan64:base_channels=4"]
    argv += ["--image-size", 16, "--batch-size", 8, "--steps", 1, "--device", "cpu"]
    argv += ["--precision", 32, "--out", folder / "run", "--trick", "noisy-d:sigma=0.2"]
    previous_profile = sys.getprofile()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANKIT_CACHE", str(folder / "cache"))
        threading.setprofile(record_call)  # pictures are decoded in threads
        sys.setprofile(record_call)
        try:
            with pytest.raises(SystemExit) as stop:
                main([str(word) for word in argv])
        finally:
            sys.setprofile(previous_profile)
            threading.setprofile(previous_profile)
    assert not stop.value.code
    d_input = (str(ROOT / "plugins" / "gankit_tricks" / "noisy_d.py"), "d_input")
    files = [path for path, _ in calls[: calls.index(d_input) + 1]]
    own_files = [path.removeprefix(f"{ROOT}/") for path in files if path.startswith(f"{ROOT}/")]
    return [file for file, _ in groupby(own_files)]


@pytest.mark.parametrize("heading", MAX_FILES)
def test_a_run_calls_the_listed_files_in_order(heading, called_files):
    files = listed_files(heading)
    assert [file for file in files if file not in called_files] == []
    assert is_subsequence(files, called_files)
    assert not is_subsequence(files[::-1], called_files)
    assert 8 < len(files) <= MAX_FILES[heading]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_files_named_in_a_page_exist(page):
    text = page.read_text(encoding="utf-8")
    names = re.findall(r"`((?:\.ci|docs|gankit|lessons|plugins|tests)/[\w./-]*)`", text)
    written_by_build = ("docs/_build/index.html",)
    missing = [name for name in names if not (ROOT / name).exists()]
    assert [name for name in missing if name not in written_by_build] == []
