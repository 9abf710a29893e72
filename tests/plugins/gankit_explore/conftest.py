"""Small generators with pictures of much contrast, and one of all other operations."""

import logging

import pytest
import torch
from gankit_explore.program.lower import lower
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

LATENT_DIM = 20


@torch.no_grad()
def prepared(net, latent_dim=LATENT_DIM):
    """The net in eval mode, its batch norms and its last layer set so that pictures are varied."""
    net.train()
    for _ in range(40):
        net(torch.randn(16, latent_dim))
    net.eval().requires_grad_(False)
    last = [layer for layer in net.modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]
    spread = torch.atanh(net(torch.randn(16, latent_dim)).clamp(-0.99999, 0.99999)).std()
    last[-1].weight *= 0.8 / spread
    return net


class Other(nn.Module):
    """What the bundled generators do not use, and a page can draw all the same; 16 px, grey."""

    def __init__(self):
        super().__init__()
        self.project = nn.Linear(LATENT_DIM, 6 * 16)
        self.start = nn.Parameter(torch.randn(1, 6, 4, 4))
        self.grouped = nn.Conv2d(12, 16, 3, padding="same", groups=4)
        self.shuffle = nn.PixelShuffle(2)
        self.normal = spectral_norm(nn.Conv2d(4, 10, 3, padding=2, dilation=2))
        self.drop = nn.Dropout(0.5)
        self.up = nn.ConvTranspose2d(5, 4, 3, stride=2, padding=1, output_padding=1, groups=1)
        self.last = nn.Conv2d(4, 1, (3, 1), padding=(1, 0), bias=False)

    def forward(self, z):
        x = torch.sigmoid(self.project(z)).view(-1, 6, 4, 4)
        x = torch.cat([x * self.start, 2 * x[:, 0:6] - 0.5], 1)
        x = self.shuffle(functional.silu(self.grouped(x)))
        x = self.drop(functional.glu(self.normal(x), 1)) / 3
        mean = functional.adaptive_avg_pool2d(x, 1)
        x = functional.leaky_relu(self.up((1 - x) * 3 - x * mean), 0.1)
        return torch.tanh(self.last(-x))


@pytest.fixture(scope="session", autouse=True)
def no_trace():
    """torch.export writes much into a log that pytest would keep; it takes most of the time."""
    trace = logging.getLogger("torch.__trace")
    trace.propagate = False
    yield
    trace.propagate = True


@pytest.fixture(scope="session")
def generator(registry):
    """`generator("light")`: a bundled generator for 32 px, narrow, with varied pictures; `other`.

    They take z of 20 numbers.
    """
    made = {}

    def build(name):
        torch.manual_seed(3)
        if name == "other":
            return prepared(Other())
        sizes = {"image_size": 32, "channels": 3, "latent_dim": LATENT_DIM}
        return prepared(registry.make("generator", f"{name}:base_channels=4", **sizes))

    return lambda name: made.get(name) or made.setdefault(name, build(name))


@pytest.fixture(scope="session")
def transparent_generator(registry):
    """A generator for 16 px whose pictures have four channels."""
    torch.manual_seed(3)
    sizes = {"image_size": 16, "channels": 4, "latent_dim": LATENT_DIM}
    return prepared(registry.make("generator", "dcgan:base_channels=4", **sizes))


@pytest.fixture(scope="session")
def program(generator):
    """`program("light")`: that generator, lowered; do not change it."""
    made = {}
    return lambda name: made.get(name) or made.setdefault(name, lower(generator(name), LATENT_DIM))


@pytest.fixture(scope="session")
def generator_names(registry):
    """All bundled generators, and `other`."""
    return [*(spec.name for spec in registry.specs("generator")), "other"]
