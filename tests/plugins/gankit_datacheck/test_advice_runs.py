"""What `gankit data check` advises for odd sets works: the command under "Try", and each option."""

import json
import re
import shlex

import numpy as np
import pytest
from gankit_datacheck.findings import find_all
from gankit_datacheck.page import OPTION
from gankit_datacheck.survey import Survey, examine
from PIL import Image

from gankit.cli.run.command import read_options


def scenes(number, width=80, height=80):
    random = np.random.default_rng(0)
    blobs = random.integers(0, 256, (number, 9, 9, 3), np.uint8)
    return [Image.fromarray(blob).resize((width, height), 3) for blob in blobs]


def near_copies():
    """One picture, each time with other faint noise."""
    random = np.random.default_rng(1)
    picture = np.asarray(scenes(1)[0], float)
    noisy = [picture + random.normal(0, 2, picture.shape) for _ in range(60)]
    return [Image.fromarray(pixels.clip(0, 255).astype(np.uint8)) for pixels in noisy]


def noise(side):
    random = np.random.default_rng(2)
    return [Image.fromarray(random.integers(0, 256, (side, side, 3), np.uint8)) for _ in range(60)]


ODD_SETS = {
    "one": scenes(1),
    "seven": scenes(7),
    "identical": scenes(1) * 60,
    "near copies": near_copies(),
    "black": [Image.new("RGB", (64, 64))] * 60,
    "noise": noise(64),
    "single pixels": noise(1),
    "wide lines": scenes(60, 2000, 3),
    "large": scenes(12, 900, 400),
}


@pytest.fixture
def odd_folder(here):
    def write(pictures):
        folder = here / "odd"
        folder.mkdir()
        for index, picture in enumerate(pictures):
            picture.save(folder / f"{index:02}.png")
        return folder

    return write


@pytest.mark.parametrize("name", ODD_SETS)
def test_the_advised_command_runs(name, odd_folder, gankit_cli):
    folder = odd_folder(ODD_SETS[name])
    code, out, err = gankit_cli("data", "check", folder, "--json")
    assert (code, err) == (0, "")
    report = json.loads(out)
    program, *words = shlex.split(report["try"])
    assert program == "gankit"
    assert "--trick" not in words  # it would replace the tricks of the recipe
    code, out, err = gankit_cli(*words, "--steps", 2, "--device", "cpu", "--precision", 32)
    assert (code, err) == (0, "")
    assert "nan" not in out.lower()


@pytest.mark.parametrize("size", [8, 50, 100])
def test_a_size_that_no_network_draws_is_replaced(size, odd_folder, gankit_cli):
    folder = odd_folder(scenes(12, 200, 200))
    report = json.loads(gankit_cli("data", "check", folder, "--image-size", size, "--json").out)
    words = shlex.split(report["try"])
    assert words.count("--image-size") == 1
    advised = int(words[words.index("--image-size") + 1])
    assert advised == {8: 16, 50: 48, 100: 96}[size]
    assert gankit_cli(*words[1:], "--steps", 1, "--device", "cpu").code == 0


@pytest.mark.parametrize("name", ODD_SETS)
def test_each_option_that_is_named_exists(name, registry):
    survey = Survey(examine([np.asarray(picture) for picture in ODD_SETS[name]]))
    for finding in find_all(survey):
        options = [match[0] for match in OPTION.finditer(finding.mend)]
        for option in {*options, *finding.flags} - {"--trick", "--json", "--page"}:
            read_options(shlex.split(option), registry)


def test_all_pictures_are_never_to_be_deleted():
    for name in ("black", "single pixels", "wide lines"):
        survey = Survey(examine([np.asarray(picture) for picture in ODD_SETS[name]]))
        for finding in find_all(survey):
            if len(finding.names) == len(survey.good):
                assert not re.search(r"\bdelete\b", finding.mend)


@pytest.mark.parametrize(
    ("width", "height", "square", "oblong"),
    [(48, 32, "32", "48x32"), (100, 66, None, "96x64"), (34, 70, "32", "32x64")],
)
def test_both_sizes_that_are_advised_for_oblong_pictures_are_filled(width, height, square, oblong):
    survey = Survey(examine([np.asarray(picture) for picture in scenes(60, width, height)]))
    texts = [f"{finding.mend} " for finding in find_all(survey)]
    sizes = {size for text in texts for size in re.findall(r"--image-size (\w+)", text)}
    assert sizes == {oblong} | ({square} if square else set())
