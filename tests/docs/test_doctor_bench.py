"""docs/write_doctor.py: the cases of the bench, its arithmetic and its tables."""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from gankit_doctor.cases.all_cases import BROKEN, CASES, HEALTHY
from gankit_doctor.cases.case import FRESH, LATEST, SHIPPED, TEST, TUNING, VALIDATION, Case
from gankit_doctor.cases.ways import WAYS
from PIL import Image

from gankit import compose


@pytest.fixture(scope="module")
def tables(docs_script):
    return docs_script("doctor_tables")


@pytest.fixture(scope="module")
def bench(docs_script):
    return docs_script("write_doctor")


def record(case, named=(), alarms=None, seed=0, **more):
    """A record of a run, as the bench writes it."""
    named = list(named)
    return {
        "case": case.name,
        "half": case.halves[0],
        "seed": seed,
        "expected": list(case.expected),
        "verdict": "alarm" if named else "healthy",
        "named": named,
        "alarms": named if alarms is None else alarms,
        "since": dict.fromkeys(named, 120),
        "steps": case.settings["steps"],
        "exit": 0,
        "command": "",
        **more,
    }


@pytest.fixture(scope="module")
def composed(registry):
    """The run of each case."""
    return {name: compose(registry, **case.settings) for name, case in CASES.items()}


def test_each_case_is_a_run(composed):
    for name, run in composed.items():
        assert run.size.shorter in (32, 64), name
        assert run.holdout != 0 or "sixty" in name, name


def test_the_options_of_a_case_are_those_of_its_settings(gankit_cli):
    case = CASES["relativistic"]
    answer = gankit_cli("run", *case.argv, "--seed", "3", "--dry-run")
    assert answer.code == 0, answer.err
    assert "r2:gamma=10,every=4" in answer.out
    assert "--seed 3" in answer.out


def test_there_are_enough_ways_to_break_a_run_and_enough_healthy_ones():
    assert len(WAYS) >= 20
    assert len(HEALTHY) >= 15
    assert len(CASES) == len(BROKEN) + len(HEALTHY)  # no name twice
    assert sum(len(case.seeds(TEST)) for case in HEALTHY) >= 150


def test_a_part_to_test_on_shares_no_pictures_and_seeds_with_those_before(composed):
    seen = {half: set() for half in (TUNING, VALIDATION, TEST, FRESH, LATEST)}
    pairs = {half: set() for half in seen}
    for name, case in CASES.items():
        run = composed[name]
        for half in seen.keys() & set(case.halves):
            seen[half] |= {str(run.data) if run.data else run.dataset.name, *case.seeds(half)}
            pairs[half].add((str(run.generator), str(run.discriminator)))
    assert not seen[TEST] & (seen[TUNING] | seen[VALIDATION])
    before = TUNING, VALIDATION, TEST
    assert not seen[FRESH] & set().union(*(seen[half] for half in before))
    assert not pairs[FRESH] & set().union(*(pairs[half] for half in before))
    before = *before, FRESH
    known = seen[LATEST] & set().union(*(seen[half] for half in before))
    assert known == {"tf-flowers"}  # as the module says
    assert not pairs[LATEST] & set().union(*(pairs[half] for half in before))


def test_the_photographs_can_be_read_from_a_folder(bench, tmp_path):
    argv = bench.run_argv(CASES["strong-d-test"], 200, {"tf-flowers": tmp_path, "tissue": "x"})
    assert argv[argv.index("--data") + 1] == str(tmp_path)
    assert "tf-flowers" not in argv
    assert "x" not in argv
    assert "tf-flowers" in bench.run_argv(CASES["strong-d-test"], 200)


def test_a_share_has_the_interval_of_wilson(tables):
    # Computed by hand from the formula; 54 of 60 is the example of many textbooks.
    assert tables.wilson(54, 60) == pytest.approx((0.7985, 0.9534), abs=1e-3)
    assert tables.wilson(3, 3) == pytest.approx((0.4385, 1.0), abs=1e-3)
    low, high = tables.wilson(0, 150)
    assert low == 0
    assert high == pytest.approx(0.025, abs=1e-3)
    assert tables.wilson(0, 0) == (0, 1)


def test_only_the_first_finding_counts_as_named_right(tables):
    case = CASES["strong-d"]
    assert tables.is_named_right(record(case, ["d-dominates", "stalled"]))
    assert not tables.is_named_right(record(case, ["stalled", "d-dominates"]))
    assert not tables.is_named_right(record(case))


def test_the_tables_count_what_was_named(tables):
    case = CASES["strong-d"]
    records = [
        record(case, ["d-dominates"]),
        record(case, ["stalled", "d-dominates"], seed=1),
        record(case, seed=2),
    ]
    (row,) = [line for line in tables.named_table(records).splitlines() if "strong-d" in line]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[0] == "strong-d"
    assert cells[-3:] == ["d-dominates 1, stalled 1, nothing 1", "1 of 3", "2 of 3"]


def test_the_shipped_part_has_enough_runs_and_counts_alarms_that_were_taken_back(tables):
    cases = [case for case in CASES.values() if SHIPPED in case.halves]
    assert sum(len(case.seeds(SHIPPED)) for case in cases) >= 150
    assert not any(case.expected for case in cases)
    runs = [record(case, seed=seed, told=[]) for case in cases[:5] for seed in (600, 601)]
    runs[3] |= {"told": ["stalled"]}
    text = tables.page({"records": runs, "cost": {}})
    assert "- 10 of 156 runs were made." in text
    assert "- Runs with an alarm at their end: 0 of 10 (0 to 28 %)." in text
    assert "- Runs with an alarm at any time: 1 of 10 (2 to 40 %)." in text
    assert "| petals | default run | 10 | healthy 10 |" in text


def test_an_alarm_in_a_healthy_run_is_counted_and_a_note_is_not(tables):
    plain = CASES["plain"]
    records = [record(plain, ["stalled"]), record(plain, ["stalled"], alarms=[], seed=1)]
    text = tables.page({"records": records, "cost": {}})
    assert "1 of 2" in text
    assert "2 of 40 healthy" in text  # 20 cases in the tuning half, two seeds of each
    assert "| 2 | 1 | stalled 1 |" in text


def test_a_cure_counts_if_the_finding_is_gone_and_the_pictures_are_better(tables):
    case = CASES["strong-d"]
    cures = [
        {"gone": True, "before": 5.0, "after": 1.0, "verdict": "healthy"},
        {"gone": True, "before": 5.0, "after": 4.1, "verdict": "healthy"},
        {"gone": False, "before": 5.0, "after": 1.0, "verdict": "alarm"},
        {"gone": True, "before": None, "after": 1.0, "verdict": "healthy"},
        {"gone": True, "before": 5.0, "after": None, "verdict": "healthy"},
    ]
    records = [
        record(case, ["d-dominates"], seed=seed, cure=cure) for seed, cure in enumerate(cures)
    ]
    row = tables.cure_table(records).splitlines()[-1]
    assert "| 4 of 5 | 3 of 5 | 2 of 5 |" in row


def test_the_cost_is_the_ratio_of_all_turns_together(tables):
    costs = {"a run": [[1.02, 1.0], [2.2, 2.0], [0.98, 1.0]]}
    assert "| a run | 1.050 | 0.980 to 1.100 in 3 pairs |" in tables.cost_section(costs)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("gankit run --dataset folder --data {folder} --steps 8", "--dataset tf-flowers --steps 8"),
        (
            "gankit run --dataset folder --data /else/retina.jpg",
            "--dataset folder --data retina.jpg",
        ),
        ("gankit run --dataset petals  # objects", "--dataset petals"),
        ("", ""),
    ],
)
def test_no_folder_of_this_computer_is_recorded(bench, tmp_path, command, expected):
    old = {"command": command.format(folder=tmp_path)}
    portable = bench.portable(old, {"tf-flowers": tmp_path.resolve()})
    assert portable["command"].removeprefix("gankit run ") == expected


def test_runs_of_other_pictures_have_a_section_that_tells_what_was_wrong(tables):
    plain, strong_d = CASES["plain"], CASES["strong-d"]
    records = [record(strong_d, ["d-dominates"]), record(strong_d, ["stalled"], seed=1)]
    records += [record(plain), record(plain, ["checkerboard"], seed=2)]
    text = tables.page({"records": [], "cost": {}, "stained": records})
    assert "- Named right as the first finding: 1 of 2 (" in text
    assert "- Healthy runs with an alarm: 1 of 2 (" in text
    assert "| strong-d, seed 1 | d-dominates | stalled | stalled |" in text
    assert "| plain, seed 2 | no alarm | checkerboard | checkerboard |" in text
    assert "## Stained cells" not in tables.page({"records": records, "cost": {}})


def test_a_part_that_was_left_out_has_a_row(tables):
    left_out = [{"part": "test", "right": 9, "broken": 10, "alarms": 1, "healthy": 8}]
    text = tables.page({"records": [], "cost": {}, "left_out": left_out})
    assert "| test | 9 of 10 (60 to 98 %) | 1 of 8 (2 to 47 %) |" in text


@pytest.mark.parametrize(
    ("right", "factor"),
    [
        ([5, 5, 5, 5, 5, 5, 5], None),
        ([1, 2, 5, 5, 5, 3, 3], 1.0),
        ([1, 1, 1, 5, 5, 2, 2], 1.118),
        ([5, 5, 5, 5, 2, 2, 2], 0.794),  # the outermost does not count
        ([1, 6, 5, 5, 5, 5, 5], 0.63),  # the default is not best
    ],
)
def test_the_middle_of_the_best_factors_is_chosen(docs_script, right, factor):
    chosen = docs_script("doctor_left_out").middle_factor(right)
    assert chosen == (factor and pytest.approx(factor, abs=1e-3))


def test_records_of_the_same_run_are_replaced_and_keep_their_cure(bench):
    case = CASES["strong-d"]
    cure = {"gone": True, "before": None, "after": None, "verdict": "healthy"}
    old = [record(case, ["d-dominates"], cure=cure, command="gankit run --a")]
    same = bench.merge_records(old, [record(case, ["d-dominates"], command="gankit run --a")])
    assert [item.get("cure") for item in same] == [cure]
    other = bench.merge_records(old, [record(case, ["d-dominates"], command="gankit run --b")])
    assert [item.get("cure") for item in other] == [None]


def test_the_first_seed_of_all_cases_comes_first(bench):
    runs = bench.chosen_runs(TUNING, ["strong-d", "plain"])
    assert [(case.name, seed) for case, _, seed in runs] == [
        ("strong-d", 0),
        ("plain", 0),
        ("strong-d", 1),
        ("plain", 1),
        ("strong-d", 2),
    ]
    chosen = bench.chosen_runs(TUNING, ["strong-d", "plain"], [1])
    assert [seed for _, _, seed in chosen] == [1, 1]


def test_a_cure_is_run_as_it_is_printed_or_resumes_a_copy(bench, tmp_path, monkeypatch):
    calls = []

    def pretend(*argv):
        calls.append(list(argv))
        return subprocess.CompletedProcess(argv, 0, "finished\n", "")

    monkeypatch.setattr(bench, "gankit", pretend)
    broken = tmp_path / "strong-d-0"
    broken.mkdir()
    (broken / bench.DONE).write_text("{}")
    for name, command in (
        ("new", "gankit run --lr-d 0.1  # objects"),
        ("old", "gankit run --resume x"),
    ):
        bench.train_cure(command, broken, tmp_path / name)
        assert (tmp_path / name / bench.DONE).exists()
    new = str(tmp_path / "new")
    assert calls[0] == ["run", "--lr-d", "0.1", "--out", new, "--threads", "1"]
    assert calls[1] == ["run", "--resume", str(tmp_path / "old"), "--threads", "1"]
    assert broken.exists()


def test_only_runs_that_are_finished_are_judged(bench, tmp_path, monkeypatch):
    case = CASES["strong-d"]
    finished = subprocess.CompletedProcess((), 0, "finished\n", "")
    monkeypatch.setattr(bench, "gankit", lambda *argv: finished)
    bench.train(bench.run_argv(case, 1), tmp_path / "strong-d-1")
    runs = [(case, TUNING, seed) for seed in (0, 1)]
    args = argparse.Namespace(folder=tmp_path, photographs=None, paintings=None, cells=None)
    assert [bench.is_trained(args, run) for run in runs] == [False, True]


def test_a_run_that_could_not_begin_stops_the_bench(bench, tmp_path, monkeypatch):
    refused = subprocess.CompletedProcess((), 2, "", "gankit: there are only 0 pictures\n")
    monkeypatch.setattr(bench, "gankit", lambda *argv: refused)
    with pytest.raises(RuntimeError, match="only 0 pictures"):
        bench.train(["--steps", "8"], tmp_path / "run")
    assert not (tmp_path / "run" / bench.DONE).exists()


def test_a_finished_run_is_not_trained_again(bench, tmp_path, monkeypatch):
    calls = []

    def pretend(*argv):
        calls.append(argv)
        return subprocess.CompletedProcess(argv, 0, "finished\n", "")

    monkeypatch.setattr(bench, "gankit", pretend)
    for _ in range(2):
        bench.train(["--steps", "8"], tmp_path / "run")
    assert len(calls) == 1
    bench.train(["--steps", "9"], tmp_path / "run")  # the case was changed
    assert len(calls) == 2
    bench.train(["--steps", "8"], tmp_path / "resumed", stops_at=4)
    assert [words[1] == "--resume" for words in calls] == [False, False, False, True]


def test_the_bench_judges_a_run_that_it_trained(bench, tmp_path):
    settings = {**CASES["plain"].settings, "dataset": "petals:count=64", "image_size": 16}
    case = Case("plain", {**settings, "steps": 96}, (TUNING,))
    folder = tmp_path / "plain-0"
    bench.train([*case.argv, "--seed", "0"], folder)
    assert json.loads((folder / bench.DONE).read_text())["exit"] == 0
    row = bench.make_record(case, TUNING, 0, folder)
    assert row["alarms"] == []
    assert row["named_live"] == row["named"]


def test_the_page_can_be_written_without_training(bench, tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "RECORDS", tmp_path / "bench.json")
    monkeypatch.setattr(bench, "PAGE", tmp_path / "bench.md")
    records = [record(CASES["strong-d"], ["d-dominates"])]
    bench.RECORDS.write_text(json.dumps({"records": records, "cost": {}}))
    monkeypatch.setattr(sys, "argv", ["write_doctor.py", "--page"])
    bench.main()
    assert "1 of 1" in bench.PAGE.read_text()


def test_the_page_is_that_of_its_records(bench, tables):
    if not bench.RECORDS.exists():
        pytest.skip("the bench was not run yet")
    results = json.loads(bench.RECORDS.read_text(encoding="utf-8"))
    assert bench.PAGE.read_text(encoding="utf-8") == tables.page(results)


# --- three ways to judge a cure


def test_a_cure_is_judged_by_each_way_that_was_tried(tables):
    case = CASES["strong-d"]
    old = {"gone": True, "before": 100, "after": 90, "verdict": "healthy"}
    measured = {**old, "floor": 60.0, "kid": [2.0, 1.0]}
    seen = {**measured, "eye": "broken"}
    records = [record(case, ["d-dominates"], cure=cure) for cure in (old, measured, seen)]
    text = tables.page({"records": records, "cost": {}})
    assert (
        "0 of 3 (0 to 56 %) by SWD, 2 of 2 (34 to 100 %) by KID, 0 of 1 (0 to 79 %) by eye" in text
    )
    assert "| 100 → 90 | 60 | 2.00 → 1.00 | 0 of 1 |" in text
    (row,) = tables.cure_table(records[:1]).splitlines()[2:]
    assert row.endswith("| 100 → 90 |")  # no empty columns


@pytest.fixture
def eye(docs_script, tmp_path, monkeypatch):
    """docs/doctor_eye.py, with records and a page of its own."""
    script = docs_script("doctor_eye")
    monkeypatch.setattr(script, "RECORDS", tmp_path / "bench.json")
    monkeypatch.setattr(script, "PAGE", tmp_path / "bench.md")
    return script


def test_a_sheet_has_real_pictures_and_both_grids_and_a_key_says_which(
    eye, trained, tmp_path, monkeypatch
):
    broken = tmp_path / "strong-d-0"
    for folder, shade in ((broken, 40), (tmp_path / "strong-d-0-cure", 200)):
        shutil.copytree(trained, folder)
        grid = sorted((folder / "samples").glob("*.png"))[-1]
        Image.new("RGB", (200, 200), (shade,) * 3).save(grid)
    alone = tmp_path / "strong-d-1"  # has no cure
    shutil.copytree(trained, alone)
    monkeypatch.setattr(sys, "argv", ["doctor_eye.py", str(broken), str(alone), "--out", "sheets"])
    monkeypatch.chdir(tmp_path)
    eye.main()
    key = json.loads(Path("sheets/key.json").read_text())
    assert key["01"]["run"] == "strong-d-0"
    assert list(key) == ["01"]
    with Image.open("sheets/01.png") as sheet:
        third = sheet.width // 3
        places = {"A": (third + 40, 80), "B": (2 * third + 40, 80)}
        shades = {name: sheet.convert("RGB").getpixel(place)[0] for name, place in places.items()}
        colours = (
            sheet.convert("RGB").crop((20, 60, third - 40, sheet.height - 40)).getcolors(10**6)
        )
    assert len(colours) > 100  # real pictures
    assert {key["01"][name]: shades[name] for name in "AB"} == {"broken": 40, "cured": 200}


def test_a_run_is_shown_alone_whether_it_has_a_cure_or_not(eye, trained, tmp_path, monkeypatch):
    folders = [tmp_path / "garden-0", tmp_path / "strong-d-0", tmp_path / "strong-d-0-cure"]
    for folder in folders:
        shutil.copytree(trained, folder)
    gridless = tmp_path / "exploding-0"
    gridless.mkdir()
    paths = [str(folder) for folder in (*folders[:2], gridless)]
    monkeypatch.setattr(sys, "argv", ["doctor_eye.py", "--alone", *paths, "--out", "sheets"])
    monkeypatch.chdir(tmp_path)
    eye.main()
    key = json.loads(Path("sheets/key.json").read_text())
    assert sorted(entry["run"] for entry in key.values()) == ["garden-0", "strong-d-0"]
    assert all(list(entry) == ["run"] for entry in key.values())  # nothing tells which is broken
    assert sorted(path.name for path in Path("sheets").glob("*.png")) == ["01.png", "02.png"]


def test_the_fourth_seed_counts_alarms_in_runs_whose_pictures_are_fair(eye, tmp_path, monkeypatch):
    cure = {"gone": True, "before": 100, "after": 90, "verdict": "healthy", "eye": "cured"}
    idle = {**cure, "eye": "alike"}
    records = [
        record(CASES["strong-d-fresh"], ["d-dominates"], seed=403, cure=cure),
        record(CASES["no-flips-fresh"], ["idle-trick"], seed=403, cure=idle),
        record(CASES["blood"], ["colour-shift"], seed=403, alarms=["colour-shift"]),
        record(CASES["cat"], [], seed=403, alarms=[]),
        record(CASES["blood"], ["colour-shift"], seed=402, alarms=["colour-shift"]),  # not it
    ]
    eye.RECORDS.write_text(json.dumps({"records": records, "cost": {}}))
    monkeypatch.setattr(eye, "read_results", lambda: json.loads(eye.RECORDS.read_text()))
    names = ["blood-403", "cat-403", "strong-d-fresh-403", "no-flips-fresh-403"]
    key = {f"{number:02}": {"run": name} for number, name in enumerate(names, start=1)}
    (tmp_path / "key.json").write_text(json.dumps(key))
    answers = dict(zip(key, ["failed", "fair", "failed", "fair"], strict=True))
    (tmp_path / "answers.json").write_text(json.dumps(answers))
    argv = ["--out", str(tmp_path), "--answers", str(tmp_path / "answers.json")]
    monkeypatch.setattr(sys, "argv", ["doctor_eye.py", *argv])
    eye.main()
    text = eye.PAGE.read_text().partition("The third seed")[0]
    assert "1 of 2 (9 to 91 %) by eye" in text
    assert "without idle tricks: 0 of 1 (0 to 79 %) by SWD, 1 of 1 (21 to 100 %) by eye" in text
    assert "Healthy cases with an alarm: 1 of 2 (9 to 91 %)" in text
    assert "whose pictures are fair, with an alarm: 0 of 1 (0 to 79 %)" in text
    assert "Broken runs whose pictures failed to the eye: 1 of 2 (9 to 91 %)" in text


def test_answers_become_part_of_the_records(eye, tmp_path, monkeypatch):
    case = CASES["strong-d"]
    cure = {"gone": True, "before": 100, "after": 90, "verdict": "healthy"}
    records = [record(case, ["d-dominates"], seed=seed, cure=dict(cure)) for seed in (0, 1, 2)]
    eye.RECORDS.write_text(json.dumps({"records": records, "cost": {}}))
    monkeypatch.setattr(eye, "read_results", lambda: json.loads(eye.RECORDS.read_text()))
    key = {"01": {"run": "strong-d-1", "A": "broken", "B": "cured"}}
    key["02"] = {"run": "strong-d-0", "A": "cured", "B": "broken"}
    (tmp_path / "key.json").write_text(json.dumps(key))
    (tmp_path / "answers.json").write_text(json.dumps({"01": "B", "02": "alike"}))
    answers = ["--out", str(tmp_path), "--answers", str(tmp_path / "answers.json")]
    monkeypatch.setattr(sys, "argv", ["doctor_eye.py", *answers])
    eye.main()
    made = json.loads(eye.RECORDS.read_text())["records"]
    assert [item["cure"].get("eye") for item in made] == ["alike", "cured", None]
    assert "1 of 2 (9 to 91 %) by eye" in eye.PAGE.read_text()
