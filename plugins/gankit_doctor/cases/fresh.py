"""The fresh part of the bench: cases written after the rules had been tuned on all others.

None of their pictures, seeds and pairs of networks is in another part. The paintings are those of
the data set vangogh and the cells those of the data set tissue, or of folders of such pictures; the
other pictures come with scikit-image.
"""

from __future__ import annotations

from typing import Any

from gankit_doctor.cases.case import FRESH, Case, Settings
from gankit_doctor.cases.unseen import example_picture
from gankit_doctor.cases.ways import WAYS

PAINTINGS = "vangogh"
CELLS = "tissue"


def _rates(lr_g: float, lr_d: float) -> dict[str, Any]:
    return {"lr_g": lr_g, "lr_d": lr_d}


def _pair(generator: str, discriminator: str) -> dict[str, Any]:
    """A pair of networks of these widths: `dcgan-skip:14` is base_channels=14."""
    widths = (text.replace(":", ":base_channels=") for text in (generator, discriminator))
    return dict(zip(("generator", "discriminator"), widths, strict=True))


ART = {"dataset": PAINTINGS, "fit": "patches:size=128,stride=32", "image_size": 32}
ART |= {"batch_size": 24, "tricks": "none", "log_every": 5, "steps": 600}
ART |= {"loss": "non-saturating", **_rates(3e-4, 3e-4)}
BLOOD = {**ART, "dataset": CELLS, "fit": "patches:size=96,stride=32"}
PERSON = {**ART, "dataset": "folder", "data": (example_picture("astronaut.png"),)}
PERSON |= {"fit": "patches:size=64,stride=12"}
CAT = {**PERSON, "data": (example_picture("chelsea.png"),), "fit": "patches:size=64,stride=9"}
BRICKS = {**PERSON, "data": (example_picture("brick.png"),), "channels": 1}

SKIP = _pair("dcgan-skip:14", "dcgan:14")
WIDE_SKIP = _pair("dcgan-skip:20", "mathworks:14")
PLAIN = _pair("dcgan:18", "mathworks:12")
SMALL_D = _pair("dcgan:14", "dcgan:10")
DENSE = _pair("tf-dcgan:14", "dcgan:14")
DENSE_BOTH = _pair("tf-dcgan:14", "tf-dcgan:10")
KERNELS = _pair("mathworks:14", "tf-dcgan:10")
GATED = {**_pair("light:10", "mathworks:12"), "latent_dim": 80}
RESIDUAL = {**_pair("modern:8", "modern:10"), "latent_dim": 40}

BROKEN: dict[str, Settings] = {  # name of the way -> all settings of its run
    "strong-d": {**ART, **PLAIN, **_rates(2e-5, 1.5e-3)},
    "busy-d": {**BLOOD, **SKIP, **_rates(6e-5, 1e-3), "d_steps": 4, "steps": 260},
    "sleeping-d": {**PERSON, **DENSE, "lr_d": 8e-7},
    "sleeping-g": {**ART, **WIDE_SKIP, "lr_g": 8e-7},
    "tiny-steps": {**BLOOD, **GATED, **_rates(3e-7, 3e-7), "batch_size": 16},
    "long-steps": {**CAT, **SMALL_D, **_rates(0.25, 0.25)},
    "exploding": {**ART, **RESIDUAL, "loss": "wasserstein", **_rates(0.015, 0.02)},
    "lying-labels": {**BLOOD, **SKIP, "batch_size": 48, "steps": 320,
                     "tricks": "flip-labels:p=0.5,which=both"},
    "covered-eyes": {**ART, **PLAIN, "tricks": "dropout-d:p=0.98"},
    "flat-loss": {**CAT, **SKIP, "loss": "minimax", **_rates(1.5e-4, 1.5e-3)},
    "momentum": {**BLOOD, **DENSE, "beta1": 0.9, **_rates(2.5e-3, 2.5e-3)},
    "racing-g": {**ART, **KERNELS, **_rates(5e-3, 1.5e-4)},
    "one-number": {**PERSON, **WIDE_SKIP, "latent_dim": 1},
    "few-pictures": {**BLOOD, **SKIP, "subset": 300, "holdout": 0.5, "steps": 900},
    "fewer-pictures": {**PERSON, **SMALL_D, "subset": 100, "holdout": 0.5, "steps": 900,
                       "batch_size": 16},
    "sixty-pictures": {**ART, **GATED, "subset": 50, "holdout": 0.0},
    "uneven-kernels": {**BLOOD, **DENSE_BOTH, **_rates(3e-3, 5e-4)},
    "false-colours": {**ART, **SKIP, "tricks": "diffaugment:policy=color", **_rates(4e-3, 6e-4)},
    "heavy-r1": {**BLOOD, **SMALL_D, "tricks": "r1:gamma=250"},
    "heavy-gradient-penalty": {**CAT, **WIDE_SKIP, "loss": "wasserstein",
                               "tricks": "wgan-gp:weight=5000"},
    "unbounded": {**ART, **KERNELS, "loss": "wasserstein"},
    "frozen-average": {**BLOOD, **PLAIN, "tricks": "ema:decay=0.99995,ramp=0.0"},
    "unseen-noise": {**PERSON, **SKIP, "image_size": 64, "batch_size": 16, "steps": 450,
                     "tricks": "noisy-d:sigma=0.0005"},
    "no-flips": {**ART, **SMALL_D, "tricks": ("smooth-labels", "flip-labels:p=0.0")},
}  # fmt: skip

_CRITIC = {"loss": "wasserstein", "tricks": "wgan-gp", "beta1": 0.0, "d_steps": 2, "steps": 400}
HEALTHY: dict[str, tuple[Settings, str]] = {  # name -> settings, and why it may mislead
    "paintings": ({**ART, **SKIP}, "paintings are varied"),
    "blood": ({**BLOOD, **SKIP}, "much of each picture is empty"),
    "paintings-plain": ({**ART, **SMALL_D}, "kernels that overlap"),
    "blood-hinge": ({**BLOOD, **PLAIN, "loss": "hinge", "tricks": "spectral-norm"},
                    "losses of 0 are normal"),
    "paintings-critic": ({**ART, **WIDE_SKIP, **_CRITIC}, "the losses have no scale"),
    "blood-kernels": ({**BLOOD, **DENSE_BOTH, **_rates(2e-4, 2e-4)}, "uneven kernels"),
    "paintings-64": ({**ART, **SKIP, "image_size": 64, "batch_size": 16}, "64 px"),
    "blood-small-batch": ({**BLOOD, **SKIP, "batch_size": 12, "steps": 900}, "noisy losses"),
    "paintings-large-batch": ({**ART, **SKIP, "batch_size": 48, "steps": 400}, "few steps"),
    "blood-ahead": ({**BLOOD, **SKIP, **_rates(2e-4, 8e-4)}, "D is ahead, and G learns"),
    "paintings-average": ({**ART, **SMALL_D, "tricks": "ema:decay=0.99"}, "the grids lag"),
    "blood-settling": ({**BLOOD, **SKIP, "tricks": "lr-decay"}, "in the end nothing moves"),
    "person": ({**PERSON, **WIDE_SKIP}, "patches of one picture, which overlap"),
    "cat": ({**CAT, **SKIP}, "nearly all colours are alike"),
    "bricks": ({**BRICKS, **SKIP}, "the pictures have a regular pattern"),
    "paintings-grey": ({**ART, **SMALL_D, "channels": 1}, "pictures of one channel"),
    "blood-least-squares": ({**BLOOD, **SMALL_D, "loss": "least-squares"}, "small losses"),
    "paintings-fast": ({**ART, **SKIP, **_rates(8e-4, 8e-4)}, "long steps"),
    "blood-slow": ({**BLOOD, **SKIP, **_rates(1.2e-4, 1.2e-4), "steps": 800}, "short steps"),
    "paintings-noise": ({**ART, **SKIP, "tricks": "noisy-d"}, "D sees noise at first"),
    "blood-penalty": ({**BLOOD, **SKIP, "tricks": "r1:gamma=0.3,every=4"}, "a gentle penalty"),
    "paintings-augmented": ({**ART, **SKIP, "subset": 700, "tricks": "diffaugment",
                             "flip": True, "steps": 700}, "few pictures, treated well"),
    "blood-narrow-z": ({**BLOOD, **SKIP, "latent_dim": 24}, "24 numbers are enough"),
    "paintings-smooth": ({**ART, **PLAIN, "tricks": ("smooth-labels", "flip-labels:p=0.05")},
                         "D is never quite sure"),
    "cat-two-scales": ({**CAT, **SKIP, **_rates(2e-4, 2e-4), "tricks": "ttur"},
                       "D learns four times as fast"),
    "blood-groups": ({**BLOOD, **SKIP, "tricks": "minibatch-stddev"}, "D sees whole batches"),
}  # fmt: skip

FRESH_BROKEN = tuple(
    Case(f"{way.name}-fresh", BROKEN[way.name], (FRESH,), way.expected, way.reason) for way in WAYS
)
FRESH_HEALTHY = tuple(
    Case(name, settings, (FRESH,), (), reason) for name, (settings, reason) in HEALTHY.items()
)
