"""Choose the number of CPU threads, by a short measurement before a run.

Threads of one program wait for each other at every layer. While another program computes, a run
with a thread for every core can be ten times slower than one with fewer threads.
"""

import contextlib
import logging
import os
import statistics
import time
from collections.abc import Callable, Iterator

import torch
from torch.nn import functional as F

from gankit.core.clock import rate

log = logging.getLogger("gankit")
CHOSEN_BY_YOU = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")  # environment variables that torch reads
MIN_SPEEDUP = 1.25  # of fewer threads, to choose them; less may be noise
TURNS = 7
MIN_TURNS = 3
TURN_SECONDS = 0.01
MAX_CALLS = 1000  # in a turn, if the clock stands still
MAX_SECONDS = 0.5  # more than MIN_TURNS only within this time
PICTURES_PER_THREAD = 4  # so that on an idle computer the most threads are the fastest


def choose_threads() -> int:
    """The number of CPU threads for a run on the CPU that names none; sets it in torch, too.

    It is torch's number, or a half, a quarter, ... of it if that was measured to be clearly faster;
    then a warning says so. Nothing is measured if the environment names a number, or under
    torchrun. Draws no random numbers.
    """
    most = torch.get_num_threads()
    is_given = any(os.environ.get(name) for name in (*CHOSEN_BY_YOU, "TORCHELASTIC_RUN_ID"))
    if most == 1 or is_given:
        return most
    seconds = time_threads(candidates(most), training_pass(PICTURES_PER_THREAD * most))
    threads = select(seconds)
    torch.set_num_threads(threads)
    if threads < most:
        faster = f"{rate(seconds[most], seconds[threads]):.1f} times as fast"
        log.warning(
            "training uses --threads %s, measured %s as --threads %s now: "
            "other programs may keep this computer busy",
            threads,
            faster,
            most,
        )
    return threads


def candidates(most: int) -> list[int]:
    """This number of threads, half of it, a quarter, ..., 1."""
    numbers = [most]
    while numbers[-1] > 1:
        numbers.append(numbers[-1] // 2)
    return numbers


def select(seconds: dict[int, float]) -> int:
    """The most threads, unless fewer are clearly faster. `seconds`: threads -> time, most first."""
    selected, *fewer = seconds
    for threads in fewer:
        if seconds[selected] > MIN_SPEEDUP * seconds[threads]:
            selected = threads
    return selected


def training_pass(num_pictures: int) -> Callable[[], None]:
    """A small G and D forward and backward; the more pictures, the more threads are useful."""
    pictures = torch.ones(num_pictures, 32, 16, 16).to(memory_format=torch.channels_last)
    pictures.requires_grad_()
    down = torch.full((64, 32, 4, 4), 0.01, requires_grad=True)
    up = torch.full((64, 32, 4, 4), 0.01, requires_grad=True)

    def forward_and_backward() -> None:
        with torch.enable_grad():
            maps = F.leaky_relu(F.conv2d(pictures, down, stride=2, padding=1), 0.2)
            images = F.conv_transpose2d(maps, up, stride=2, padding=1)
            torch.autograd.grad(images.tanh().square().mean(), (pictures, down, up))

    return forward_and_backward


def time_threads(numbers: list[int], work: Callable[[], object]) -> dict[int, float]:
    """Median seconds of the work with each number of threads; they take turns."""
    seconds: dict[int, list[float]] = {number: [] for number in numbers}
    begun = time.perf_counter()
    for turn in range(TURNS):
        for number in numbers:
            torch.set_num_threads(number)
            work()  # the first time after a change takes longer
            seconds[number].append(_time_turn(work))
        if turn + 1 >= MIN_TURNS and time.perf_counter() - begun > MAX_SECONDS:
            break
    return {number: statistics.median(times) for number, times in seconds.items()}


def _time_turn(work: Callable[[], object]) -> float:
    """Seconds of the work, on average over a turn."""
    times: list[float] = []
    while sum(times) < TURN_SECONDS and len(times) < MAX_CALLS:
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.mean(times)


@contextlib.contextmanager
def restore_threads(*, restore: bool) -> Iterator[None]:
    """At the end, give torch the number of threads that it has now, if `restore` is true."""
    before = torch.get_num_threads()
    try:
        yield
    finally:
        if restore:
            torch.set_num_threads(before)
