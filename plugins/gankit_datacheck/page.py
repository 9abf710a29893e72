"""A page about a data set: one HTML file with its pictures in it, readable anywhere."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from gankit.cli.page import render_page
from gankit.core.errors import GankitError
from gankit.data.read.fit import fit
from gankit_datacheck.charts import average_uri, jpeg_uri, size_chart, tone_chart
from gankit_datacheck.show import facts, headline
from gankit_datacheck.survey import Facts, Survey

SHEET = 10  # pictures along a side of the contact sheet
SHOWN = 24  # groups of copies, and of broken files in the open; the rest is in --json
IN_GROUP = 4  # pictures shown of each group
NAMED = 200  # pictures named with a finding
PIXELS = 128  # of a picture on the page, at most
OPTION = re.compile(
    r"--(trick|fit|channels|classes|image-size|batch-size|model|background) ('[^']*'|[\w:=.-]+)"
    r"|--[a-z-]+"
)


def write_page(
    path: Path, report: dict[str, Any], survey: Survey, pictures: Sequence[Any] = ()
) -> None:
    """Write the page; `pictures[facts.index]` gives a picture again.

    templates/check.html says what it looks like.
    """
    sources = [word for word in report["source"] if word not in ("--data", "--dataset")]
    side = min(SHEET, math.isqrt(len(survey.good)))
    groups = survey.alike_groups()
    broken = [f"{file['name']} {file['why']}" for file in report["broken"]]
    text = render_page(
        "gankit_datacheck",
        "check.html",
        title=headline(report),
        command=f"gankit data check {shlex.join(sources)}",
        report=report,
        with_code=with_code,
        facts=list(facts(report)),
        side=side,
        sheet=_sheet(side, survey, pictures),
        size_chart=size_chart(survey) if side else None,
        tone_chart=tone_chart(report["colour"]["histogram"]) if side else None,
        average=average_uri(survey),
        copies=[_copies(group, exact, survey, pictures) for group, exact in groups[:SHOWN]],
        more_copies=len(groups) - SHOWN,
        left_out=broken + report["left_out"],
        most_names=NAMED,
        most_lines=SHOWN,
    )
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise GankitError(f"cannot write {path}: {error.strerror}; name another file") from error


def with_code(advice: str) -> Markup:
    """What to do, its options set as code."""
    return Markup(OPTION.sub(r"<code>\g<0></code>", escape(advice, quote=False)))


def _sheet(side: int, survey: Survey, pictures: Sequence[Any]) -> list[dict[str, str]]:
    """A square of pictures drawn at random, the same each time, as the model will see them."""
    chosen = np.random.RandomState(0).permutation(len(survey.good))[: side * side]
    return [_picture(survey.good[index], survey, pictures) for index in sorted(chosen)]


def _picture(shown: Facts, survey: Survey, pictures: Sequence[Any]) -> dict[str, str]:
    """A picture as it will be prepared."""
    try:
        pixels = fit(pictures[shown.index], min(survey.image_size, PIXELS), 3)
    except Exception:  # it could be read a moment ago
        pixels = np.zeros((1, 1, 3), np.uint8)
    return {"name": shown.name, "data": jpeg_uri(pixels)}


def _copies(
    group: list[Facts], exact: bool, survey: Survey, pictures: Sequence[Any]
) -> dict[str, Any]:
    """The first pictures of a group that are alike."""
    first = [_picture(shown, survey, pictures) for shown in group[:IN_GROUP]]
    return {"exact": exact, "pictures": first, "rest": len(group) - IN_GROUP}
