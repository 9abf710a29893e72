"""race.json and results.json of somebody else: read whole, or refused in one line."""

import dataclasses
import json

import pytest
from gankit_race.find_race import RACE_FILE
from gankit_race.plan import Plan, read_plan
from gankit_race.report.publish import write_report
from gankit_race.report.report import Report
from gankit_race.results import Row, read_results, row_of_run, write_results
from gankit_race.variants import Variant

from gankit import GankitError, compose

KEPT = {"value": 1.5, "low": 1.0, "high": 2.0, "floor": None, "samples": 20, "reference": 20,
        "against": "hold-out", "better": "lower", "features": "", "note": ""}  # fmt: skip
ODD = [None, True, -1, 10**400, 1e400, "", "\x1b]0;t\x07", "../out", "x" * 9999, [], ["a"], [None],
       {}, {"a": 1}, [[[["a"]]]]]  # fmt: skip


@pytest.fixture
def race(tmp_path, registry, tiny):
    """The folder of a race that has begun, and its plan."""
    runs = [compose(registry, **tiny(tricks=[trick])) for trick in ("none", "ema")]
    variants = tuple(Variant(label=f"v{n}", folder=f"v{n}", run=run) for n, run in enumerate(runs))
    options = {"command": "gankit race", "budget": "", "samples": 20}
    plan = Plan(**options, variants=variants, seeds=(0, 1), metrics=("swd",))
    plan.write(tmp_path)
    row = Row(variant="v0", seed=0, folder="v0/seed-0", measured={"swd": KEPT}, seconds=2.0)
    write_results(tmp_path, [row])
    return tmp_path, plan, row


def altered(record):
    """The record with each of its entries removed, or replaced by something odd."""
    for name in record:
        yield {key: value for key, value in record.items() if key != name}
        for value in ODD:
            yield {**record, name: value}


def read_or_refuse(read, path, mutant):
    """What `read` makes of a mutant; None if it refuses it, which takes one line."""
    path.write_text(json.dumps(mutant))
    try:
        return read(path.parent)
    except GankitError as error:
        line = str(error)
    assert line.isprintable()
    assert len(line) < 600
    assert path.name in line
    return None


def test_a_race_is_read_as_it_was_written(race):
    folder, plan, row = race
    assert read_plan(folder) == plan
    assert read_results(folder) == [row]


def test_an_altered_race_json_is_refused_in_one_line(race):
    path = race[0] / RACE_FILE
    record = json.loads(path.read_text())
    variant = record["variants"][1]
    variants = [{**record, "variants": [mutant]} for mutant in altered(variant)]
    runs = [{**record, "variants": [{**variant, "run": run}]} for run in altered(variant["run"])]
    mutants = [*altered(record), *variants, *runs, [], None, "text", 3]
    plans = [read_or_refuse(read_plan, path, mutant) for mutant in mutants]
    assert plans.count(None) > 400
    for plan in filter(None, plans):
        assert all(isinstance(seed, int) for seed in plan.seeds)
        assert all("/" not in variant.folder for variant in plan.variants)


@pytest.mark.parametrize(
    "folder", ["../out", "/out", "a/b", ".", "..", ".ssh", "", "a\nb", "C:\\x"]
)
def test_a_variant_cannot_be_trained_outside_its_race(race, folder):
    path = race[0] / RACE_FILE
    record = json.loads(path.read_text())
    record["variants"][0]["folder"] = folder
    path.write_text(json.dumps(record))
    with pytest.raises(GankitError, match="folder"):
        read_plan(race[0])


def test_an_altered_results_json_is_refused_in_one_line(race):
    path = race[0] / "results.json"
    record = json.loads(path.read_text())
    rows = [[mutant] for mutant in altered(record["runs"][0])]
    kept = [[{**record["runs"][0], "measured": {"swd": mutant}}] for mutant in altered(KEPT)]
    mutants = [{**record, "runs": mutant} for mutant in (*rows, *kept, *ODD[1:])]
    all_rows = [read_or_refuse(read_results, path, mutant) for mutant in mutants]
    assert all_rows.count(None) > 200
    values = [row.value("swd") for rows in filter(None, all_rows) for row in rows]
    assert all(value is None or isinstance(value, float) for value in values)


def test_a_race_without_seeds_is_refused(race):
    path = race[0] / RACE_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), "seeds": []}))
    with pytest.raises(GankitError, match="it has no seeds"):
        read_plan(race[0])


@pytest.mark.parametrize(
    "log", ["step\n9\n", "step,kimg\n9,0.5\n", "step,kimg,seconds,d_loss,g_loss\n9,,,1,2\n", "a\n"]
)
def test_a_log_without_some_columns_makes_a_page(race, log):
    folder, plan, _ = race
    variants = [(variant.label, variant.run) for variant in plan.variants]
    rows = []
    for label, run in variants:
        run_folder = folder / label / "seed-0"
        run_folder.mkdir(parents=True)
        (run_folder / "log.csv").write_text(log)
        here = dataclasses.replace(run, out=str(run_folder))
        rows.append(row_of_run(label, here, f"{label}/seed-0"))
    assert [row.seconds for row in rows] == [None, None]
    report = Report(title="t", command="c", variants=variants, rows=rows, seeds=1, folder=folder)
    write_report(report)
    assert (folder / "race.html").is_file()
