"""Every part that comes with gankit builds and does what its name and its paper say."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from gankit import GankitError, Targets, Trick, compose, picture_files
from gankit.core.parts.choice import Choice
from gankit.core.parts.registry import load_registry
from gankit.core.parts.specs import KINDS

REGISTRY = load_registry()
NAMES = {kind: [spec.name for spec in REGISTRY.specs(kind)] for kind in KINDS}
SMALL = {"image_size": 32, "channels": 3, "latent_dim": 10}


def specs():
    return [pytest.param(spec, id=f"{k} {spec.name}") for k in KINDS for spec in REGISTRY.specs(k)]


@pytest.mark.parametrize("spec", specs())
def test_every_spec_says_what_a_person_wants_to_know(spec):
    assert spec.name == spec.name.lower()
    assert not set(spec.name) & set(" _:,=")
    assert 10 <= len(spec.summary) <= 90
    assert "\n" not in spec.summary
    assert not spec.summary.endswith(".")
    assert spec.source
    if spec.kind not in ("model", "recipe"):
        light = isinstance(spec.build, str) or spec.build is picture_files
        assert light, "bundled parts are imported only when needed"
        assert spec.builder().__doc__
        options = spec.options().values()
        assert [option.name for option in options if option.default is option.empty] == []


@pytest.mark.parametrize("kind", KINDS)
def test_at_most_one_part_of_a_kind_is_the_default(kind):
    defaults = [spec.name for spec in REGISTRY.specs(kind) if spec.default]
    assert len(defaults) == (1 if kind in ("dataset", "model", "loss", "recipe") else 0)


# ---------------------------------------------------------------- networks


def test_dcgan64_is_the_published_network_to_the_number():
    run = compose(REGISTRY, model="dcgan64")
    sizes = {"image_size": run.image_size, "channels": 3, "latent_dim": run.latent_dim}
    G = REGISTRY.make("generator", run.generator, **sizes)
    D = REGISTRY.make("discriminator", run.discriminator, **sizes)
    assert sum(p.numel() for p in G.parameters()) == 3_576_704
    assert sum(p.numel() for p in D.parameters()) == 2_765_568
    assert (run.batch_size, run.lr_g, run.lr_d) == (64, 2e-4, 2e-4)
    assert (run.beta1, run.beta2) == (0.5, 0.999)
    for net in (G, D):
        for layer in net.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                assert abs(layer.weight.mean().item()) < 2e-3
                assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
                assert layer.bias is None
            elif isinstance(layer, nn.BatchNorm2d):
                assert layer.weight.mean().item() == pytest.approx(1, abs=0.01)
                assert layer.weight.std().item() == pytest.approx(0.02, rel=0.3)
                assert not layer.bias.any()
    assert [type(layer).__name__ for layer in G.main][-2:] == ["ConvTranspose2d", "Tanh"]
    assert isinstance(D.main[0], nn.Conv2d)
    assert isinstance(D.main[1], nn.LeakyReLU)  # no batch norm on the first layer
    assert D.main[1].negative_slope == 0.2


def test_widths_double_towards_the_small_end_up_to_a_cap():
    def widths(text, size):
        net = REGISTRY.make("generator", text, image_size=size, channels=3, latent_dim=10)
        return [m.out_channels for m in net.main if isinstance(m, nn.ConvTranspose2d)]

    assert widths("dcgan:base_channels=4", 64) == [32, 16, 8, 4, 3]
    assert widths("dcgan:base_channels=4,max_channels=10", 128) == [10, 10, 10, 8, 4, 3]


@pytest.mark.parametrize("options", ["base_channels=0", "max_channels=0", "base_channels=-3"])
def test_widths_that_do_not_suit_are_refused(options):
    with pytest.raises(GankitError, match=options.split("=")[0]):
        REGISTRY.make("generator", f"dcgan:{options}", image_size=16)


# ---------------------------------------------------------------- data sets


@pytest.mark.parametrize("size", [16, 64])
@pytest.mark.parametrize("name", ["petals", "ihc"])  # the others: test_named_sets.py
def test_data_sets_are_sequences_of_pictures(name, size):
    pictures = REGISTRY.make("dataset", f"{name}:count=5", image_size=size, channels=3)
    assert len(pictures) == 5
    for picture in (pictures[0], pictures[4]):
        assert np.asarray(picture).dtype == np.uint8
        assert np.asarray(picture).std() > 5  # something is there to see
    with pytest.raises(IndexError):
        pictures[5]


def test_the_folder_is_a_sequence_of_pictures(pictures_folder):
    pictures = REGISTRY.make("dataset", "folder", data=(str(pictures_folder),), image_size=16)
    assert len(pictures) == 12
    assert [picture.size for picture in pictures] == [(24, 20 + i) for i in range(12)]


# ---------------------------------------------------------------- losses

REAL, FAKE = [2.0, -1.0, 0.5], [-3.0, 0.25, 1.0]
TARGETS = ([1.0, 1.0, 1.0], [0.0, 0.0, 0.0])
SMOOTH = ([0.9, 0.9, 0.0], [0.1, 0.0, 1.0])


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def cross_entropy(logits, targets):
    pairs = zip(logits, targets, strict=True)
    return mean(-t * math.log(sigmoid(x)) - (1 - t) * math.log(1 - sigmoid(x)) for x, t in pairs)


def squares(logits, targets):
    return mean((x - t) ** 2 for x, t in zip(logits, targets, strict=True)) / 2


def trainer(logits_real, logits_fake, targets):
    """Every loss written out once more, from its paper: name -> (D's, G's)."""
    t_real, t_fake = targets
    entropy = cross_entropy(logits_real, t_real) + cross_entropy(logits_fake, t_fake)
    pairs = list(zip(logits_real, logits_fake, strict=True))
    ones = [1.0] * len(logits_fake)
    return {
        "non-saturating": (entropy, mean(-math.log(sigmoid(x)) for x in logits_fake)),
        "minimax": (entropy, mean(math.log(1 - sigmoid(x)) for x in logits_fake)),
        "least-squares": (
            squares(logits_real, t_real) + squares(logits_fake, t_fake),
            squares(logits_fake, ones),
        ),
        "hinge": (
            mean(max(0, 1 - x) for x in logits_real) + mean(max(0, 1 + x) for x in logits_fake),
            -mean(logits_fake),
        ),
        "wasserstein": (mean(logits_fake) - mean(logits_real), -mean(logits_fake)),
        "relativistic": (
            mean(math.log(1 + math.exp(-(r - f))) for r, f in pairs),
            mean(math.log(1 + math.exp(-(f - r))) for r, f in pairs),
        ),
    }


def test_every_loss_is_held_against_its_paper():
    assert set(NAMES["loss"]) <= set(trainer(REAL, FAKE, TARGETS))


@pytest.mark.parametrize("targets", [TARGETS, SMOOTH], ids=["plain", "smoothed and flipped"])
@pytest.mark.parametrize("name", NAMES["loss"])
def test_losses_are_those_of_their_papers(name, targets):
    loss = REGISTRY.make("loss", name)
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    d_loss, g_loss = trainer(REAL, FAKE, targets)[name]
    tensors = Targets(*map(torch.tensor, targets))
    assert loss.d_loss(real, fake, tensors).item() == pytest.approx(d_loss, abs=1e-6)
    assert loss.g_loss(fake, real).item() == pytest.approx(g_loss, abs=1e-6)
    plain = loss.d_loss(real, fake, Targets(*map(torch.tensor, TARGETS)))
    moved = loss.d_loss(real, fake, Targets(*map(torch.tensor, SMOOTH)))
    assert bool(plain != moved) == loss.reads_targets


def test_minimax_fades_where_non_saturating_does_not():
    slopes = {}
    for name in ("minimax", "non-saturating"):
        fake = torch.tensor([-8.0], requires_grad=True)  # D is sure that this is a fake
        (slope,) = torch.autograd.grad(REGISTRY.make("loss", name).g_loss(fake, None), fake)
        slopes[name] = abs(slope.item())
    assert slopes["minimax"] < 0.001
    assert slopes["non-saturating"] > 0.99


@pytest.mark.parametrize("name", NAMES["loss"])
def test_opinions_are_probabilities_where_that_makes_sense(name):
    score = REGISTRY.make("loss", name).score(torch.tensor([-2.0, 0.0, 2.0]))
    assert (score.diff() > 0).all()
    if name in ("least-squares", "wasserstein"):
        assert score.tolist() == [-2, 0, 2]
    else:
        assert score.tolist() == pytest.approx([sigmoid(-2), 0.5, sigmoid(2)])


# ---------------------------------------------------------------- tricks


@pytest.mark.parametrize(
    "text",
    [
        "noisy-d:sigma=-1",
        "noisy-d:until=0",
        "noisy-d:until=1.5",
        "flip-labels:p=1.1",
        "flip-labels:p=-0.1",
        "flip-labels:which=all",
        "smooth-labels:real=1.2",
        "smooth-labels:real=0.1,fake=0.3",
        "dropout-d:p=1",
        "dropout-d:p=-0.5",
        "diffaugment:policy=colour",
        "diffaugment:policy=color+blur",
        "r1:gamma=-1",
        "r1:every=0",
        "ema:decay=1",
        "ema:decay=-0.1",
        "ema:ramp=-1",
    ],
)
def test_values_that_make_no_sense_are_refused(text):
    with pytest.raises(GankitError, match=f"^trick '{Choice.parse(text).name}' .*'tricks': "):
        REGISTRY.make("trick", text)


def test_a_misspelt_method_is_refused_at_once():
    with pytest.raises(TypeError, match="d_imput.*'d_input'"):
        type("Wrong", (Trick,), {"d_imput": lambda self, images, gan: images})
    quiet = type("Quiet", (Trick,), {"_own": lambda self: 1, "number": 3})
    assert quiet().number == 3
