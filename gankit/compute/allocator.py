"""Tune the C library's allocator so that a process keeps the memory that a training step frees.

glibc returns free memory at the end of its heap to the system. The next step asks for it again,
and the system clears each page before it hands it out. `tests/benchmarks/test_kept_memory.py` shows
what that costs.
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
# Settings of your own in the environment: gankit overrides none of them.
MALLOC_VARIABLES = (
    "MALLOC_TRIM_THRESHOLD_",
    "MALLOC_MMAP_THRESHOLD_",
    "MALLOC_MMAP_MAX_",
    "MALLOC_TOP_PAD_",
)


def tune_allocator(device: torch.device) -> bool:
    """Let this process keep the memory it frees, from now on; returns whether glibc agreed.

    Only where `device` is the CPU, under Linux, and the environment does not set up glibc's
    allocator itself. GANKIT_KEEP_MEMORY=0 leaves everything to glibc.
    """
    if device.type != "cpu" or not sys.platform.startswith("linux"):
        return False
    if _set_by_environment(os.environ):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # another C library than glibc
        return False
    # Setting either one ends glibc's own adapting of both, and it would then return every block of
    # 128 KB or more. So both are set.
    if not mallopt(M_MMAP_THRESHOLD, LARGEST_HEAP_BLOCK):
        return False
    return bool(mallopt(M_TRIM_THRESHOLD, NEVER_TRIM))


def _set_by_environment(environment: Mapping[str, str]) -> bool:
    """Whether the environment already decides how much freed memory a process keeps."""
    if environment.get("GANKIT_KEEP_MEMORY") == "0":
        return True
    if any(name in environment for name in MALLOC_VARIABLES):
        return True
    return "glibc.malloc." in environment.get("GLIBC_TUNABLES", "")
