"""Does a GPU compute the same numbers as the CPU, and the same numbers twice?"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from gankit.compute.convolution import count_fast_layers
from gankit.core.errors import GankitError
from gankit.core.parts.registry import load_registry
from gankit.core.run.settings import Run, default_memory_format
from gankit.testing.gpu.result import MEASURED, NOT_TRIED, Row, read_log
from gankit.training.assemble import assemble, resolve_auto
from gankit.training.checkpoints import checkpoint
from gankit.training.run_folder.run_pictures import prepare_again
from gankit.training.settings.compose import compose
from gankit.training.train import train

STEPS = 10
FIRST_LIMIT = 1e-4  # relative difference of the first step's losses in float32
LAST_LIMIT = 2e-2  # after ten steps; Adam's first steps make large steps of small differences
HALF_LIMIT = 5e-2  # of the first step's losses in 16 bits
LOSSES = ("d_loss", "g_loss")
MAX_SECONDS = 60  # of two processes; less than the check may take
SYNCED_STEPS = 3  # after which rounding is still small beside a mistake
SYNCED_LIMIT = 5e-4  # relative difference of G's weights; without synchronising it is 7e-3
SMALL = {  # a run of some seconds
    "dataset": "petals:count=256",
    "model": "dcgan64:base_channels=16",
    "batch_size": 16,
    "steps": STEPS,
    "log_every": 1,
    "report": False,
}


def same_losses(device: str, folder: Path) -> list[Row]:
    """Ten steps in float32 on the CPU and on the device; and on the device in 16 bits."""
    torch.backends.cudnn.allow_tf32 = False  # else cuDNN rounds float32 to 10 bits
    cpu = _losses("cpu", folder / "cpu", precision="32")
    gpu = _losses(device, folder / "float32", precision="32")
    first = _difference(cpu[:1], gpu[:1])
    last = _difference(cpu, gpu)
    rows = [
        Row.judged(
            f"losses of {STEPS} steps as on the CPU, float32",
            first < FIRST_LIMIT and last < LAST_LIMIT,
            f"they differ by {first:.1e} in the first step, by at most {last:.1e} in {STEPS}",
        )
    ]
    halves = (("bf16", "bf16"), ("16", "float16 with the scaler"))
    for precision, name in halves if torch.device(device).type != "mps" else ():
        losses = _losses(device, folder / name[:7], precision=precision)
        # Not G's loss: where the scaler finds its first scale too high, D's update is omitted.
        first = abs(losses[0][0] / gpu[0][0] - 1)
        what = f"D's first loss in {name} is near that in float32"
        text = f"they differ by {first:.1e}; the losses of {STEPS} steps are finite"
        rows.append(Row.judged(what, first < HALF_LIMIT, text))
    torch.backends.cudnn.allow_tf32 = True
    default = _losses(device, folder / "tf32", precision="32")
    text = f"losses differ by {_difference(gpu, default):.1e} in {STEPS} steps"
    return [*rows, Row(f"float32 as torch sets it ({_tf32()})", MEASURED, text)]


def layout(device: str, folder: Path) -> list[Row]:
    """Which memory format and which convolutions a run takes by itself."""
    registry = load_registry()
    run = compose(registry, device=device, out=str(folder / "layout"), **_settings())
    prepared = prepare_again(run, registry)
    trainer = assemble(resolve_auto(run, prepared), registry, prepared)
    fast, layers = count_fast_layers(trainer.gan.G.net)
    weights = [w for w in trainer.gan.D.net.parameters() if w.ndim == 4]
    name = default_memory_format(torch.device(device).type)
    layout = torch.contiguous_format if name == "contiguous" else torch.channels_last
    is_stored = all(weight.is_contiguous(memory_format=layout) for weight in weights)
    is_cpu = torch.device(device).type == "cpu"
    return [
        Row.judged(f"weights are stored {name}", is_stored, f"{len(weights)} convolutions of D"),
        Row.judged(
            "fast convolutions are off, except on a CPU",
            (fast > 0) == is_cpu,
            f"{fast} of {layers} in G",
        ),
    ]


def resumed(device: str, folder: Path) -> list[Row]:
    """A run that is resumed ends with the same bits, with torch's deterministic algorithms."""
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    settings = _settings(steps=20, save_every=10, keep=10)
    registry = load_registry()
    whole = train(
        compose(registry, device=device, out=str(folder / "whole"), **settings),
        registry,
        quiet=True,
    )
    again = folder / "resumed"
    shutil.copytree(whole, again)
    shutil.rmtree(again / "checkpoints" / "step-000020")
    (again / "checkpoints" / "last").unlink(missing_ok=True)
    train(again, registry, resume=True, quiet=True)
    files = sorted((whole / "checkpoints" / "step-000020").glob("*.safetensors"))
    differing = [
        file.name
        for file in files
        if file.read_bytes() != (again / "checkpoints" / "step-000020" / file.name).read_bytes()
    ]
    text = f"{len(files)} files of the last checkpoint, {len(differing)} differ"
    return [Row.judged("resuming gives the same bits", bool(files) and not differing, text)]


def two_processes(device: str, folder: Path) -> list[Row]:
    """Two processes of torchrun train as one does with the same pictures."""
    what = "two processes under NCCL train as one does"
    is_cpu = torch.device(device).type == "cpu"
    count = torch.cuda.device_count()
    if not is_cpu and count < 2:
        return [Row(what, NOT_TRIED, f"it takes two GPUs; here is {count}")]
    _losses(device, folder / "one", precision="32", sync_batch_norm=True, steps=SYNCED_STEPS)
    words = [
        "--dataset", SMALL["dataset"], "--model", SMALL["model"], "--steps", SYNCED_STEPS,
        "--batch-size", SMALL["batch_size"], "--precision", 32, "--sync-batch-norm", "--no-report",
        "--out", folder / "two", *(["--device", "cpu"] if is_cpu else []),
    ]  # fmt: skip
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    command = [*torchrun, "-m", "gankit", "run", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=MAX_SECONDS)
    if done.returncode:
        raise GankitError(done.stderr.strip().splitlines()[-1])
    single, double = (_weights(folder / name) for name in ("one", "two"))
    difference = float((single - double).norm() / single.norm())
    text = f"G's weights differ by {difference:.1e} after {SYNCED_STEPS} steps"
    return [Row.judged(what, difference < SYNCED_LIMIT, text)]


def _weights(folder: Path) -> torch.Tensor:
    """All weights of G in a run's last checkpoint, as one row of numbers."""
    path = folder / "checkpoints" / f"step-{SYNCED_STEPS:06d}"
    weights = checkpoint.load(path).model["G"]
    return torch.cat([weight.float().flatten() for weight in weights.values()])


def _settings(**changed: Any) -> dict[str, Any]:
    return {**SMALL, **changed}


def _losses(device: str, folder: Path, **changed: Any) -> list[list[float]]:
    """The losses of a short run on a device: a row for each step."""
    registry = load_registry()
    run: Run = compose(registry, device=device, out=str(folder), **_settings(**changed))
    return _read_losses(train(run, registry, quiet=True))


def _read_losses(folder: Path) -> list[list[float]]:
    return [[float(row[name]) for name in LOSSES] for row in read_log(folder)]


def _difference(losses: list[list[float]], others: list[list[float]]) -> float:
    """The largest relative difference of two tables of losses."""
    pairs = [
        pair
        for row, other_row in zip(losses, others, strict=True)
        for pair in zip(row, other_row, strict=True)
    ]
    return max(abs(loss - other) / max(abs(loss), 1e-6) for loss, other in pairs)


def _tf32() -> str:
    convolutions = "TF32" if torch.backends.cudnn.allow_tf32 else "float32"
    products = "TF32" if torch.backends.cuda.matmul.allow_tf32 else "float32"
    return f"convolutions in {convolutions}, products in {products}"
