"""--zoom auto: chosen by the number of training pictures when a run begins, and kept by it."""

import pytest

from gankit import GankitError, compose, train
from gankit.cli.run.from_options import resumed
from gankit.training.assemble import choose_zoom
from gankit.training.run_folder.run_file import load_run


@pytest.mark.parametrize(
    ("pictures", "zoom"), [(1, 1.5), (2000, 1.5), (2828, 1.25), (4000, 1.0), (60_000, 1.0)]
)
def test_few_pictures_are_varied_more(pictures, zoom):
    assert choose_zoom(pictures) == zoom


def test_a_run_records_the_number_and_keeps_it(tiny, tmp_path):
    settings = tiny(zoom="auto", length="2 steps", out=str(tmp_path / "run"))
    folder = train(compose(**settings))
    assert load_run(folder).zoom == 1.5
    train(compose(**{**settings, "length": "3 steps"}), resume=True)
    longer = load_run(folder)
    assert (longer.zoom, longer.steps, longer.stages) == (1.5, 3, ())


def test_a_resumed_run_is_given_a_number(trained):
    assert resumed(trained, zoom=1.5).zoom == 1.5
    with pytest.raises(GankitError, match="--zoom auto is for new runs"):
        resumed(trained, zoom=0.0)


def test_your_own_pictures_have_it(pictures_folder):
    assert compose(data=pictures_folder).zoom == 0
    assert compose(data=pictures_folder, zoom=2).zoom == 2
    assert compose(dataset="petals").zoom == 1


@pytest.mark.parametrize("value", ["autp", "0", "-0.0"])
def test_other_words_and_0_are_refused(gankit_run, value):
    answer = gankit_run("--zoom", value, "--dry-run")
    assert answer.code == 2
    assert f"'--zoom': {value!r} is neither auto nor a number above 0" in answer.err
