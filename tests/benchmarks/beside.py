"""Every figure beside its yardstick, in turns: a noisy machine slows both alike.

What is written down is read by `docs/write_benchmarks.py`: `question` is the heading it belongs to,
`what` and `yardstick` the names, `yardstick_seconds` one number for each round.
"""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

KINDS = {"32": "float32", "bf16": "bf16"}  # of numbers, as --precision and torch call them
LONGEST = 900  # seconds that a loop may live
ROUNDS = int(os.environ.get("GANKIT_BENCHMARK_ROUNDS", "5"))


def beside(benchmark, step, other, *, times=1, rounds=ROUNDS, **about):
    """Time `times` calls of `step` in each round, right after as many of `other`."""
    seconds = []

    def first():
        started = time.perf_counter()
        for _ in range(times):
            other()
        seconds.append((time.perf_counter() - started) / times)

    def then():
        for _ in range(times):
            step()

    benchmark.group = about["question"]
    benchmark.pedantic(then, setup=first, rounds=rounds, warmup_rounds=1)
    benchmark.extra_info |= {"times": times, "yardstick_seconds": seconds[1:], **about}


def numbers_beside(benchmark, measure, other, *, rounds=ROUNDS, **about):
    """The same for functions that give the number themselves: another process's time or memory."""
    numbers = {measure: [], other: []}

    def both():
        for function, found in numbers.items():
            found.append(function())

    benchmark.group = about["question"]
    benchmark.pedantic(both, rounds=rounds, warmup_rounds=0)
    found = {"numbers": numbers[measure], "yardstick_seconds": numbers[other]}
    benchmark.extra_info |= {**found, **about}


class Loop:
    """A loop of `loops.py` in a process of its own, which waits for its turn."""

    def __init__(self, *words):
        self.words = [sys.executable, str(Path(__file__).with_name("loops.py")), *map(str, words)]

    def __enter__(self):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
        self.process = subprocess.Popen(self.words, **pipes)
        self.watch = threading.Timer(LONGEST, self.process.kill)
        self.watch.start()
        return self

    def __exit__(self, *error):
        self.watch.cancel()
        self.process.kill()
        self.process.communicate()

    def says(self):
        """Its next line."""
        said = self.process.stdout.readline().strip()
        assert said, f"{self.words[1:]} said nothing"
        return said

    def __call__(self):
        """The seconds that a step took, as the mean of two or more."""
        print(file=self.process.stdin)
        return float(self.says())


def loops_beside(benchmark, words, others, *, rounds=ROUNDS, **about):
    """Steps of two loops, in turns, each in a process of its own, as users start them.

    What a process finds of memory and cores may make it faster or slower as long as it lives. So
    there are fresh ones for every two rounds, and in the second the other goes first.
    """

    def fresh():
        with Loop(*words) as ours, Loop(*others) as theirs:
            if "cannot" in [loop.says() for loop in (ours, theirs)]:
                pytest.skip("the C library here does not keep memory")
            found.extend([(ours(), theirs()), (theirs(), ours())[::-1]])

    found = []
    benchmark.group = about["question"]
    benchmark.pedantic(fresh, rounds=(rounds + 1) // 2)
    ours, theirs = map(list, zip(*found, strict=True))
    benchmark.extra_info |= {"numbers": ours, "yardstick_seconds": theirs, **about}


def said_by(*words, cwd=None):
    """The last line that a fresh Python prints, as a number."""
    done = subprocess.run([sys.executable, *words], cwd=cwd, check=True, capture_output=True)
    return float(done.stdout.split()[-1])
