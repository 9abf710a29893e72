"""Tune glibc's allocator so that a process keeps the memory that a training step frees.

glibc returns free memory at the end of its heap to the system. The next step allocates it again,
and the system clears each page first. `tests/benchmarks/test_kept_memory.py` measures the cost.
"""

import ctypes
import os
import sys
from collections.abc import Mapping

import torch

# Parameters of mallopt, from glibc's malloc.h.
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
LARGEST_HEAP_BLOCK = 32 * 2**20  # bytes: the most that glibc allows; larger blocks are returned
NEVER_TRIM = -1
# Environment variables of glibc; if you set one of them, gankit changes nothing.
MALLOC_VARIABLES = (
    "MALLOC_TRIM_THRESHOLD_",
    "MALLOC_MMAP_THRESHOLD_",
    "MALLOC_MMAP_MAX_",
    "MALLOC_TOP_PAD_",
)


def tune_allocator(device: torch.device) -> bool:
    """Make this process keep the memory that it frees; returns whether glibc accepted it.

    Only if `device` is the CPU, on Linux, and if the environment does not configure glibc's
    allocator. GANKIT_KEEP_MEMORY=0 disables it.
    """
    if device.type != "cpu" or not sys.platform.startswith("linux"):
        return False
    if _is_configured_by_environment(os.environ):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # the C library is not glibc
        return False
    # Setting one of them stops glibc from adapting both, and it would then return every block of
    # 128 KB or more. So set both.
    if not mallopt(M_MMAP_THRESHOLD, LARGEST_HEAP_BLOCK):
        return False
    return bool(mallopt(M_TRIM_THRESHOLD, NEVER_TRIM))


def _is_configured_by_environment(environment: Mapping[str, str]) -> bool:
    """Whether environment variables configure the allocator, or disable this tuning."""
    if environment.get("GANKIT_KEEP_MEMORY") == "0":
        return True
    if any(name in environment for name in MALLOC_VARIABLES):
        return True
    return "glibc.malloc." in environment.get("GLIBC_TUNABLES", "")
