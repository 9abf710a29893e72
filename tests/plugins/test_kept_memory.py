"""Training keeps the memory that a step frees, where the C library can do so."""

import ctypes
import platform
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from gankit_kernels import memory
from gankit_kernels.memory import keep_memory

import gankit
from gankit.assemble import assemble, resolve
from gankit.composing import compose

CPU = torch.device("cpu")
LOOPS = str(Path(__file__).parents[1] / "benchmarks")
GLIBC = platform.libc_ver()[0] == "glibc"
FAULTS = """
import resource, sys, torch
import gankit
sys.path.insert(0, {loops!r})
import loops

torch.set_num_threads(1)
if not {kept}:
    gankit.keep_memory = lambda device: None
step = loops.gankit(64, 32, 32, "32")
for _ in range(5):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not GLIBC, reason="the C library is not glibc")
def test_a_step_asks_the_system_for_no_memory_once_it_is_kept(monkeypatch):
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    pages = {}
    for kept in (True, False):
        words = [sys.executable, "-c", FAULTS.format(kept=kept, loops=LOOPS)]
        done = subprocess.run(words, check=True, capture_output=True, text=True)
        pages[kept] = int(done.stdout)
    assert pages[True] < 200 < 2000 < pages[False]


def test_it_is_the_processors_memory_that_is_kept(monkeypatch):
    asked = []
    monkeypatch.setattr(sys, "platform", "linux")
    mallopt = SimpleNamespace(mallopt=lambda *words: asked.append(words) or 1)
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: mallopt)
    assert not keep_memory(torch.device("meta"))
    assert asked == []
    assert keep_memory(CPU)
    assert asked == [(-3, 2**25), (-1, 2**31 - 1)]


@pytest.mark.parametrize("why", ["told otherwise", "another system", "another library", "refused"])
def test_nothing_happens_where_it_cannot_or_shall_not(why, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin" if why == "another system" else "linux")
    given = {} if why == "another library" else {"mallopt": lambda *words: why != "refused"}
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace(**given))
    if why == "told otherwise":
        monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "131072")
    assert keep_memory(CPU) is False


def test_training_keeps_memory(registry, monkeypatch):
    kept = []
    monkeypatch.setattr(gankit, "keep_memory", kept.append)
    run = compose(registry, dataset="petals:count=64", device="cpu", length="1 steps")
    prepared = gankit.prepare(run, registry, lambda done, total: None)
    assemble(resolve(run, prepared), registry, prepared)
    assert kept == [CPU]
