"""DCGAN's networks that can grow: what they draw and judge at each size."""

import copy

import pytest
import torch
from gankit_dcgan.grow import GrowingDiscriminator, GrowingGenerator, enlarge, shrink
from gankit_dcgan.nets import Discriminator
from gankit_dcgan.skip import Generator, upsample

Z = 6  # latent_dim
GROWTH = ("growth", "fade")  # buffers that networks without growth do not have


@pytest.fixture
def G():
    torch.manual_seed(0)
    return GrowingGenerator(32, latent_dim=Z, base_channels=4)


@pytest.fixture
def D():
    torch.manual_seed(0)
    return GrowingDiscriminator(32, base_channels=4)


@pytest.fixture
def z():
    return torch.randn(4, Z, generator=torch.Generator().manual_seed(1))


def settle(*nets):
    """Let batch norm's statistics be those of pictures, so that eval mode is a test."""
    z = torch.randn(32, Z, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        for _ in range(20):
            images = nets[0].train()(z)
            for net in nets[1:]:
                net.train()(images)
    for net in nets:
        net.eval()


def test_at_full_size_g_is_dcgan_skip(G, z):
    skip = Generator(32, latent_dim=Z, base_channels=4)
    skip.load_state_dict({k: v for k, v in G.state_dict().items() if k not in GROWTH})
    assert torch.equal(G(z), skip(z))
    assert torch.equal(G.eval()(z), skip.eval()(z))


@pytest.mark.parametrize("halvings", [0, 1])
def test_d_has_the_layers_of_dcgan_for_its_size(D, halvings):
    D.grow_to(halvings)
    side = 32 >> halvings
    plain = Discriminator(side, base_channels=4 << halvings)
    newest = D.max_halvings - halvings
    layers = [D.looks[newest][0]]
    for index in reversed(range(newest)):
        layers += [D.downs[index][0], D.downs[index][1]]
    layers.append(D.last)
    with_weights = [layer for layer in plain.main if list(layer.parameters())]
    for own, other in zip(layers, with_weights, strict=True):
        other.load_state_dict(own.state_dict())
    images = torch.rand(4, 3, side, side)
    assert torch.equal(D(images), plain(images))


@pytest.mark.parametrize(("halvings", "fade"), [(0, 1.0), (0, 0.5), (1, 1.0), (1, 0.5), (2, 1.0)])
def test_in_eval_mode_pictures_have_the_full_size(G, D, z, halvings, fade):
    for net in (G, D):
        net.grow_to(halvings, fade)
    settle(G, D)
    full = G(z)
    G.train()
    assert full.shape == (4, 3, 32, 32)
    assert G(z).shape == (4, 3, 32 >> halvings, 32 >> halvings)
    small = shrink(full, 2**halvings)
    assert torch.allclose(enlarge(small, halvings), full, atol=1e-6)  # squares
    assert torch.allclose(D(full), D(small), atol=1e-6)
    assert torch.allclose(D.train()(full), D(small), atol=1e-5)


def test_new_layers_fade_in(G, D, z):
    for net in (G, D):
        net.grow_to(1)
    before = upsample(G(z).atanh()).tanh()
    G.grow_to(0, 0.0)
    assert torch.allclose(G(z), before, atol=1e-5)
    settle(G, D)
    D.grow_to(1)
    images = torch.rand(4, 3, 32, 32)
    small_logits = D(shrink(images, 2))
    D.grow_to(0, 0.0)
    assert torch.allclose(D(images), small_logits, atol=1e-6)
    D.grow_to(0, 1.0)
    new = D(images)
    D.grow_to(0, 0.25)
    assert not torch.allclose(D(images), new)
    assert not torch.allclose(D(images), small_logits)


def test_new_layers_get_gradients_while_they_fade_in(G, D, z):
    for net in (G, D):
        net.grow_to(1, 0.3)
    D(G(z)).sum().backward()
    newest = [G.ups[1], G.paints[1], D.looks[1], D.downs[0]]
    assert all(p.grad.any() for layer in newest for p in layer.parameters())
    unused = [G.ups[2], G.paints[2], D.looks[2], D.downs[1]]
    assert all(p.grad is None for layer in unused for p in layer.parameters())


def test_a_copy_and_a_checkpoint_know_how_far_it_has_grown(G, z):
    G.grow_to(1, 0.5)
    settle(G)
    assert torch.equal(copy.deepcopy(G)(z), G(z))
    other = GrowingGenerator(32, latent_dim=Z, base_channels=4).eval()
    other.load_state_dict(G.state_dict())
    assert (other.halvings, other.is_fading) == (1, True)
    assert torch.equal(other(z), G(z))


@pytest.mark.parametrize(
    ("halvings", "fade"), [(-1, 1.0), (3, 1.0), (1, 1.5), (1, -0.1), (2, 0.5), (1, float("nan"))]
)
def test_impossible_growth_is_refused(G, halvings, fade):
    with pytest.raises(ValueError, match=f"halved {halvings} times"):
        G.grow_to(halvings, fade)
    assert (G.halvings, G.is_fading, int(G.growth), float(G.fade)) == (0, False, 0, 1.0)
    state = G.state_dict()
    state["growth"] = torch.tensor(halvings)
    state["fade"] = torch.tensor(fade)
    with pytest.raises(ValueError, match=f"halved {halvings} times"):
        G.load_state_dict(state)
