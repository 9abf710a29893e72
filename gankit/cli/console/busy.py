"""What makes a run slower than it need be, such as another program on the same processor."""

import os

from gankit.core.settings import Run

CROWDED = 1.5  # threads that want to compute, for each core, above which the run warns


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux, where a container may have fewer than there are
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load() -> float:
    """How many threads, ours included, wanted to compute in the last minute; 0 if unknown."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def local_processes() -> int:
    """How many processes of a run torchrun has started on this computer; 1 without it."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", 1))


def slowdown_warnings(run: Run) -> list[str]:
    """What to say where a run is slower than it need be, a line each."""
    lines = [crowded(run.device, run.threads, local_processes())]
    if run.device == "cpu" and run.precision == "16":
        lines.append("--precision 16 is for GPUs and slow on a CPU; auto takes what is fast here")
    return [line for line in lines if line]


def crowded(device: str, threads: int, processes: int = 1) -> str:
    """What to say where a run on the CPU must share it, or an empty text.

    Threads of one program wait for one another at every layer, so a program beside it that takes
    one core of two does not halve its speed: it may well quarter it.
    """
    if not device.startswith("cpu"):
        return ""
    num_cores = cores()
    num_threads = threads * processes
    if num_threads > num_cores:
        what = f"{threads} threads"
        if processes > 1:
            what = f"{processes} processes with {threads} threads each"
        advised = max(1, num_cores // processes)
        return f"{what} wait for one another on {num_cores} cores; try --threads {advised}"
    current_load = load()
    if current_load + num_threads <= CROWDED * num_cores:
        return ""
    return (
        f"this computer was busy in the last minute (load {current_load:.1f} on {num_cores} "
        "cores); if another program goes on computing, both will be several times slower. "
        "Fewer --threads may help"
    )
