"""Every model trains with its own loss and tricks, and every network can take what tricks ask."""

import math

import pytest
import torch

import gankit
from gankit import GankitError, compose
from gankit.core.parts.registry import load_registry
from gankit.core.run.image_size import ImageSize
from gankit.training import assemble
from gankit.training.weights.network_size import make_network

REGISTRY = load_registry()
MODELS = [spec.name for spec in REGISTRY.specs("model")]
NETWORKS = [spec.name for spec in REGISTRY.specs("discriminator")]


def trained(model, **asked):
    """A trainer after two steps of the model's own recipe, small in all that is not its idea."""
    size = 32 if model.startswith("grow") else 16  # which begin with 16 px
    small = {"dataset": "petals:count=64", "image_size": size, "batch_size": 8, "length": "2 steps"}
    run = compose(REGISTRY, model=f"{model}:base_channels=2", **{**small, "device": "cpu", **asked})
    prepared = gankit.prepare(run, REGISTRY, lambda done, total: None)
    trainer = assemble.assemble(assemble.resolve_auto(run, prepared), REGISTRY, prepared)
    scalars = [trainer.step(step) for step in range(2)][-1]
    assert all(math.isfinite(float(value)) for value in scalars.values())
    for player in (trainer.gan.G, trainer.gan.D):
        assert all(bool(value.isfinite().all()) for value in player.net.state_dict().values())
    return trainer


@pytest.mark.parametrize("precision", ["32", "bf16"])
@pytest.mark.parametrize("model", MODELS)
def test_models_train_as_published(model, precision):
    trainer = trained(model, precision=precision)
    assert all(trick.activity() for trick in trainer.tricks)
    images = trainer.gan.sample(torch.randn(2, trainer.run.latent_dim))
    assert images.abs().max() <= 1


@pytest.mark.parametrize("name", NETWORKS)
def test_penalties_can_be_taken_on_every_discriminator(name):
    """R1 and its like differentiate D's slope once more."""
    D = REGISTRY.make("discriminator", f"{name}:base_channels=2", image_size=16, channels=3)
    images = torch.rand(4, 3, 16, 16).requires_grad_()
    (slope,) = torch.autograd.grad(D(images).sum(), images, create_graph=True)
    slope.square().sum().backward()
    reached = [weight for weight in D.parameters() if weight.grad is not None]
    assert len(reached) > 1
    assert all(weight.grad.isfinite().all() for weight in reached)
    assert any(weight.grad.any() for weight in reached)


@pytest.mark.parametrize("kind", ["generator", "discriminator"])
@pytest.mark.parametrize("name", NETWORKS)
def test_memory_format_and_batch_size_do_not_change_what_a_network_says(name, kind):
    net = REGISTRY.make(kind, f"{name}:base_channels=2", image_size=16, channels=3, latent_dim=4)
    x = torch.randn(5, 4) if kind == "generator" else torch.rand(5, 3, 16, 16)
    with torch.no_grad():
        said = net.eval()(x)
        assert torch.allclose(net(x[:2]), said[:2], atol=1e-5)
        net.to(memory_format=torch.channels_last)
        assert torch.allclose(net(x), said, atol=1e-5)


@pytest.mark.parametrize("kind", ["generator", "discriminator"])
@pytest.mark.parametrize(
    ("size", "near"),
    [
        (8, "16"),
        (17, "16"),
        (100, "96"),
        ((60, 100), "96x64"),
        ((100, 60), "64x96"),
        ((16, 80), "64x16"),
    ],
)
@pytest.mark.parametrize("name", NETWORKS)
def test_other_sizes_are_refused_with_one_that_is_possible(name, size, near, kind):
    height, width = size if isinstance(size, tuple) else (size, size)
    wanted = rf"image_size is {width}x{height}, .* try --image-size {near}$"
    with pytest.raises(GankitError, match=wanted):
        make_network(REGISTRY, kind, REGISTRY.check(kind, name), ImageSize(width, height))
    width, height = map(int, (near.split("x") * 2)[:2])
    REGISTRY.make(kind, f"{name}:base_channels=1", image_size=(height, width))


@pytest.mark.parametrize("kind", ["generator", "discriminator"])
@pytest.mark.parametrize("size", [(16, 24), (24, 16), (20, 56), 48, (16, 64)])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_suits_every_shape_that_a_small_map_doubles_to(name, size, kind):
    net = REGISTRY.make(
        kind, f"{name}:base_channels=2", image_size=size, channels=3, latent_dim=4
    ).eval()
    height, width = size if isinstance(size, tuple) else (size, size)
    images = (2, 3, height, width)
    given = torch.randn(2, 4) if kind == "generator" else torch.randn(images)
    with torch.no_grad():
        assert net(given).shape == (images if kind == "generator" else (2,))


@pytest.mark.parametrize("kind", ["generator", "discriminator"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_width_of_0_is_refused(name, kind):
    with pytest.raises(GankitError, match="base_channels"):
        REGISTRY.make(kind, f"{name}:base_channels=0", image_size=16)


WITH_CLASSES = [
    *(("generator", name) for name in ("dcgan", "dcgan-skip", "dcgan-grow")),
    *(("discriminator", name) for name in ("dcgan", "dcgan-grow")),
]


@pytest.mark.parametrize(("kind", "name"), WITH_CLASSES)
def test_classes_add_tables_and_change_no_other_tensor(kind, name):
    """So --init takes all of a base without labels."""
    sizes = {"image_size": 16, "channels": 3, "latent_dim": 4}
    plain, conditional = (
        REGISTRY.make(kind, f"{name}:base_channels=2", **sizes, num_classes=number).state_dict()
        for number in (0, 3)
    )
    tables = set(conditional) - set(plain)
    assert {key: conditional[key].shape for key in plain} == {
        key: tensor.shape for key, tensor in plain.items()
    }
    assert {key.split(".")[-2] for key in tables} <= {"scale", "shift", "project"}
    assert tables
