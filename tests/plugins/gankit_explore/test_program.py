"""Lowering: the same pictures as PyTorch, what is refused, and what a page is given."""

import json

import numpy as np
import pytest
import torch
from gankit_explore.program.check import largest_difference, require_same_pictures
from gankit_explore.program.lower import lower
from torch import nn
from torch.nn import functional

from gankit.core.errors import GankitError

LATENT_DIM = 20


class Custom(nn.Module):
    """A generator of 4 px whose map goes through a given function."""

    def __init__(self, function):
        super().__init__()
        self.project = nn.Linear(LATENT_DIM, 48)
        self.function = function

    def forward(self, z):
        return self.function(self.project(z).view(-1, 3, 4, 4))


def lower_function(function):
    return lower(Custom(function).eval(), LATENT_DIM)


def test_all_bundled_generators_draw_the_same_pictures(generator, program, generator_names):
    for name in generator_names:
        net = generator(name)
        assert net(torch.randn(16, LATENT_DIM)).std() > 0.1, name
        assert require_same_pictures(program(name), net) < 2, name


def test_float16_is_the_only_difference():
    """With weights that float16 can hold, pictures are those of PyTorch within a 100th level."""
    net = nn.Sequential(nn.Linear(4, 5), nn.Unflatten(1, (5, 1, 1)), nn.ConvTranspose2d(5, 3, 4))
    for weights in net.parameters():
        weights.data = (weights * 64).round() / 64
    net[2].weight.data[0, :] = 1  # the peak of each channel
    net[0].weight.data[:, 0] = 1
    assert largest_difference(lower(net.eval(), 4), net) < 0.01


def test_batch_norms_activations_and_upsampling_are_part_of_convolutions(program):
    kinds = [operation.kind for operation in program("dcgan").operations]
    assert kinds == ["convolve"] * 4
    kinds = [operation.kind for operation in program("light").operations]
    assert "upsample" not in kinds


def test_a_value_that_is_read_twice_is_not_changed():
    def forward(x):
        y = x * 2
        return torch.tanh(torch.relu(y) + y)

    net = Custom(forward).eval()
    assert largest_difference(lower(net, LATENT_DIM), net) < 2


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("group_norm", lambda x: functional.group_norm(x, 3)),
        ("conv2d", lambda x: functional.conv2d(x, torch.ones(3, 3, 2, 2), stride=2)),
        ("conv2d", lambda x: functional.conv2d(x, x)),
        ("randn", lambda x: x + torch.randn(2, 3, 4, 4)),
        ("div", lambda x: x / x.sigmoid()),
        ("view", lambda x: x.view(3, -1, 4, 4)),
        (
            "upsample_bilinear2d",
            lambda x: functional.interpolate(x, scale_factor=4, mode="bilinear"),
        ),
        ("mul", lambda x: x[:, :1] * x),
        ("cat", lambda x: torch.cat([x, torch.ones(2, 3, 4, 4)], dim=1)),
        ("split", lambda x: x.split(2, 2)[0]),
    ],
)
def test_other_operations_are_refused_by_name(name, function):
    with pytest.raises(GankitError) as raised:
        lower_function(function)
    message = str(raised.value)
    assert name in message
    assert "--format onnx" in message
    assert "\n" not in message


def test_a_generator_that_pytorch_cannot_export():
    with pytest.raises(GankitError, match="PyTorch cannot export") as raised:
        lower_function(lambda x: x if x.mean() > 0 else x + 1)
    assert "\n" not in str(raised.value)


def test_pictures_that_do_not_depend_on_z_are_refused():
    net = nn.Sequential(nn.Linear(4, 3), nn.Unflatten(1, (3, 1, 1)))
    net.forward = lambda z: torch.zeros(len(z), 3, 8, 8)
    with pytest.raises(GankitError, match="z"):
        lower(net.eval(), 4)


def test_pictures_that_differ_are_refused(generator):
    net = generator("dcgan")
    program = lower(net, LATENT_DIM)
    program.operations[1].arrays["bias"][0] += 1
    with pytest.raises(GankitError, match="--format onnx") as raised:
        require_same_pictures(program, net)
    assert f"{largest_difference(program, net):.1f}" in str(raised.value)


def test_the_description_points_into_the_weights(generator, program):
    lowered = program("dcgan-skip")
    description = json.loads(json.dumps(lowered.describe()))
    weights = lowered.weights()
    assert description["latent_dim"] == LATENT_DIM
    assert description["shape"] == [3, 32, 32]
    first = description["operations"][0]
    phase = first["phases"][5]
    given = np.frombuffer(weights, "<f2", LATENT_DIM * first["shape"][0], phase["weights"])
    np.testing.assert_array_equal(given, lowered.operations[0].phases[5].weights.ravel())
    bias = np.frombuffer(weights, "<f4", first["shape"][0], first["bias"])
    np.testing.assert_array_equal(bias, lowered.operations[0].arrays["bias"])
    numbers = sum(weight.numel() for weight in generator("dcgan-skip").parameters())
    assert 2 * numbers < len(weights) < 5 * numbers
    shapes = [layer["shape"] for layer in description["layers"]]
    assert shapes == [[16, 4, 4], [8, 8, 8], [4, 16, 16], [2, 32, 32]]
