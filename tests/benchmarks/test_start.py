"""How long a command takes that trains nothing, beside the imports that none can do without."""

import subprocess
import sys

import pytest
from beside import beside

LEAST = "import importlib.metadata, click, pluggy; importlib.metadata.entry_points(group='gankit')"
YARDSTICK = "click, pluggy and reading entry points alone"


def called(*words):
    return lambda: subprocess.run([sys.executable, *words], check=True, capture_output=True)


@pytest.mark.parametrize("command", ["list", "show ema", "run --help", "plugins"])
def test_light_commands(benchmark, command):
    ways = called("-m", "gankit", *command.split()), called("-c", LEAST)
    about = {"what": f"gankit {command}", "yardstick": YARDSTICK}
    beside(benchmark, *ways, question="start-up", **about)


def test_importing_torch(benchmark):
    about = {"what": "import torch, for comparison", "yardstick": YARDSTICK}
    ways = called("-c", "import torch"), called("-c", LEAST)
    beside(benchmark, *ways, rounds=3, question="start-up", **about)
