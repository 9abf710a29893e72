"""What the facts of a data set mean for a GAN: findings, each with what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gankit.core.shell import quote_word
from gankit_datacheck.survey import MIN_PICTURES_FOR_AVERAGE, Survey

FEW = 100  # different pictures, here and below: see _check_number
SMALL = 500
MEDIUM = 2_000
MANY = 10_000
VERY_MANY = 50_000  # DiffAugment: much better at 5,000 faces, worse at 70,000
BATCH_SIZE = 64  # of the papers; gankit refuses a data set smaller than a batch
MIN_IMAGE_SIZE = 16  # px: the smallest that the networks draw
MAX_CROP_LOSS = 0.4  # of the area; a square crop takes 1/4 of a 4:3 photo, 1/3 of a 3:2 photo
COMMON = 0.05  # of the pictures: from this share on, G draws the trait too
RARE = 0.01  # of the pictures: below this share, G meets the trait less than once in a batch
ALIKE = 0.5  # mean correlation of coarse detail; photos have 0.0, centred flowers 0.3
DARK = 40  # mean brightness, levels of 255
PALE = 10  # standard deviation, levels of 255
UNEVEN = 5  # ratio of the largest class to the smallest
PATCH_FACTOR = 1.5  # patch size / image size; ihc has 96 px for 64, so that some detail is left
MIN_PATCHES = 4  # per picture, on average, for cutting patches to be worth it


@dataclass(frozen=True)
class Finding:
    """One finding; its level is "problem", "advice" or "fine"."""

    level: str
    what: str  # what was found
    mend: str = ""  # what to do about it: an option or an action
    flags: tuple[str, ...] = ()  # options of gankit run, for the command under "Try"
    names: tuple[str, ...] = ()  # of the pictures


Rule = Callable[[Survey], Iterable[Finding]]
Mask = NDArray[np.bool_]  # one value for each readable picture
LEVELS = ("problem", "advice", "fine")


def find_all(survey: Survey) -> list[Finding]:
    """All findings, the worst first."""
    rules = RULES if survey.good else (_report_unreadable,)
    findings = [finding for rule in rules for finding in rule(survey)]
    return sorted(findings, key=lambda finding: LEVELS.index(finding.level))


def count(number: int, word: str = "picture") -> str:
    """`1 picture`, `2,500 pictures`."""
    plural = {"class": "classes", "copy": "copies", "patch": "patches"}.get(word, word + "s")
    return f"{number:,} {word if number == 1 else plural}"


def percent(share: float) -> str:
    """`<1 %`, `12 %`."""
    return "<1 %" if 0 < share < 0.01 else f"{100 * share:.0f} %"


def _count_share(mask: Mask, verb: str) -> str:
    """`1 picture of 20 (5 %) is`, `3 pictures of 20 (15 %) are`."""
    number = int(mask.sum())
    singular = {"are": "is", "have": "has"}.get(verb, verb + "s")
    share = percent(number / len(mask))
    return f"{count(number)} of {len(mask):,} ({share}) {singular if number == 1 else verb}"


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
    if survey.left_out:
        what = f"{count(len(survey.left_out), 'file')} ignored: {survey.left_out[0]}"
        mend = "to train on them, save them as jpg or png"
        yield Finding("advice", what, mend, names=tuple(survey.left_out))


def _check_number(survey: Survey) -> Iterable[Finding]:
    """What published results suggest for a data set of this size."""
    number = survey.different
    mend = "augment what D sees: --trick diffaugment --trick ema"
    flags = ("--trick diffaugment", "--trick ema")
    pictures = count(number, "different picture" if survey.near or survey.exact else "picture")
    if number < FEW:
        what = f"{pictures}: too few; G will memorise them and draw copies or blends of them"
        mend = f"collect at least {FEW} pictures, better {SMALL}; {mend}"
        yield Finding("problem", what, mend, flags)
    elif number < SMALL:
        what = f"{pictures}: very few; D soon memorises them, so expect copies and little variety"
        yield Finding("advice", what, mend, flags)
    elif number < MEDIUM:
        what = (
            f"{pictures}: few, so you need augmentation. Published, for larger networks: FID "
            "went from 57 to 18 on 1,336 paintings, and from 98 to 16 on 1,944 tissue pictures "
            "(ADA)"
        )
        yield Finding("advice", what, mend, flags)
    elif number < MANY:
        what = (
            f"{pictures}: enough for 64 px with augmentation. Published, for larger networks: "
            "FID went from 27 to 10 on 5,000 faces (DiffAugment)"
        )
        yield Finding("fine", what, mend, flags)
    elif number <= VERY_MANY:
        what = f"{pictures}: plenty for 64 px; the more pictures, the less augmentation helps"
        yield Finding("fine", what, "compare runs with and without --trick diffaugment")
    else:
        what = f"{pictures}: with this many, augmentation hurts (DiffAugment, 70,000 faces)"
        yield Finding("fine", what, "omit --trick diffaugment")
    if len(survey.good) < BATCH_SIZE:
        size = 2 ** (len(survey.good).bit_length() - 1)
        what = f"{count(len(survey.good))}: fewer than a batch of {BATCH_SIZE}"
        option = f"--batch-size {size}"
        yield Finding("problem", what, f"use {option}", (option,))


def _check_symmetry(survey: Survey) -> Iterable[Finding]:
    """Flips and rotations, if the average picture looks the same after them."""
    level = "advice" if survey.different < MEDIUM else "fine"
    turns = np.flipud, np.fliplr, np.transpose
    if all(survey.looks_the_same_after(turn) for turn in turns):
        what = "rotated or mirrored, the pictures look the same on average"
        mend = "use --dihedral, which makes 8 pictures of each, unless they have a right way up"
        yield Finding(level, what, mend, ("--dihedral",))
    elif survey.looks_the_same_after(np.fliplr):
        what = "mirrored, the pictures look the same on average"
        mend = "use --flip, which makes 2 pictures of each, unless they show text"
        yield Finding(level, what, mend, ("--flip",))


def _check_size(survey: Survey) -> Iterable[Finding]:
    size = survey.image_size
    too_small = survey.short < size
    fitting = max(MIN_IMAGE_SIZE, 2 ** (int(np.percentile(survey.short, 5)).bit_length() - 1))
    if too_small.any():
        are_most = too_small.mean() > 0.5
        what = f"{_count_share(too_small, 'are')} smaller than {size} px and will be blurred"
        mend = "use larger pictures, or delete these"
        flags: tuple[str, ...] = ()
        if fitting < size:
            mend = f"use --image-size {fitting}, or larger pictures, or delete these"
            flags = (f"--image-size {fitting}",) if are_most else ()
        level = "problem" if are_most else "advice"
        yield Finding(level, what, mend, flags, survey.names(too_small))
    elif fitting > size and survey.files and survey.different >= MEDIUM:
        larger = min(fitting, 256)
        factor = (larger // size) ** 2
        what = f"large enough for {larger} px, where a training step takes {factor} times as long"
        yield Finding("fine", what, f"once {size} px works, try --model dcgan{larger}")
    if size > 64 and survey.different < MEDIUM:
        what = f"{count(survey.different)} for {size} px: such runs rarely succeed"
        yield Finding("advice", what, "start with --image-size 64")


def _check_patches(survey: Survey) -> Iterable[Finding]:
    side = int(PATCH_FACTOR * survey.image_size)
    number = int(((survey.short // side) * (survey.long // side)).sum())
    if survey.files and survey.different < MEDIUM and number >= MIN_PATCHES * len(survey.good):
        what = f"large enough to cut {count(number, 'patch')} of {side} px from them"
        yield Finding("advice", what, f"for tissue and textures, use --fit patches:size={side}")


def _check_traits(survey: Survey) -> Iterable[Finding]:
    """Traits that some pictures have and the rest do not."""
    grey = survey.grey
    is_extreme = survey.crop_loss > MAX_CROP_LOSS
    if grey.all():
        what = "all are grey, so one channel is enough"
        yield Finding("fine", what, "--channels 1, which is the default for grey pictures")
    lost = percent(float(survey.crop_loss[is_extreme].mean())) if is_extreme.any() else ""
    rarer, colour = (grey, "grey") if grey.mean() <= 0.5 else (~grey, "in colour")
    pale = (survey.contrast < PALE) & ~survey.plain
    for mask, min_share, verb, trait, mend in (
        (is_extreme, COMMON, "lose", f"{lost} of the area to the square crop",
         "use --fit pad to keep all of it (or --fit patches, for textures)"),
        (rarer, RARE, "are", f"{colour} and the rest are not: G will mix the two",
         "delete them, or train in grey: --channels 1"),
        (survey.plain, RARE, "show", "almost only one colour",
         "delete them, unless G should draw such pictures"),
        (survey.brightness < DARK, COMMON, "are", "very dark", "brighten or delete them"),
        (pale, COMMON, "have", "very low contrast", "increase their contrast, or delete them"),
        (survey.transparent, RARE, "are", "partly transparent: shown on white",
         "for another colour, use for instance --background black"),
    ):  # fmt: skip
        if mask.mean() >= min_share:
            what = f"{_count_share(mask, verb)} {trait}"
            yield Finding("advice", what, mend, names=survey.names(mask))


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
    mend = f"delete all but one of each group (--json lists them); {held_out}"
    yield Finding(level, what, mend)


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
    option = f"--classes {quote_word(largest)} ({count(sizes[largest])})"
    if sizes[largest] >= SMALL:
        what = f"{count(len(sizes), 'class')}: harder for G than one class"
        yield Finding("advice", what, f"start with one: {option}")
    if sizes[largest] >= UNEVEN * sizes[smallest]:
        pictures = f"{count(sizes[largest])} of {largest}, {sizes[smallest]:,} of {smallest}"
        what = f"uneven classes: {pictures}; G will draw mostly {largest}"
        yield Finding("advice", what, f"train on one class: {option}")


RULES: tuple[Rule, ...] = (
    _check_broken,
    _check_number,
    _check_copies,
    _check_size,
    _check_patches,
    _check_traits,
    _check_framing,
    _check_symmetry,
    _check_classes,
)
