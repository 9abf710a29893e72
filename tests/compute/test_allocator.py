"""Training keeps the memory that a step frees, if the C library is glibc."""

import ctypes
import platform
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from gankit_metrics.features import load_features

import gankit
from gankit.compute import allocator
from gankit.compute.allocator import tune_allocator
from gankit.training.assemble import assemble, resolve_auto
from gankit.training.settings.compose import compose

CPU = torch.device("cpu")
LOOPS = str(Path(__file__).parents[1] / "benchmarks")
GLIBC = platform.libc_ver()[0] == "glibc"
FAULTS = """
import ctypes, resource, sys, torch
from gankit.training import assemble
sys.path.insert(0, {loops!r})
import loops

ctypes.CDLL(None).prctl(41, 1, 0, 0, 0)  # PR_SET_THP_DISABLE: a page of 2 MB would be one fault
torch.set_num_threads(1)
if not {kept}:
    assemble.tune_allocator = lambda device: False
step = loops.gankit(64, 32, 32, "32")
for _ in range(5):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in ("LD_PRELOAD", "GLIBC_TUNABLES", *allocator.MALLOC_VARIABLES):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.skipif(not GLIBC, reason="the C library is not glibc")
def test_a_step_allocates_no_new_memory_if_it_is_kept():
    pages = {}
    for kept in (True, False):
        argv = [sys.executable, "-c", FAULTS.format(kept=kept, loops=LOOPS)]
        done = subprocess.run(argv, check=True, capture_output=True, text=True)
        pages[kept] = int(done.stdout)
    assert 10 * pages[True] + 100 < pages[False]


def test_both_thresholds_are_set_on_a_cpu(monkeypatch):
    calls = []
    monkeypatch.setattr(sys, "platform", "linux")
    mallopt = SimpleNamespace(mallopt=lambda *args: calls.append(args) or 1)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: mallopt)
    assert not tune_allocator(torch.device("meta"))
    assert calls == []
    assert tune_allocator(CPU)
    assert calls == [(-3, 2**25), (-1, -1)]


@pytest.mark.parametrize(
    ("system", "library"),
    [
        ("darwin", {"mallopt": lambda *args: 1}),
        ("linux", {}),
        ("linux", {"mallopt": lambda *args: 0}),
    ],
    ids=["another system", "another library", "refused"],
)
def test_nothing_is_changed_without_mallopt(system, library, monkeypatch):
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace(**library))
    assert tune_allocator(CPU) is False


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("GANKIT_KEEP_MEMORY", "0", False),
        ("GANKIT_KEEP_MEMORY", "1", True),
        ("MALLOC_TRIM_THRESHOLD_", "131072", False),
        ("MALLOC_ARENA_MAX_", "1", True),  # does not affect kept memory
        ("GLIBC_TUNABLES", "glibc.malloc.mmap_max=0", False),
        ("GLIBC_TUNABLES", "glibc.rtld.nns=3", True),
    ],
)
def test_the_environment_decides(name, value, kept, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    library = SimpleNamespace(mallopt=lambda *args: 1)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    monkeypatch.setenv(name, value)
    assert tune_allocator(CPU) is kept


def test_training_keeps_memory(registry, monkeypatch):
    kept = []
    monkeypatch.setattr("gankit.training.assemble.tune_allocator", kept.append)
    run = compose(registry, dataset="petals:count=64", device="cpu", length="1 steps")
    prepared = gankit.prepare(run, registry, lambda done, total: None)
    assemble(resolve_auto(run, prepared), registry, prepared)
    assert kept == [CPU]


def test_measuring_keeps_memory(monkeypatch):
    kept = []
    monkeypatch.setattr("gankit_metrics.features.tune_allocator", kept.append)
    load_features("pixels")[1](np.zeros((2, 8, 8, 3), np.uint8))
    assert kept == [CPU]
