"""Plans from measured steps: `--dry-run` and `--budget`."""

from __future__ import annotations

import dataclasses
import re
import sys
import time

import torch

from gankit.compute.compiling import compile_networks
from gankit.compute.convolution import count_fast_layers
from gankit.core.clock import format_duration
from gankit.core.errors import GankitError
from gankit.core.gan import Gan, Player
from gankit.core.prepared import PreparedDataset
from gankit.core.registry import Registry
from gankit.core.settings import Run, command_line
from gankit.core.stop import Progress
from gankit.data.prepare import prepare
from gankit.training import assemble

UNITS = {"s": 1, "m": 60, "h": 3600}  # of a budget, in seconds


def describe(run: Run, registry: Registry, progress: Progress) -> str:
    """One line for each thing that was resolved, and what a run takes, as measured."""
    prepared = prepare(run, registry, progress)
    run = assemble.resolve_auto(run, prepared)
    gan, _ = assemble.build_gan(run, registry)
    step_seconds, run = measured(run, registry, prepared)
    lines = {
        "dataset": f"{run.dataset}: {_pictures(run, prepared)}",
        "model": run.model,
        "generator": f"{run.generator}: {_count_parameters(gan.G):,} parameters",
        "discriminator": f"{run.discriminator}: {_count_parameters(gan.D):,} parameters",
        "loss": run.loss,
        "tricks": ", ".join(run.tricks) or "none",
        "optimiser": _optimiser(run),
        "batch": f"{run.batch_size}{_micro_batches(run)}, D steps {run.d_steps}",
        "length": _length(run, prepared),
        "convolutions": _convolutions(run, gan),
        "machine": f"{run.device}, precision {run.precision}, {run.threads} threads",
        "time": _time(run, step_seconds),
        "memory": _memory(gan.machine.device),
        "output": run.out or "runs/ (a new folder)",
        "command": command_line(run),
    }
    return "\n".join(f"{name:14} {text}" for name, text in lines.items())


def _pictures(run: Run, prepared: PreparedDataset) -> str:
    held_out = len(prepared.holdout)
    count = f"{prepared.num_train:,} pictures{f' and {held_out:,} held out' if held_out else ''}"
    colour = "colour" if run.channels == 3 else "grey"
    return f"{count}, {run.image_size}x{run.image_size}, {colour}"


def _count_parameters(player: Player) -> int:
    return sum(parameter.numel() for parameter in player.net.parameters())


def _optimiser(run: Run) -> str:
    rates = f"lr {run.lr_g:g} for G, {run.lr_d:g} for D"
    return f"Adam, {rates}, betas {run.beta1:g}, {run.beta2:g}"


def _convolutions(run: Run, gan: Gan) -> str:
    """Which networks have fast convolutions, and in how many of their layers."""
    networks = []
    for player in (gan.G, gan.D):
        fast, layers = count_fast_layers(player.net)
        networks.append(f"{fast} of {layers} fast in {player.name}")
    only_on_cpu = run.convolutions == "fast" and gan.machine.device.type != "cpu"
    no_effect = f"; no effect on {run.device}" if only_on_cpu else ""
    return f"{run.convolutions}: {', '.join(networks)}{no_effect}"


def _micro_batches(run: Run) -> str:
    return f" in {run.accumulate} micro-batches" if run.accumulate > 1 else ""


def _length(run: Run, prepared: PreparedDataset) -> str:
    images = run.steps * run.batch_size * run.d_steps
    epochs = images / prepared.num_train
    return f"{run.steps:,} steps = {images / 1000:,.1f} kimg = {epochs:.1f} epochs"


def _time(run: Run, step_seconds: float) -> str:
    images_per_second = run.batch_size * run.d_steps / step_seconds
    speed = f"{1 / step_seconds:.1f} steps/s, {images_per_second:.0f} images/s"
    return f"about {format_duration(step_seconds * run.steps)} (measured: {speed})"


def _memory(device: torch.device) -> str:
    megabytes = peak_memory(device)
    return f"{megabytes:,.0f} MB at its peak (measured)" if megabytes else "unknown here"


def within(run: Run, budget: str, registry: Registry, progress: Progress) -> Run:
    """The run with as many steps as fit into a time such as 90s, 10m or 2h on this machine."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?(s|m|h)", budget.strip())
    if match is None or float(match[1]) == 0:
        raise GankitError(f"--budget is {budget!r}; write a time such as 90s, 10m or 2h")
    budget_seconds = float(match[1]) * UNITS[match[2]]
    prepared = prepare(run, registry, progress)
    step_seconds, settled = measured(assemble.resolve_auto(run, prepared), registry, prepared)
    length = f"{max(1, round(budget_seconds / step_seconds))} steps"
    return dataclasses.replace(run, length=length, compile=settled.compile)


def measured(
    run: Run, registry: Registry, prepared: PreparedDataset, at_least: float = 1.5
) -> tuple[float, Run]:
    """Seconds that a training step takes, and the run with its compilation decided.

    Measured on a trainer that is thrown away afterwards.
    """
    trainer = assemble.assemble(run, registry, prepared)
    trainer.run = compile_networks(run, trainer.gan)
    for step in range(3):
        trainer.step(step)
    started = time.perf_counter()
    step = 3
    while step < 6 or time.perf_counter() - started < at_least:
        float(trainer.step(step)["g_loss"])  # waits for the device
        step += 1
    return (time.perf_counter() - started) / (step - 3), trainer.run


def peak_memory(device: torch.device) -> float | None:
    """The most memory that this process has used so far on the device, in MB, where known."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1e6 if sys.platform == "darwin" else 1e3  # bytes on macOS, kB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
