"""Measure gankit and a baseline in turns, so that other programs slow both equally.

`docs/write_benchmarks.py` reads what these functions add to pytest-benchmark's `extra_info`:

- `question`: the heading of the table on the page, a key of QUESTIONS there;
- `what` and `yardstick`: the names of the row and of its baseline;
- `yardstick_seconds`: the baseline's seconds (or MB), one number per round;
- `numbers`: gankit's, if they are not the seconds that pytest-benchmark measured.
"""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

PRECISION_NAMES = {"32": "float32", "bf16": "bf16"}  # value of --precision -> name on the page
MAX_LOOP_SECONDS = 900  # then a loop's process is killed
ROUNDS = 5
MOST_ROUNDS = int(os.environ.get("GANKIT_BENCHMARK_ROUNDS", "1000"))  # fewer for a quick look


def time_against(benchmark, step, baseline_step, *, times=1, rounds=ROUNDS, **info):
    """In each round, time `times` calls of `baseline_step`, then as many of `step`."""
    baseline_seconds = []

    def time_baseline():
        start = time.perf_counter()
        for _ in range(times):
            baseline_step()
        baseline_seconds.append((time.perf_counter() - start) / times)

    def run_steps():
        for _ in range(times):
            step()

    benchmark.group = info["question"]
    benchmark.pedantic(
        run_steps, setup=time_baseline, rounds=min(rounds, MOST_ROUNDS), warmup_rounds=1
    )
    without_warmup = baseline_seconds[1:]
    benchmark.extra_info |= {"times": times, "yardstick_seconds": without_warmup, **info}


def measure_against(benchmark, measure, measure_baseline, *, rounds=ROUNDS, **info):
    """In each round, call two functions that return a number, such as another process's memory."""
    numbers = []
    baseline_numbers = []

    def measure_both():
        numbers.append(measure())
        baseline_numbers.append(measure_baseline())

    benchmark.group = info["question"]
    benchmark.pedantic(measure_both, rounds=min(rounds, MOST_ROUNDS), warmup_rounds=0)
    benchmark.extra_info |= {"numbers": numbers, "yardstick_seconds": baseline_numbers, **info}


class LoopProcess:
    """A training loop of `loops.py` in a separate process, which waits for `time_step`."""

    def __init__(self, *args):
        script = str(Path(__file__).with_name("loops.py"))
        self.argv = [sys.executable, script, *map(str, args)]

    def __enter__(self):
        self.process = subprocess.Popen(
            self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.timer = threading.Timer(MAX_LOOP_SECONDS, self.process.kill)
        self.timer.start()
        return self

    def __exit__(self, *error):
        self.timer.cancel()
        self.process.kill()
        self.process.communicate()

    def read_line(self):
        line = self.process.stdout.readline().strip()
        assert line, f"{self.argv[1:]} ended without an answer"
        return line

    def time_step(self):
        """The seconds of a step, as the mean of two or more."""
        print(file=self.process.stdin)
        return float(self.read_line())


def time_loops(benchmark, args, baseline_args, *, rounds=ROUNDS, **info):
    """Time the steps of two loops in turns, each in a process of its own, as users start them.

    The memory and cores that a process gets may make it faster or slower for its whole life. So
    every two rounds start new processes, and the second round measures them in reverse order.
    """
    seconds = []
    baseline_seconds = []

    def two_rounds():
        with LoopProcess(*args) as loop, LoopProcess(*baseline_args) as baseline:
            if "cannot" in [loop.read_line(), baseline.read_line()]:
                pytest.skip("this C library cannot keep freed memory")
            seconds.append(loop.time_step())
            baseline_seconds.append(baseline.time_step())
            baseline_seconds.append(baseline.time_step())
            seconds.append(loop.time_step())

    benchmark.group = info["question"]
    benchmark.pedantic(two_rounds, rounds=(min(rounds, MOST_ROUNDS) + 1) // 2)
    benchmark.extra_info |= {"numbers": seconds, "yardstick_seconds": baseline_seconds, **info}


def run_for_number(*args):
    """Run a new Python with these arguments; return the last word that it prints, as a float."""
    done = subprocess.run([sys.executable, *args], check=True, capture_output=True)
    return float(done.stdout.split()[-1])
