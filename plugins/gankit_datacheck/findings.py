"""What the facts of a data set mean for a GAN: findings, each with what to do about it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from gankit.core.run.image_size import ImageSize
from gankit.core.shell import quote_word
from gankit.data.find.reasons import BROKEN, OWN_PICTURE, RUN_FOLDER
from gankit.data.messages import group_by_reason
from gankit.training.weights.network_size import possible_size
from gankit_datacheck.art_advice import check_pixel_art, check_transparency
from gankit_datacheck.finding import LEVELS, Finding, count, count_share, percent
from gankit_datacheck.shape_advice import check_shape, lost_in_crop
from gankit_datacheck.sizes import largest_possible
from gankit_datacheck.survey import MIN_PICTURES_FOR_AVERAGE, Survey
from gankit_datacheck.training_advice import (
    FEW,
    MEDIUM,
    SMALL,
    check_holdout,
    check_number,
    check_symmetry,
)

LARGE = 256  # px: the largest that is recommended
SKIP_MODELS = (64, 128, 256)  # px, of the models skip64, skip128 and skip256
COMMON = 0.05  # of the pictures: from this share on, G draws the trait too
RARE = 0.01  # of the pictures: below this share, G meets the trait less than once in a batch
ALIKE = 0.5  # mean correlation of coarse detail; photos have 0.0, centred flowers 0.3
DARK = 40  # mean brightness, levels of 255
PALE = 10  # standard deviation, levels of 255
UNEVEN = 5  # ratio of the largest class to the smallest
PATCH_FACTOR = 1.5  # patch size / image size; ihc has 96 px for 64, so that some detail is left
MAX_REASONS = 5  # why files are ignored, each with a finding of its own
DRAWN_BY_GANKIT = (OWN_PICTURE, RUN_FOLDER)  # reasons that need no action
MIN_PATCHES = 4  # per picture, on average, for cutting patches to be worth it


Rule = Callable[[Survey], Iterable[Finding]]
Mask = NDArray[np.bool_]  # one value for each readable picture


def find_all(survey: Survey) -> list[Finding]:
    """All findings, the worst first."""
    rules = RULES if survey.good else (_report_unreadable,)
    return sort_findings([finding for rule in rules for finding in rule(survey)])


def sort_findings(findings: list[Finding]) -> list[Finding]:
    """The same findings, the worst first."""
    return sorted(findings, key=lambda finding: LEVELS.index(finding.level))


def _report_unreadable(survey: Survey) -> Iterable[Finding]:
    what = "no picture can be read"
    if survey.broken:
        first = survey.broken[0]
        what += f": {count(len(survey.broken))} broken, such as {first.name}, which {first.broken}"
    yield Finding("problem", what, "save the pictures as jpg or png")


def _check_broken(survey: Survey) -> Iterable[Finding]:
    broken = survey.broken
    total = len(survey.facts)
    if broken:
        names = tuple(facts.name for facts in broken)
        what = f"{count(len(broken))} of {total:,} cannot be read: {names[0]} {broken[0].broken}"
        if len(broken) > total / 2:
            mend = "save them again: a run does not start if most pictures are broken"
            yield Finding("problem", f"most are broken: {what}", mend, names=names)
        else:
            mend = "save them again, or delete them; a run ignores them"
            yield Finding("advice", what, mend, names=names)


def _check_left_out(survey: Survey) -> Iterable[Finding]:
    """One finding for each reason why files were left out, the most frequent first."""
    groups = group_by_reason(survey.left_out)
    for reason, names in groups[:MAX_REASONS]:
        fact, _, mend = reason.partition(": ")
        number = len(names)
        what = f"{count(number, 'file')} ignored: {names[0]} {fact}"
        if number > 1:
            what += f", and {number - 1:,} more"
        is_broken = reason in BROKEN and number > len(survey.facts)
        level = "problem" if is_broken else "fine" if reason in DRAWN_BY_GANKIT else "advice"
        yield Finding(level, what, mend, names=tuple(names))
    others = [name for _, names in groups[MAX_REASONS:] for name in names]
    if others:
        what = f"{count(len(others), 'file')} ignored for other reasons, such as {others[0]}"
        yield Finding("advice", what, "--json lists them all", names=tuple(others))


def _check_size(survey: Survey) -> Iterable[Finding]:
    size = survey.size
    possible = possible_size(size)
    if size != possible:
        option = f"--image-size {possible.setting}"
        what = f"{size.setting} px: the default networks cannot draw this size"
        yield Finding("advice", what, f"use {option}", (option,))
    if survey.is_pixel_art:  # its size is that of the art, not of the file
        return
    too_small = survey.too_small
    fitting = _scaled(size, survey.usual_scale)
    if too_small.any():
        are_most = too_small.mean() > 0.5
        smaller = f"smaller than {size.setting} px and will be blurred"
        mend = "use larger pictures" + ("" if too_small.all() else ", or delete these")
        flags: tuple[str, ...] = ()
        fitting = largest_possible(size, survey.usual_scale)
        if fitting.shorter < size.shorter:
            mend = f"use --image-size {fitting.setting}, or {mend.removeprefix('use ')}"
            flags = (f"--image-size {fitting.setting}",) if are_most else ()
        level = "problem" if are_most else "advice"
        what = f"{count_share(too_small, 'are')} {smaller}"
        yield Finding(level, what, mend, flags, survey.names(too_small))
    elif fitting.longer > size.longer and survey.files and survey.different >= MEDIUM:
        larger = min(fitting, _scaled(size, LARGE / size.shorter), key=lambda each: each.area)
        factor = larger.area // size.area
        longer = f"where a training step takes {factor} times as long"
        options = _larger_model(survey, larger)
        what = f"large enough for {larger.setting} px, {longer}"
        yield Finding("fine", what, f"once {size.setting} px works, try {options}")
    small = _scaled(size, 64 / size.shorter)
    if size.shorter > 64 and survey.different < MEDIUM:
        what = f"{count(survey.different)} for {size.setting} px: the run takes hours"
        yield Finding("advice", what, f"try --image-size {small.setting} first: it takes minutes")


def _scaled(size: ImageSize, factor: float) -> ImageSize:
    """The size times the largest power of two that is at most `factor`."""
    power = 2.0 ** math.floor(math.log2(max(factor, 1 / size.shorter)))
    return ImageSize(max(1, int(size.width * power)), max(1, int(size.height * power)))


def _larger_model(survey: Survey, size: ImageSize) -> str:
    """Options for a larger image size that keep the default recipe: a --model alone drops it."""
    if not size.is_square or size.width not in SKIP_MODELS:
        return f"--image-size {size.setting}"
    recipe = f"--recipe {survey.defaults.recipe} " if survey.defaults.recipe else ""
    return f"{recipe}--model skip{size.width}"


def _check_patches(survey: Survey) -> Iterable[Finding]:
    size = survey.size
    patch = ImageSize(int(PATCH_FACTOR * size.width), int(PATCH_FACTOR * size.height))
    number = int((survey.sizes // (patch.width, patch.height)).prod(1).sum())
    is_few = survey.files and survey.different < MEDIUM and not survey.is_pixel_art
    if is_few and number >= MIN_PATCHES * len(survey.good):
        option = f"--fit patches:size={patch.setting}"
        what = f"large enough to cut {count(number, 'patch')} of {patch.setting} px from them"
        yield Finding("advice", what, f"for tissue and textures, use {option}")


def _check_traits(survey: Survey) -> Iterable[Finding]:
    """Traits that some pictures have and the rest do not."""
    grey = survey.grey
    is_extreme = lost_in_crop(survey)
    if grey.all():
        what = "all are grey, so one channel is enough"
        yield Finding("fine", what, "--channels 1, which is the default for grey pictures")
    lost = percent(float(survey.crop_loss[is_extreme].mean())) if is_extreme.any() else ""
    has_patches = not survey.too_small[is_extreme].any()
    crop = "square crop" if survey.size.is_square else f"crop to {survey.size}"
    or_patches = " (or --fit patches, for textures)" if has_patches else ""
    rarer, colour = (grey, "grey") if grey.mean() <= 0.5 else (~grey, "in colour")
    dark = (survey.brightness < DARK) & ~survey.plain
    pale = (survey.contrast < PALE) & ~survey.plain
    # Each with what to do about some pictures, and about all of them.
    for mask, min_share, verb, trait, mend, mend_all in (
        (is_extreme, COMMON, "lose", f"{lost} of the area to the {crop}",
         f"use --fit pad to keep all of it{or_patches}", ""),
        (rarer, RARE, "are", f"{colour} and the rest are not: G will mix the two",
         "delete them, or train in grey: --channels 1", ""),
        (survey.plain, RARE, "show", "almost only one colour",
         "delete them, unless G should draw such pictures",
         "G has no shapes to learn from them: use other pictures"),
        (dark, COMMON, "are", "very dark", "brighten or delete them",
         "brighten them"),
        (pale, COMMON, "have", "very low contrast", "increase their contrast, or delete them",
         "increase their contrast"),
        (survey.transparent & ~np.array(survey.is_transparent), RARE, "are",
         "partly transparent: shown on white",
         "for another colour, use for instance --background black; "
         "--channels 4 learns transparency too", ""),
    ):  # fmt: skip
        if mask.mean() >= min_share:
            what = f"{count_share(mask, verb)} {trait}"
            advice = mend_all if mend_all and mask.all() else mend
            yield Finding("advice", what, advice, names=survey.names(mask))


def _check_copies(survey: Survey) -> Iterable[Finding]:
    numbers = {"exact": survey.exact, "near": survey.near}
    total = sum(numbers.values())
    if not total:
        return
    parts = " and ".join(f"{number:,} {kind}" for kind, number in numbers.items() if number)
    what = f"{parts} {'copies' if total > 1 else 'copy'} of other pictures"
    held_out = "gankit never splits copies between training and hold-out"
    if not survey.files:
        yield Finding("fine", what, held_out)
        return
    level = "problem" if total > len(survey.good) / 2 else "advice"
    mend = "delete all but one of each group (--json lists them)"
    if survey.are_frames:
        mend = "take fewer frames: --every N here, --dataset folder:every=N for a run"
    yield Finding(level, what, f"{mend}; {held_out}")


def _check_framing(survey: Survey) -> Iterable[Finding]:
    if len(survey.good) >= MIN_PICTURES_FOR_AVERAGE and survey.likeness > ALIKE:
        what = f"framed nearly alike (mean correlation {survey.likeness:.2f})"
        yield Finding("advice", what, "add other pictures, or G will draw little variety either")


def _check_classes(survey: Survey) -> Iterable[Finding]:
    sizes = {name: number for name, number in survey.class_sizes.items() if name}
    if len(sizes) < 2:
        return
    largest = max(sizes, key=sizes.__getitem__)
    smallest = min(sizes, key=sizes.__getitem__)
    alone = f"to draw one class only: --classes {quote_word(largest)} ({count(sizes[largest])})"
    choose = f"with {FEW} pictures or more of each, to choose what G draws: --class-labels"
    if sizes[largest] >= SMALL:
        what = f"{count(len(sizes), 'class')}: G learns all of them together"
        yield Finding("fine", what, f"{choose}; {alone}")
    if sizes[largest] >= UNEVEN * sizes[smallest]:
        pictures = f"{count(sizes[largest])} of {largest}, {sizes[smallest]:,} of {smallest}"
        what = f"uneven classes: {pictures}; G will draw mostly {largest}"
        yield Finding("advice", what, f"{choose} --balance-classes; {alone}")


RULES: tuple[Rule, ...] = (
    _check_broken,
    _check_left_out,
    check_number,
    check_holdout,
    _check_copies,
    _check_size,
    check_pixel_art,
    check_transparency,
    check_shape,
    _check_patches,
    _check_traits,
    _check_framing,
    check_symmetry,
    _check_classes,
)
