"""The ways to break a run, by options alone, as the parts of the bench have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gankit_doctor.cases.case import TUNING, VALIDATION, Case, Settings

SMALL: dict[str, Any] = {"image_size": 32, "batch_size": 32, "lr_g": 5e-4, "lr_d": 5e-4}
SHORT = {"log_every": 4, "steps": 480}
PETALS = {"dataset": "petals", "model": "dcgan64:base_channels=16", **SMALL}
PETALS |= {"tricks": "none", **SHORT}  # the healthy run of lesson 5
SKIP = {**PETALS, "dataset": "ihc", "model": "skip64:base_channels=16"}
MATHWORKS = {**SKIP, "model": "mathworks64:base_channels=16"}
TF_DCGAN = {**SKIP, "model": "tf-dcgan64:base_channels=16"}
RELATIVISTIC: dict[str, Any] = {"model": "modern64:base_channels=12", "loss": "relativistic"}
RELATIVISTIC |= {"latent_dim": 64, "lr_g": 2e-4, "lr_d": 2e-4, "beta1": 0.0, "beta2": 0.99}
RELATIVISTIC |= {"tricks": ("r1:gamma=10,every=4", "r2:gamma=10,every=4")}
MODERN = {**SKIP, **RELATIVISTIC}
LIGHT = {**SKIP, "model": "light128:base_channels=8", "tricks": "spectral-norm"}
LIGHT |= {"batch_size": 16, "latent_dim": 64}


@dataclass(frozen=True)
class Way:
    """A way to break a run, by options alone."""

    name: str
    expected: tuple[str, ...]
    reason: str
    tuning: Settings  # what it changes of PETALS
    validation: Settings  # all settings of the run of the validation half

    def cases(self) -> tuple[Case, Case]:
        return (
            Case(self.name, {**PETALS, **self.tuning}, (TUNING,), self.expected, self.reason),
            Case(
                f"{self.name}-validation",
                dict(self.validation),
                (VALIDATION,),
                self.expected,
                self.reason,
            ),
        )


STRONG_D = {"lr_d": 2e-3, "lr_g": 2e-5}
BLIND = {"tricks": "flip-labels:p=0.5,which=both"}
FLAT = {"loss": "minimax", "lr_d": 2e-3, "lr_g": 2e-4}
RACING_G = {"lr_g": 5e-3, "lr_d": 2e-4}
WAYS = (
    Way(
        "strong-d",
        ("d-dominates",),
        "D learns 75 to 100 times as fast as G",
        STRONG_D,
        {**SKIP, **STRONG_D},
    ),
    Way(
        "busy-d",
        ("d-dominates",),
        "D learns four to six times in each step, and faster than G",
        {"d_steps": 5, "lr_d": 1e-3, "lr_g": 5e-5, "steps": 240},
        {**MATHWORKS, "d_steps": 4, "lr_d": 1e-3, "lr_g": 5e-5, "steps": 240},
    ),
    Way(
        "sleeping-d",
        ("step-size", "d-too-weak"),
        "D hardly learns: its steps are too small, so it is too weak",
        {"lr_d": 1e-6},
        {**MATHWORKS, "lr_d": 1e-6},
    ),
    Way(
        "sleeping-g",
        ("step-size",),
        "G hardly learns: its steps are too small",
        {"lr_g": 1e-6},
        {**TF_DCGAN, "lr_g": 5e-7},
    ),
    Way(
        "tiny-steps",
        ("step-size",),
        "both players hardly learn",
        {"lr_g": 1e-7, "lr_d": 1e-7},
        {**MODERN, "lr_g": 1e-7, "lr_d": 1e-7},
    ),
    Way(
        "long-steps",
        ("step-size", "diverging"),
        "each step changes the weights by more than they are; then the losses grow",
        {"lr_g": 0.5, "lr_d": 0.5},
        {**MATHWORKS, "lr_g": 0.3, "lr_d": 0.3},
    ),
    Way(
        "exploding",
        ("diverging", "step-size"),
        "without batch norm, steps that are too long end in numbers that are infinite",
        {"loss": "wasserstein", "model": "modern64:base_channels=8", "lr_g": 0.02, "lr_d": 0.02},
        {**MODERN, "loss": "wasserstein", "tricks": "none", "lr_g": 0.01, "lr_d": 0.03},
    ),
    Way(
        "lying-labels",
        ("d-too-weak",),
        "half of D's targets are wrong, so it cannot learn",
        BLIND,
        {**LIGHT, "loss": "non-saturating", "tricks": ("spectral-norm", BLIND["tricks"])},
    ),
    Way(
        "covered-eyes",
        ("d-too-weak",),
        "dropout leaves D almost nothing of a picture",
        {"tricks": "dropout-d:p=0.99"},
        {**MATHWORKS, "tricks": "dropout-d:p=0.99"},
    ),
    Way(
        "flat-loss",
        ("vanishing-gradient", "d-dominates"),
        "the minimax loss is flat where D is sure, and D learns faster, so it is sure",
        FLAT,
        {**MATHWORKS, **FLAT},
    ),
    Way(
        "momentum",
        ("oscillation", "mode-collapse"),
        "long steps with much momentum: all pictures are alike, and others in each grid",
        {"beta1": 0.9, "lr_g": 2e-3, "lr_d": 2e-3},
        {**MATHWORKS, "beta1": 0.9, "lr_g": 2e-3, "lr_d": 2e-3},
    ),
    Way(
        "racing-g",
        ("mode-collapse",),
        "G learns far faster than D, and settles on the few pictures that D believes",
        RACING_G,
        {**TF_DCGAN, "lr_g": 1e-3, "lr_d": 1e-4},
    ),
    Way(
        "one-number",
        ("missing-modes", "mode-collapse"),
        "z is a single number, so all pictures lie on one line",
        {"latent_dim": 1},
        {**SKIP, "latent_dim": 1},
    ),
    Way(
        "few-pictures",
        ("d-overfits",),
        "150 to 200 training pictures, each seen 140 to 160 times",
        {"dataset": "petals:count=400", "holdout": 0.5, "steps": 1000},
        {**SKIP, "dataset": "ihc:count=400", "holdout": 0.5, "steps": 1000},
    ),
    Way(
        "fewer-pictures",
        ("d-overfits", "too-few-pictures"),
        "50 or 60 training pictures: too few, and so D knows them by heart",
        {"dataset": "petals:count=120", "holdout": 0.5, "steps": 1000},
        {**MATHWORKS, "dataset": "ihc:count=100", "holdout": 0.5, "steps": 1000},
    ),
    Way(
        "sixty-pictures",
        ("too-few-pictures",),
        "at most 60 pictures and none held out, so only their number tells",
        {"dataset": "petals:count=60", "holdout": 0},
        {**SKIP, "dataset": "ihc:count=50", "holdout": 0},
    ),
    Way(
        "uneven-kernels",
        ("checkerboard", "oscillation"),
        "kernels of 5 px with a stride of 2 overlap unevenly, and G learns too fast to even it "
        "out; so fast that it also runs in circles",
        {"model": "tf-dcgan64:base_channels=16", "lr_g": 1e-3, "lr_d": 3e-4},
        {**MATHWORKS, "lr_g": 4e-3},
    ),
    Way(
        "false-colours",
        ("colour-shift",),
        "D never sees true colours, and G learns fast",
        {"tricks": "diffaugment:policy=color", "lr_g": 5e-3},
        {**SKIP, "tricks": "diffaugment:policy=color", "lr_g": 5e-3},
    ),
    Way(
        "heavy-r1",
        ("penalty-too-strong",),
        "a penalty 2,500 times as strong as usual, or more: D only obeys it",
        {"tricks": "r1:gamma=300"},
        {**SKIP, "tricks": "r1:gamma=300"},
    ),
    Way(
        "heavy-gradient-penalty",
        ("penalty-too-strong",),
        "a gradient penalty 500 times as strong as usual, or more",
        {"loss": "wasserstein", "tricks": "wgan-gp:weight=10000"},
        {**MATHWORKS, "loss": "wasserstein", "tricks": "wgan-gp:weight=10000"},
    ),
    Way(
        "unbounded",
        ("unbounded-critic",),
        "the wasserstein loss without a Lipschitz bound: D's answers grow and grow",
        {"loss": "wasserstein"},
        {**MATHWORKS, "loss": "wasserstein"},
    ),
    Way(
        "frozen-average",
        ("stalled",),
        "G learns, but pictures are drawn with an average of its weights that hardly moves",
        {"tricks": "ema:decay=0.9999,ramp=0.0"},
        {**SKIP, "tricks": "ema:decay=0.9999,ramp=0.0"},
    ),
    Way(
        "unseen-noise",
        ("idle-trick",),
        "noise of a hundredth of a grey level changes nothing",
        {"tricks": "noisy-d:sigma=0.0001"},
        {**SKIP, "tricks": "noisy-d:sigma=0.0001"},
    ),
    Way(
        "no-flips",
        ("idle-trick",),
        "a trick with the probability 0 changes nothing",
        {"tricks": "flip-labels:p=0.0"},
        {**MODERN, "tricks": (*RELATIVISTIC["tricks"], "dropout-d:p=0.0")},
    ),
)
