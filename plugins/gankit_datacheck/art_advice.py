"""What pixel art and transparent pictures need: a filter, an image size, a fourth channel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from gankit.core.run.image_size import ImageSize
from gankit_datacheck.finding import Finding, count
from gankit_datacheck.pixel_art import Art
from gankit_datacheck.sizes import smallest_possible
from gankit_datacheck.survey import Survey


class ArtFit(NamedTuple):
    """The most common art, and the image size for it."""

    art: Art
    number: int  # of the pictures
    size: ImageSize
    is_whole: bool  # the size is the art's, enlarged by a whole number: no padding is needed


def fit_art(survey: Survey) -> ArtFit:
    """The image size that keeps the pixels of pixel art."""
    arts = [facts.art for facts in survey.good if facts.art]
    (art, number), *_ = Counter(arts).most_common()
    side = max(art.width, art.height)
    are_alike = number == len(arts)
    size = smallest_possible(*(art[:2] if are_alike else (side, side)))
    factor = size.width / art.width
    is_whole = factor.is_integer() and size.height == factor * art.height
    return ArtFit(art, number, size, is_whole)


def check_pixel_art(survey: Survey) -> Iterable[Finding]:
    """Advise the filter and the size that keep each pixel of the art as it is."""
    if not survey.is_pixel_art:
        return
    art, number, size, is_whole = fit_art(survey)
    each = f", each saved as {art.square} x {art.square} pixels" if art.square > 1 else ""
    what = (
        f"pixel art: {count(number)} of {len(survey.good):,} of {art.width} x {art.height} pixels"
    )
    flags = ["--resample nearest"]
    mend = "use --resample nearest, which keeps colours and edges"
    if size != survey.size:
        flags.append(f"--image-size {size.setting}")
        mend += f", and --image-size {size.setting}"
    if not is_whole:
        flags.append("--fit pad")
        mend += ", and --fit pad, which enlarges by whole numbers"
        if art.square > 1:
            mend += f"; save them as {art.width} x {art.height} pixels before, one for each square"
    names = tuple(facts.name for facts in survey.good if facts.art)
    yield Finding("advice", what + each, mend, tuple(flags), names)


def check_transparency(survey: Survey) -> Iterable[Finding]:
    """Advise a fourth channel where most pictures are cut out, as sprites and stickers are."""
    if not survey.is_transparent:
        return
    is_clear = survey.clear > 0
    what = f"{count(int(is_clear.sum()))} of {len(survey.good):,} cut out, on a transparent ground"
    mend = "use --channels 4, so that G draws transparency too; by default they lie on white"
    yield Finding("advice", what, mend, ("--channels 4",), survey.names(is_clear))
