"""Measure what --init gives: six minutes with a base, and six and sixty minutes without one.

    python docs/measure_init.py races/init-art --base photos --data paintings --holdout 0.4

It plans how many steps six minutes are, trains the base (1,000 kimg, unless --base is the folder of
a run), trains the three variants with three seeds each, and compares them by KID and `memorising`
on the pictures held out. Options that it does not know go to `gankit run`. If it is stopped, the
same command goes on. All lengths are in steps, so with `--jobs 2` two runs may train at a time, of
one core each; but nothing else should compute while it plans. Sixty minutes take by far the
longest: `--variant short --variant init` omits them. Afterwards, `python docs/write_races.py
races/init-art` puts the table into docs/results.md; its entry there names two variants, so add the
third if you trained it.
"""

import argparse
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gankit.cli.run.command import read_options
from gankit.core.parts.registry import load_registry
from gankit.core.progress import no_progress
from gankit.training.budget.plan_budget import fit_to_budget

METRICS = ("kid", "memorising")
VARIANTS = ("short", "init", "long")
GANKIT = (sys.executable, "-m", "gankit")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--base", required=True, help="pictures to train a base on, or a run")
    parser.add_argument("--data", required=True)
    parser.add_argument("--minutes", type=float, default=6)
    parser.add_argument("--base-kimg", type=float, default=1000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--variant", action="append", choices=VARIANTS, help="only these")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time, of one core each")
    given, options = parser.parse_known_args()
    runs = given.out.with_name(f"{given.out.name}-runs")
    runs.mkdir(parents=True, exist_ok=True)
    options = ["--data", given.data, *options]
    short = planned_steps(runs / "steps.txt", given.minutes, options)
    if given.jobs > 1:
        options += ["--threads", "1"]
    base = make_base(given, runs / "base")
    lengths = {
        "short": ["--steps", str(short)],
        "init": ["--init", str(base), "--steps", str(short)],
        "long": ["--steps", str(10 * short)],
    }
    tasks = [
        (runs / f"{name}-{seed}", [*options, *lengths[name], "--seed", str(seed)])
        for name in given.variant or VARIANTS
        for seed in range(given.seeds)
    ]
    with ThreadPoolExecutor(given.jobs) as pool:
        list(pool.map(lambda task: train(*task), tasks))
    folders = [str(folder) for folder, _ in tasks]
    measures = [word for metric in METRICS for word in ("--metric", metric)]
    call("compare", *folders, *measures, "--out", str(given.out))


def make_base(given, folder):
    """The folder of the base: a run that is given, or one that is trained now."""
    if (Path(given.base) / "run.json").exists():
        return Path(given.base)
    train(folder, ["--data", given.base, "--kimg", str(given.base_kimg)])
    return folder


def planned_steps(file, minutes, options):
    """The steps that a run with these options takes in some minutes here; measured once."""
    if not file.exists():
        file.write_text(f"{steps_in(minutes, options)}\n", encoding="utf-8")
    return int(file.read_text(encoding="utf-8"))


def steps_in(minutes, options):
    registry = load_registry()
    run = read_options(options, registry)
    planned, _ = fit_to_budget(run, f"{60 * minutes:g}s", registry, no_progress)
    return int(planned.length.split()[0])


def train(folder, options):
    """Train a run to its end; if its folder has a run already, that one goes on."""
    is_begun = any(folder.glob("checkpoints/step-*"))
    words = ["--resume", str(folder)] if is_begun else [*options, "--out", str(folder)]
    call("run", *words)


def call(*words):
    subprocess.run([*GANKIT, *words], check=True)


if __name__ == "__main__":
    main()
