"""Art with DCGAN: models that use the networks of the plugin `dcgan`."""

from collections.abc import Callable

from gankit import ModelSpec, hookimpl

PAPER = "Radford, Metz & Chintala 2015, arXiv 1511.06434"
RECIPE = {"batch_size": 64, "lr_g": 2e-4, "lr_d": 5e-5, "beta1": 0.5, "beta2": 0.999}
MODELS = (
    # At 128 px the recipe adds a block of twice the width. At 256 px that gives G 48 million
    # weights, and a project that did so did not converge. So art256 ends at 512 channels;
    # art256:max_channels=2048 is the network of that project.
    ("art64", "the art recipe: DCGAN with a slow D", 64, "dcgan"),
    ("art128", "the art recipe, one more block of twice the width", 128, "dcgan:max_channels=1024"),
    ("art256", "the art recipe, two more blocks, no wider than at 64 px", 256, "dcgan"),
)


@hookimpl
def register_models(register: Callable[[ModelSpec], None]) -> None:
    for name, summary, size, network in MODELS:
        register(
            ModelSpec(
                name=name,
                summary=summary,
                source="art and cell-picture projects; network: " + PAPER,
                generator=network,
                discriminator=network,
                image_size=size,
                settings={**RECIPE, "length": "300 epochs"},
            )
        )
    register(
        ModelSpec(
            name="art-dcgan128",
            summary="art-DCGAN: a G four times as wide as its D; 78 million parameters, for a GPU",
            source="Barrat 2017, https://github.com/robbiebarrat/art-DCGAN",
            generator="dcgan:base_channels=160,max_channels=2560",
            discriminator="dcgan:base_channels=40,max_channels=640",
            image_size=128,
            settings={**RECIPE, "lr_d": 2e-4, "length": "100 epochs"},
        )
    )
