"""Oblong pictures: what a crop takes from them, and the image size that keeps most of it."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from gankit.core.run.image_size import ImageSize
from gankit.training.weights.network_size import possible_size
from gankit_datacheck.art_advice import fit_art
from gankit_datacheck.finding import Finding, count_share, percent
from gankit_datacheck.sizes import largest_possible
from gankit_datacheck.survey import Survey

OBLONG = 1.3  # times as wide as high, or the other way: worth another image size than a square
SAME_SHAPE = 1.2  # times as wide for the same height: pictures of about the same shape
MAX_CROP_LOSS = 0.4  # of the area; a square crop takes 1/4 of a 4:3 photo, 1/3 of a 3:2 photo

Mask = NDArray[np.bool_]  # one value for each readable picture


def check_shape(survey: Survey) -> Iterable[Finding]:
    """Whether most pictures are oblong and alike in shape, so that others than squares fit them."""
    size = _oblong_size(survey)
    if not size:
        return
    ratio, are_alike = _usual_shape(survey)
    shape = (
        f"{ratio:.2g} times as wide as high"
        if ratio > 1
        else f"{1 / ratio:.2g} times as high as wide"
    )
    loss = float(survey.crop_loss[are_alike].mean())
    left_out = f"a square leaves out {percent(loss)} of the area"
    what = f"{count_share(are_alike, 'are')} about {shape}: {left_out}"
    longer = f"a training step takes {size.area / _square_side(survey) ** 2:.1f} times as long"
    mend = f"--image-size {size} shows nearly all of them; {longer}"
    if loss > MAX_CROP_LOSS:
        yield Finding("advice", what, f"{mend}; or use --fit pad to keep all of it in a square")
    else:
        yield Finding("fine", what, mend)


def lost_in_crop(survey: Survey) -> Mask:
    """The pictures that lose much of their area, also with the size that is advised for all."""
    size = _oblong_size(survey) or survey.size
    if survey.is_pixel_art:
        _, _, size, is_whole = fit_art(survey)
        if not is_whole:  # then --fit pad is advised
            return np.zeros(len(survey.good), bool)
    lost = np.minimum(survey.crop_loss, survey.crop_loss_at(size))
    return np.asarray(lost > MAX_CROP_LOSS)


def _oblong_size(survey: Survey) -> ImageSize | None:
    """The image size of the shape that most pictures have; None if a square suits them."""
    ratio, are_alike = _usual_shape(survey)
    if not survey.size.is_square or survey.is_pixel_art or are_alike.mean() < 0.5:
        return None
    side = _square_side(survey)
    wide = ImageSize(round(side * max(ratio, 1)), round(side * max(1 / ratio, 1)))
    size = possible_size(wide)
    if any(each.longer < OBLONG * each.shorter for each in (wide, size)):
        return None
    return size


def _usual_shape(survey: Survey) -> tuple[float, Mask]:
    """How many times the usual picture is as wide as high, and which pictures are about so."""
    ratios = survey.sizes[:, 0] / np.maximum(survey.sizes[:, 1], 1)
    ratio = float(np.median(ratios))
    return ratio, np.abs(np.log(ratios / ratio)) < math.log(SAME_SHAPE)


def _square_side(survey: Survey) -> int:
    """The side of the square that is advised: a smaller one if most pictures are too small."""
    side = survey.size.width
    if survey.too_small.mean() > 0.5:
        side = min(side, largest_possible(survey.size, survey.usual_scale).width)
    return side
