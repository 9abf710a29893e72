"""Values in messages are short."""

import numpy as np
import pytest
import torch

from gankit import Targets
from gankit.core.errors import MAX_SHOWN, describe_error, quote_value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a", "'a'"),
        (0.5, "0.5"),
        (["x", 3], "['x', 3]"),
        (torch.zeros(64, 3, 32, 32), "<Tensor of shape (64, 3, 32, 32)>"),
        (np.zeros((5, 4)), "<ndarray of shape (5, 4)>"),
        ([np.zeros(9)], "[<ndarray of shape (9,)>]"),
        (torch.nn.Linear(2, 3), "<Linear>"),
    ],
)
def test_a_value_is_cut_to_its_kind_and_shape(value, shown):
    assert quote_value(value) == shown


def test_a_run_is_one_word(trained):
    from gankit import load_run

    assert quote_value(load_run(trained)) == "<Run>"


def test_other_values_are_cut():
    assert len(quote_value(dict.fromkeys(map(str, range(999))))) < MAX_SHOWN + 4
    assert len(quote_value(["y" * 80] * 50)) < MAX_SHOWN + 4


@pytest.mark.parametrize(
    ("act", "cure"),
    [
        (lambda gan: gan.D == "D", "player is gan.D"),
        (lambda gan: setattr(Targets(0, 0), "real", 1), "Targets(real, fake)"),
        (lambda gan: _backward_twice(), "gan.judge(images)"),
        (lambda gan: gan.D(torch.ones(1)), "gan.judge(images)"),
        (lambda gan: 1 - Targets(1.0, 0.0), "1 - targets.real"),
        (lambda gan: Targets(1.0, 0.0) - 0.1, "targets.real"),
        (lambda gan: torch.ones(1).sum().backward(), "gan.judge(images)"),
        (lambda gan: _draw_on_a_gpu(), "device=draw.device"),
    ],
)
def test_what_is_known_of_a_mistake_is_said_with_the_line_that_makes_it(trainer_of, act, cure):
    with pytest.raises((TypeError, AttributeError, RuntimeError)) as error:
        act(trainer_of().gan)
    message = describe_error(error.value, with_place=True)
    assert "test_errors.py, line" in message
    assert cure in message


def _draw_on_a_gpu():
    raise RuntimeError("Expected a 'cpu' device type for generator but found 'cuda'")


def _backward_twice():
    loss = torch.ones(2, requires_grad=True).square().sum()
    loss.backward()
    loss.backward()


def test_players_are_compared_by_identity(trainer_of):
    gan = trainer_of().gan
    assert gan.D == gan.D
    assert gan.D != gan.G
    assert gan.D not in (gan.G, None)
