"""What the plugin adds. Every gankit command imports this file, so do not import torch here."""

from collections.abc import Callable

from gankit import DiscriminatorSpec, GeneratorSpec, ModelSpec, hookimpl

NAME = "plugin-name"
SOURCE = "the paper or web page that it follows"


@hookimpl
def register_generators(register: Callable[[GeneratorSpec], None]) -> None:
    register(
        GeneratorSpec(
            name=NAME,
            summary="a dense layer, then two upsampling convolutions",
            source=SOURCE,
            build="plugin_name.nets:Generator",  # imported when a run uses it
        )
    )


@hookimpl
def register_discriminators(register: Callable[[DiscriminatorSpec], None]) -> None:
    register(
        DiscriminatorSpec(
            name=NAME,
            summary="two strided convolutions and a dense layer",
            source=SOURCE,
            build="plugin_name.nets:Discriminator",
        )
    )


@hookimpl
def register_models(register: Callable[[ModelSpec], None]) -> None:
    register(
        ModelSpec(
            name=NAME,
            summary="a small GAN for 32 px pictures",
            source=SOURCE,
            generator="plugin-name",
            discriminator="plugin-name",
            image_size=32,
            settings={"batch_size": 32, "tricks": ("ema:decay=0.998",), "length": "50 kimg"},
        )
    )
