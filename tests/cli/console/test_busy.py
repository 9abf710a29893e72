"""A run says so when it must share the processor."""

import pytest

from gankit.cli.console import busy


@pytest.fixture
def computer(monkeypatch):
    def make(cores, load):
        monkeypatch.setattr(busy, "cores", lambda: cores)
        monkeypatch.setattr(busy, "load", lambda: load)

    return make


def test_alone_nothing_is_said(computer):
    computer(cores=2, load=0.4)
    assert busy.crowded("cpu", threads=2) == ""


def test_a_busy_computer_is_named_with_its_load(computer):
    computer(cores=2, load=1.9)
    said = busy.crowded("cpu", threads=2)
    assert "load 1.9 on 2 cores" in said
    assert "--threads" in said
    computer(cores=8, load=1.9)  # there is room for one more
    assert busy.crowded("cpu", threads=8) == ""


def test_more_threads_than_cores_are_too_many(computer):
    computer(cores=2, load=0)
    assert busy.crowded("cpu", threads=4).endswith("try --threads 2")


def test_processes_beside_one_another_count(computer, monkeypatch):
    computer(cores=4, load=0)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert busy.local_processes() == 2
    assert busy.crowded("cpu", threads=2, processes=2) == ""
    said = busy.crowded("cpu", threads=4, processes=2)
    assert said.startswith("2 processes with 4 threads each wait for one another on 4 cores")
    assert said.endswith("try --threads 2")
    assert busy.crowded("cpu", threads=1, processes=9).endswith("try --threads 1")


def test_a_gpu_does_not_mind(computer):
    computer(cores=2, load=9)
    assert busy.crowded("cuda:0", threads=8) == ""


def test_what_the_system_says_makes_sense():
    assert busy.cores() >= 1
    assert busy.load() >= 0


def test_the_run_says_it_when_it_begins(gankit_run, computer):
    computer(cores=2, load=6.0)
    out = gankit_run("--threads", "1").out
    assert "warning: this computer was busy in the last minute (load 6.0 on 2 cores)" in out
    computer(cores=2, load=0.0)
    assert "warning" not in gankit_run("--threads", "1").out
