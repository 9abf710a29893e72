"""Warnings about what makes a run slow or wrong, such as another program on the same CPU."""

import os
import time

from gankit.core.run.settings import Run

MAX_THREADS_PER_CORE = 1.5  # of all programs together; above it, the run warns


def count_cores() -> int:
    """The number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux, where a container may not have all cores
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def other_load() -> float:
    """Threads of other programs that computed in the last minute, on average; 0 if unknown.

    The load average includes this process, so what its CPU time can have added is subtracted.
    """
    if not hasattr(os, "getloadavg"):
        return 0.0
    return max(0.0, os.getloadavg()[0] - time.process_time() / 60)


def count_local_processes() -> int:
    """The number of processes that torchrun has started on this computer; 1 without torchrun."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", 1))


def slowdown_warnings(run: Run) -> dict[str, str]:
    """Warnings about what makes this run slow or wrong: their subject -> one line."""
    import torch  # takes a second

    from gankit.core.device import emulates_bf16

    warnings = {}
    cpu_warning = warn_if_cpu_is_busy(run.device, run.threads, count_local_processes())
    if cpu_warning:
        warnings["cpu"] = cpu_warning
    if run.device == "cpu" and run.precision == "16":
        warnings["precision"] = "--precision 16 is slow on a CPU: omit it, or use --precision auto"
    if run.precision == "bf16" and emulates_bf16(torch.device(run.device)):
        slow = f"--precision bf16 is slow on this {run.device.partition(':')[0]}, which emulates it"
        warnings["precision"] = f"{slow}: use --precision 32"
    if run.device == "mps" and run.memory_format == "channels-last":
        wrong = "before torch 2.14, batch norm's gradients in channels-last are wrong on mps"
        warnings["memory format"] = f"{wrong}: omit --memory-format channels-last"
    return warnings


def warn_if_cpu_is_busy(device: str, threads: int, processes: int = 1) -> str:
    """A warning if the run must share the CPU's cores, else an empty text.

    Threads of one program wait for each other at every layer. So another program that uses one
    core of two makes a run about four times slower, not twice.
    """
    if not device.startswith("cpu"):
        return ""
    num_cores = count_cores()
    num_threads = threads * processes
    if num_threads > num_cores:
        threads_started = f"{threads} threads"
        if processes > 1:
            threads_started = f"{processes} processes with {threads} threads each"
        advised = max(1, num_cores // processes)
        return f"{threads_started} are slow on {num_cores} cores: use --threads {advised}"
    load = other_load()
    if load + num_threads <= MAX_THREADS_PER_CORE * num_cores:
        return ""
    cure = "; fewer --threads may help" if threads > 1 else ""
    return (
        f"this computer was busy in the last minute ({describe_load(load)}): if other programs "
        f"keep computing, training is several times slower{cure}"
    )


def describe_load(load: float) -> str:
    """`load 1.9 on 2 cores`."""
    return f"load {load:.1f} on {count_cores()} cores"
