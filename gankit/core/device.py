"""Machine: the device and precision of a run, for CPU, CUDA and MPS alike."""

import os
import timeit
from dataclasses import dataclass

import torch

from gankit.core.errors import GankitError

# Sides of square matrices whose product takes a few milliseconds.
MATRIX_SIDES = {"cpu": 768, "cuda": 4096}


@dataclass(frozen=True)
class Machine:
    """A device and the precision of the networks on it."""

    device: torch.device
    precision: str  # "32", "bf16" or "16"

    def autocast(self) -> torch.autocast:
        """Mixed precision for a forward pass, if the precision is not 32."""
        half = {"bf16": torch.bfloat16, "16": torch.float16}.get(self.precision)
        return torch.autocast(self.device.type, half, enabled=half is not None)

    def scaler(self) -> torch.amp.GradScaler:
        """Scales losses in float16, so that small gradients do not underflow; else disabled."""
        return torch.amp.GradScaler(self.device.type, enabled=self.precision == "16")


def setup_machine(device: str = "auto", precision: str = "auto", threads: int = 0) -> Machine:
    """Select and set up a device and a precision; `auto` takes the best available."""
    selected = select_device(device)
    setup_device(selected, threads)
    return Machine(selected, select_precision(precision, selected))


def select_device(name: str) -> torch.device:
    """The device of that name; `auto` is CUDA, else MPS, else the CPU. Has no side effects."""
    available = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        available.append("mps")
    available.append("cpu")
    if name == "auto":
        name = available[0]
    if name == "cuda":
        name = "cuda:0"
    if name.startswith("cuda"):  # torchrun sets LOCAL_RANK: one GPU for each process
        index = os.environ.get("LOCAL_RANK", name.removeprefix("cuda:"))
        name = f"cuda:{index}"
    if name not in available:
        raise GankitError(f"--device {name} is not available; choose from: {', '.join(available)}")
    return torch.device(name)


def setup_device(device: torch.device, threads: int) -> None:
    """Make this the current CUDA device, and set the number of CPU threads; 0 changes nothing."""
    if threads:
        torch.set_num_threads(threads)
    if device.type == "cuda":  # pinned memory and is_bf16_supported use it
        torch.cuda.set_device(device)


def select_precision(precision: str, device: torch.device) -> str:
    """The precision of that name; `auto` is bf16 where the device is faster in it, else 32."""
    if precision == "auto":
        return "bf16" if is_faster_in_bf16(device) else "32"
    if precision == "16" and device.type == "mps":
        raise GankitError("--precision 16 does not work on mps: use bf16 or 32")
    return precision


def is_faster_in_bf16(device: torch.device) -> bool:
    """Measure whether a matrix product is at least 1.5 times as fast in bf16 as in float32.

    Takes a tenth of a second, once a run. False on MPS, where it has not been tried.
    """
    if device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return False
    if device.type not in MATRIX_SIDES:
        return False
    side = MATRIX_SIDES[device.type]
    dtypes = (torch.float32, torch.bfloat16)
    seconds = dict.fromkeys(dtypes, float("inf"))
    for dtype in dtypes * 8:  # in turns, so that a busy moment slows both
        matrix = torch.ones(side, side, dtype=dtype, device=device)
        product = "float((matrix @ matrix)[0, 0])"  # reading a number waits for a GPU
        elapsed = timeit.timeit(product, globals={"matrix": matrix}, number=1)
        seconds[dtype] = min(seconds[dtype], elapsed)
    return seconds[torch.float32] > 1.5 * seconds[torch.bfloat16]


def to_device(tensor: torch.Tensor, device: torch.device | str) -> torch.Tensor:
    """Copy a tensor to a device; to a GPU asynchronously, from pinned memory."""
    tensor = tensor.pin_memory() if torch.device(device).type == "cuda" else tensor
    return tensor.to(device, non_blocking=True)
