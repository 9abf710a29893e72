"""Plans from measured steps: `--dry-run` and `--budget`."""

from __future__ import annotations

import dataclasses
import re
import sys
import time

from gankit.compute.compiling import compile_networks
from gankit.core.errors import GankitError
from gankit.core.prepared import Prepared, Progress
from gankit.core.registry import Registry
from gankit.core.settings import Run, command_line
from gankit.data.prepare import prepare
from gankit.training import assemble


def describe(run: Run, registry: Registry, progress: Progress) -> str:
    """One line for each thing that was resolved."""
    prepared = prepare(run, registry, progress)
    run = assemble.resolve(run, prepared)
    gan, _ = assemble.build_gan(run, registry)
    seconds, run = measured(run, registry, prepared)
    counts = [sum(p.numel() for p in player.net.parameters()) for player in (gan.G, gan.D)]
    shape = f"{run.image_size}x{run.image_size}, {'colour' if run.channels == 3 else 'grey'}"
    speed = f"{1 / seconds:.1f} steps/s, {run.batch_size * run.d_steps / seconds:.0f} images/s"
    kimg = run.steps * run.batch_size * run.d_steps / 1000
    memory = peak_memory(gan.machine.device)
    lines = {
        "dataset": f"{run.dataset}: {_pictures(prepared)}, {shape}",
        "model": run.model,
        "generator": f"{run.generator}: {counts[0]:,} parameters",
        "discriminator": f"{run.discriminator}: {counts[1]:,} parameters",
        "loss": run.loss,
        "tricks": ", ".join(run.tricks) or "none",
        "optimiser": f"Adam, lr {run.lr_g:g} for G, {run.lr_d:g} for D, "
        f"betas {run.beta1:g}, {run.beta2:g}",
        "batch": f"{run.batch_size}{_pieces(run)}, D steps {run.d_steps}",
        "length": f"{run.steps:,} steps = {kimg:,.1f} kimg = "
        f"{1000 * kimg / prepared.epoch:.1f} epochs",
        "machine": f"{run.device}, precision {run.precision}, {run.threads} threads",
        "time": f"about {clock(seconds * run.steps)} (measured: {speed})",
        "memory": f"{memory:,.0f} MB at its peak (measured)" if memory else "unknown here",
        "output": run.out or "runs/ (a new folder)",
        "command": command_line(run),
    }
    return "\n".join(f"{name:14} {text}" for name, text in lines.items())


def _pieces(run: Run) -> str:
    return f" in {run.accumulate} pieces" if run.accumulate > 1 else ""


def _pictures(prepared: Prepared) -> str:
    kept = f" and {len(prepared.holdout):,} held out" if len(prepared.holdout) else ""
    return f"{prepared.epoch:,} pictures{kept}"


def within(run: Run, budget: str, registry: Registry, progress: Progress) -> Run:
    """The run with as many steps as fit into a time such as 90s, 10m or 2h on this machine."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?(s|m|h)", budget.strip())
    if match is None or float(match[1]) == 0:
        raise GankitError(f"--budget is {budget!r}; write a time such as 90s, 10m or 2h")
    wanted = float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]]
    prepared = prepare(run, registry, progress)
    seconds, settled = measured(assemble.resolve(run, prepared), registry, prepared)
    length = f"{max(1, round(wanted / seconds))} steps"
    return dataclasses.replace(run, length=length, compile=settled.compile)


def measured(
    run: Run, registry: Registry, prepared: Prepared, at_least: float = 1.5
) -> tuple[float, Run]:
    """Seconds that a training step takes, on a game that is thrown away afterwards; its run."""
    game = assemble.assemble(run, registry, prepared)
    game.run = compile_networks(run, game.gan)
    for step in range(3):
        game.step(step)
    started, step = time.perf_counter(), 3
    while step < 6 or time.perf_counter() - started < at_least:
        float(game.step(step)["g_loss"])  # waits for the device
        step += 1
    return (time.perf_counter() - started) / (step - 3), game.run


def clock(seconds: float) -> str:
    """`2 h 5 min`, `3 min 20 s`, `45 s`."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def peak_memory(device):
    """The most memory that this process has used so far on the device, in MB, where known."""
    if device.type == "cuda":
        import torch

        return torch.cuda.max_memory_allocated(device) / 1e6
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1e6 if sys.platform == "darwin" else 1e3  # bytes on macOS, kB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
