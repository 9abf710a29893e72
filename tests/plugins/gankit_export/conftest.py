"""Generators to export, and the one of PyTorch's DCGAN tutorial with its file."""

import pytest
import torch
from torch import nn

from gankit.core import randomness
from gankit.runs.sampler import Sampler
from gankit.training.settings.compose import compose

Z = 12  # numbers in the tutorial's z


class TutorialGenerator(nn.Module):
    """The layers of the tutorial's generator: 64 px, `ngf` channels in the last map."""

    def __init__(self, ngf=8, nc=3):
        super().__init__()
        maps = (8 * ngf, 4 * ngf, 2 * ngf, ngf)
        layers = [nn.ConvTranspose2d(Z, maps[0], 4, 1, 0, bias=False)]
        for wide, narrow in zip(maps, (*maps[1:], nc), strict=True):
            layers += [nn.BatchNorm2d(wide), nn.ReLU(True)]
            layers += [nn.ConvTranspose2d(wide, narrow, 4, 2, 1, bias=False)]
        self.main = nn.Sequential(*layers, nn.Tanh())

    def forward(self, z):
        return self.main(z)


@torch.no_grad()
def age(net, seed=0):
    """The network in eval mode, with weights and statistics as if it had been trained."""
    random = torch.Generator().manual_seed(seed)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1, generator=random)
            module.running_var.uniform_(0.01, 0.5, generator=random)
            module.weight.fill_(3)  # so that pictures differ much
    return net.eval()


@pytest.fixture(scope="session")
def netG():
    """The tutorial's network, trained."""
    torch.manual_seed(0)
    return age(TutorialGenerator())


@pytest.fixture
def pth(netG, here):
    """The file that the tutorial's reader saves."""
    torch.save(netG.state_dict(), "netG.pth")
    return here / "netG.pth"


@pytest.fixture(scope="session")
def sampler_of(registry):
    """`sampler_of("light:base_channels=4")`: the sampler of a generator of gankit with 16 px."""

    def build(name, registry=registry, **settings):
        settings = {"image_size": 16, "latent_dim": Z, "channels": 3, **settings}
        run = compose(registry, generator=name, **settings)
        torch.manual_seed(randomness.derive_seed(0, 0, name))
        net = registry.make("generator", run.generator, **settings)
        return Sampler(run, 8, age(net))

    return build
