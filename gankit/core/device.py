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


def machine(device: str = "auto", precision: str = "auto", threads: int = 0) -> Machine:
    """The machine that a run asks for; `auto` takes the best there is."""
    if threads:
        torch.set_num_threads(threads)
    here = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    here += ["mps"] * torch.backends.mps.is_available() + ["cpu"]
    device = {"auto": here[0], "cuda": "cuda:0"}.get(device, device)
    if device.startswith("cuda"):  # torchrun says which of a machine's processes this is
        device = f"cuda:{os.environ.get('LOCAL_RANK', device[5:])}"
    if device not in here:
        raise GankitError(f"there is no --device {device} here; there is {', '.join(here)}")
    if device.startswith("cuda"):
        torch.cuda.set_device(device)  # what pins memory and asks what it can do means this one
    if precision == "auto":
        precision = "bf16" if computes_in_bf16(torch.device(device)) else "32"
    if precision == "16" and device == "mps":
        raise GankitError("--precision 16 is for CUDA: on mps take bf16 or 32")
    return Machine(torch.device(device), precision)


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


def sent(tensor: torch.Tensor, device: torch.device | str) -> torch.Tensor:
    """The tensor on a device; a GPU fetches it from pinned memory, while Python goes on."""
    tensor = tensor.pin_memory() if torch.device(device).type == "cuda" else tensor
    return tensor.to(device, non_blocking=True)
