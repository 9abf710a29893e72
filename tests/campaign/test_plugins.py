"""Plugins that misbehave: each failure is one line that names the plugin, and nothing is lost."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for plugins.py

from plugins import cases, run_case

CASES = {case.name: case for case in cases()}
# Training takes a second, so only some of these cases are tried here, and all in the long campaign.
TRAINED = [name for name, case in CASES.items() if case.argv[0] == "run"]
LIGHT = [name for name in CASES if name not in TRAINED]


def test_there_are_enough_cases():
    assert len(CASES) == len(cases()) > 100


@pytest.mark.parametrize("name", [*LIGHT, *TRAINED[::5]])
def test_a_plugin_that_misbehaves(name, tmp_path):
    assert run_case(CASES[name], tmp_path) == []
