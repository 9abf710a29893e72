"""The report on a data set as one HTML file, with its pictures in it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from gankit.cli.page.render import render_page
from gankit.core.errors import GankitError
from gankit.core.files.atomic_write import write_atomically
from gankit.core.files.portable_path import hide_home
from gankit.core.files.retried_write import describe_write_error
from gankit.core.run.image_size import ImageSize
from gankit.core.shell import join_command
from gankit.data.read.fit import fit
from gankit_datacheck.charts import average_uri, jpeg_uri, size_chart, tone_chart
from gankit_datacheck.show import headline, overview_rows
from gankit_datacheck.survey import Facts, Survey

SHEET_SIDE = 10  # pictures along a side of the contact sheet
MAX_GROUPS = 24  # of copies, and lines of broken files; --json has all
GROUP_PICTURES = 4  # shown of each group of copies
MAX_NAMES = 200  # of pictures, for each finding
MAX_PIXELS = 128  # side of a picture on the page
DEFAULT_SIZE = 64  # of --image-size
EVERY = "folder:every="
OPTION = re.compile(
    r"--(trick|fit|channels|classes|image-size|batch-size|model|background) "
    r"('[^']*'|\"[^\"]*\"|[\w:=.-]+)"
    r"|--[a-z-]+"
)


def write_page(
    path: Path, report: dict[str, Any], survey: Survey, pictures: Sequence[Any] = ()
) -> None:
    """Write the page; `pictures[facts.index]` is the picture of these facts.

    The layout is in templates/check.html.
    """
    side = min(SHEET_SIDE, math.isqrt(len(survey.good)))
    groups = survey.duplicate_groups()
    broken = [f"{file['name']} {file['why']}" for file in report["broken"]]
    text = render_page(
        "gankit_datacheck",
        "check.html",
        title=headline(report),
        command=join_command(["gankit", "data", "check", *_arguments(report)]),
        report=report,
        with_code=mark_options,
        facts=list(overview_rows(report)),
        side=side,
        sheet=_contact_sheet(side, survey, pictures),
        size_chart=size_chart(survey) if side else None,
        tone_chart=tone_chart(report["colour"]["histogram"]) if side else None,
        average=average_uri(survey),
        copies=[
            _show_group(group, exact, survey, pictures) for group, exact in groups[:MAX_GROUPS]
        ],
        more_copies=len(groups) - MAX_GROUPS,
        left_out=broken + report["left_out"],
        most_names=MAX_NAMES,
        most_lines=MAX_GROUPS,
    )
    try:
        write_atomically(path, hide_home(text))
    except OSError as error:
        why = describe_write_error(error)
        raise GankitError(f"cannot write {path}: {why}; give another --page") from error


def _arguments(report: dict[str, Any]) -> list[str]:
    """What `gankit data check` was given; the report's source has the options of `gankit run`."""
    source = report["source"]
    arguments = []
    for option, value in zip(source[::2], source[1::2], strict=True):
        if option == "--dataset" and value.startswith(EVERY):
            arguments += ["--every", value.removeprefix(EVERY)]
        elif option in ("--data", "--dataset"):
            arguments.append(value)
        else:
            arguments += [option, value]
    if report["image_size"] != DEFAULT_SIZE:
        arguments += ["--image-size", str(report["image_size"])]
    return arguments


def mark_options(advice: str) -> Markup:
    """The advice as HTML, with its options as <code>."""
    return Markup(OPTION.sub(r"<code>\g<0></code>", escape(advice, quote=False)))


def _contact_sheet(side: int, survey: Survey, pictures: Sequence[Any]) -> list[dict[str, str]]:
    """A square of pictures chosen at random, the same each time, as the model will see them."""
    chosen = np.random.RandomState(0).permutation(len(survey.good))[: side * side]
    return [_show_picture(survey.good[index], survey, pictures) for index in sorted(chosen)]


def _show_picture(facts: Facts, survey: Survey, pictures: Sequence[Any]) -> dict[str, str]:
    """The name and pixels of a picture, prepared as for training."""
    try:
        pixels = fit(pictures[facts.index], _shown_size(survey), 3)
    except Exception:  # the file has changed since it was checked
        pixels = np.zeros((1, 1, 3), np.uint8)
    return {"name": facts.name, "data": jpeg_uri(pixels)}


def _shown_size(survey: Survey) -> ImageSize:
    """The image size, but not larger than a page shows."""
    scale = min(1, MAX_PIXELS / survey.size.longer)
    width, height = (
        max(1, round(scale * side)) for side in (survey.size.width, survey.size.height)
    )
    return ImageSize(width, height)


def _show_group(
    group: list[Facts], exact: bool, survey: Survey, pictures: Sequence[Any]
) -> dict[str, Any]:
    """The first pictures of a group of copies."""
    first = [_show_picture(facts, survey, pictures) for facts in group[:GROUP_PICTURES]]
    return {"exact": exact, "pictures": first, "rest": len(group) - GROUP_PICTURES}
