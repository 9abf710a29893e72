"""Fixtures: a run, and an engine that asks rules about a history of it."""

import dataclasses
import sys
from pathlib import Path

import pytest
from gankit_doctor.engine import Engine

from gankit import Seen, compose

sys.path.insert(0, str(Path(__file__).parent))

from histories import make_history


@pytest.fixture
def run(tiny):
    return dataclasses.replace(compose(**tiny(length="480 steps", batch_size=32)), steps=480)


@pytest.fixture
def ask(run):
    """`ask([Rule()], x=[...])`: the engine after all looks, and what it told at each look."""

    def call(rules, interval=40, run=run, failure="", **series):
        history = make_history(interval, **series)
        engine = Engine(rules)
        told = []
        for step in history.looks:
            told.append([e.name for e in engine.add(Seen(run, history, step, failure=failure))])
        return engine, told

    return call
