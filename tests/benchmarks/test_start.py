"""How long a command takes that trains nothing, beside a Python that does nothing."""

import subprocess
import sys

import pytest
from beside import beside


def called(*words):
    return lambda: subprocess.run([sys.executable, *words], check=True, capture_output=True)


@pytest.mark.parametrize("command", ["list", "show ema", "run --help", "plugins"])
def test_light_commands(benchmark, command):
    ways = called("-m", "gankit", *command.split()), called("-c", "pass")
    about = {"what": f"gankit {command}", "yardstick": "python -c pass"}
    beside(benchmark, *ways, question="start-up", **about)


def test_importing_torch(benchmark):
    about = {"what": "import torch, for comparison", "yardstick": "python -c pass"}
    beside(benchmark, called("-c", "import torch"), called("-c", "pass"), rounds=3,
           question="start-up", **about)  # fmt: skip
