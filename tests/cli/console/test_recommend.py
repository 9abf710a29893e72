"""Who trains another network on few pictures hears of the recipe; nobody else does."""

import json
from types import SimpleNamespace

import pytest

from gankit.cli.console.advice import advice
from gankit.training.compose import compose


@pytest.fixture
def told(tmp_path):
    """`told(2250, dataset="ihc")`: the advice at the start of such a run."""

    def of(count, **asked):
        run = compose(**asked)
        (tmp_path / "run.json").write_text(json.dumps({"prepared": {"train": count}}))
        return advice(SimpleNamespace(**vars(run) | {"folder": tmp_path}))

    return of


@pytest.mark.parametrize("count", [90, 2250])
def test_another_network_on_few_pictures(told, count):
    said = told(count, dataset="ihc", model="dcgan64")
    assert said.startswith(f"{count:,} pictures are few")
    assert "--recipe small-data" in said


@pytest.mark.parametrize(
    ("count", "asked"),
    [
        (2250, {"dataset": "ihc"}),  # has it already
        (2250, {"dataset": "ihc", "model": "skip128"}),
        (2250, {"model": "dcgan64"}),  # petals
        (20_000, {"dataset": "ihc", "model": "dcgan64"}),
    ],
)
def test_nobody_else(told, count, asked):
    assert told(count, **asked) == ""


def test_the_run_says_it_when_it_begins(gankit_run):
    out = gankit_run("--dataset", "ihc:count=600", "--holdout", 0).out
    assert "advice: 600 pictures are few" in out
