"""If you train another network on few pictures, the run recommends the recipe for few."""

import json
from types import SimpleNamespace

import pytest

from gankit.cli.console.recommend import recommend_recipe
from gankit.training.settings.compose import compose


@pytest.fixture
def recommend(tmp_path):
    """`recommend(2250, dataset="ihc")`: the recommendation for a run on 2,250 pictures."""

    def call(count, **settings):
        run = compose(**settings)
        (tmp_path / "run.json").write_text(json.dumps({"prepared": {"train": count}}))
        return recommend_recipe(SimpleNamespace(**vars(run) | {"folder": tmp_path}))

    return call


@pytest.mark.parametrize("count", [90, 2250])
def test_another_network_on_few_pictures(recommend, count):
    line = recommend(count, dataset="ihc", model="dcgan64")
    assert f"{count:,} pictures" in line
    assert "try recipe small-data" in line


@pytest.mark.parametrize(
    ("count", "settings"),
    [
        (2250, {"dataset": "ihc"}),  # the recipe's own network
        (2250, {"dataset": "ihc", "model": "skip128"}),
        (2250, {"model": "dcgan64"}),  # petals
        (20_000, {"dataset": "ihc", "model": "dcgan64"}),
    ],
)
def test_other_runs_get_no_recommendation(recommend, count, settings):
    assert recommend(count, **settings) == ""


def test_the_run_prints_it_at_its_start(gankit_run):
    out = gankit_run("--dataset", "ihc:count=600", "--holdout", 0).out
    assert "--recipe small-data" in out
