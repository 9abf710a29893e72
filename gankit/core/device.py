"""Machine: where a run computes and in which arithmetic; CPU, CUDA and MPS through one code."""

import os
import timeit
from dataclasses import dataclass

import torch

from gankit.core.errors import GankitError

SIDES = {"cpu": 768, "cuda": 4096}  # of matrices whose product takes some milliseconds


@dataclass(frozen=True)
class Machine:
    """A device and its arithmetic."""

    device: torch.device
    precision: str  # "32", "bf16" or "16"

    def autocast(self) -> torch.autocast:
        """Mixed precision for a forward pass, where the run asks for it."""
        half = {"bf16": torch.bfloat16, "16": torch.float16}.get(self.precision)
        return torch.autocast(self.device.type, half, enabled=half is not None)

    def scaler(self) -> torch.amp.GradScaler:
        """Keeps gradients from vanishing in float16, whose range is small; else does nothing."""
        return torch.amp.GradScaler(self.device.type, enabled=self.precision == "16")


def setup_machine(device: str = "auto", precision: str = "auto", threads: int = 0) -> Machine:
    """Set up the device and the precision that a run asks for; `auto` takes the best there is."""
    selected = select_device(device)
    setup_device(selected, threads)
    return Machine(selected, select_precision(precision, selected))


def select_device(name: str) -> torch.device:
    """The device of that name; `auto` takes CUDA, else MPS, else the CPU. Changes nothing."""
    available = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        available.append("mps")
    available.append("cpu")
    if name == "auto":
        name = available[0]
    if name == "cuda":
        name = "cuda:0"
    if name.startswith("cuda"):  # torchrun says which of a machine's processes this is
        index = os.environ.get("LOCAL_RANK", name.removeprefix("cuda:"))
        name = f"cuda:{index}"
    if name not in available:
        raise GankitError(f"there is no --device {name} here; there is {', '.join(available)}")
    return torch.device(name)


def setup_device(device: torch.device, threads: int) -> None:
    """Make the device this process's own, and set torch's CPU threads; 0 leaves them."""
    if threads:
        torch.set_num_threads(threads)
    if device.type == "cuda":  # for pinned memory, and for questions about what the GPU can do
        torch.cuda.set_device(device)


def select_precision(precision: str, device: torch.device) -> str:
    """`auto` is bf16 where the device computes faster in it, else 32."""
    if precision == "auto":
        return "bf16" if computes_in_bf16(device) else "32"
    if precision == "16" and device.type == "mps":
        raise GankitError("--precision 16 is for CUDA: on mps take bf16 or 32")
    return precision


def computes_in_bf16(device: torch.device) -> bool:
    """Whether one matrix product is at least 1.5 times as fast in bf16 as in float32 there.

    It takes a tenth of a second, once a run. False on MPS, where it has not been tried.
    """
    if device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return False
    if device.type not in SIDES:
        return False
    side = SIDES[device.type]
    kinds = (torch.float32, torch.bfloat16)
    seconds = dict.fromkeys(kinds, float("inf"))
    for dtype in kinds * 8:  # in turns, so that a busy moment hits both alike
        m = torch.ones(side, side, dtype=dtype, device=device)
        product = "float((m @ m)[0, 0])"  # reading a number waits for a GPU
        taken = timeit.timeit(product, globals={"m": m}, number=1)
        seconds[dtype] = min(seconds[dtype], taken)
    return seconds[torch.float32] > 1.5 * seconds[torch.bfloat16]


def to_device(tensor: torch.Tensor, device: torch.device | str) -> torch.Tensor:
    """The tensor on a device; a GPU copies it from pinned memory while Python goes on."""
    tensor = tensor.pin_memory() if torch.device(device).type == "cuda" else tensor
    return tensor.to(device, non_blocking=True)
