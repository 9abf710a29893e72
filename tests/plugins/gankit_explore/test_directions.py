"""Directions: found exactly where the answer is known, and named after what they change."""

import types

import numpy as np
import pytest
import torch
from gankit_explore.directions import find_directions, principal_directions, singular_directions
from gankit_explore.petal_factors import strongest_factor
from gankit_flowers.factors import draw_factors
from gankit_flowers.petals import draw_pictures
from torch import nn

from gankit.core.parts.choice import Choice
from gankit.runs.sampler import Sampler


class TwoNumbers(nn.Module):
    """Numbers 3 and 5 of z change the picture, number 5 most."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(10, 20)
        self.second = nn.Linear(20, 3 * 16)
        with torch.no_grad():
            self.first.weight.mul_(0.01)
            self.first.weight[7, 5] = 9
            self.first.weight[8, 3] = 4

    def forward(self, z):
        return torch.tanh(self.second(self.first(z).relu())).reshape(-1, 3, 4, 4)


@pytest.fixture(scope="module")
def sampler():
    torch.manual_seed(0)
    run = types.SimpleNamespace(
        latent_dim=10, image_size=4, dataset=Choice("cells"), class_names=()
    )
    return Sampler(run, 0, TwoNumbers())


@pytest.mark.parametrize("find", [singular_directions, principal_directions])
def test_the_numbers_of_z_that_matter_come_first(sampler, find):
    directions = find(sampler)
    assert [int(np.abs(z).argmax()) for z in directions[:2]] == [5, 3]
    assert np.abs(directions[0]).max() > 0.95


def test_directions_that_do_the_same_are_one(sampler):
    largest = [int(np.abs(direction.z).argmax()) for direction in find_directions(sampler)]
    assert largest[:2] == [5, 3]
    assert largest.count(5) == 1
    assert len(largest) <= 6


def test_a_network_without_layers_has_no_directions():
    run = types.SimpleNamespace(
        latent_dim=10, image_size=4, dataset=Choice("cells"), class_names=()
    )
    sampler = Sampler(run, 0, nn.Tanh())
    assert singular_directions(sampler) == []
    assert principal_directions(sampler) == []


@pytest.mark.parametrize(
    ("field", "step", "factor"),
    [
        ("x", 0.06, "place, left to right"),
        ("y", 0.06, "place, top to bottom"),
        ("size", 0.09, "size"),
        ("leaf_light", 0.25, "brightness of the leaves"),
        ("leaf_hue", 0.6, "colour of the leaves"),
        ("colour", 2, "colour"),
        ("petals", 2, "number of petals"),
        ("lean", 0.25, ""),  # nothing that is measured
    ],
)
def test_a_direction_is_named_after_the_factor_that_it_changes(field, step, factor):
    factors, per_petal, leaves = draw_factors(3, range(32))
    start = {"colour": 0, "petals": 5, "size": 0.7, "leaf_light": 0.9, "x": 0.47, "y": 0.47}.get(
        field, 0.2
    )
    middle = np.full_like(getattr(factors, field), start)
    low, high = (
        draw_pictures(factors._replace(**{field: middle + way}), per_petal, leaves, 64)
        for way in (0, step)
    )
    assert strongest_factor(low, high)[0] == factor
