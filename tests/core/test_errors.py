"""Values in messages are short."""

import numpy as np
import pytest
import torch

from gankit.core.errors import MAX_SHOWN, quote_value


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
