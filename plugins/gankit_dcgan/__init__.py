"""DCGAN: Radford, Metz and Chintala 2015, at any size that doubling a small map reaches."""

from collections.abc import Callable
from typing import Any

from gankit import DiscriminatorSpec, GeneratorSpec, ModelSpec, hookimpl

PAPER = "Radford, Metz & Chintala 2015, arXiv 1511.06434"
GROWING = "Karras et al. 2018, arXiv 1710.10196: progressive growing"
QUICK_TRICKS = ("ema:decay=0.998", "smooth-labels")
QUICK = {"batch_size": 32, "tricks": QUICK_TRICKS}
AS_PUBLISHED = {"batch_size": 64, "lr_g": 2e-4, "lr_d": 2e-4, "beta1": 0.5, "beta2": 0.999}


@hookimpl
def register_generators(register: Callable[[GeneratorSpec], None]) -> None:
    register(
        GeneratorSpec(
            name="dcgan",
            summary="z to a 4x4 map, then transposed convolutions that double it, batch norm, ReLU",
            source=PAPER,
            build="gankit_dcgan.nets:Generator",
            lesson=1,
        )
    )
    register(
        GeneratorSpec(
            name="dcgan-skip",
            summary="DCGAN's G with skip outputs, and upsampling that draws no checkerboard",
            source="after StyleGAN2's skip outputs, arXiv 1912.04958, and arXiv 1710.10196",
            build="gankit_dcgan.skip:Generator",
        )
    )
    register(
        GeneratorSpec(
            name="dcgan-grow",
            summary="dcgan-skip that can begin with small pictures, for the trick grow",
            source=GROWING,
            build="gankit_dcgan.grow:GrowingGenerator",
        )
    )


@hookimpl
def register_discriminators(register: Callable[[DiscriminatorSpec], None]) -> None:
    register(
        DiscriminatorSpec(
            name="dcgan",
            summary="strided convolutions that halve the image to 4x4, batch norm, leaky ReLU",
            source=PAPER,
            build="gankit_dcgan.nets:Discriminator",
            lesson=1,
        )
    )
    register(
        DiscriminatorSpec(
            name="dcgan-grow",
            summary="DCGAN's D that can begin with small pictures, for the trick grow",
            source=GROWING,
            build="gankit_dcgan.grow:GrowingDiscriminator",
        )
    )


@hookimpl
def register_models(register: Callable[[ModelSpec], None]) -> None:
    # At 256 px 64 channels would give 12.0 and 11.2 million parameters; 32 give 7.8 and 7.0.
    for size, network, width in (
        (64, "dcgan", ""),
        (128, "dcgan", ""),
        (256, "dcgan:base_channels=32", ", at half its width"),
    ):
        register(
            ModelSpec(
                name=f"dcgan{size}",
                summary=f"DCGAN for {size} px pictures with the paper's settings{width}",
                source=PAPER,
                generator=network,
                discriminator=network,
                image_size=size,
                settings={**AS_PUBLISHED, "length": "200 kimg"},
                lesson=1,
            )
        )
    register(
        ModelSpec(
            name="dcgan64-quick",
            summary="a narrow DCGAN for 64 px with EMA and smoothed targets: for two CPU cores",
            source="settings measured for gankit; network: " + PAPER,
            generator="dcgan:base_channels=16",
            discriminator="dcgan:base_channels=16",
            image_size=64,
            settings={**QUICK, "lr_g": 5e-4, "lr_d": 5e-4, "length": "75 kimg"},
            lesson=2,
        )
    )
    tricks = (*QUICK_TRICKS, "r1:gamma=0.1,every=4")
    # The default of `gankit run`; it trains in a few minutes.
    register(_skip(64, 24, default=True, tricks=tricks, length="60 kimg"))
    register(_skip(128, 24))
    register(_skip(256, 12))
    register(_grow(64, 24))
    register(_grow(128, 24))
    register(_grow(256, 12))


def _skip(size: int, width: int, default: bool = False, **settings: Any) -> ModelSpec:
    """The model for small data sets and small machines."""
    return ModelSpec(
        name=f"skip{size}",
        summary=f"a narrow DCGAN whose G has skip outputs, for {size} px; also for CPUs",
        source="measured for gankit; networks after " + PAPER,
        generator=f"dcgan-skip:base_channels={width}",
        discriminator=f"dcgan:base_channels={width}",
        image_size=size,
        settings={**QUICK, "lr_g": 4e-4, "lr_d": 4e-4, "length": "200 kimg", **settings},
        default=default,
    )


def _grow(size: int, width: int) -> ModelSpec:
    """The same, which begins with pictures of 16 px."""
    network = f"dcgan-grow:base_channels={width}"
    return ModelSpec(
        name=f"grow{size}",
        summary=f"the networks of skip{size}, which begin with 16 px and grow to {size} px",
        source=GROWING,
        generator=network,
        discriminator=network,
        image_size=size,
        settings={
            **QUICK,
            "tricks": (*QUICK_TRICKS, "grow", "lr-decay"),
            "lr_g": 4e-4,
            "lr_d": 4e-4,
            "length": "200 kimg",
        },
    )
