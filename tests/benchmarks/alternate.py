"""Alternates the textbook's loop with gankit's in one process and prints the ratio of their speeds.

    python tests/benchmarks/alternate.py --base 64 --batch 64 --rounds 7

Each round times a few steps of every loop in turn, so that a noisy machine slows all alike; the
median of the rounds' ratios is what to quote.
"""

import argparse
import statistics
import time

import torch
from loops import gankit, textbook


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("base", 64), ("batch", 64), ("rounds", 7), ("steps", 4), ("threads", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    if asked.threads:
        torch.set_num_threads(asked.threads)
    pixels, in_float32 = gankit(asked.batch, asked.base, "32")
    loops = {
        "textbook float32": textbook(pixels, asked.batch, asked.base),
        "gankit float32": in_float32,
        "gankit bf16": gankit(asked.batch, asked.base, "bf16")[1],
    }
    speeds = {name: [] for name in loops}
    for number in range(-1, asked.rounds):
        for name, step in loops.items():
            started = time.perf_counter()
            for _ in range(asked.steps):
                step(0)
            seconds = time.perf_counter() - started
            if number >= 0:  # the round before the first warms up
                speeds[name].append(asked.batch * asked.steps / seconds)
    for name, values in speeds.items():
        ratios = [a / b for a, b in zip(values, speeds["textbook float32"], strict=True)]
        low, middle, high = min(ratios), statistics.median(ratios), max(ratios)
        speed = statistics.median(values)
        print(f"{name:17} {speed:6.0f} images/s  {middle:.2f} x textbook ({low:.2f}-{high:.2f})")


if __name__ == "__main__":
    main()
