"""Tricks do what their papers say; what all tricks have in common, the conformance kit checks."""

import itertools

import pytest
import torch
from gankit_tricks.diffaugment import DiffAugment
from gankit_tricks.ema import EMA
from gankit_tricks.flip_labels import FlipLabels
from gankit_tricks.noisy_d import NoisyD
from gankit_tricks.r1 import R1
from gankit_tricks.smooth_labels import SmoothLabels
from torch import nn

from gankit import GankitError, Targets, Trick
from gankit.core.device import Machine
from gankit.core.gan import Gan, Player
from gankit.core.parts.registry import load_registry
from gankit.core.reported import text_of

NAMES = [spec.name for spec in load_registry().specs("trick")]
SOON = {  # tricks whose defaults take longer to change anything
    "ada": "ada:target=-1.0,every=1,kimg=0.001",
    "lr-decay": "lr-decay:begin=0.0",
}


def weights(trainer):
    return [p for player in (trainer.gan.G, trainer.gan.D) for p in player.net.parameters()]


def a_gan(d_net=None):
    """A Gan around any D, for tricks that are asked by hand."""
    machine = Machine(torch.device("cpu"), "32")
    d_net = d_net or nn.Flatten(0)
    gan = Gan(Player("G", nn.Linear(4, 4)), Player("D", d_net), 4, 0, 10, machine)
    gan.begin_step(0)
    return gan


def test_ema_never_touches_training(trainer_of):
    with_it, without = trainer_of("ema"), trainer_of()
    for step in range(2):
        with_it.step(step)
        without.step(step)
    assert all(torch.equal(a, b) for a, b in zip(weights(with_it), weights(without), strict=True))


@pytest.mark.parametrize("name", [n for n in NAMES if n != "ema"])
def test_a_trick_changes_training(trainer_of, name):
    with_it, without = trainer_of(SOON.get(name, name)), trainer_of()
    for step in range(3):
        with_it.step(step)
        without.step(step)
    both = zip(weights(with_it), weights(without), strict=False)
    assert any(not torch.equal(a, b) for a, b in both)


def test_a_method_that_is_no_place_in_a_step_is_an_error():
    with pytest.raises(TypeError, match="d_inputs.*'d_input'"):
        type("Misspelt", (Trick,), {"d_inputs": lambda self, images, gan: images})
    fine = type("Fine", (Trick,), {"_helper": lambda self: 1, "d_input": Trick.d_input})
    assert fine()._helper() == 1


@pytest.mark.parametrize(
    "text",
    [
        "noisy-d:sigma=-1.0",
        "noisy-d:until=0.0",
        "flip-labels:p=3.0",
        "flip-labels:which=both-of-them",
        "smooth-labels:real=1.5",
        "smooth-labels:until=0.0",
        "smooth-labels:until=yes",
        "noisy-labels:amount=-0.1",
        "blur:sigma=-1.0",
        "ada:policy=turn",
        "ada:target=2.0",
        "lecam:decay=1.0",
        "replay:share=2.0",
        "top-k:floor=0.0",
        "feature-matching:weight=-1.0",
        "historical-averaging:weight=-1.0",
        "dropout-d:p=1.0",
        "diffaugment:policy=colour",
        "r1:gamma=-1.0",
        "r1:every=0",
        "ema:decay=1.0",
        "ema:ramp=-1.0",
    ],
)
def test_options_out_of_range_are_refused_in_words(registry, text):
    with pytest.raises(GankitError, match=text.partition(":")[0]):
        registry.make("trick", text)


def test_noise_has_the_sigma_it_reports_and_fades():
    trick, gan = NoisyD(sigma=0.2, until=0.5), a_gan()
    images = torch.zeros(16, 3, 32, 32)
    assert trick.d_input(images, gan).std().item() == pytest.approx(0.2, rel=0.02)
    assert text_of(trick.activity()) == "sigma 0.200"
    gan.step = 2  # of 10: two fifths of the way to `until`
    assert trick.d_input(images, gan).std().item() == pytest.approx(0.12, rel=0.02)
    gan.step = 5
    assert torch.equal(trick.d_input(images, gan), images)
    assert trick.activity() is None


def test_flips_are_as_many_as_asked_and_counted():
    trick, gan = FlipLabels(p=0.25), a_gan()
    targets = Targets(torch.ones(20_000), torch.zeros(20_000))
    real, fake = trick.targets(targets, gan)
    assert 1 - real.mean().item() == pytest.approx(0.25, abs=0.01)
    assert torch.equal(fake, targets.fake)
    assert (
        text_of(trick.activity())
        == f"flipped {100 * (1 - real.mean().item()):.1f} % of real targets"
    )
    real, fake = FlipLabels(p=0.25, which="fake").targets(targets, gan)
    assert torch.equal(real, targets.real)
    assert fake.mean().item() == pytest.approx(0.25, abs=0.01)


def test_smoothing_also_smooths_what_was_flipped():
    flipped = Targets(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]))
    real, fake = SmoothLabels(real=0.9, fake=0.1).targets(flipped, a_gan())
    assert real.tolist() == pytest.approx([0.9, 0.1])
    assert fake.tolist() == pytest.approx([0.1, 0.9])


def test_translation_moves_whole_pictures_by_whole_pixels():
    trick, gan = DiffAugment("translation"), a_gan()
    images = torch.rand(32, 3, 16, 16) + 0.5  # nowhere zero
    moved = trick.d_input(images, gan)
    offsets = set()
    for before, after in zip(images, moved, strict=True):
        fits = [
            (dy, dx)
            for dy, dx in itertools.product(range(-2, 3), repeat=2)
            if torch.equal(after, shifted(before, dy, dx))
        ]
        assert len(fits) == 1
        offsets |= set(fits)
    assert len(offsets) > 10  # each picture has a draw of its own


def shifted(image, dy, dx):
    result = torch.zeros_like(image)
    height, width = image.shape[1:]
    rows = slice(max(dy, 0), min(height, height + dy))
    columns = slice(max(dx, 0), min(width, width + dx))
    source_rows = slice(max(-dy, 0), min(height, height - dy))
    source_columns = slice(max(-dx, 0), min(width, width - dx))
    result[:, rows, columns] = image[:, source_rows, source_columns]
    return result


def test_cutout_greys_one_square_of_half_the_side():
    images = torch.ones(64, 3, 16, 16)
    cut = DiffAugment("cutout").d_input(images, a_gan())
    gone = (cut == 0).all(dim=1)
    areas = gone.sum(dim=(1, 2))
    assert areas.max() == 64  # 8 x 8, where the square lies inside
    assert areas.min() >= 16  # a corner's quarter
    assert torch.equal((cut == 0).any(dim=1), gone)
    rows = gone.any(dim=2).sum(dim=1)
    assert bool((rows * gone.any(dim=1).sum(dim=1) == areas).all())  # a rectangle


def test_color_keeps_within_the_published_ranges():
    images = torch.rand(256, 3, 8, 8) * 2 - 1
    trick = DiffAugment("color")
    out = trick._color(images, torch.Generator().manual_seed(1))
    brightness = out.mean(dim=(1, 2, 3)) - images.mean(dim=(1, 2, 3))
    assert brightness.abs().max() <= 0.5 + 1e-5
    assert brightness.abs().max() > 0.4
    contrast = out.mean(dim=1).std(dim=(1, 2)) / images.mean(dim=1).std(dim=(1, 2))
    assert 0.5 - 1e-4 <= contrast.min() < 0.6
    assert 1.4 < contrast.max() <= 1.5 + 1e-4


def test_r1_is_the_known_slope_of_a_linear_d():
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 1), nn.Flatten(0))
    gan = a_gan(net)
    real = torch.randn(5, 3, 2, 2)
    penalty = R1(gamma=4.0).penalty(gan, gan.D, real, None)
    slope = net[1].weight.detach().square().sum()
    assert penalty.item() == pytest.approx(4.0 / 2 * slope.item(), rel=1e-5)
    (grad,) = torch.autograd.grad(penalty, net[1].weight)
    assert torch.allclose(grad, 4.0 * net[1].weight)  # d/dw of gamma/2 |w|^2
    assert R1(gamma=4.0).penalty(gan, gan.G, real, None) is None


def test_lazy_r1_comes_every_so_often_and_that_much_stronger():
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 1), nn.Flatten(0))
    gan, trick, real = a_gan(net), R1(gamma=1.0, every=4), torch.randn(5, 3, 2, 2)
    given = []
    for step in range(8):
        gan.begin_step(step)
        given.append(trick.penalty(gan, gan.D, real, None))
    assert [value is not None for value in given] == [True, False, False, False] * 2
    every_step = R1(gamma=1.0).penalty(gan, gan.D, real, None)
    assert given[0].item() == pytest.approx(4 * every_step.item(), rel=1e-5)


def test_spectral_norm_brings_the_largest_singular_value_to_one(trainer_of):
    trainer = trainer_of("spectral-norm", model="dcgan64:base_channels=8")
    for step in range(12):
        trainer.step(step)
    layers = [m for m in trainer.gan.D.net.modules() if isinstance(m, nn.Conv2d)]
    assert len(layers) == len(trainer.tricks[0].layers) == 3
    for layer in layers:
        largest = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), ord=2)
        assert largest.item() == pytest.approx(1.0, abs=0.1)
    assert all(not hasattr(m, "parametrizations") for m in trainer.gan.G.net.modules())


def test_ema_is_the_average_its_formula_says(trainer_of):
    trainer = trainer_of("ema:decay=0.9,ramp=0.5")
    gan, name = trainer.gan, "main.0.weight"
    average = gan.G.net.state_dict()[name].clone()
    for step in range(4):
        trainer.step(step)
        decay = min(0.9, 0.5 ** (1 / (0.5 * (step + 1))))
        average = decay * average + (1 - decay) * gan.G.net.state_dict()[name]
        assert torch.allclose(gan.sampler.state_dict()[name], average, atol=1e-6)
    running = "main.1.running_mean"  # buffers are averaged too
    assert not torch.equal(gan.sampler.state_dict()[running], gan.G.net.state_dict()[running])
    assert gan.sampler is not gan.G.net
    assert not any(p.requires_grad for p in gan.sampler.parameters())


def test_ema_without_ramp_keeps_its_decay(trainer_of):
    trainer = trainer_of("ema:decay=0.75,ramp=0.0")
    trainer.step(0)
    assert text_of(trainer.tricks[0].activity()) == "decay 0.7500"
    assert isinstance(trainer.tricks[0], EMA)
