"""Machine: where a run computes and in which arithmetic; CPU, CUDA and MPS through one code."""

import os
import timeit
from dataclasses import dataclass

import torch
from torch.amp import GradScaler

from gankit.errors import GankitError

_HALVES = {"bf16": torch.bfloat16, "16": torch.float16}


@dataclass(frozen=True)
class Machine:
    """A device and its arithmetic."""

    device: torch.device
    precision: str  # "32", "bf16" or "16"

    def autocast(self) -> torch.autocast:
        """Mixed precision for a forward pass, where the run asks for it."""
        half = _HALVES.get(self.precision)
        return torch.autocast(self.device.type, half, enabled=half is not None)

    def scaler(self) -> GradScaler:
        """Keeps gradients from vanishing in float16, whose range is small; else does nothing."""
        return GradScaler(self.device.type, enabled=self.precision == "16")


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
    if precision == "auto":
        precision = "bf16" if _computes_in_bf16(torch.device(device)) else "32"
    if precision == "16" and device == "mps":
        raise GankitError("--precision 16 is for CUDA: on mps take bf16 or 32")
    return Machine(torch.device(device), precision)


def _computes_in_bf16(device: torch.device) -> bool:
    if device.type != "cpu":
        return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    kinds = (torch.float32, torch.bfloat16)
    seconds = dict.fromkeys(kinds, float("inf"))
    for dtype in kinds * 8:  # 100 ms, once a run; in turns, so that a busy moment hits both alike
        m = torch.ones(768, 768, dtype=dtype)  # where bf16 is only emulated, it is slower
        seconds[dtype] = min(seconds[dtype], timeit.timeit("m @ m", globals={"m": m}, number=1))
    return seconds[torch.float32] > 1.5 * seconds[torch.bfloat16]
