"""Run the doctor's bench, and write docs/doctor/bench.md from what it measured.

    python docs/write_doctor.py                      (some hours on two cores)
    python docs/write_doctor.py --half tuning --only strong-d
    python docs/write_doctor.py --half test --photographs FOLDER
    python docs/write_doctor.py --half fresh --paintings FOLDER --cells FOLDER

The bench trains `gankit_doctor.cases.all_cases`: runs that are broken on purpose, and healthy
ones, in six parts. The test half, the latest and the shipped part have the photographs of the data
set tf-flowers; if you have them in a folder, or other photographs, give it with --photographs. The
fresh and the shipped part have the data sets vangogh and tissue, or the folders of --paintings and
--cells.

For each run it notes what the doctor names first. If that is right, it runs the command that the
doctor prints, and compares the pictures of both runs. At last it trains the same run with and
without the doctor, ten steps of each in turns (`doctor_cost.py`), and compares the times.

Finished runs stay in --folder, so if you stop the bench and start it again, it goes on. If the
rules changed but not the looks, it judges all runs anew and trains nothing again. The records of
all runs are in docs/doctor/bench.json; --page writes the page from them alone.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import doctor_tables
from gankit_doctor import examine
from gankit_doctor.build_rules import build_rules
from gankit_doctor.cases.all_cases import CASES
from gankit_doctor.cases.case import PARTS
from gankit_doctor.cases.fresh import CELLS, PAINTINGS
from gankit_doctor.cases.unseen import PHOTOGRAPHS
from gankit_doctor.engine import replay
from gankit_doctor.history import read_history

from gankit import load_run
from gankit.core.parts.registry import load_registry
from gankit.core.shell import join_command

DOCS = Path(__file__).parent
RECORDS = DOCS / "doctor" / "bench.json"
PAGE = DOCS / "doctor" / "bench.md"
DONE = "bench.json"  # in a run's folder: the run ended, and how
MEASURED = "bench-metric.json"  # what the metric said of it
METRICS = ("swd", "kid")  # the rules use neither
SAMPLES = 300
COST_TURNS = 4  # in every second one, the run with the doctor begins
COST_RUNS = {  # what the cost is measured with: settings, and steps
    "the default run": ({}, 320),
    "the case `plain`": (CASES["plain"].settings, CASES["plain"].settings["steps"]),
}


def python(*argv):
    """Run Python in a process of its own, on one thread."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *argv]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def gankit(*argv):
    """Run a command of gankit."""
    return python("-m", "gankit", *argv)


def is_finished(folder, argv):
    """Whether this run is in the folder, and ended."""
    path = folder / DONE
    return path.exists() and json.loads(path.read_text(encoding="utf-8"))["argv"] == argv


def train(argv, folder, stops_at=0):
    """Train a run into a folder, unless it is finished; an unfinished one begins anew."""
    if is_finished(folder, argv):
        return
    shutil.rmtree(folder, ignore_errors=True)
    begun = time.perf_counter()
    first = [*argv, "--steps", str(stops_at)] if stops_at else argv
    result = gankit("run", *first, "--threads", "1", "--out", str(folder))
    if stops_at:
        steps = argv[argv.index("--steps") + 1]
        result = gankit("run", "--resume", str(folder), "--steps", steps)
    note_end(folder, argv, result, begun)


def note_end(folder, argv, result, begun):
    """Note that a run finished, or failed while it trained; exit if it could not begin."""
    last_lines = (result.stderr.strip() or result.stdout.strip()).splitlines()[-1:]
    if result.returncode not in (0, 1):
        raise RuntimeError(f"{folder.name} ended with {result.returncode}: {last_lines}")
    folder.mkdir(exist_ok=True, parents=True)
    end = {
        "argv": argv,
        "exit": result.returncode,
        "said": last_lines,
        "seconds": round(time.perf_counter() - begun, 1),
    }
    (folder / DONE).write_text(json.dumps(end), encoding="utf-8")


def cure_argv(command, folder):
    """The words of the doctor's command, which puts the cured run into a folder."""
    argv = shlex.split(command, comments=True)
    if argv[:2] != ["gankit", "run"]:
        raise RuntimeError(f"the cure for {folder} is not a command of gankit run: {command}")
    if "--resume" not in argv:
        return [*argv, "--out", str(folder)]
    argv[argv.index("--resume") + 1] = str(folder)
    return argv


def train_cure(command, broken, folder):
    """Run the doctor's command into a folder: as a new run, or as a copy that is resumed."""
    argv = cure_argv(command, folder)
    if is_finished(folder, argv):
        return
    shutil.rmtree(folder, ignore_errors=True)
    begun = time.perf_counter()
    if "--resume" in argv:
        shutil.copytree(broken, folder)
        (folder / DONE).unlink()
        (folder / MEASURED).unlink(missing_ok=True)
    note_end(folder, argv, gankit(*argv[1:], "--threads", "1"), begun)


def diagnose(folder):
    """The doctor's diagnosis of a run, judged anew from its folder."""
    return json.loads(examine(folder).to_json())


def diagnosed_live(folder):
    """The names of the findings in doctor.json, written in training; None if there is none."""
    path = folder / "doctor.json"
    if not path.exists():
        return None
    findings = json.loads(path.read_text(encoding="utf-8"))["findings"]
    return [finding["name"] for finding in findings]


def told_alarms(folder):
    """The names of the alarms that were told while the run trained, also if they became notes."""
    run = load_run(folder)
    engine = replay(run, read_history(run), build_rules(load_registry()))
    return [episode.name for episode in engine.episodes if episode.is_told]


def measure(folder):
    """Metric -> what it says of a run's newest checkpoint; empty if it has none."""
    path = folder / MEASURED
    if not path.exists():
        options = [word for name in METRICS for word in ("--metric", name)]
        result = gankit("evaluate", str(folder), *options, "--samples", str(SAMPLES), "--json")
        if result.returncode:
            return {}
        path.write_text(result.stdout, encoding="utf-8")
    rows = json.loads(path.read_text(encoding="utf-8"))
    return {row["metric"]: row for row in rows}


def value_of(measured, name):
    return measured[name]["value"] if measured else None


def make_record(case, half, seed, folder):
    """What the doctor said of one run of a case."""
    diagnosis = diagnose(folder)
    findings = diagnosis["findings"]
    end = json.loads((folder / DONE).read_text(encoding="utf-8"))
    return {
        "case": case.name,
        "half": half,
        "seed": seed,
        "expected": list(case.expected),
        "verdict": diagnosis["verdict"],
        "named": [finding["name"] for finding in findings],
        "named_live": diagnosed_live(folder),
        "alarms": [finding["name"] for finding in findings if finding["kind"] == "alarm"],
        "told": told_alarms(folder),
        "since": {finding["name"]: finding["since"] for finding in findings},
        "steps": case.settings["steps"],
        "exit": end["exit"],
        "command": findings[0]["command"] if findings else "",
    }


def given_folders(args):
    """Data sets -> the folders that stand in for them."""
    folders = {PHOTOGRAPHS: args.photographs, PAINTINGS: args.paintings, CELLS: args.cells}
    return {name: folder.resolve() for name, folder in folders.items() if folder}


def portable(record, folders):
    """A record whose command names no folder of this computer."""
    argv = shlex.split(record["command"], comments=True)
    names = {folder: name for name, folder in folders.items()}
    if "--data" in argv:
        where = argv.index("--data") + 1
        name = names.get(Path(argv[where]).resolve())
        if name:
            argv[argv.index("--dataset") + 1] = name
            del argv[where - 1 : where + 1]
        else:
            argv[where] = Path(argv[where]).name
    return {**record, "command": join_command(argv)}


def cure_folder(broken):
    return broken.with_name(f"{broken.name}-cure")


def try_cure(record, broken):
    """Run the command of the first finding; add to the record whether it was a cure."""
    cured = cure_folder(broken)
    train_cure(record["command"], broken, cured)
    diagnosis = diagnose(cured)
    before = measure(broken)
    after = measure(cured)
    record["cure"] = {
        "gone": record["named"][0] not in [finding["name"] for finding in diagnosis["findings"]],
        "before": value_of(before, "swd"),
        "after": value_of(after, "swd"),
        "floor": (after or before).get("swd", {}).get("floor"),
        "kid": [value_of(before, "kid"), value_of(after, "kid")],
        "verdict": diagnosis["verdict"],
    }


def measure_cost(folder):
    """Run -> the processor's seconds with and without the doctor: a pair for each turn."""
    costs = {}
    for name, (settings, steps) in COST_RUNS.items():
        own = {key: value for key, value in settings.items() if key != "steps"}
        costs[name] = []
        for turn in range(COST_TURNS):
            out = folder / "cost"
            shutil.rmtree(out, ignore_errors=True)
            first = str(turn % 2)
            result = python(
                str(DOCS / "doctor_cost.py"), str(out), str(steps), json.dumps(own), first
            )
            if result.returncode:
                raise RuntimeError(result.stderr)
            costs[name].append(json.loads(result.stdout.splitlines()[-1]))
    return costs


def chosen_runs(half, only=(), seeds=()):
    """(case, half, seed) of all runs to make; the first seed of all cases comes first.

    only, seeds: names of cases, and seeds; empty: all.
    """
    halves = [half] if half else PARTS
    cases = [CASES[name] for name in only] if only else CASES.values()
    runs = [
        (case, part, seed)
        for part in halves
        for case in cases
        for seed in case.seeds(part)
        if seed in (seeds or case.seeds(part))
    ]
    return sorted(runs, key=lambda run: (halves.index(run[1]), run[2]))


def run_folder(root, case, seed):
    return root / f"{case.name}-{seed}"


def is_trained(args, item):
    case, _, seed = item
    argv = run_argv(case, seed, given_folders(args))
    return is_finished(run_folder(args.folder, case, seed), argv)


def run_argv(case, seed, folders=None):
    """The options of a run; data sets are read from folders that stand in for them, if any."""
    argv = case.argv
    for name, folder in (folders or {}).items():
        if case.settings["dataset"] == name:
            where = argv.index("--dataset")
            argv[where : where + 2] = ["--data", str(folder)]
    return [*argv, "--seed", str(seed)]


def train_all(args, runs):
    def train_one(item):
        case, _, seed = item
        argv = run_argv(case, seed, given_folders(args))
        train(argv, run_folder(args.folder, case, seed), case.stops_at)
        print(f"{case.name}, seed {seed}: trained", flush=True)

    with ThreadPoolExecutor(args.jobs) as pool:
        list(pool.map(train_one, runs))


def judge_all(args, runs):
    """What the doctor says of each run, and whether its cures are cures: a record for each."""
    records = [
        make_record(case, half, seed, run_folder(args.folder, case, seed))
        for case, half, seed in runs
    ]
    if args.cures:
        with ThreadPoolExecutor(args.jobs) as pool:
            list(pool.map(lambda record: cure(record, args), records))
    return records


def cure(record, args):
    """Try the cure of a run that was named right; with --finished only if it was tried before."""
    broken = run_folder(args.folder, CASES[record["case"]], record["seed"])
    if not doctor_tables.is_named_right(record):
        return
    cured = cure_folder(broken)
    if args.finished and not is_finished(cured, cure_argv(record["command"], cured)):
        return
    try_cure(record, broken)
    print(f"{record['case']}, seed {record['seed']}: cure tried", flush=True)


def merge_records(old, new):
    """Records of which the new ones replace the old of the same run, but keep a cure and an eye."""
    merged = {(record["case"], record["seed"]): record for record in old}
    for record in new:
        key = (record["case"], record["seed"])
        before = merged.get(key, {})
        if "cure" in before and record["command"] == before["command"]:
            record.setdefault("cure", before["cure"])
        if "eye" in before:  # of the pictures, whatever the rules say
            record.setdefault("eye", before["eye"])
        merged[key] = record
    return list(merged.values())


def read_results():
    if not RECORDS.exists():
        return {"records": [], "cost": {}}
    return json.loads(RECORDS.read_text(encoding="utf-8"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--half", choices=PARTS, help="only this part")
    parser.add_argument("--only", action="append", metavar="NAME", choices=[*CASES])
    parser.add_argument("--seed", type=int, action="append", metavar="N", help="only this seed")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    parser.add_argument("--folder", type=Path, default=Path("runs/doctor-bench"))
    parser.add_argument("--photographs", type=Path, metavar="FOLDER", help="instead of tf-flowers")
    parser.add_argument("--paintings", type=Path, metavar="FOLDER", help="instead of vangogh")
    parser.add_argument("--cells", type=Path, metavar="FOLDER", help="instead of tissue")
    parser.add_argument("--no-cures", dest="cures", action="store_false")
    parser.add_argument("--no-cost", dest="cost", action="store_false")
    parser.add_argument("--only-train", action="store_true", help="do not judge yet")
    parser.add_argument("--finished", action="store_true", help="train nothing more, only judge")
    parser.add_argument("--page", action="store_true", help="only write the page")
    args = parser.parse_args()
    results = read_results()
    if not args.page:
        runs = chosen_runs(args.half, args.only or (), args.seed or ())
        if args.finished:
            runs = [run for run in runs if is_trained(args, run)]
        train_all(args, runs)
        if args.only_train:
            return
        records = [portable(record, given_folders(args)) for record in judge_all(args, runs)]
        results["records"] = merge_records(results["records"], records)
        if args.cost:
            results["cost"] = measure_cost(args.folder)
        RECORDS.parent.mkdir(exist_ok=True)
        RECORDS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(doctor_tables.page(results), encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
