"""The latest part of the bench: cases written after the cures had been changed for the last time.

Each broken run, but for the exploding one, is one of the healthy runs of this part with one thing
changed, so that nothing else is wrong with it, and a cure can be told from a different run. None of
its seeds and pairs of networks is in another part. The photographs of flowers were seen before, in
other runs; the other pictures, which come with scikit-image, were not.
"""

from __future__ import annotations

from typing import Any

from gankit_doctor.cases.case import LATEST, Case, Settings
from gankit_doctor.cases.unseen import PHOTOGRAPHS, example_picture
from gankit_doctor.cases.ways import WAYS


def _rates(lr_g: float, lr_d: float) -> dict[str, Any]:
    return {"lr_g": lr_g, "lr_d": lr_d}


def _pair(generator: str, discriminator: str) -> dict[str, Any]:
    """A pair of networks of these widths: `dcgan-skip:18` is base_channels=18."""
    widths = (text.replace(":", ":base_channels=") for text in (generator, discriminator))
    return dict(zip(("generator", "discriminator"), widths, strict=True))


_COMMON = {"image_size": 32, "batch_size": 20, "tricks": "none", "log_every": 5, "steps": 640}
_COMMON |= {"loss": "non-saturating", **_rates(3.5e-4, 3.5e-4)}
FLOWERS = {"dataset": PHOTOGRAPHS, **_COMMON, **_pair("dcgan-skip:18", "dcgan:16")}
FLOWERS_PLAIN = {**FLOWERS, **_pair("dcgan:20", "dcgan:14")}
FLOWERS_MODERN = {**FLOWERS, **_pair("modern:10", "dcgan:16"), "latent_dim": 72}
ROCKET = {"dataset": "folder", "data": (example_picture("rocket.jpg"),), **_COMMON}
ROCKET |= {"fit": "patches:size=80,stride=8", **_pair("dcgan-skip:16", "mathworks:16")}
ROCKET_DENSE = {**ROCKET, **_pair("tf-dcgan:16", "dcgan:16")}
HUBBLE = {**ROCKET, "data": (example_picture("hubble_deep_field.jpg"),)}
HUBBLE |= {"fit": "patches:size=64,stride=12", **_pair("dcgan:16", "dcgan:18")}
GRASS = {**ROCKET, "data": (example_picture("grass.png"),), "channels": 1}
GRASS |= {"fit": "patches:size=64,stride=8", **_pair("dcgan-skip:16", "dcgan:12")}
CRITIC = {"loss": "wasserstein", "beta1": 0.0, "d_steps": 2, "steps": 400}

BROKEN: dict[str, Settings] = {  # name of the way -> all settings of its run
    "strong-d": {**FLOWERS, **_rates(2e-5, 1.8e-3)},
    "busy-d": {**ROCKET, **_rates(5e-5, 1e-3), "d_steps": 5, "steps": 300},
    "sleeping-d": {**GRASS, "lr_d": 9e-7},
    "sleeping-g": {**HUBBLE, "lr_g": 7e-7},
    "tiny-steps": {**FLOWERS_MODERN, **_rates(2e-7, 2e-7)},
    "long-steps": {**ROCKET, **_rates(0.35, 0.35)},
    "exploding": {**FLOWERS, **_pair("modern:10", "modern:8"), "latent_dim": 72,
                  "loss": "wasserstein", **_rates(0.02, 0.02)},
    "lying-labels": {**HUBBLE, "tricks": "flip-labels:p=0.5,which=both"},
    "covered-eyes": {**ROCKET, "tricks": "dropout-d:p=0.99"},
    "flat-loss": {**FLOWERS, "loss": "minimax", **_rates(1e-4, 2e-3)},
    "momentum": {**FLOWERS_PLAIN, "beta1": 0.9, **_rates(2e-3, 2e-3)},
    "racing-g": {**FLOWERS_PLAIN, **_rates(5e-3, 1.5e-4)},
    "one-number": {**FLOWERS, "latent_dim": 1},
    "few-pictures": {**FLOWERS, "subset": 320, "holdout": 0.5, "steps": 2400},
    "fewer-pictures": {**FLOWERS_PLAIN, "subset": 110, "holdout": 0.5, "steps": 1000},
    "sixty-pictures": {**FLOWERS, "subset": 55, "holdout": 0.0},
    "uneven-kernels": {**ROCKET_DENSE, **_rates(3e-3, 5e-4)},
    "false-colours": {**ROCKET, "tricks": "diffaugment:policy=color", **_rates(4e-3, 6e-4)},
    "heavy-r1": {**GRASS, "tricks": "r1:gamma=300"},
    "heavy-gradient-penalty": {**FLOWERS, "loss": "wasserstein", "tricks": "wgan-gp:weight=8000"},
    "unbounded": {**FLOWERS_PLAIN, "loss": "wasserstein"},
    "frozen-average": {**FLOWERS_MODERN, "tricks": "ema:decay=0.9999,ramp=0.0"},
    "unseen-noise": {**ROCKET, "tricks": "noisy-d:sigma=0.0002"},
    "no-flips": {**GRASS, "tricks": "flip-labels:p=0.0"},
}  # fmt: skip

HEALTHY: dict[str, tuple[Settings, str]] = {  # name -> settings, and why it may mislead
    "garden": ({**FLOWERS}, "flowers are varied"),
    "garden-plain": ({**FLOWERS_PLAIN}, "kernels that overlap"),
    "garden-modern": ({**FLOWERS_MODERN}, "a generator without batch norm"),
    "garden-hinge": ({**FLOWERS, "loss": "hinge", "tricks": "spectral-norm"},
                     "losses of 0 are normal"),
    "garden-critic": ({**FLOWERS, **CRITIC, "tricks": "wgan-gp"}, "the losses have no scale"),
    "garden-least-squares": ({**FLOWERS, "loss": "least-squares"}, "small losses"),
    "garden-ahead": ({**FLOWERS, **_rates(2e-4, 8e-4)}, "D is ahead, and G learns"),
    "garden-few": ({**FLOWERS, "subset": 600, "tricks": ("ada:kimg=20", "ema:decay=0.99"),
                    "zoom": 1.5, "flip": True}, "few pictures, treated well"),
    "garden-64": ({**FLOWERS, "image_size": 64, "batch_size": 16}, "64 px"),
    "garden-settling": ({**FLOWERS, "tricks": "lr-decay"}, "in the end nothing moves"),
    "garden-narrow-z": ({**FLOWERS, "latent_dim": 20}, "20 numbers are enough"),
    "garden-noise": ({**FLOWERS, "tricks": "noisy-d"}, "D sees noise at first"),
    "rocket": ({**ROCKET}, "patches of one picture, which overlap"),
    "rocket-kernels": ({**ROCKET_DENSE}, "uneven kernels"),
    "rocket-large-batch": ({**ROCKET, "batch_size": 48, "steps": 350}, "few steps"),
    "rocket-average": ({**ROCKET, "tricks": "ema:decay=0.99"}, "the grids lag"),
    "rocket-penalty": ({**ROCKET, "tricks": "r1:gamma=0.3,every=4"}, "a gentle penalty"),
    "hubble": ({**HUBBLE}, "nearly all of each picture is black"),
    "hubble-slow": ({**HUBBLE, **_rates(1.5e-4, 1.5e-4), "steps": 900}, "short steps"),
    "hubble-groups": ({**HUBBLE, "tricks": "minibatch-stddev"}, "D sees whole batches"),
    "grass": ({**GRASS}, "the pictures have no shapes"),
    "grass-small-batch": ({**GRASS, "batch_size": 12, "steps": 900}, "noisy losses"),
    "grass-smooth": ({**GRASS, "tricks": ("smooth-labels", "flip-labels:p=0.05")},
                     "D is never quite sure"),
    "grass-two-scales": ({**GRASS, **_rates(2e-4, 2e-4), "tricks": "ttur"},
                         "D learns four times as fast"),
}  # fmt: skip

REASONS = {  # where it is not that of the way
    "few-pictures": "160 training pictures, each seen 300 times",
}
LATEST_BROKEN = tuple(
    Case(
        f"{way.name}-latest",
        BROKEN[way.name],
        (LATEST,),
        way.expected,
        REASONS.get(way.name, way.reason),
    )
    for way in WAYS
)
LATEST_HEALTHY = tuple(
    Case(name, settings, (LATEST,), (), reason) for name, (settings, reason) in HEALTHY.items()
)
