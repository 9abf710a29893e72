"""FastGAN's networks: skip-layer excitation by hand, gates, where they sit, counts, settings."""

import pytest
import torch
from gankit_light.nets import Discriminator, Down, Excitation, Generator, gated_layers
from torch import nn

from gankit import compose

TIMES = {4: 16, 8: 8, 16: 4, 32: 2, 64: 2, 128: 1, 256: 0.5}  # the paper's widths


def count(net):
    return sum(p.numel() for p in net.parameters())


def g_by_hand(size, base, latent_dim=256):
    """Parameters of G: gated convolutions with batch norm, no biases; excitations; the last."""
    wide = {at: int(base * times) for at, times in TIMES.items()}
    total = 16 * latent_dim * 2 * wide[4] + 4 * wide[4]
    for at in (8, 16, 32, 64, 128, 256)[: size.bit_length() - 3]:
        total += 9 * wide[at // 2] * 2 * wide[at] + 4 * wide[at]
        if at in (8, 32, 128):  # a second convolution
            total += 9 * wide[at] * 2 * wide[at] + 4 * wide[at]
        if at in (64, 128, 256):
            total += 16 * wide[at // 16] * wide[at] + wide[at] ** 2
    return total + 9 * wide[size] * 3


def d_by_hand(size, base):
    wide, total = base * 64 // size, 27 * (base * 64 // size)
    while size > 8:
        size //= 2
        narrow, wide = wide, base * 64 // size
        total += (16 + 1) * narrow * wide + 9 * wide * wide + 6 * wide
    return total + wide * 2 * wide + 4 * wide + 16 * 2 * wide


@pytest.mark.parametrize("base", [16, 64])
@pytest.mark.parametrize("size", [64, 128, 256])
def test_counts_follow_from_the_maps(size, base):
    with torch.device("meta"):
        assert count(Generator(size, base_channels=base)) == g_by_hand(size, base)
        assert count(Discriminator(size, base_channels=base)) == d_by_hand(size, base)


def test_the_docstrings_say_how_many():
    for size in (128, 256):
        assert f"{g_by_hand(size, 16):,}" in Generator.__doc__
        assert f"{d_by_hand(size, 16):,}" in Discriminator.__doc__


@pytest.mark.parametrize(
    ("size", "excited"),
    [(16, []), (32, []), (64, ["64"]), (128, ["64", "128"]), (256, ["64", "128", "256"])],
)
def test_shapes_and_excitations_at_all_sizes(size, excited):
    G, D = Generator(size, base_channels=1, latent_dim=3), Discriminator(size, base_channels=1)
    assert list(G.excitations) == excited
    assert len(G.blocks) == size.bit_length() - 3
    images = G(torch.randn(2, 3))
    assert images.shape == (2, 3, size, size)
    assert images.abs().max() <= 1
    assert D(images).shape == (2,)
    images.mean().backward()
    assert all(weight.grad is not None for weight in G.parameters())


def test_excitation_is_a_factor_for_each_channel_from_the_small_map():
    sle = Excitation(3, 5, (4, 4)).double()
    small = torch.randn(2, 3, 8, 8, dtype=torch.float64, requires_grad=True)
    large = torch.randn(2, 5, 128, 128, dtype=torch.float64, requires_grad=True)
    first, second = sle.factors[0].weight, sle.factors[2].weight[:, :, 0, 0]
    pooled = small.reshape(2, 3, 4, 2, 4, 2).mean(dim=(3, 5))
    mixed = torch.einsum("nchw,ochw->no", pooled, first)
    mixed = mixed * torch.sigmoid(mixed)
    factors = torch.sigmoid(mixed @ second.T)
    by_hand = factors[:, :, None, None] * large
    ours = sle(small, large)
    assert torch.allclose(ours, by_hand)
    weigh = torch.randn_like(ours)
    gradients = [torch.autograd.grad((x * weigh).sum(), (small, large)) for x in (ours, by_hand)]
    assert all(torch.allclose(a, b) for a, b in zip(*gradients, strict=True))
    assert ((factors > 0) & (factors < 1)).all()


def test_g_excites_a_map_from_the_one_a_sixteenth_as_large():
    G = Generator(128, base_channels=2, latent_dim=3)
    seen = {}
    for size, part in G.excitations.items():
        part.register_forward_hook(lambda part, given, out, size=size: seen.update({size: given}))
    G(torch.randn(2, 3))
    shapes = {size: [x.shape[2] for x in given] for size, given in seen.items()}
    assert shapes == {"64": [4, 64], "128": [8, 128]}


def test_half_of_the_channels_gate_the_other_half():
    layers = nn.Sequential(*gated_layers(nn.Conv2d(3, 8, 1), 4)).eval()
    x = torch.randn(2, 3, 4, 4)
    y = layers[1](layers[0](x))
    assert torch.allclose(layers(x), y[:, :4] * torch.sigmoid(y[:, 4:]), atol=1e-6)


def test_a_block_of_d_is_the_mean_of_its_two_ways():
    down, x = Down(3, 4).eval(), torch.randn(2, 3, 8, 8)
    assert torch.allclose(down(x), (down.main(x) + down.short(x)) / 2)
    pooled = x.reshape(2, 3, 4, 2, 4, 2).mean(dim=(3, 5))
    assert torch.allclose(down.short[0](x), pooled, atol=1e-6)
    assert down(x).shape == (2, 4, 4, 4)


def test_d_answers_with_the_mean_of_five_by_five():
    D, images = Discriminator(64, base_channels=2).eval(), torch.rand(3, 3, 64, 64)
    answers = D.main(images)
    assert answers.shape == (3, 1, 5, 5)
    assert torch.allclose(D(images), answers.flatten(1).mean(dim=1))


def test_weights_begin_as_in_dcgan_and_those_of_d_so_that_variance_stays():
    for net in (Generator(64), Discriminator(64)):
        for part in net.modules():
            if isinstance(part, nn.Conv2d | nn.ConvTranspose2d) and part.weight.numel() > 1000:
                he = (2 / 1.04 / part.weight[0].numel()) ** 0.5
                want = 0.02 if isinstance(net, Generator) else he
                assert part.weight.std().item() == pytest.approx(want, rel=0.1)


@pytest.mark.parametrize("size", [128, 256])
def test_a_new_d_answers_also_before_batch_norm_acts(size):
    D, images = Discriminator(size).eval(), torch.rand(2, 3, size, size) * 2 - 1
    with torch.no_grad():
        assert 1e-3 < D(images).abs().max() < 10


def test_one_z_is_one_picture():
    G, z = Generator(32, base_channels=2, latent_dim=3).eval(), torch.randn(2, 3)
    assert torch.equal(G(z), G(z))


def test_settings_are_those_of_the_paper(registry):
    for name in ("light128", "light256"):
        run = compose(registry, model=name)
        assert (run.loss, run.batch_size, run.latent_dim, run.lr_g) == ("hinge", 8, 256, 2e-4)
        assert run.tricks == ("spectral-norm", "diffaugment:policy=color+translation", "ema")
