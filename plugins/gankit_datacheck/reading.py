"""Findings on how pictures are read: one white for deep ones, one page of several, in colour."""

from __future__ import annotations

from collections.abc import Iterable

from gankit.data.messages import nearly_grey
from gankit_datacheck.finding import Finding, count
from gankit_datacheck.survey import Survey

ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")
FAINT = 40  # levels of 255 by which channels differ in a pixel: a pale tint, also after JPEG


def how_they_are_read(survey: Survey) -> Iterable[Finding]:
    """What gankit decides about the pictures, and how to decide otherwise."""
    for line in survey.file_notes:
        yield Finding("fine", line)
    for note in survey.notes:
        mend = "if they look too dark, save them as 8 bits, all with the same white"
        yield Finding("fine", note, mend)
    yield from _check_pages(survey)
    if survey.good:
        yield from _check_tint(survey)


def _check_pages(survey: Survey) -> Iterable[Finding]:
    paged = [facts for facts in survey.good if facts.pages > 1]
    if paged:
        verb = "has" if len(paged) == 1 else "have"
        first = f"{paged[0].name} has {paged[0].pages:,}"
        what = f"{count(len(paged), 'file')} {verb} several pages or frames ({first})"
        animations = all(facts.format in ANIMATED for facts in paged)
        others = (
            "--every 10 shows what every 10th frame gives" if animations else "save each as a file"
        )
        mend = f"gankit uses the first of each; to train on the others, {others}"
        yield Finding("advice", what, mend, names=tuple(facts.name for facts in paged))


def _check_tint(survey: Survey) -> Iterable[Finding]:
    """Whether it was close if pictures are grey or in colour."""
    tint = max(facts.colour.tint for facts in survey.good)
    if survey.grey.all():
        if tint:
            yield Finding("fine", nearly_grey(tint))
        return
    coloured = [facts for facts in survey.good if not facts.grey]
    if 0 < max(facts.colour.pixel for facts in coloured) <= FAINT:
        are = "is" if len(coloured) == 1 else "are"
        what = (
            f"{count(len(coloured))} of {len(survey.good):,} {are} faintly tinted (channels differ "
            f"by up to {tint:.1f} levels of 255 on average), so 3 channels are used"
        )
        names = tuple(facts.name for facts in coloured)
        yield Finding("advice", what, "to train in grey, use --channels 1", names=names)
