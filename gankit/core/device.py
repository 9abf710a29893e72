"""Machine: the device and precision of a run, for CPU, CUDA and MPS alike."""

import functools
import logging
import math
import os
import re
import shutil
import timeit
import warnings
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from gankit.core.errors import GankitError

log = logging.getLogger("gankit")
# Sides of square matrices whose product takes a few milliseconds.
MATRIX_SIDES = {"cpu": 768, "cuda": 4096}
ENOUGH_THREADS = 256  # allowed on any computer, so that a run of a larger one can go on
SUPPORTED = ("cuda", "mps", "cpu")
# What to do if a GPU fails: a part of torch's message -> advice.
GPU_CURES = {
    "out of memory": "close other programs that use its memory",
    "driver": "install or update its driver",
    "no kernel image": "install a torch that supports this GPU, see pytorch.org",
    "busy": "close other programs that use it",
}
FOR_CUDA = "install one with CUDA, see pytorch.org"
OTHER_CURE = "update torch and the GPU's driver"


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
    """The device of that name; `auto` is the first of CUDA, MPS and the CPU that can compute.

    Under torchrun, `LOCAL_RANK` selects the GPU. GankitError if the device is missing, or if a
    small operation on it fails.
    """
    default = torch.get_default_device()
    if default.type != "cpu":
        wrong = f"torch's default device is {default}, by torch.set_default_device"
        raise GankitError(f"{wrong}: remove that line; gankit chooses the device itself")
    available = list_devices()
    if "LOCAL_RANK" in os.environ:  # processes cannot add up gradients on Apple's GPUs
        available = [other for other in available if other != "mps"]
    if name == "auto" and "LOCAL_RANK" not in os.environ:
        return _first_that_computes(available)
    requested = available[0] if name == "auto" else name
    if requested == "cuda":
        requested = "cuda:0"
    if requested.startswith("cuda") and "LOCAL_RANK" in os.environ:  # one GPU for each process
        requested = f"cuda:{os.environ['LOCAL_RANK']}"
    if requested not in available:
        hint = _explain_missing(requested, available)
        choices = ", ".join(available)
        raise GankitError(f"--device {name} is not available{hint}; choose from: {choices}")
    device = torch.device(requested)
    fault = find_fault(device)
    if fault:
        others = ", ".join(other for other in available if other != requested)
        raise GankitError(f"--device {name}: {requested} {fault}; or choose from: {others}")
    return device


def list_devices() -> list[str]:
    """The devices that this computer has, the fastest first; some may not be able to compute."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own warnings take many lines
        devices = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        devices.append("mps")
    return [*devices, "cpu"]


def _first_that_computes(available: list[str]) -> torch.device:
    """The first device that can compute; warns of those before it. The last is the CPU."""
    faults = {}
    for name in available:
        device = torch.device(name)
        fault = find_fault(device)
        if not fault:
            break
        faults[name] = fault
    for broken, fault in faults.items():
        _warn_once(f"training uses {name}, as {broken} {fault}")
    if available == ["cpu"] and not _torch_knows_gpus() and shutil.which("nvidia-smi"):
        _warn_once("training uses cpu, as the installed torch is for CPUs only: " + FOR_CUDA)
    return device


def _torch_knows_gpus() -> bool:
    return bool(torch.version.cuda or torch.version.hip)


@functools.cache
def _warn_once(message: str) -> None:
    log.warning(message)


def find_fault(device: torch.device) -> str:
    """Why this device cannot compute, and what you can do; an empty text if it can.

    A GPU may be listed and yet fail at its first operation, or compute something else than the CPU,
    as Apple's did with several versions of torch. So this compares small gradients, without drawing
    random numbers. The CPU is not tried.
    """
    if device.type == "cpu":
        return ""
    try:
        with warnings.catch_warnings(), torch.enable_grad():
            warnings.simplefilter("ignore")
            torch.ones(2, device=device).square().sum().item()  # its first operation
            gradients = _gradients_of_a_sample(device)
            expected = _gradients_of_a_sample(torch.device("cpu"))
            if not all(map(_are_close, gradients, expected)):
                return f"computes wrong gradients: {OTHER_CURE}"
    except Exception as error:  # torch raises RuntimeError, AssertionError and others
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        reason = re.split(r"\. (?=[A-Z])", reason)[0].rstrip(".")  # its first sentence
        return f"cannot compute ({reason}): {_find_cure(reason)}"
    return ""


def _gradients_of_a_sample(device: torch.device) -> list[torch.Tensor]:
    """Gradients of small networks with what DCGAN and `r1` use, computed on a device.

    G is a transposed convolution with batch norm, D two convolutions; the penalty is the squared
    gradient of D's logits at the pictures, so its own gradient is a second derivative.
    """
    shapes = {"z": (4, 6, 4, 4), "up": (6, 3, 4, 4), "first": (5, 3, 4, 4), "last": (1, 5, 4, 4)}
    values = [
        to_device(torch.arange(math.prod(shape)).add(number).sin().reshape(shape) / 4, device)
        for number, shape in enumerate(shapes.values())
    ]
    z, up, first, last = (value.requires_grad_() for value in values)
    pictures = F.conv_transpose2d(z, up, stride=2, padding=1)
    pictures = F.batch_norm(pictures, None, None, training=True)
    maps = F.leaky_relu(F.conv2d(pictures, first, stride=2, padding=1), 0.2)
    logits = F.conv2d(F.batch_norm(maps, None, None, training=True), last)
    (slopes,) = torch.autograd.grad(logits.sum(), pictures, create_graph=True)
    loss = F.softplus(-logits).mean() + slopes.square().sum()
    return [gradient.cpu() for gradient in torch.autograd.grad(loss, (z, up, first, last))]


def _are_close(gradient: torch.Tensor, expected: torch.Tensor) -> bool:
    """Whether they differ by rounding only, also that of TF32; False if one is not finite."""
    return bool((gradient - expected).norm() <= 0.02 * expected.norm())


def _find_cure(reason: str) -> str:
    return next((cure for text, cure in GPU_CURES.items() if text in reason.lower()), OTHER_CURE)


def _explain_missing(name: str, available: list[str]) -> str:
    """Why there is no device of that name, where this is known."""
    kind, _, index = name.partition(":")
    num_gpus = sum(device.startswith("cuda") for device in available)
    if kind == "mps" and "LOCAL_RANK" in os.environ:
        return " to several processes"
    if kind == "mps":
        return " (it needs a Mac with an Apple chip)"
    if kind not in SUPPORTED:
        return f" (gankit trains on {', '.join(SUPPORTED)})"
    if num_gpus and "LOCAL_RANK" in os.environ:
        return f" (this is process {index}, and there are {num_gpus} GPUs: start as many processes)"
    if "CUDA_VISIBLE_DEVICES" in os.environ:
        visible = os.environ["CUDA_VISIBLE_DEVICES"]
        return (
            f" (CUDA_VISIBLE_DEVICES={visible} hides GPUs; those it leaves are cuda:0, cuda:1, ...)"
        )
    if not _torch_knows_gpus():
        return f" (the installed torch is for CPUs only: {FOR_CUDA})"
    return "" if num_gpus else " (torch finds no GPU: is its driver installed?)"


def setup_device(device: torch.device, threads: int) -> None:
    """Make this the current CUDA device, and set the number of CPU threads; 0 changes nothing.

    GankitError for far more threads than cores: OpenMP ends the whole process when it cannot start
    a thread, for which a limit of the system may be the reason.
    """
    cores = os.cpu_count() or 1
    most = max(ENOUGH_THREADS, cores)
    if threads > most:
        limit = f"on this computer, which has {cores} cores, it must be {most} or less"
        raise GankitError(f"--threads is {threads}; {limit}")
    if threads:
        torch.set_num_threads(threads)
    if device.type == "cuda":  # pinned memory and is_bf16_supported use it
        torch.cuda.set_device(device)


def select_precision(precision: str, device: torch.device) -> str:
    """The precision of that name; `auto` is bf16 where the device is faster in it, else 32."""
    if precision == "auto":
        return "bf16" if is_faster_in_bf16(device) else "32"
    if precision != "32" and device.type == "mps":  # some versions of torch end the whole process
        raise GankitError(f"--precision {precision} does not work on mps: use 32")
    return precision


def is_faster_in_bf16(device: torch.device) -> bool:
    """Measure whether a matrix product is at least 1.5 times as fast in bf16 as in float32.

    Takes a tenth of a second. False on MPS, where it has not been tried.
    """
    if device.type not in MATRIX_SIDES:
        return False
    if emulates_bf16(device):  # a CPU would take seconds for larger products
        return False
    return _speedup_of_bf16(device, MATRIX_SIDES[device.type]) > 1.5


def emulates_bf16(device: torch.device) -> bool:
    """Whether a device computes in bf16, but far more slowly than in float32."""
    if device.type == "cuda":
        return not torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and _speedup_of_bf16(device, MATRIX_SIDES["cpu"] // 3) < 0.5


def _speedup_of_bf16(device: torch.device, side: int) -> float:
    """How many times as fast a product of two matrices (side, side) is in bf16."""
    dtypes = (torch.float32, torch.bfloat16)
    seconds = dict.fromkeys(dtypes, float("inf"))
    for dtype in dtypes * 8:  # in turns, so that a busy moment slows both
        matrix = torch.ones(side, side, dtype=dtype, device=device)
        product = "float((matrix @ matrix)[0, 0])"  # reading a number waits for a GPU
        elapsed = timeit.timeit(product, globals={"matrix": matrix}, number=1)
        seconds[dtype] = min(seconds[dtype], elapsed)
    return seconds[torch.float32] / seconds[torch.bfloat16]


def to_device(tensor: torch.Tensor, device: torch.device | str) -> torch.Tensor:
    """Copy a tensor to a device; with CUDA asynchronously, from pinned memory.

    On MPS, an asynchronous copy may read the tensor after its memory has been used again.
    """
    if torch.device(device).type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)
