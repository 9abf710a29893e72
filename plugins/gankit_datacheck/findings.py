"""What the facts of a data set mean for a GAN: findings, each with the option that mends it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gankit_datacheck.survey import ENOUGH, Survey

FEW, SMALL, MEDIUM, MANY = 100, 500, 2_000, 10_000  # different pictures; see _number
VERY_MANY = 50_000  # DiffAugment: much better at 5,000 faces, worse at 70,000
BATCH = 64  # the papers' batch size; gankit refuses a set that fills no batch
LEAST = 16  # px: the smallest size the networks draw
LOST = 0.4  # of the area: more than the crop takes of a photo (1/4 of 4:3, 1/3 of 3:2)
SOME = 0.05  # from this share of a set on, a trait is one of the set and G will draw it
RARE = 0.01  # below this one, G meets it less than once in a batch
ALIKE = 0.5  # mean correlation of coarse detail; photos have 0.0, flowers all in the middle 0.3
DARK, PALE = 40, 10  # levels of 255: mean light; spread around the mean
UNEVEN = 5  # the largest class has so many times the smallest one's pictures
PATCH = 1.5  # patch for image_size: ihc's 96 px for 64, some detail is left to shrink
WORTH = 4  # patches that a picture must give on average to make cutting worth its while


@dataclass(frozen=True)
class Finding:
    """One thing a person should know: level is "problem", "advice" or "fine"."""

    level: str
    what: str
    mend: str = ""  # the option or the action
    flags: tuple[str, ...] = ()  # of gankit run, to put the options together
    names: tuple[str, ...] = ()  # which pictures


Rule = Callable[[Survey], Iterable[Finding]]
Flags = NDArray[np.bool_]  # for each picture that can be read
LEVELS = ("problem", "advice", "fine")


def findings(survey: Survey) -> list[Finding]:
    """All that there is to say, the worst first."""
    rules = RULES if survey.good else (_unreadable,)
    result = [finding for rule in rules for finding in rule(survey)]
    return sorted(result, key=lambda finding: LEVELS.index(finding.level))


def count(number: int, word: str = "picture") -> str:
    """`1 picture`, `2,500 pictures`."""
    plural = {"class": "classes", "copy": "copies", "patch": "patches"}.get(word, word + "s")
    return f"{number:,} {word if number == 1 else plural}"


def percent(share: float) -> str:
    """`<1 %`, `12 %`."""
    return "<1 %" if 0 < share < 0.01 else f"{100 * share:.0f} %"


def _of(which: Flags, survey: Survey, verb: str) -> str:
    """`1 picture of 20 (5 %) is`, `3 pictures of 20 (15 %) are`."""
    number = int(which.sum())
    singular = {"are": "is", "have": "has"}.get(verb, verb + "s")
    share = percent(number / len(which))
    return f"{count(number)} of {len(which):,} ({share}) {singular if number == 1 else verb}"


def _unreadable(survey: Survey) -> Iterable[Finding]:
    what = "there is no picture that can be read"
    if survey.broken:
        what += f": {count(len(survey.broken))} broken, the first {survey.broken[0].broken}"
    yield Finding("problem", what, "save them again as jpg or png; gankit data check lists each")


def _broken(survey: Survey) -> Iterable[Finding]:
    broken = survey.broken
    total = len(survey.facts)
    if broken:
        names = tuple(facts.name for facts in broken)
        what = f"{count(len(broken))} of {total:,} cannot be read: {names[0]} {broken[0].broken}"
        if len(broken) > total / 2:
            mend = "save them again; no run starts until then"
            yield Finding("problem", f"most are broken: {what}", mend, names=names)
        else:
            mend = "save again or delete them; a run leaves them out"
            yield Finding("advice", what, mend, names=names)
    if survey.left_out:
        what = f"{count(len(survey.left_out), 'file')} left out: {survey.left_out[0]}"
        mend = "save them as jpg or png where they should be learnt from"
        yield Finding("advice", what, mend, names=tuple(survey.left_out))


def _number(survey: Survey) -> Iterable[Finding]:
    """What published results let one expect of a set of this size."""
    number = survey.different
    mend = "augment what D sees: --trick diffaugment --trick ema"
    flags = ("--trick diffaugment", "--trick ema")
    who = count(number, "different picture" if survey.near or survey.exact else "picture")
    if number < FEW:
        what = f"{who}: G will learn them by heart and draw copies or blends of them"
        yield Finding("problem", what, f"gather {FEW} at least, {SMALL} better; {mend}", flags)
    elif number < SMALL:
        what = f"{who}: very few. D knows them soon; expect copies and little variety"
        yield Finding("advice", what, mend, flags)
    elif number < MEDIUM:
        what = (
            f"{who}: few, and augmentation decides. Published, for larger networks: 1,336 "
            "paintings went from FID 57 to 18, 1,944 tissue pictures from 98 to 16 (ADA)"
        )
        yield Finding("advice", what, mend, flags)
    elif number < MANY:
        what = (
            f"{who}: fine for 64 px with augmentation. Published, for larger networks: 5,000 "
            "faces went from FID 27 to 10 (DiffAugment)"
        )
        yield Finding("fine", what, mend, flags)
    elif number <= VERY_MANY:
        what = f"{who}: plenty for 64 px; augmenting what D sees helps less the more there are"
        yield Finding("fine", what, "compare with and without: --trick diffaugment")
    else:
        what = f"{who}: so many that augmenting what D sees hurts (DiffAugment, 70,000 faces)"
        yield Finding("fine", what, "omit --trick diffaugment")
    if len(survey.good) < BATCH:
        size = str(2 ** (len(survey.good).bit_length() - 1))
        what = f"{count(len(survey.good))} do not fill a batch of {BATCH}"
        yield Finding("problem", what, f"--batch-size {size}", (f"--batch-size {size}",))


def _turns(survey: Survey) -> Iterable[Finding]:
    """Augmentation for free, if the pictures themselves show that it suits them."""
    level = "advice" if survey.different < MEDIUM else "fine"
    turns = np.flipud, np.fliplr, np.transpose
    if all(survey.same_when(turn) for turn in turns):
        what = "turned or mirrored they look the same on the whole: eight pictures out of each"
        yield Finding(level, what, "--dihedral, unless one way up is right", ("--dihedral",))
    elif survey.same_when(np.fliplr):
        what = "mirrored they look the same on the whole: two pictures out of each"
        yield Finding(level, what, "--flip, unless they show writing", ("--flip",))


def _size(survey: Survey) -> Iterable[Finding]:
    size = survey.image_size
    small = survey.short < size
    fits = max(LEAST, 2 ** (int(np.percentile(survey.short, 5)).bit_length() - 1))
    if small.any():
        most = small.mean() > 0.5
        what = f"{_of(small, survey, 'are')} smaller than {size} px: enlarged, hence blurred"
        mend = "take larger ones, or leave them out"
        flags = (f"--image-size {fits}",) if fits < size and most else ()
        mend = f"--image-size {fits}, or {mend}" if fits < size else mend
        yield Finding("problem" if most else "advice", what, mend, flags, survey.names(small))
    elif fits > size and survey.files and survey.different >= MEDIUM:
        larger = min(fits, 256)
        what = f"large enough for {larger} px; a step takes {(larger // size) ** 2} times as long"
        yield Finding("fine", what, f"once {size} px works: --model dcgan{larger}")
    if size > 64 and survey.different < MEDIUM:
        what = f"{count(survey.different)} for {size} px: such runs seldom get anywhere"
        yield Finding("advice", what, "begin with --image-size 64")


def _patches(survey: Survey) -> Iterable[Finding]:
    side = int(PATCH * survey.image_size)
    number = int(((survey.short // side) * (survey.long // side)).sum())
    if survey.files and survey.different < MEDIUM and number >= WORTH * len(survey.good):
        what = f"large enough to cut {count(number, 'patch')} of {side} px out of them"
        yield Finding("advice", what, f"for tissue and textures: --fit patches:size={side}")


def _traits(survey: Survey) -> Iterable[Finding]:
    """What some pictures are like and the others are not."""
    grey = survey.grey
    extreme = survey.lost > LOST
    if grey.all():
        yield Finding("fine", "all are grey: one channel is enough", "--channels 1 (auto does so)")
    lost = percent(float(survey.lost[extreme].mean())) if extreme.any() else ""
    rarer, kind = (grey, "grey") if grey.mean() <= 0.5 else (~grey, "in colour")
    pale = (survey.contrast < PALE) & ~survey.plain
    for which, least, verb, trait, mend in (
        (extreme, SOME, "lose", f"{lost} of the area to the square crop",
         "--fit pad keeps all of them (or patches, for textures)"),
        (rarer, RARE, "are", f"{kind}, the others are not: G will mix the two",
         "delete them, or train in grey: --channels 1"),
        (survey.plain, RARE, "show", "nothing: one colour, or nearly",
         "delete them, unless G shall draw such ones too"),
        (survey.light < DARK, SOME, "are", "very dark", "brighten or delete them"),
        (pale, SOME, "have", "hardly any contrast", "stretch their contrast or delete them"),
        (survey.transparent, RARE, "are", "transparent in places: laid on white",
         "another colour may suit them: --background black"),
    ):  # fmt: skip
        if which.mean() >= least:
            what = f"{_of(which, survey, verb)} {trait}"
            yield Finding("advice", what, mend, names=survey.names(which))


def _copies(survey: Survey) -> Iterable[Finding]:
    numbers = {"exact": survey.exact, "near": survey.near}
    copies = sum(numbers.values())
    if not copies:
        return
    kinds = " and ".join(f"{number:,} {kind}" for kind, number in numbers.items() if number)
    what = f"{kinds} {'copies' if copies > 1 else 'copy'} of other pictures"
    level = "problem" if copies > len(survey.good) / 2 else "advice"
    if not survey.files:
        yield Finding("fine", what, "the hold-out keeps them together")
        return
    mend = "delete all but one of each (--json names them); the hold-out keeps them together"
    yield Finding(level, what, mend)


def _framing(survey: Survey) -> Iterable[Finding]:
    if len(survey.good) >= ENOUGH and survey.likeness > ALIKE:
        what = f"they are framed nearly alike (mean correlation {survey.likeness:.2f})"
        yield Finding("advice", what, "gather others, or expect as little variety of G")


def _classes(survey: Survey) -> Iterable[Finding]:
    kinds = {kind: number for kind, number in survey.kinds.items() if kind}
    if len(kinds) < 2:
        return
    largest = max(kinds, key=kinds.__getitem__)
    smallest = min(kinds, key=kinds.__getitem__)
    mend = f"--classes {shlex.quote(largest)} ({count(kinds[largest])})"
    if kinds[largest] >= SMALL:
        what = f"{count(len(kinds), 'class')}: several kinds at once are harder for G than one"
        yield Finding("advice", what, f"begin with one: {mend}")
    if kinds[largest] >= UNEVEN * kinds[smallest]:
        what = f"uneven classes: {count(kinds[largest])} of {largest}, {kinds[smallest]:,} of "
        yield Finding("advice", what + f"{smallest}: G will draw mostly the former", mend)


RULES: tuple[Rule, ...] = (
    _broken,
    _number,
    _copies,
    _size,
    _patches,
    _traits,
    _framing,
    _turns,
    _classes,
)
