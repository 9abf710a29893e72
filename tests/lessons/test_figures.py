"""The statements of each lesson agree with its kept run.

Every figure in a lesson's prose is a setting in its code, or printed by its kept run, or computed
here. After a new run of docs/run_lesson.py, these tests show which statements are no longer true.
"""

import json
import math
import re
import statistics
from pathlib import Path

import pytest
from gankit_lessons import lesson as reading

from gankit import compose

ROOT = Path(__file__).parents[2]
OUTPUTS = ROOT / "docs" / "outputs"
FIGURE = re.compile(r"(?<![\w.,])(?:\d{1,3}(?:,\d{3})+|\d+\.\d+|\d+(?= ?%))(?!\.?\w)")
LABELS = ("You will learn", "You should know", "You will see", "Predict")  # those with statements
WORKED_OUT = {
    1: {"8,192": 2**13},
    2: {"0.325": -0.9 * math.log(0.9) - 0.1 * math.log(0.1)},
    3: {"12,288": 3 * 64 * 64},
    5: {"1.39": 2 * math.log(2), "0.69": math.log(2), "0.5": 1 / 2},
    6: {"0.325": -0.9 * math.log(0.9) - 0.1 * math.log(0.1)},
    7: {"1,000": 2000 / 2, "2,000": 2000},
    9: {"1,024": 2 * 512, "2,048": 4 * 512},
    13: {"0.3": 3 / 10, "0.5": 1 / 2},
    16: {"0.5": 1 / 2},
}
BUSY = 1.6  # a kept run may take this many times longer, because other programs slow it down


@pytest.fixture
def prose(lesson_path, number):
    """The prose of a lesson, without code, papers and its exercise."""
    lesson = reading.read(lesson_path(number))
    labels = [lesson.labels[label] for label in LABELS]
    text = "\n".join([lesson.intro, *labels, *(cell.prose for cell in lesson.cells)])
    return re.sub(r"`[^`]*`|\d{4}\.\d{5}", "", text)


def output(number):
    """The cells of a lesson's kept run, with what they printed."""
    path = OUTPUTS / f"lesson-{number:02d}" / "output.json"
    if not path.exists():
        pytest.skip("no run is kept yet; the lesson's page says so")
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def printed(number):
    return "\n".join(cell["text"] for cell in output(number))


def row(number, name):
    """The numbers of the last line that begins with this name."""
    *_, rest = re.findall(rf"^{re.escape(name)}(.*)$", printed(number), re.MULTILINE)
    return [float(value) for value in re.findall(r"-?\d+\.?\d*", rest.replace(",", ""))]


def test_every_figure_has_its_source(number, prose, lesson_path):
    code = "\n".join(cell.code for cell in reading.read(lesson_path(number)).cells)
    sources = set(FIGURE.findall(f"{code}\n{printed(number)}"))
    for figure in FIGURE.findall(prose):
        computed = WORKED_OUT.get(number, {}).get(figure)
        if computed is not None:
            digits = len(figure.partition(".")[2])
            assert f"{computed:,.{digits}f}" == figure
        else:
            assert figure in sources, f"{figure} is neither a setting nor in the kept run"


def test_the_minutes_are_those_of_the_kept_run(number, lesson_path):
    stated = int(reading.read(lesson_path(number)).minutes)
    took = sum(cell["seconds"] for cell in output(number)) / 60
    assert took / BUSY <= stated <= max(1, BUSY * took), f"it took {took:.1f} minutes"


def test_the_default_run_trains_on_as_many_pictures_as_pages_say():
    assert compose().length == "60 kimg"
    for page in ("README.md", "docs/index.md"):
        assert "60,000 pictures" in (ROOT / page).read_text(encoding="utf-8")


# --- what "Was your prediction right?" says, asked of the kept runs


def test_1_g_loss_falls_after_its_first_rise_and_d_is_ahead():
    losses = r"d_loss (\S+)  g_loss (\S+)  D\(x\) (\S+)  D\(G\(z\)\) (\S+)"
    steps = re.findall(rf"step +[\d,]+  {losses}", printed(1))  # not those of the last cell's run
    _, g_losses, reals, fakes = zip(*(map(float, step) for step in steps), strict=True)
    half = len(steps) // 2
    assert statistics.median(g_losses[:half]) > statistics.median(g_losses[half:])
    assert sum(real > fake for real, fake in zip(reals, fakes, strict=True)) > 0.8 * len(steps)


def test_5_one_failure_looks_like_the_textbook_and_one_like_a_healthy_run():
    healthy, *broken = (row(5, name) for name in ("healthy", *"ABCDE"))
    assert sum(abs(d - 1.39) < 0.2 and abs(g - 0.69) < 0.2 for d, g, *_ in broken) == 1
    alike = [all(abs(a - b) < 0.3 for a, b in zip(run, healthy, strict=True)) for run in broken]
    assert sum(alike) == 1
    assert sum(d < 0.05 and g > 1 for d, g, *_ in broken) == 1
    assert sum(d > 1 and abs(g) < 0.05 for d, g, *_ in broken) == 1
    assert sum(d < 0.05 and abs(g) < 0.05 for d, g, *_ in broken) == 1


def test_6_flipped_and_smoothed_targets_make_d_less_sure():
    none, flipped, smoothed = (row(6, f"{name} ")[-4:] for name in ("none", "flip-labels",
                                                                    "smooth-labels"))  # fmt: skip
    assert min(flipped[0], smoothed[0]) > none[0] + 0.1
    assert max(flipped[2], smoothed[2]) < none[2]
    assert "in your run, flip-labels changed d_loss most" in printed(6)
    assert "my-noise: WARNING, it never acted" in printed(6)


def test_7_four_times_the_steps_are_far_from_four_times_as_good():
    shares = [int(share) for share in re.findall(r"(\d+) % of the first  kinds", printed(7))]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] > 3 * 100 / 8
    assert ": equal" in printed(7)


def test_8_small_batches_win_in_every_seed_and_heads_do_not_matter():
    rankings = re.findall(r"^seed \d: (.*)$", printed(8), re.MULTILINE)
    assert len(rankings) == 3
    for ranking in rankings:
        assert re.findall(r"batch-size (\d+)", ranking) == ["16", "16", "64", "64"]
    assert "no measurable difference" in printed(8)
    for size in (16, 64):  # less than half of what the batch sizes differ by, 60 to 66
        assert max(row(8, f"batch-size {size}: ")) < 30


def test_9_what_a_block_costs_and_a_cap_saves():
    costs = {(s, d): row(9, f"{s:6} {d:6} ") for s in (64, 128, 256) for d in ("naive", "capped")}
    weights, _, work, _, memory, _ = (dict(zip(costs, column, strict=True))
                                      for column in zip(*costs.values(), strict=True))  # fmt: skip
    for small, large in ((64, 128), (128, 256)):
        assert 4.5 < work[large, "naive"] / work[small, "naive"] < 5.5
        assert 3.9 < memory[large, "naive"] / memory[small, "naive"] < 4.3
    naive = (256, "naive")
    capped = (256, "capped")
    assert 1 - weights[capped] / weights[naive] == pytest.approx(3 / 4, abs=0.03)
    assert 1 - work[capped] / work[naive] == pytest.approx(1 / 4, abs=0.03)
    assert 1 - memory[capped] / memory[naive] < 0.05


def test_10_d_memorises_few_pictures_and_g_does_not():
    runs = ("50 pictures", "200 pictures", "500 pictures", "5,000 pictures")
    gaps = [row(10, f"{run}: D scores")[-1] for run in runs]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[0] > 2 * gaps[1] > 2 * 0.1
    assert gaps[2] < 0.1 > row(10, "200, augmented: D scores")[-1]
    _, low, high = row(10, "memorising, 200 pictures:")
    assert low < 0.5 < high
    assert row(10, "memorising, 50 pictures:")[0] > high


def test_11_the_lowest_d_loss_belongs_to_the_worst_run():
    names = ("non-saturating", "hinge", "wasserstein", "wasserstein, r1")
    values = {name: row(11, f"{name:28}") for name in names}
    assert min(values, key=lambda name: values[name][1]) == "wasserstein"
    first, last = values["wasserstein"][4:]
    assert last > 5 * first
    assert values["wasserstein, r1"][5] < last / 10
    first, last = row(11, "non-saturating, r1")[-2:]
    assert last == pytest.approx(first, rel=0.3)


def test_12_red_is_a_direction_and_the_line_is_a_little_duller():
    shares = [int(share) for share in re.findall(r"towards red: (\d+)% of", printed(12))]
    assert shares[0] == 0
    assert shares == sorted(shares)
    assert shares[-1] > 90
    line = row(12, "halfway on a line")[-1]
    arc = row(12, "halfway on an arc")[-1]
    assert 0.85 * arc < line < arc


def test_13_no_measure_sees_every_fault():
    values = {}
    for name in ("fresh flowers", "copies", "blurred", "noisy", "red only", "one flower"):
        (line,) = re.findall(rf"^{name} +(kid .*)$", printed(13), re.MULTILINE)
        values[name] = {key: float(value) for key, value in re.findall(r"(\w+) (-?\d+\.\d+)", line)}
    fresh = values["fresh flowers"]
    copies = values["copies"]
    assert copies["memorising"] == 1
    assert values["one flower"]["memorising"] < 0.5
    assert abs(copies["kid"] - fresh["kid"]) < 0.05
    assert values["noisy"]["kid"] > 3 * values["blurred"]["kid"] > 10 * fresh["kid"]
    for name in ("blurred", "noisy"):
        assert abs(values[name]["memorising"] - fresh["memorising"]) < 0.05
        assert abs(values[name]["modes"] - fresh["modes"]) < 1
    assert values["red only"]["modes"] == pytest.approx(6, abs=0.5)


def test_15_the_loss_falls_and_stays_above_0():
    losses = [float(loss) for loss in re.findall(r"loss (\d\.\d+)", printed(15))]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] > 0.1


def test_16_each_cure_ends_the_finding_and_all_cured_runs_are_the_same():
    lines = re.findall(r"patient \d: (\S+), then (\S+); swd (\d+), then (\d+)", printed(16))
    assert [first for first, *_ in lines] == ["d-dominates", "d-too-weak", "stalled"]
    assert {second for _, second, *_ in lines} == {"healthy"}
    assert all(int(after) < int(before) for *_, before, after in lines)
    assert len({after for *_, after in lines}) == 1
