"""Two processes with one thread each, compared with one process with two, on the same batch."""

import csv
import itertools
import os
import subprocess
import sys

import pytest
from comparison import measure_against

STEPS = 12
WARMUP_STEPS = 4  # the first steps of a run, which are not measured
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="there is one core")
@pytest.mark.parametrize("norm", ["--no-sync-batch-norm", "--sync-batch-norm"])
def test_two_processes(benchmark, tmp_path, norm):
    options = f"""--dataset petals:count=512 --model dcgan64:base_channels=64 --batch-size 64
                  --precision 32 --steps {STEPS} --log-every 1
                  --draw-every 999 --save-every 999 --device cpu {norm}"""
    run_numbers = itertools.count()

    def train(*launcher, threads):
        """Train a run; return the seconds of a step, read from its log."""
        folder = tmp_path / f"run-{next(run_numbers)}"
        argv = [sys.executable, *launcher, "-m", "gankit", "run", *options.split()]
        argv += ["--threads", threads, "--out", str(folder)]
        environment = {**os.environ, "OMP_NUM_THREADS": threads}
        subprocess.run(argv, check=True, capture_output=True, env=environment)
        with (folder / "log.csv").open() as file:
            times = [float(row["seconds"]) for row in csv.DictReader(file)]
        return (times[-1] - times[WARMUP_STEPS - 1]) / (STEPS - WARMUP_STEPS)

    train(threads="2")  # prepares the pictures
    measure_against(
        benchmark,
        lambda: train(*TORCHRUN, threads="1"),
        lambda: train(threads="2"),
        rounds=5,
        question="two processes",
        what=f"64 px, base 64, batch 64, float32, {norm}",
        yardstick="one process, two threads",
        pictures=64,
    )
