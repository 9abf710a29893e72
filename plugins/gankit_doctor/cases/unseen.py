"""The test half of the bench: cases that were written before the rules were tuned.

None of their pictures, seeds and pairs of networks is in the other parts. The photographs are
those of the data set tf-flowers, or of a folder with the same layout; retina.jpg and coffee.png
come with scikit-image.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import skimage

from gankit_doctor.cases.case import TEST, Case, Settings
from gankit_doctor.cases.ways import WAYS

PHOTOGRAPHS = "tf-flowers"


def example_picture(name: str) -> str:
    """The path of a picture that comes with scikit-image."""
    return str(Path(skimage.__file__).parent / "data" / name)


def _rates(lr_g: float, lr_d: float) -> dict[str, Any]:
    return {"lr_g": lr_g, "lr_d": lr_d}


FLOWERS = {"dataset": PHOTOGRAPHS, "image_size": 32, "batch_size": 32, "tricks": "none"}
FLOWERS |= {"log_every": 5, "steps": 480, "loss": "non-saturating", **_rates(3e-4, 3e-4)}
RETINA = {**FLOWERS, "dataset": "folder", "data": (example_picture("retina.jpg"),)}
RETINA |= {"fit": "patches:size=96,stride=32"}
COFFEE = {**RETINA, "data": (example_picture("coffee.png"),), "fit": "patches:size=64,stride=12"}

DCGAN = {"model": "dcgan64:base_channels=20"}
SKIP = {"generator": "dcgan-skip:base_channels=12", "discriminator": "dcgan:base_channels=12"}
SKIP_TF = {"generator": "dcgan-skip:base_channels=12", "discriminator": "tf-dcgan:base_channels=8"}
WIDE_KERNELS = {
    "generator": "mathworks:base_channels=12",
    "discriminator": "dcgan:base_channels=16",
}
TENSORFLOW = {
    "generator": "tf-dcgan:base_channels=12",
    "discriminator": "mathworks:base_channels=12",
}
LIGHT_G: dict[str, Any] = {
    "generator": "light:base_channels=8",
    "discriminator": "dcgan:base_channels=12",
}
LIGHT_G |= {"latent_dim": 64}
MODERN_G: dict[str, Any] = {
    "generator": "modern:base_channels=8",
    "discriminator": "dcgan:base_channels=12",
}
MODERN_G |= {"latent_dim": 64}
MODERN: dict[str, Any] = {"model": "modern64:base_channels=8", "latent_dim": 48}
MODERN |= {"loss": "relativistic", "beta1": 0.0, "beta2": 0.99, **_rates(3e-4, 3e-4)}
MODERN |= {"tricks": ("r1:gamma=5,every=4", "r2:gamma=5,every=4")}

_BROKEN: dict[str, Settings] = {  # name of the way -> all settings of its run
    "strong-d": {**FLOWERS, **DCGAN, **_rates(1e-5, 1e-3)},
    "busy-d": {**RETINA, **SKIP, **_rates(4e-5, 8e-4), "d_steps": 6, "steps": 220},
    "sleeping-d": {**FLOWERS, **SKIP, "lr_d": 5e-7},
    "sleeping-g": {**COFFEE, **WIDE_KERNELS, "lr_g": 1e-6},
    "tiny-steps": {**FLOWERS, **LIGHT_G, **_rates(2e-7, 2e-7)},
    "long-steps": {**FLOWERS, **SKIP, **_rates(0.4, 0.4)},
    "exploding": {**RETINA, **MODERN, "tricks": "none", "loss": "wasserstein",
                  **_rates(0.02, 0.02)},
    "lying-labels": {**FLOWERS, **DCGAN, "batch_size": 64, "steps": 260,
                     "tricks": "flip-labels:p=0.5,which=both"},
    "covered-eyes": {**COFFEE, **SKIP, "batch_size": 16, "steps": 640,
                     "tricks": "dropout-d:p=0.99"},
    "flat-loss": {**FLOWERS, **WIDE_KERNELS, "loss": "minimax", **_rates(1e-4, 2e-3)},
    "momentum": {**FLOWERS, **SKIP, "beta1": 0.9, **_rates(3e-3, 3e-3)},
    "racing-g": {**RETINA, **DCGAN, **_rates(4e-3, 1e-4)},
    "one-number": {**FLOWERS, **MODERN_G, "latent_dim": 1, "steps": 600},
    "few-pictures": {**FLOWERS, **SKIP, "subset": 400, "holdout": 0.5, "steps": 1000},
    "fewer-pictures": {**FLOWERS, **DCGAN, "subset": 120, "holdout": 0.5, "steps": 800,
                       "batch_size": 24},
    "sixty-pictures": {**FLOWERS, **MODERN_G, "subset": 55, "holdout": 0.0},
    "uneven-kernels": {**FLOWERS, **TENSORFLOW, **_rates(3e-3, 4e-4)},
    "false-colours": {**FLOWERS, **DCGAN, "tricks": "diffaugment:policy=color",
                      **_rates(4e-3, 5e-4)},
    "heavy-r1": {**RETINA, **SKIP_TF, "tricks": "r1:gamma=300"},
    "heavy-gradient-penalty": {**FLOWERS, **SKIP_TF, "loss": "wasserstein",
                               "tricks": "wgan-gp:weight=8000"},
    "unbounded": {**FLOWERS, **WIDE_KERNELS, "loss": "wasserstein", **_rates(4e-4, 4e-4)},
    "frozen-average": {**COFFEE, **LIGHT_G, "tricks": "ema:decay=0.9999,ramp=0.0"},
    "unseen-noise": {**FLOWERS, **SKIP, "image_size": 64, "steps": 300,
                     "tricks": "noisy-d:sigma=0.0002"},
    "no-flips": {**RETINA, **LIGHT_G, "tricks": ("ema", "dropout-d:p=0.0")},
}  # fmt: skip

_HEALTHY: dict[str, tuple[Settings, str]] = {  # name -> settings, and why it may mislead
    "photographs": ({**FLOWERS, **DCGAN}, "photographs are more varied than drawn flowers"),
    "photographs-skip": ({**FLOWERS, **SKIP}, "another pair of networks"),
    "photographs-64": ({**FLOWERS, **SKIP, "image_size": 64, "steps": 320}, "64 px"),
    "photographs-light": ({**FLOWERS, **LIGHT_G, "tricks": "ema:decay=0.99"}, "gated layers"),
    "photographs-modern": ({**FLOWERS, **MODERN}, "one answer of D means nothing"),
    "photographs-mixed": ({**FLOWERS, **MODERN_G}, "a G without batch norm"),
    "photographs-kernels": ({**FLOWERS, **TENSORFLOW}, "kernels that overlap unevenly"),
    "small-batch": ({**FLOWERS, **SKIP, "batch_size": 16, "steps": 720}, "losses are noisy"),
    "large-batch": ({**FLOWERS, **DCGAN, "batch_size": 64, "steps": 240}, "few steps"),
    "fast": ({**FLOWERS, **DCGAN, **_rates(8e-4, 8e-4)}, "long steps"),
    "slow": ({**FLOWERS, **SKIP, **_rates(1e-4, 1e-4), "steps": 640}, "short steps"),
    "far-ahead": ({**FLOWERS, **SKIP, **_rates(2e-4, 6e-4)}, "D is ahead, and G learns"),
    "flowers-hinge": (
        {**FLOWERS, **WIDE_KERNELS, "loss": "hinge", "tricks": "spectral-norm"},
        "losses of 0 are normal",
    ),
    "flowers-critic": (
        {**FLOWERS, **SKIP_TF, "loss": "wasserstein", "tricks": "wgan-gp", "beta1": 0.0},
        "the losses have no scale",
    ),
    "flowers-least-squares": ({**FLOWERS, **DCGAN, "loss": "least-squares"}, "small losses"),
    "gentle-penalty": ({**FLOWERS, **SKIP_TF, "tricks": "r1:gamma=0.5"}, "a penalty that helps"),
    "augmented": (
        {**FLOWERS, **SKIP, "subset": 800, "tricks": "diffaugment", "flip": True, "steps": 600},
        "few pictures, treated well",
    ),
    "retina": ({**RETINA, **DCGAN}, "the pictures are much alike, and many are black in part"),
    "coffee": ({**COFFEE, **SKIP}, "patches of one picture, which overlap"),
    "grey-photographs": ({**FLOWERS, **SKIP, "channels": 1}, "pictures of one channel"),
    "one-kind": ({**FLOWERS, **DCGAN, "classes": "sunflowers"}, "few and like each other"),
}

UNSEEN_BROKEN = tuple(
    Case(f"{way.name}-test", _BROKEN[way.name], (TEST,), way.expected, way.reason) for way in WAYS
)
UNSEEN_HEALTHY = tuple(
    Case(name, settings, (TEST,), (), reason) for name, (settings, reason) in _HEALTHY.items()
)
