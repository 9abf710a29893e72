"""The networks of TensorFlow's DCGAN tutorial, extended to 64 px and more."""

from collections.abc import Callable

from gankit import DiscriminatorSpec, GeneratorSpec, ModelSpec, hookimpl

PAGE = "TensorFlow, Deep Convolutional GAN: https://www.tensorflow.org/tutorials/generative/dcgan"
PUBLISHED = {"batch_size": 256, "lr_g": 1e-4, "lr_d": 1e-4, "beta1": 0.9, "beta2": 0.999}


@hookimpl
def register_generators(register: Callable[[GeneratorSpec], None]) -> None:
    register(
        GeneratorSpec(
            name="tf-dcgan",
            summary="z to a dense 8x8 map, 5x5 transposed convolutions, batch norm, leaky ReLU",
            source=PAGE,
            build="gankit_tfdcgan.nets:Generator",
        )
    )


@hookimpl
def register_discriminators(register: Callable[[DiscriminatorSpec], None]) -> None:
    register(
        DiscriminatorSpec(
            name="tf-dcgan",
            summary="5x5 strided convolutions with dropout and no batch norm, a dense head",
            source=PAGE,
            build="gankit_tfdcgan.nets:Discriminator",
        )
    )


@hookimpl
def register_models(register: Callable[[ModelSpec], None]) -> None:
    for size in (64, 128):
        register(
            ModelSpec(
                name=f"tf-dcgan{size}",
                summary=f"TensorFlow's tutorial extended to {size} px, as in a flower project",
                source=PAGE,
                generator="tf-dcgan",
                discriminator="tf-dcgan",
                image_size=size,
                settings={**PUBLISHED, "length": "500 epochs"},
            )
        )
