"""`--dry-run`: what a run takes, from the measured time of a training step."""

from __future__ import annotations

import sys

import numpy as np
import torch

from gankit.cli.console.busy import describe_load, other_load
from gankit.cli.console.format import explain_changes
from gankit.compute.convolution import count_fast_layers
from gankit.core.clock import format_duration
from gankit.core.contracts.prepared import PreparedDataset
from gankit.core.gan import Gan, Player
from gankit.core.parts.registry import Registry
from gankit.core.printable import printable
from gankit.core.progress import Progress
from gankit.core.run.all_stages import count_pictures, describe_stages
from gankit.core.run.settings import Run, command_line
from gankit.training import assemble, stages
from gankit.training.budget.plan_budget import measure_step_time
from gankit.training.run_folder.run_pictures import prepare_again
from gankit.training.settings.resumed_run import changed_settings, run_to_train
from gankit.training.weights.begin_weights import Base, base_of, describe_begin

MAX_CLASSES = 12  # that are listed
BUSY_LOAD = 0.5  # threads of other programs that computed on average, from which they are named


def describe_run(run: Run, registry: Registry, progress: Progress, *, resume: bool = False) -> str:
    """The settings of a run with all "auto" resolved, its time and memory, one per line."""
    run = run_to_train(run, registry, resume=resume)
    changed = changed_settings(run) if resume else []
    prepared = prepare_again(run, registry, progress)
    run = assemble.resolve_auto(run, prepared)
    done = 0
    if resume:
        run, trainer = stages.resume(
            run, changed, registry, lambda stage: assemble.assemble(stage, registry, prepared)
        )
        done = trainer.gan.step
    base = base_of(run, resume=resume)
    gan, _ = assemble.build_gan(run, registry, base)
    step_seconds, run = measure_step_time(run, registry, prepared)
    lines = {
        **_format_start(run, done),
        "dataset": f"{run.dataset}: {_format_pictures(run, prepared)}",
        **_format_classes(run, prepared),
        "changes": explain_changes(run) or "none: real pictures are shown as they are",
        "model": run.model,
        "generator": f"{run.generator}: {_count_parameters(gan.G):,} parameters",
        "discriminator": f"{run.discriminator}: {_count_parameters(gan.D):,} parameters",
        **_format_base(run, gan, base),
        "loss": run.loss,
        "tricks": ", ".join(run.tricks) or "none",
        "optimiser": _format_optimiser(run),
        "batch": f"{run.batch_size}{_format_micro_batches(run)}, D steps {run.d_steps}",
        "length": _format_length(run, prepared),
        **_format_metrics(run),
        "convolutions": _format_convolutions(run, gan),
        "machine": _format_machine(run),
        "time": _format_time(run, step_seconds, done),
        **_format_load(run),
        "memory": _format_memory(gan.machine.device),
        "output": run.out or "runs/ (a new folder)",
        **({"command": command_line(run)} if run.out or not run.stages else {}),
    }
    return "\n".join(f"{name:14} {printable(str(text))}" for name, text in lines.items())


def _format_start(run: Run, done: int) -> dict[str, str]:
    """Where a run goes on that has taken some steps, and what changes there."""
    lines = {"resume": f"at step {done:,} of {run.steps:,}"} if done else {}
    for text in describe_stages(run):
        number, _, change = text.partition(" from ")
        lines[number] = f"from {change}"
    return lines


def _format_pictures(run: Run, prepared: PreparedDataset) -> str:
    held_out = len(prepared.holdout)
    count = f"{prepared.num_train:,} pictures"
    if held_out:
        count += f" and {held_out:,} held out"
    colour = {1: "grey", 3: "colour", 4: "colour with transparency"}[run.channels]
    return f"{count}, {run.size}, {colour}"


def _format_classes(run: Run, prepared: PreparedDataset) -> dict[str, str]:
    """The classes, with their training pictures; nothing for a run that does not use them."""
    if prepared.labels is None:
        return {}
    counts = np.bincount(prepared.labels[prepared.train], minlength=len(prepared.class_names))
    pairs = list(zip(prepared.class_names, counts.tolist(), strict=True))
    listed = ", ".join(f"{name} ({count:,})" for name, count in pairs[:MAX_CLASSES])
    more = f" and {len(pairs) - MAX_CLASSES} more" if len(pairs) > MAX_CLASSES else ""
    use = "labels of G's and D's pictures" if run.class_labels else "not told to G and D"
    often = "equally often" if run.balance_classes else "as often as in the data set"
    return {"classes": f"{len(pairs)}: {listed}{more}; {use}, shown {often}"}


def _count_parameters(player: Player) -> int:
    return sum(parameter.numel() for parameter in player.net.parameters())


def _format_base(run: Run, gan: Gan, base: Base | None) -> dict[str, str]:
    """Which tensors of G and D are from another run, with --init: a line or none."""
    return {"init": describe_begin(base.record(gan), run.init)} if base else {}


def _format_optimiser(run: Run) -> str:
    rates = f"lr {run.lr_g:g} for G, {run.lr_d:g} for D"
    return f"Adam, {rates}, betas {run.beta1:g}, {run.beta2:g}"


def _format_metrics(run: Run) -> dict[str, str]:
    """What the run measures, and what it does with the best; a line or none."""
    if not run.metrics:
        return {}
    text = ", ".join(run.metrics)
    if run.measure_every:
        text += ", every step" if run.measure_every == 1 else f", every {run.measure_every:,} steps"
    if run.keep_best:
        text += f"; the checkpoint with the best {run.keep_best} is kept"
    if run.patience:
        times = "1 measurement" if run.patience == 1 else f"{run.patience:,} measurements"
        text += f"; ends after {times} without a gain"
    return {"metrics": text}


def _format_convolutions(run: Run, gan: Gan) -> str:
    """How many convolutions of G and D use the fast algorithms."""
    networks = []
    for player in (gan.G, gan.D):
        fast, layers = count_fast_layers(player.net)
        networks.append(f"{fast} of {layers} fast in {player.name}")
    only_on_cpu = run.convolutions == "fast" and gan.machine.device.type != "cpu"
    no_effect = f"; no effect on {run.device}" if only_on_cpu else ""
    return f"{run.convolutions}: {', '.join(networks)}{no_effect}"


def _format_micro_batches(run: Run) -> str:
    return f" in {run.accumulate} micro-batches" if run.accumulate > 1 else ""


def _format_length(run: Run, prepared: PreparedDataset) -> str:
    images = count_pictures(run, run.steps)
    epochs = images / prepared.num_train
    return f"{run.steps:,} steps = {images / 1000:,.1f} kimg = {epochs:.1f} epochs"


def _format_machine(run: Run) -> str:
    threads = "1 thread" if run.threads == 1 else f"{run.threads} threads"
    return f"{run.device}, precision {run.precision}, {threads}"


def _format_time(run: Run, step_seconds: float, done: int) -> str:
    images_per_second = run.batch_size * run.d_steps / step_seconds
    speed = f"{1 / step_seconds:.1f} steps/s, {images_per_second:.0f} images/s"
    return f"about {format_duration(step_seconds * (run.steps - done))} (measured: {speed})"


def _format_load(run: Run) -> dict[str, str]:
    """What other programs do to the measured time, if they keep the CPU busy: a line or none."""
    load = other_load()
    if run.device != "cpu" or load < BUSY_LOAD:
        return {}
    what = f"other programs computed, too ({describe_load(load)})"
    return {"load": f"{what}: the time is shorter if they stop, and longer if they do more"}


def _format_memory(device: torch.device) -> str:
    megabytes = peak_memory(device)
    return f"{megabytes:,.0f} MB peak (measured)" if megabytes else "unknown on this system"


def peak_memory(device: torch.device) -> float | None:
    """The peak memory of this process on the device so far, in MB; None if unknown."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    try:
        import resource
    except ImportError:  # Windows
        return None
    units_per_mb = 1e6 if sys.platform == "darwin" else 1e3  # bytes on macOS, kB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / units_per_mb
