"""How long commands take that do not train, compared with the imports that all of them need."""

import subprocess
import sys

import pytest
from comparison import time_against

MINIMUM = (
    "import importlib.metadata, click, pluggy; importlib.metadata.entry_points(group='gankit')"
)
YARDSTICK = "click, pluggy and reading entry points alone"


def run_python(*args):
    subprocess.run([sys.executable, *args], check=True, capture_output=True)


@pytest.mark.parametrize("command", ["list", "show ema", "run --help", "plugins"])
def test_light_commands(benchmark, command):
    time_against(
        benchmark,
        lambda: run_python("-m", "gankit", *command.split()),
        lambda: run_python("-c", MINIMUM),
        question="start-up",
        what=f"gankit {command}",
        yardstick=YARDSTICK,
    )


def test_importing_torch(benchmark):
    time_against(
        benchmark,
        lambda: run_python("-c", "import torch"),
        lambda: run_python("-c", MINIMUM),
        rounds=3,
        question="start-up",
        what="import torch, for comparison",
        yardstick=YARDSTICK,
    )
