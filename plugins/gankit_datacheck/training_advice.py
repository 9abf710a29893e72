"""What the number of pictures means, for training and for measuring, and how D may vary them."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from gankit.core.contracts.metric import Metric
from gankit.data.store.split import DEFAULT_SHARE, MAX_WITHOUT_HOLDOUT
from gankit_datacheck.finding import Finding, count
from gankit_datacheck.survey import Survey

FEW = 100  # different pictures, here and below: see check_number
SMALL = 500
MEDIUM = 2_000
MANY = 10_000
VERY_MANY = 50_000  # DiffAugment: much better at 5,000 faces, worse at 70,000
STEP_OF_SHARE = 0.05  # of the share to hold out that is advised
MIN_MEASURED = 50  # the smallest set in docs/results.md has 90 for training


def check_number(survey: Survey) -> Iterable[Finding]:
    """What results suggest for a data set of this size: docs/results.md, and published ones."""
    number = survey.different
    pictures = count(number, "different picture" if survey.near or survey.exact else "picture")
    mend = _advise_recipe(survey)
    if number < FEW:
        what = f"{pictures}: too few; G will memorise them and draw copies or blends of them"
        collect = f"collect at least {FEW} pictures, better {SMALL}"
        yield Finding("problem", what, "; ".join(filter(None, (collect, mend))))
    elif number < SMALL:
        what = f"{pictures}: very few; D soon memorises them, so expect copies and little variety"
        yield Finding("advice", what, mend)
    elif number < MEDIUM:
        what = (
            f"{pictures}: few, so you need augmentation. Published, for larger networks: FID "
            "went from 57 to 18 on 1,336 paintings, and from 98 to 16 on 1,944 tissue pictures "
            "(ADA)"
        )
        yield Finding("advice", what, mend)
    elif number < MANY:
        what = (
            f"{pictures}: enough for 64 px with augmentation. Published, for larger networks: "
            "FID went from 27 to 10 on 5,000 faces (DiffAugment)"
        )
        yield Finding("fine", what)
    elif number <= VERY_MANY:
        what = f"{pictures}: plenty for 64 px; the more pictures, the less augmentation helps"
        yield Finding("fine", what)
    else:
        what = f"{pictures}: with this many, augmentation hurts (DiffAugment, 70,000 faces)"
        yield Finding("fine", what)
    batch_size = survey.defaults.batch_size
    if len(survey.good) < batch_size:
        size = 2 ** (len(survey.good).bit_length() - 1)
        what = f"{count(len(survey.good))}: fewer than a batch of {batch_size}"
        option = f"--batch-size {size}"
        yield Finding("problem", what, f"use {option}", (option,))


def _advise_recipe(survey: Survey) -> str:
    """What was measured best with so few pictures; an empty text if nothing was measured."""
    recipe = survey.defaults.recipe
    if not recipe or survey.different < MIN_MEASURED:
        return ""
    return (
        f"keep gankit's default recipe, {recipe}: it was measured best with 90 to 1,750 pictures; "
        "add no --trick: it would replace the recipe's tricks"
    )


def check_holdout(survey: Survey) -> Iterable[Finding]:
    """Whether the hold-out that a run has by default is large enough for most metrics."""
    number = len(survey.good)
    held_out = round(DEFAULT_SHARE * number)
    if not survey.files or number <= MAX_WITHOUT_HOLDOUT or held_out >= Metric.enough:
        return
    share = math.ceil(Metric.enough / number / STEP_OF_SHARE) * STEP_OF_SHARE
    option = f"--holdout {share:.2g}"
    what = f"by default {held_out} pictures are held out, and most metrics need {Metric.enough}"
    mend = f"{option} holds out {round(share * number)}; a run cannot change it later"
    yield Finding("advice", what, mend, (option,))


def check_symmetry(survey: Survey) -> Iterable[Finding]:
    """Whether mirrored and rotated pictures look like the set's own."""
    text, is_certain = survey.mirroring
    if text:
        mend = "do not use --flip or --dihedral"
        flags: tuple[str, ...] = ()
        if survey.defaults.flip:
            mend = "use --no-flip: by default, half of the pictures that D sees are mirrored"
            flags = ("--no-flip",)
        if is_certain:
            yield Finding("advice", f"not to be mirrored: {text}", mend, flags)
        else:
            mend = f"if they show letters, digits or signs, {mend}"
            yield Finding("advice", f"perhaps not to be mirrored: {text}", mend)
        return
    turns = np.flipud, np.fliplr, np.transpose
    if all(survey.looks_the_same_after(turn) for turn in turns):
        what = "rotated or mirrored, the pictures look the same on average"
        mend = "if they have no right way up, as tissue, --dihedral makes 8 pictures of each"
        yield Finding("fine", what, mend)
