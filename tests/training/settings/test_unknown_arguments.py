"""An argument that a function of the face does not have: one line, with what was meant."""

import pytest

import gankit
from gankit import GankitError


@pytest.mark.parametrize(
    ("call", "facts"),
    [
        (lambda run: gankit.train(run, model="dcgan64"), ("'model'", "compose")),
        (lambda run: gankit.train(run, steps=4), ("'steps'", "compose")),
        (lambda run: gankit.train(run, observer=[]), ("'observer'", "'observers'")),
        (lambda run: gankit.evaluate(run, metric="swd"), ("'metric'", "'metrics'")),
        (lambda run: gankit.load("runs/x", steps=4), ("'steps'", "'step'")),
        (lambda run: gankit.compose(G=1), ("'G'", "model=(G, D)")),
    ],
)
def test_what_was_meant_is_named(call, facts):
    with pytest.raises(GankitError) as error:
        call(gankit.compose())
    assert "\n" not in str(error.value)
    for fact in facts:
        assert fact in str(error.value)


def test_the_face_keeps_its_names_and_texts():
    assert gankit.train.__name__ == "train"
    assert "observers" in gankit.train.__doc__
