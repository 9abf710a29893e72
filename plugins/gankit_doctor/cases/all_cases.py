"""Cases: runs that are broken on purpose, and healthy ones. The bench and the patients use them.

Each case is settings of `gankit run` and nothing else. Each way to break a run is in all parts of
the bench. The rules were tuned on two of them: petals with mostly a narrow DCGAN ("tuning"), and
stained tissue with mostly other networks ("validation"). They are tried on a third ("test", in
`unseen.py`): photographs, other networks and other seeds; and on a fourth ("fresh", in
`fresh.py`), which was written when the runs of the third had been used to improve the rules. A
fifth ("latest", in `latest.py`) was written when the cures had been changed. A sixth ("shipped",
in `shipped.py`) has healthy runs only.
"""

from __future__ import annotations

from typing import Any

from gankit_doctor.cases.case import TUNING, VALIDATION, Case
from gankit_doctor.cases.fresh import FRESH_BROKEN, FRESH_HEALTHY
from gankit_doctor.cases.latest import LATEST_BROKEN, LATEST_HEALTHY
from gankit_doctor.cases.shipped import SHIPPED_HEALTHY
from gankit_doctor.cases.unseen import UNSEEN_BROKEN, UNSEEN_HEALTHY
from gankit_doctor.cases.ways import LIGHT, MATHWORKS, MODERN, PETALS, SKIP, WAYS

BOTH = (TUNING, VALIDATION)


def _healthy(name: str, reason: str = "", *, stops_at: int = 0, **changes: Any) -> Case:
    return Case(name, {**PETALS, **changes}, BOTH, (), reason, stops_at)


HEALTHY_SEEN = (
    _healthy("plain"),
    _healthy("ahead", "D is ahead, and G learns", lr_d=1e-3),
    _healthy("hinge", "losses of 0 are normal", loss="hinge", tricks="spectral-norm"),
    _healthy(
        "critic",
        "the losses have no scale",
        loss="wasserstein",
        tricks="wgan-gp",
        d_steps=2,
        beta1=0.0,
    ),
    _healthy("least-squares", loss="least-squares"),
    Case("relativistic", MODERN, BOTH, reason="one answer of D means nothing"),
    Case(
        "light",
        {**LIGHT, "dataset": "petals", "loss": "hinge"},
        BOTH,
        reason="one logit for each place",
    ),
    _healthy(
        "skip",
        "the default model with its own tricks",
        model="skip64:base_channels=16",
        tricks=("ema:decay=0.998", "smooth-labels", "r1:gamma=0.1,every=4"),
    ),
    _healthy("slow-average", "the grids lag behind G", tricks="ema:decay=0.99"),
    _healthy("settling", "in the end nothing moves, rightly", tricks="lr-decay"),
    _healthy("tissue", "other pictures", dataset="ihc", dihedral=True),
    _healthy(
        "small-data",
        "few pictures, treated well",
        dataset="petals:count=2000",
        model="skip64:base_channels=16",
        tricks=("ema:decay=0.998", "smooth-labels", "ada:kimg=20,policy=translate+scale"),
        flip=True,
        zoom=1.2,
    ),
    _healthy("full-precision", precision="32"),
    _healthy("micro-batches", accumulate=2),
    _healthy("resumed", "stopped and resumed", stops_at=240),
    _healthy("short", "too early to say", steps=60),
    _healthy("grey", "pictures of one channel", channels=1),
    _healthy("one-place", "the pictures are truly alike", dataset="ihc:patch=200"),
    _healthy("noise", "D sees noise at first", tricks="noisy-d"),
    _healthy("narrow-z", "16 numbers are enough for petals", latent_dim=16),
    Case("tissue-skip", SKIP, (VALIDATION,), reason="other pictures, another network"),
    Case("tissue-mathworks", MATHWORKS, (VALIDATION,), reason="kernels that overlap unevenly"),
    Case("tissue-light", LIGHT, (VALIDATION,), reason="D is hardly ahead"),
)

HEALTHY = (*HEALTHY_SEEN, *UNSEEN_HEALTHY, *FRESH_HEALTHY, *LATEST_HEALTHY, *SHIPPED_HEALTHY)
BROKEN_SEEN = tuple(case for way in WAYS for case in way.cases())
BROKEN = (*BROKEN_SEEN, *UNSEEN_BROKEN, *FRESH_BROKEN, *LATEST_BROKEN)
CASES = {case.name: case for case in (*BROKEN, *HEALTHY)}
