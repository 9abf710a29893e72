"""What makes a run slower than it need be, such as another program on the same processor."""

import os

CROWDED = 1.5  # threads that want to compute, for each core, from which it is worth a word


def cores():
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux, where a container may have fewer than there are
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load():
    """How many threads, ours included, wanted to compute in the last minute; 0 if nobody knows."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def beside():
    """How many processes of a run torchrun has started on this computer; 1 without it."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", 1))


def hurdles(run):
    """What to say where a run is slower than it need be, a line each."""
    lines = [crowded(run.device, run.threads, beside())]
    if run.device == "cpu" and run.precision == "16":
        lines.append("--precision 16 is for GPUs and slow on a CPU; auto takes what is fast here")
    return [line for line in lines if line]


def crowded(device, threads, processes=1):
    """What to say where a run on the CPU must share it, or an empty text.

    Threads of one program wait for one another at every layer, so a program beside it that takes
    one core of two does not halve its speed: it may well quarter it.
    """
    if not device.startswith("cpu"):
        return ""
    here, busy, every = cores(), load(), threads * processes
    if every > here:
        of_each = f"{processes} processes with {threads} threads each" * (processes > 1)
        what = f"{of_each or f'{threads} threads'} wait for one another on {here} cores"
        return f"{what}; try --threads {max(1, here // processes)}"
    if busy + every <= CROWDED * here:
        return ""
    return (
        f"this computer was busy in the last minute (load {busy:.1f} on {here} cores); if another "
        f"program goes on computing, both will be several times slower. Fewer --threads may help"
    )
