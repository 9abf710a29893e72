"""FastGAN: light networks for few pictures of 128 px and more."""

from collections.abc import Callable

from gankit import DiscriminatorSpec, GeneratorSpec, ModelSpec, hookimpl

PAPER = "Liu et al. 2021, arXiv 2101.04775"
PUBLISHED = {
    "loss": "hinge",
    "tricks": ("spectral-norm", "diffaugment:policy=color+translation", "ema"),
    "latent_dim": 256,
    "batch_size": 8,
    "lr_g": 2e-4,
    "lr_d": 2e-4,
    "beta1": 0.5,
    "beta2": 0.999,
    "length": "50000 steps",
}


@hookimpl
def register_generators(register: Callable[[GeneratorSpec], None]) -> None:
    register(
        GeneratorSpec(
            name="light",
            summary="gated convolutions; small maps weight the channels of large ones (SLE)",
            source=PAPER,
            build="gankit_light.nets:Generator",
        )
    )


@hookimpl
def register_discriminators(register: Callable[[DiscriminatorSpec], None]) -> None:
    register(
        DiscriminatorSpec(
            name="light",
            summary="residual blocks that halve the image to 8x8, then the mean of 5x5 logits",
            source=PAPER,
            build="gankit_light.nets:Discriminator",
        )
    )


@hookimpl
def register_models(register: Callable[[ModelSpec], None]) -> None:
    for size in (128, 256):
        register(
            ModelSpec(
                name=f"light{size}",
                summary=f"FastGAN for {size} px and few pictures, at a quarter of its width",
                source=PAPER,
                generator="light",
                discriminator="light",
                image_size=size,
                settings=PUBLISHED,
            )
        )
