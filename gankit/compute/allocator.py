"""The memory that one training step frees is kept for the next.

glibc gives free memory at the end of its heap back to the system. The next step asks for it again,
and the system clears each page before it hands it out. `tests/benchmarks/test_kept_memory.py` shows
what that costs.
"""

import ctypes
import os
import sys
from collections.abc import Mapping

import torch

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD in malloc.h
_LARGEST = 32 * 2**20  # bytes: the most that glibc allows; larger blocks are given back
_NEVER = -1  # is the heap trimmed
GLIBCS = [f"MALLOC_{name}_" for name in ("TRIM_THRESHOLD", "MMAP_THRESHOLD", "MMAP_MAX", "TOP_PAD")]


def keep_memory(device: torch.device) -> bool:
    """Keep what the main thread frees in this process, from now on; whether the C library agreed.

    Asked where `device` is the CPU, under Linux. Whoever has set up glibc's allocator through the
    environment is not overruled; GANKIT_KEEP_MEMORY=0 keeps everything as glibc has it.
    """
    if device.type != "cpu" or not sys.platform.startswith("linux") or _decided(os.environ):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
    if mallopt is None:
        return False
    # Both: either one ends glibc's own adapting, and then it would give back blocks of 128 KB.
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST) and mallopt(_TRIM_THRESHOLD, _NEVER))


def _decided(environment: Mapping[str, str]) -> bool:
    """Whether the environment says how much of its memory a process keeps."""
    told = any(name in environment for name in GLIBCS)
    tuned = "glibc.malloc." in environment.get("GLIBC_TUNABLES", "")
    return told or tuned or environment.get("GANKIT_KEEP_MEMORY") == "0"
