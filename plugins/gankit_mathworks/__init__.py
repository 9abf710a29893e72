"""The networks of MathWorks' GAN example, and two student projects that went on from there."""

from collections.abc import Callable

from gankit import DiscriminatorSpec, GeneratorSpec, ModelSpec, hookimpl

PAGE = "https://www.mathworks.com/help/deeplearning/ug/train-generative-adversarial-network.html"
ADAM = {"lr_g": 2e-4, "lr_d": 2e-4, "beta1": 0.5, "beta2": 0.999}
PUBLISHED = {"batch_size": 128, **ADAM, "length": "500 epochs"}


@hookimpl
def register_generators(register: Callable[[GeneratorSpec], None]) -> None:
    register(
        GeneratorSpec(
            name="mathworks",
            summary="z projected to a 4x4 map, then 5x5 transposed convolutions, batch norm, ReLU",
            source="MathWorks, Train Generative Adversarial Network: " + PAGE,
            build="gankit_mathworks.nets:Generator",
        )
    )


@hookimpl
def register_discriminators(register: Callable[[DiscriminatorSpec], None]) -> None:
    register(
        DiscriminatorSpec(
            name="mathworks",
            summary="5x5 strided convolutions, batch norm, leaky ReLU; a dense or a conv head",
            source="MathWorks, Train Generative Adversarial Network: " + PAGE,
            build="gankit_mathworks.nets:Discriminator",
        )
    )


@hookimpl
def register_models(register: Callable[[ModelSpec], None]) -> None:
    for name, summary, source, generator, discriminator, tricks in (
        (
            "mathworks64",
            "MathWorks' GAN example: dropout on D's input, a third of the real targets flipped",
            PAGE,
            "mathworks",
            "mathworks",
            ("dropout-d", "flip-labels"),
        ),
        (
            "flowergan64",
            "the FlowerGAN project as it was meant: noise on D's input, flipped targets",
            "a student project on tf_flowers; strengths of the tricks: gankit's; network: " + PAGE,
            "mathworks",
            "mathworks",
            ("noisy-d", "flip-labels"),
        ),
        (
            "flowers-keras64",
            "a Keras project on flowers: dropout on D's input, head=dense or conv",
            "a student project on tf_flowers; network: " + PAGE,
            "mathworks:start=stride-2",
            "mathworks:head=dense",
            ("dropout-d",),
        ),
    ):
        register(
            ModelSpec(
                name=name,
                summary=summary,
                source=source,
                generator=generator,
                discriminator=discriminator,
                image_size=64,
                settings={**PUBLISHED, "tricks": tricks},
            )
        )
