"""How good the doctor's rules are with thresholds that were chosen without a part of the bench.

    python docs/doctor_left_out.py runs/tuning runs/validation runs/test runs/stained

Each folder has runs that `write_doctor.py` trained. For each, this script chooses every threshold
anew by the runs of the other folders, one threshold at a time: the middle of the range in which
most of those runs are judged right. Then it judges the folder that was left out. What the rules
look at was chosen by people who had seen all folders, so new runs are judged somewhat worse.
The result goes into docs/doctor/bench.json; `write_doctor.py --page` then writes the page.
"""

import argparse
import json
import math
from pathlib import Path

from gankit_doctor.build_rules import build_rules
from gankit_doctor.cases.all_cases import CASES
from gankit_doctor.engine import ALARM, Engine
from gankit_doctor.examination import read_failure
from gankit_doctor.history import read_history
from write_doctor import DONE, RECORDS, read_results

from gankit.core.contracts.seen import Seen
from gankit.core.parts.registry import load_registry
from gankit.training.run_folder.run_file import load_run

FACTORS = (0.5, 0.63, 0.8, 1.0, 1.25, 1.6, 2.0)  # of each threshold
DEFAULT = FACTORS.index(1.0)


class RememberingEngine(Engine):
    """Asks a rule with the same thresholds only once at each look."""

    answers: dict = {}  # noqa: RUF012  one for all runs

    def _look(self, rule, seen):
        key = (id(seen), rule.name, *thresholds_of(rule).items())
        if key not in self.answers:
            self.answers[key] = rule.look(seen)
        return self.answers[key]


def thresholds_of(rule):
    """The numbers that a rule was built with: name -> value."""
    return {name: value for name, value in vars(rule).items() if isinstance(value, int | float)}


def read_runs(folder):
    """(case, looks) of each finished run of a folder, without cures."""
    runs = []
    for path in sorted(folder.iterdir()):
        case = CASES.get(path.name.rpartition("-")[0])
        if case is None or not (path / DONE).exists():
            continue
        run = load_run(path)
        history = read_history(run)
        steps = sorted(set(history.looks)) or [0]
        failures = [""] * (len(steps) - 1) + [read_failure(run)]
        looks = zip(steps, failures, strict=True)
        runs.append((case, [Seen(run, history, step, failure=f) for step, f in looks]))
    return runs


def is_right(case, looks, rules):
    """Whether the first finding of a broken run is right, or a healthy one has no alarm."""
    engine = RememberingEngine(rules)
    for seen in looks:
        engine.add(seen)
    found = engine.ordered()
    if case.expected:
        return bool(found) and found[0].name in case.expected
    return all(episode.kind != ALARM for episode in found)


def judge(runs, registry, changes):
    """Whether each run is judged right with other thresholds: (rule, option) -> value."""
    rules = build_rules(registry)
    for rule in rules:
        for (name, option), value in changes.items():
            if name == rule.name:
                setattr(rule, option, value)
    return [is_right(case, looks, rules) for case, looks in runs]


def middle_factor(right):
    """The middle of the factors with the most runs right; None if all have as many.

    right: how many are right with each factor of FACTORS. Of several ranges, the one with the
    default, or else the first. The outermost factors do not count: they only show open ends.
    """
    best = [count == max(right) for count in right]
    if all(best):
        return None
    low = high = DEFAULT if best[DEFAULT] else best.index(True)
    while low > 0 and best[low - 1]:
        low -= 1
    while high + 1 < len(best) and best[high + 1]:
        high += 1
    return math.sqrt(FACTORS[max(low, 1)] * FACTORS[min(high, len(FACTORS) - 2)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("folders", nargs="+", type=Path)
    folders = parser.parse_args().folders
    registry = load_registry()
    runs = {folder: read_runs(folder) for folder in folders}
    right = {}  # (rule, option) -> factor -> folder -> whether each run is judged right
    for rule in build_rules(registry):
        for option, value in thresholds_of(rule).items():
            changes = [{(rule.name, option): value * factor} for factor in FACTORS]
            right[rule.name, option, value] = [
                {folder: judge(runs[folder], registry, change) for folder in folders}
                for change in changes
            ]
            print(rule.name, option, flush=True)
    results = read_results()
    results["left_out"] = [left_out(folder, runs, right, registry) for folder in folders]
    RECORDS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def left_out(folder, runs, right, registry):
    """How the runs of a folder are judged with thresholds that were chosen by the others."""
    changes = {}
    for (name, option, value), by_factor in right.items():
        counts = [sum(sum(r[f]) for f in runs if f != folder) for r in by_factor]
        factor = middle_factor(counts)
        if factor is not None:
            changes[name, option] = value * factor
    answers = judge(runs[folder], registry, changes)
    pairs = [(case, answer) for (case, _), answer in zip(runs[folder], answers, strict=True)]
    broken = [answer for case, answer in pairs if case.expected]
    healthy = [answer for case, answer in pairs if not case.expected]
    result = {"part": folder.name, "right": sum(broken), "broken": len(broken)}
    result |= {"alarms": healthy.count(False), "healthy": len(healthy)}
    print(result, flush=True)
    return result


if __name__ == "__main__":
    main()
