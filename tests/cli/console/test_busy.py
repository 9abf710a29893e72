"""A run warns if it must share the CPU."""

import dataclasses
import os
import re
import time

import pytest

import gankit
from gankit.cli.console import Console, busy
from gankit.cli.console.busy import other_load, warn_if_cpu_is_busy
from gankit.core.run.settings import Run


@pytest.fixture
def computer(monkeypatch):
    def make(cores, load):
        monkeypatch.setattr(busy, "count_cores", lambda: cores)
        monkeypatch.setattr(busy, "other_load", lambda: load)

    return make


def test_an_idle_computer_gives_no_warning(computer):
    computer(cores=2, load=0.4)
    assert warn_if_cpu_is_busy("cpu", threads=2) == ""


def test_a_busy_computer_is_named_with_its_load(computer):
    computer(cores=2, load=1.9)
    warning = warn_if_cpu_is_busy("cpu", threads=2)
    assert re.search(r"\b1\.9\b.*\b2\b", warning)
    assert "--threads" in warning
    computer(cores=8, load=1.9)  # enough cores are free
    assert warn_if_cpu_is_busy("cpu", threads=8) == ""


def test_more_threads_than_cores_are_too_many(computer):
    computer(cores=2, load=0)
    assert "--threads 2" in warn_if_cpu_is_busy("cpu", threads=4)


def test_all_processes_on_the_computer_count(computer, monkeypatch):
    computer(cores=4, load=0)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert busy.count_local_processes() == 2
    assert warn_if_cpu_is_busy("cpu", threads=2, processes=2) == ""
    warning = warn_if_cpu_is_busy("cpu", threads=4, processes=2)
    for fact in ("2 processes", "4 threads", "4 cores", "--threads 2"):
        assert fact in warning
    assert "--threads 1" in warn_if_cpu_is_busy("cpu", threads=1, processes=9)


def test_a_gpu_run_does_not_need_the_cores(computer):
    computer(cores=2, load=9)
    assert warn_if_cpu_is_busy("cuda:0", threads=8) == ""


def test_channels_last_on_mps_is_wrong(computer):
    computer(cores=2, load=0)
    parts = dict.fromkeys(("dataset", "model", "generator", "discriminator", "loss"), "any")
    run = Run(**parts, device="mps", memory_format="channels-last")
    (warning,) = busy.slowdown_warnings(run).values()
    assert "--memory-format channels-last" in warning
    assert busy.slowdown_warnings(dataclasses.replace(run, memory_format="contiguous")) == {}
    assert busy.slowdown_warnings(dataclasses.replace(run, device="cuda:0")) == {}


def test_the_systems_numbers_are_plausible():
    assert busy.count_cores() >= 1
    assert other_load() >= 0


def test_cpu_time_of_this_process_is_not_another_program(monkeypatch):
    """Six short runs one after another in a program must not warn about each other."""
    monkeypatch.setattr(os, "getloadavg", lambda: (2.0, 1.0, 1.0))
    monkeypatch.setattr(time, "process_time", lambda: 90.0)
    assert other_load() == 0.5
    monkeypatch.setattr(time, "process_time", lambda: 900.0)
    assert other_load() == 0


def test_the_run_warns_on_stderr(gankit_run, computer):
    computer(cores=2, load=0.0)
    assert gankit_run("--threads", "1").err == ""
    computer(cores=2, load=6.0)
    assert "6.0" in gankit_run("--threads", "1").err


def test_a_program_with_many_runs_warns_once(computer, monkeypatch, caplog, tiny, here):
    monkeypatch.setattr(Console, "warned", set())
    computer(cores=2, load=6.0)
    for _ in range(2):
        gankit.train(gankit.compose(**tiny(length="1 steps")))
    assert [record.levelname for record in caplog.records if "6.0" in record.message] == ["WARNING"]


def test_bf16_that_is_emulated_is_slow(computer, monkeypatch):
    computer(cores=2, load=0)
    parts = dict.fromkeys(("dataset", "model", "generator", "discriminator", "loss"), "any")
    run = Run(**parts, device="cpu", precision="bf16", threads=1)
    monkeypatch.setattr("gankit.core.device.emulates_bf16", lambda device: device.type == "cpu")
    (warning,) = busy.slowdown_warnings(run).values()
    assert "use --precision 32" in warning
    assert busy.slowdown_warnings(dataclasses.replace(run, device="cuda:0")) == {}
    assert busy.slowdown_warnings(dataclasses.replace(run, precision="32")) == {}
