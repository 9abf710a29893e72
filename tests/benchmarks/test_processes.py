"""Two processes with a thread each, beside one with two threads, on the same batch."""

import csv
import itertools
import os
import subprocess
import sys

import pytest
from beside import numbers_beside

STEPS, FROM = 12, 4  # steps of a run, and those before measuring begins
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="there is one core")
@pytest.mark.parametrize("norm", ["--no-sync-batch-norm", "--sync-batch-norm"])
def test_two_processes(benchmark, tmp_path, norm):
    asked = f"""--dataset petals:count=512 --model dcgan64:base_channels=64 --batch-size 64
                --precision 32 --steps {STEPS} --log-every 1
                --draw-every 999 --save-every 999 --device cpu"""
    numbers = itertools.count()

    def seconds(*how, threads):
        folder = tmp_path / f"run-{next(numbers)}"
        words = [*how, "-m", "gankit", "run", *asked.split(), norm, "--threads", threads]
        environment = {**os.environ, "OMP_NUM_THREADS": threads}
        words = [sys.executable, *words, "--out", str(folder)]
        subprocess.run(words, check=True, capture_output=True, env=environment)
        with (folder / "log.csv").open() as file:
            at = [float(row["seconds"]) for row in csv.DictReader(file)]
        return (at[-1] - at[FROM - 1]) / (STEPS - FROM)

    seconds(threads="2")  # prepares the pictures
    about = {"what": f"64 px, base 64, batch 64, float32, {norm}", "pictures": 64}
    about["yardstick"] = "one process, two threads"
    ways = (lambda: seconds(*TORCHRUN, threads="1"), lambda: seconds(threads="2"))
    numbers_beside(benchmark, *ways, rounds=5, question="two processes", **about)
