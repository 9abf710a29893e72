"""`gankit data check`: facts of every picture, every rule, the report, the terminal, the page."""

import io
import json
import re
import warnings
from html.parser import HTMLParser

import numpy as np
import pytest
from gankit_datacheck import findings as rules
from gankit_datacheck.check import open_pictures
from gankit_datacheck.findings import Finding, find_all
from gankit_datacheck.page import write_page
from gankit_datacheck.report import make_report
from gankit_datacheck.show import headline, print_report
from gankit_datacheck.survey import MAX_DRAWN, Defaults, Facts, Survey, examine
from PIL import Image, ImageOps
from rich.console import Console

import gankit
from gankit.core.run.image_size import ImageSize
from gankit.data.datasets import picture_files
from gankit.data.store import duplicates


def scene(seed, width=80, height=80):
    """A picture of coloured blobs; another for each seed."""
    random = np.random.default_rng(seed)
    blobs = random.integers(0, 256, (9, 9, 3), np.uint8)
    return Image.fromarray(blobs).resize((width, height), Image.Resampling.BICUBIC)


def drawn(number, seed=0):
    """A data set without files: different, in colour, with no up and no left."""
    random = np.random.default_rng(seed)
    blobs = random.integers(0, 256, (number, 8, 8, 3), np.uint8)
    return [np.asarray(Image.fromarray(pixels).resize((64, 64), 2)) for pixels in blobs]


def made(number, **given):
    """A survey of pictures that exist only as facts; `given` replaces facts of each."""
    random = np.random.default_rng(0)
    found = np.zeros(number, duplicates.THUMBNAIL)
    found["digest"] = np.arange(number)
    found["pixels"] = random.integers(0, 256, found["pixels"].shape, np.uint8)
    usual = {"format": "JPEG", "width": 64, "height": 64, "mode": "RGB", "std": (50.0,) * 3}
    usual |= {"mean": (120.0,) * 3, "histogram": np.full((3, 32), 1 / 32)}
    survey = Survey([Facts(i, f"{i}.jpg", look=look, **{**usual, **given}) for i, look in
                     enumerate(found)])  # fmt: skip
    survey.groups = np.arange(number)  # they are noise
    return survey


def change(survey, number, **facts):
    """The survey with other facts of its first `number` pictures."""
    for item in survey.facts[:number]:
        for key, value in facts.items():
            setattr(item, key, value)
    again = Survey(survey.facts, survey.image_size, survey.left_out)
    again.groups = np.arange(len(again.good))
    return again


def finding_with(survey, *words):
    """The only finding with all these words, in what was found or in the advice."""
    findings = [
        item
        for item in find_all(survey)
        if all(word in f"{item.what}: {item.mend}" for word in words)
    ]
    assert len(findings) == 1, find_all(survey)
    return findings[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two classes, and one example of each fault."""
    root = tmp_path_factory.mktemp("garden")
    for kind in ("rose", "tulip"):
        (root / kind).mkdir()
    for seed in range(12):
        scene(seed).save(root / "rose" / f"{seed:02}.png")
    original = scene(0)
    original.save(root / "tulip" / "exact.png")
    ImageOps.mirror(original).save(root / "tulip" / "mirrored.png")
    original.resize((70, 70)).save(root / "tulip" / "resaved.jpg", quality=60)
    scene(20).convert("L").save(root / "tulip" / "grey.jpg", quality=30)
    scene(21, 20, 20).save(root / "tulip" / "tiny.png")
    scene(22, 400, 80).save(root / "tulip" / "wide.png")
    clear = scene(23).convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    clear.save(root / "tulip" / "clear.png")
    scene(24).convert("RGBA").save(root / "tulip" / "opaque.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    scene(25, 120, 90).save(root / "tulip" / "turned.jpg", exif=exif)
    Image.new("RGB", (64, 64), "navy").save(root / "tulip" / "plain.png")
    (root / "tulip" / "cut.png").write_bytes((root / "rose" / "00.png").read_bytes()[:300])
    (root / "tulip" / "raw.heic").write_bytes(b"?")
    return root


@pytest.fixture(scope="module")
def checked(folder):
    files = picture_files((str(folder),), 64)
    facts = examine(files)
    return files, Survey(facts, 64, files.left_out)


@pytest.mark.parametrize(
    ("number", "held_out", "option", "then"),
    [
        (501, 50, "--holdout 0.2", 100),
        (900, 90, "--holdout 0.15", 135),
        (994, 99, "--holdout 0.15", 149),
    ],
)
def test_a_small_hold_out_is_named_with_the_share_that_is_enough(number, held_out, option, then):
    finding = finding_with(made(number), f"by default {held_out} pictures are held out")
    assert finding.level == "advice"
    assert finding.flags == (option,)
    assert f"holds out {then}" in finding.mend


@pytest.mark.parametrize("number", [500, 995, 5000])
def test_no_hold_out_and_a_large_one_are_not_named(number):
    assert not [item for item in find_all(made(number)) if "held out" in item.what]


def test_facts_of_files(checked):
    _, survey = checked
    facts = {item.name.rsplit("/")[-1]: item for item in survey.facts}
    assert (facts["wide.png"].width, facts["wide.png"].height) == (400, 80)
    assert (facts["turned.jpg"].width, facts["turned.jpg"].height) == (90, 120)
    assert (facts["resaved.jpg"].format, facts["wide.png"].format) == ("JPEG", "PNG")
    assert (facts["grey.jpg"].mode, facts["clear.png"].mode) == ("L", "RGBA")
    assert {name for name, item in facts.items() if item.transparent} == {"clear.png"}
    assert {name for name, item in facts.items() if item.grey} == {"grey.jpg"}
    assert {name for name, item in facts.items() if item.broken} == {"cut.png"}
    assert facts["cut.png"].broken == "is cut off"
    assert facts["exact.png"].class_name == "tulip"
    assert facts["exact.png"].bytes > 1000
    navy = facts["plain.png"]
    assert navy.mean == (0, 0, 128)
    assert navy.std == (0, 0, 0)
    assert navy.histogram.tolist()[2][16] == 1


def test_statistics_are_those_of_the_pixels():
    pixels = np.asarray(scene(1, 64, 64))
    (facts,) = examine([pixels])
    assert np.allclose(facts.mean, pixels.mean((0, 1)))
    assert np.allclose(facts.std, pixels.std((0, 1)))
    assert np.allclose(facts.histogram.sum(1), 1)


def test_the_noise_of_a_jpeg_is_not_colour():
    random = np.random.default_rng(0)
    grey = np.asarray(scene(0).convert("L").convert("RGB")).clip(30, 200)
    noisy = grey + random.integers(0, 9, grey.shape).astype(np.uint8)
    tinted = grey + np.array([0, 0, 20], np.uint8)
    assert [item.grey for item in examine([grey, noisy, tinted])] == [True, True, False]


def test_a_folder_with_one_of_everything(checked):
    _, survey = checked
    assert (survey.exact, survey.near, survey.different) == (1, 2, 19)
    assert finding_with(survey, "cut.png").level == "advice"
    assert finding_with(survey, "cut.png").names == ("tulip/cut.png",)
    assert finding_with(survey, "1 file", "raw.heic").level == "advice"
    assert finding_with(survey, "batch of 32").flags == ("--batch-size 16",)
    assert finding_with(survey, "1 exact", "2 near")
    assert finding_with(survey, "1 picture", "5 %", "64 px").level == "advice"
    assert finding_with(survey, "1 picture", "5 %", "grey and").names == ("tulip/grey.jpg",)
    assert "--background" in finding_with(survey, "transparent").mend
    assert finding_with(survey, "1 picture", "5 %", "one colour")
    levels = [item.level for item in find_all(survey)]
    assert levels == sorted(levels, key=rules.LEVELS.index)


def test_a_clean_set_gets_no_advice():
    survey = Survey(examine(drawn(MAX_DRAWN)))
    assert {item.level for item in find_all(survey)} == {"fine"}
    assert finding_with(survey, "2,000 pictures", "64 px")
    assert finding_with(survey, "--dihedral").flags == ()
    assert len(find_all(survey)) == 2


@pytest.mark.parametrize(
    ("number", "level", "word", "recipe"),
    [
        (49, "problem", "at least 100", False),
        (99, "problem", "at least 100", True),
        (100, "advice", "very few", True),
        (500, "advice", "1,336 paintings", True),
        (2_000, "fine", "5,000 faces", False),
        (10_000, "fine", "plenty", False),
        (50_001, "fine", "70,000 faces", False),
    ],
)
def test_advice_depends_on_the_number_of_pictures(number, level, word, recipe):
    """The recipe is named for the numbers of pictures that it was measured with, or nothing is."""
    survey = made(64)
    survey.total = number
    finding = finding_with(survey, f"{number:,} pictures", word)
    assert (finding.level, finding.flags) == (level, ())
    assert ("small-data" in finding.mend) == recipe
    assert "diffaugment" not in finding.mend


def test_copies_count_once():
    survey = made(300)
    survey.groups = np.arange(300) // 4
    assert finding_with(survey, "75 different pictures").level == "problem"
    assert finding_with(survey, "225 near").level == "problem"
    survey.groups = np.minimum(np.arange(300), 290)
    assert finding_with(survey, "9 near").level == "advice"


def test_fewer_pictures_than_a_batch():
    assert finding_with(made(31), "batch of 32").flags == ("--batch-size 16",)
    assert not [item for item in find_all(made(32)) if "batch" in item.what]
    large_batches = made(63)
    large_batches.defaults = Defaults(batch_size=64)
    assert finding_with(large_batches, "batch of 64").flags == ("--batch-size 32",)


def test_pictures_smaller_than_the_model():
    survey = finding_with(change(made(200), 150, width=40, height=50), "150 pictures", "75 %")
    assert (survey.level, survey.flags) == ("problem", ("--image-size 40",))
    few = finding_with(change(made(200), 3, width=40), "3 pictures", "2 %")
    assert (few.level, few.flags) == ("advice", ())


def test_pictures_large_enough_for_more():
    large = made(2500, width=300, height=260)
    mend = finding_with(large, "256 px", "16 times").mend
    assert "--recipe small-data --model skip256" in mend  # --model alone drops the recipe
    assert "patches:size=96" in finding_with(made(200, width=800, height=400), "6,400 patches").mend
    assert not [item for item in find_all(made(200)) if "large" in item.what]


def test_few_pictures_for_a_large_model():
    survey = made(300, width=300, height=300)
    survey.image_size = 256
    assert "--image-size 64" in finding_with(survey, "300 pictures for 256 px").mend


def test_extreme_shapes():
    assert "--fit pad" in finding_with(change(made(100), 10, width=300), "10 pictures", "79 %").mend
    wide = made(100, width=192)
    assert "--fit pad" in finding_with(wide, "67 % of the area", "--image-size 192x64").mend
    assert "10 pictures" in finding_with(change(wide, 10, width=64, height=400), "square crop").what
    photos = made(100, width=96, height=64)  # 3:2 loses a third, as all photos do
    assert not [item for item in find_all(photos) if "crop" in item.what]


def test_colours():
    assert "--channels 1" in finding_with(made(100, grey=True), "all", "grey").mend
    assert finding_with(made(100, grey=True), "all", "grey").level == "fine"
    assert (
        "--channels 1" in finding_with(change(made(100), 20, grey=True), "20 pictures", "grey").mend
    )
    assert (
        len(finding_with(change(made(100), 80, grey=True), "20 pictures", "in colour").names) == 20
    )
    assert not [item for item in find_all(change(made(300), 1, grey=True)) if "grey" in item.what]


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"mean": (9.0,) * 3}, "dark"),
        ({"std": (5.0,) * 3}, "contrast"),
        ({"transparent": True}, "transparent"),
    ],
)
def test_dark_pale_and_transparent(facts, word):
    assert finding_with(change(made(100), 10, **facts), "10 pictures", "10 %", word)
    assert not [item for item in find_all(made(100)) if word in item.what]


def test_pictures_with_nothing_on_them():
    survey = change(made(100), 5, std=(0.0,) * 3)
    survey.looks["pixels"][:5] = 200
    assert finding_with(survey, "5 pictures", "one colour")
    assert not [item for item in find_all(survey) if "contrast" in item.what]


def test_classes():
    def kinds(*numbers):
        survey = made(sum(numbers))
        names = [f"kind {i}" for i, number in enumerate(numbers) for _ in range(number)]
        for item, name in zip(survey.facts, names, strict=True):
            item.class_name = name
        return change(survey, 0)

    even = kinds(500, 500, 500)
    mend = finding_with(even, "3 classes").mend
    assert "--class-labels;" in mend
    assert "--classes 'kind 0' (500 pictures)" in mend
    assert not [item for item in find_all(even) if "uneven" in item.what]
    uneven = finding_with(kinds(500, 100), "uneven", "500 pictures of kind 0", "100 of kind 1")
    assert "--class-labels --balance-classes;" in uneven.mend
    assert not [item for item in find_all(kinds(100, 90)) if "class" in item.what]
    assert not [item for item in find_all(kinds(600)) if "class" in item.what]


def test_rotations_are_offered_if_the_pictures_allow_them():
    pictures = drawn(300)
    lit = np.linspace(0, 120, 64).astype(np.uint8)[:, None, None]  # from above
    above = Survey(examine([pixels // 2 + lit for pixels in pictures]))
    assert not [item for item in find_all(above) if "--dihedral" in item.mend]
    offered = finding_with(Survey(examine(pictures)), "rotated or mirrored")
    assert (offered.level, offered.flags) == ("fine", ())
    assert not [item for item in find_all(Survey(examine(pictures[:50]))) if "mirror" in item.what]


def test_pictures_framed_alike():
    first, *others = drawn(121)
    alike = [(0.75 * first + 0.25 * other).astype(np.uint8) for other in others]
    assert finding_with(Survey(examine(alike)), "framed")


def test_broken_pictures_do_not_end_the_check():
    class Moody(list):
        names = ("<b>fine</b>.png", "bad\n.png", "worse.png", "odd.png")

        def __getitem__(self, index):
            picture = super().__getitem__(index)
            if isinstance(picture, Exception):
                raise picture
            return picture

    moody = Moody([drawn(1)[0], MemoryError(), ValueError("two\nlines"), np.zeros((0, 3))])
    facts = examine(moody)
    assert [item.broken for item in facts][:3] == ["", "MemoryError", "two lines"]
    assert facts[3].broken
    survey = Survey(facts)
    assert finding_with(survey, "most are broken", "3 pictures").level == "problem"
    assert make_report(survey)["try"] == ""


@pytest.mark.parametrize("facts", [[], [Facts(0, "a.jpg", broken="is empty")]])
def test_no_readable_picture(facts, tmp_path):
    survey = Survey(facts)
    found = make_report(survey, ["--data", "x"])
    assert [item["level"] for item in found["findings"]] == ["problem"]
    assert found["try"] == ""
    json.dumps(found)
    print_report(found, Console(file=io.StringIO()))
    write_page(tmp_path / "page.html", found, survey)


def test_only_a_sample_of_drawn_pictures_is_examined():
    class Endless:
        def __len__(self):
            return 10**9

        def batch(self, indices):
            return np.stack([np.full((64, 64, 3), index % 251, np.uint8) for index in indices])

    done = []
    facts = examine(Endless(), lambda some, total: done.append((some, total)))
    assert (len(facts), facts[0].index, facts[-1].index) == (MAX_DRAWN, 0, 10**9 - 1)
    assert done[-1] == (MAX_DRAWN, MAX_DRAWN)
    assert facts[1].mean[0] == facts[1].index % 251
    survey = Survey(facts, total=10**9)
    survey.groups = np.arange(MAX_DRAWN)
    assert finding_with(survey, "1,000,000,000")
    assert headline(make_report(survey)).startswith("1,000,000,000 pictures")


def test_the_report_is_plain_data_and_the_same_each_time(checked):
    _, survey = checked
    found = make_report(survey, ["--data", "my garden"])
    text = json.dumps(found)
    assert json.loads(text) == found
    assert text == json.dumps(
        make_report(Survey(survey.facts, 64, survey.left_out), found["source"])
    )
    assert found["broken"] == [{"name": "tulip/cut.png", "why": "is cut off"}]
    assert found["copies"]["groups"] == [
        {
            "exact": False,
            "pictures": [
                "rose/00.png",
                "tulip/exact.png",
                "tulip/mirrored.png",
                "tulip/resaved.jpg",
            ],
        }
    ]
    assert found["formats"] == {"PNG": 19, "JPEG": 3}
    assert found["try"] == "gankit run --data 'my garden' --batch-size 16"
    assert list(found) == [
        "source", "image_size", "pictures", "looked_at", "readable", "broken", "left_out", "bytes",
        "formats", "modes", "classes", "width", "height", "short_side", "too_small",
        "lost_in_crop", "grey", "transparent", "pixel_art", "plain", "colour", "likeness", "copies",
        "findings", "try",
    ]  # fmt: skip


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_the_terminal_shows_it_at_any_width(checked, width, encoding):
    _, survey = checked
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    print_report(make_report(survey, ["--data", "garden"]), Console(file=file, width=width))
    file.flush()
    text = raw.getvalue().decode(encoding)
    lines = [line for line in text.splitlines() if not line.startswith("Try")]
    assert max(map(len, lines)) <= min(width, 100)
    words = " ".join(text.split())
    assert "tulip/cut.png" in words
    assert "gankit run --data garden" in words


class Page(HTMLParser):
    """Tags, and what is between them."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words += data

    def all(self, name):
        return [attrs for tag, attrs in self.tags if tag == name]


def test_the_page_stands_alone(checked, tmp_path):
    files, survey = checked
    found = make_report(survey, ["--data", "garden"])
    write_page(tmp_path / "page.html", found, survey, files)
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    page = Page(text)
    assert not page.all("script")
    assert not page.all("link")
    assert not re.search(r"""(src|href)=["'](?!data:)|url\(|@import""", text)
    images = page.all("img")
    assert len(images) == 16 + 1 + 4  # the largest square of 22, the average, the copies
    assert all(image["src"].startswith("data:image/jpeg;base64,") for image in images)
    for words in (headline(found), "tulip/cut.png is cut off", "raw.heic", found["try"]):
        assert words in page.words
    assert "prefers-color-scheme: dark" in text
    assert page.all("li")[0]["class"] == "problem"
    assert {"circle", "path", "svg"} <= {tag for tag, _ in page.tags}


def test_names_are_escaped(tmp_path):
    evil = """<script>alert("x")</script>[/]' onerror='y"""
    survey = made(120)
    survey.groups = np.arange(120) // 2
    for item in survey.facts:
        item.name = item.class_name = evil
    for item in survey.facts[:10]:
        item.class_name = "few"
    survey.facts[0].broken = evil
    survey = change(survey, 0)
    survey.groups = np.arange(119) // 2
    survey.left_out = [evil]
    write_page(tmp_path / "page.html", make_report(survey, ["--data", evil]), survey, drawn(120))
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert not [attrs for _, attrs in Page(text).tags if "onerror" in attrs]
    file = io.StringIO()
    print_report(make_report(survey, ["--data", "[red]x[/]"]), Console(file=file, width=80))
    assert "[red]x[/]" in file.getvalue()
    assert file.getvalue().count("</script>[/]") >= 3


def test_lines_stay_short_enough_to_be_read():
    survey = made(100)
    survey.left_out = ["a long name " * 30]
    file = io.StringIO()
    print_report(make_report(survey), Console(file=file, width=300))
    assert max(map(len, file.getvalue().splitlines())) == 100


def test_the_command(gankit_cli, folder, here):
    answer = gankit_cli("data", "check", folder)
    assert answer.code == 0
    assert "--page FILE.html" in answer.out
    answer = gankit_cli("data", "check", folder, "--page", "page.html", "--classes", "rose")
    assert answer.code == 0
    assert "12 PNG" in answer.out
    assert "page.html" in answer.out
    assert (here / "page.html").stat().st_size > 10_000
    words = gankit_cli("data", "check", folder, "--classes", "rose,tulip", "--json").out
    assert "--classes rose,tulip" in json.loads(words)["try"]
    found = json.loads(gankit_cli("data", "check", folder, "--json", "--image-size", "32").out)
    assert (found["image_size"], found["readable"]) == (32, 22)


def test_the_command_takes_data_sets_by_name(gankit_cli):
    found = json.loads(gankit_cli("data", "check", "petals:count=150", "--json").out)
    assert found["source"] == ["--dataset", "petals:count=150"]
    assert (found["pictures"], found["formats"], found["width"]["max"]) == (150, {}, 64)
    assert found["try"] == "gankit run --dataset petals:count=150"


def test_what_the_command_cannot_find_is_named(gankit_cli, folder):
    answer = gankit_cli("data", "check", "petal")
    assert answer.code == 2
    assert "'petal'" in answer.err
    assert "'petals'" in answer.err
    answer = gankit_cli("data", "check", f"{folder},{folder}")
    assert answer.code == 2
    assert "each path" in answer.err
    answer = gankit_cli("data", "check", folder, "--page", "no/such/folder/page.html")
    assert answer.code == 2
    assert "no/such/folder/page.html" in answer.err


def test_2000_files_are_quick_and_quiet(tmp_path):
    for seed in range(50):
        scene(seed, 96, 72).save(tmp_path / f"{seed}.jpg")
    files = picture_files((str(tmp_path),), 64)
    paths, names = files.paths * 40, files.names * 40
    files.paths, files.names, files.classes = paths, names, files.classes * 40
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        survey = Survey(examine(files))
    assert (survey.exact, survey.different) == (1950, 50)


def test_findings_are_values():
    assert Finding("fine", "x") == Finding("fine", "x")
    assert rules.count(1, "class") == "1 class"
    assert rules.count(2500, "copy") == "2,500 copies"
    assert [rules.percent(share) for share in (0, 0.004, 0.5)] == ["0 %", "<1 %", "50 %"]


def test_from_python_there_is_the_same_report_as_with_json(folder, gankit_cli):
    code, out, _ = gankit_cli("data", "check", folder, "--image-size", 32, "--json")
    assert code == 0
    assert gankit.check_data(folder, image_size=32) == json.loads(out)


def test_from_python_a_data_set_can_be_named_and_is_required():
    assert gankit.check_data("petals:count=20")["pictures"] == 20
    with pytest.raises(gankit.GankitError, match="check_data"):
        gankit.check_data()


def test_a_model_is_only_named_if_there_is_one():
    large = made(2500, width=300, height=260)
    large.image_size = 48
    mend = finding_with(large, "large enough").mend
    assert "--image-size 192" in mend
    assert "skip" not in mend


def test_a_set_with_downloads(folder, registry, monkeypatch):
    monkeypatch.setattr("gankit.data.prepare._download_files", lambda *_: (str(folder),))
    pictures, options = open_pictures(registry, ["tf-flowers"], (), ImageSize(64, 64))
    assert len(pictures) == len(picture_files((str(folder),)))
    assert options == ["--dataset", "tf-flowers"]
