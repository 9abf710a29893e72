"""The memory that one training step frees is kept for the next.

glibc gives free memory at the end of its heap back to the system. The next step asks for it again,
and the system clears each page before it hands it out: 40,000 pages in each step of a DCGAN with 64
base channels. `tests/benchmarks/test_kept_memory.py` shows what that costs.
"""

import ctypes
import os
import sys

import torch

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD in malloc.h
_LARGEST = 32 * 2**20  # bytes; larger blocks are given back, glibc allows no more
_EVERYTHING = 2**31 - 1  # the largest int: so much may lie free


def keep_memory(device: torch.device) -> bool:
    """Let this process keep what it frees, up to the most that it ever used; whether it does now.

    It does where `device` is the CPU, under Linux with glibc. MALLOC_TRIM_THRESHOLD_ in the
    environment is glibc's own switch for this, and goes before.
    """
    asked = "MALLOC_TRIM_THRESHOLD_" in os.environ
    if asked or device.type != "cpu" or not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
    if mallopt is None:
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST) and mallopt(_TRIM_THRESHOLD, _EVERYTHING))
