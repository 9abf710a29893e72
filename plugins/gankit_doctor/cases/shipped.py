"""The shipped part of the bench: healthy runs of what `gankit run` does if you leave it alone.

The other parts have near misses, some of whose pictures are bad. Here are the default run and the
recipe `small-data`, as they are and with one usual option, on five kinds of pictures. Nothing is
wrong with them, and a doctor must be silent.
"""

from __future__ import annotations

from typing import Any

from gankit_doctor.cases.case import SHIPPED, Case
from gankit_doctor.cases.fresh import CELLS, PAINTINGS
from gankit_doctor.cases.unseen import PHOTOGRAPHS

COMMON: dict[str, Any] = {"image_size": 32, "steps": 700}
SKIP64 = {"model": "skip64"}  # the model of the default run, with its own tricks
MANY = ("petals", PHOTOGRAPHS, CELLS, "ihc")  # data sets with enough pictures for the default run
ALL = (*MANY, PAINTINGS)
DEFAULT: dict[str, dict[str, Any]] = {
    "default": {},
    "hinge": {"loss": "hinge", "tricks": ("ema:decay=0.99", "spectral-norm")},
    "augmented": {"tricks": ("+diffaugment:policy=translation",)},
    "noise": {"tricks": ("+noisy-d",)},
    "small-batch": {"batch_size": 16, "steps": 1000},
    "oblong": {"image_size": "48x32"},
    "slow": {"lr_g": 2e-4, "lr_d": 2e-4, "steps": 900},
    "grey": {"channels": 1},
}
RECIPE: dict[str, dict[str, Any]] = {
    "recipe": {},
    "recipe-narrow-z": {"latent_dim": 32},
    "recipe-oblong": {"image_size": "48x32"},
    "recipe-large-batch": {"batch_size": 48},
}


def _case(dataset: str, name: str, **settings: Any) -> Case:
    return Case(f"{dataset}-{name}", {"dataset": dataset, **settings}, (SHIPPED,))


SHIPPED_HEALTHY = (
    *(
        _case(data, name, **{**SKIP64, **COMMON, **DEFAULT[name]})
        for data in MANY
        for name in DEFAULT
    ),
    *(
        _case(data, name, recipe="small-data", **{**COMMON, **RECIPE[name]})
        for data in ALL
        for name in RECIPE
    ),
)
