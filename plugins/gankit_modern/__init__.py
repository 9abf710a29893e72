"""Residual networks without batch norm: the step after DCGAN."""

from collections.abc import Callable

from gankit import DiscriminatorSpec, GeneratorSpec, ModelSpec, hookimpl

PAPER = "after R3GAN: Huang et al. 2025, arXiv 2501.05441"
GAMMA = {64: 1, 128: 4, 256: 16}  # grows with the number of pixels


@hookimpl
def register_generators(register: Callable[[GeneratorSpec], None]) -> None:
    register(
        GeneratorSpec(
            name="modern",
            summary="4x4 patterns weighted by z, residual blocks and upsampling; no batch norm",
            source=PAPER,
            build="gankit_modern.nets:Generator",
            lesson=15,
        )
    )


@hookimpl
def register_discriminators(register: Callable[[DiscriminatorSpec], None]) -> None:
    register(
        DiscriminatorSpec(
            name="modern",
            summary="residual blocks and downsampling, no batch norm; for loss relativistic and r1",
            source=PAPER,
            build="gankit_modern.nets:Discriminator",
            lesson=15,
        )
    )


@hookimpl
def register_models(register: Callable[[ModelSpec], None]) -> None:
    for size, gamma in GAMMA.items():
        register(
            ModelSpec(
                name=f"modern{size}",
                summary=f"residual networks without batch norm for {size} px, relativistic loss",
                source=PAPER,
                generator="modern",
                discriminator="modern",
                image_size=size,
                settings={
                    "loss": "relativistic",
                    "tricks": (*(f"{r}:gamma={gamma},every=8" for r in ("r1", "r2")), "ema"),
                    "latent_dim": 64,
                    "batch_size": 32,
                    "lr_g": 2e-4,
                    "lr_d": 2e-4,
                    "beta1": 0.0,
                    "beta2": 0.99,
                    "length": "200 kimg",
                },
            )
        )
