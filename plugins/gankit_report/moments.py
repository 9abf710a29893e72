"""D's own view at some moments, as data for the page: pictures with what D looked at in them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from gankit.cli.page.render import data_uri
from gankit.core.errors import describe_error
from gankit.core.parts.registry import Registry
from gankit_report.d_view import Judged, Moment, read_moments
from gankit_report.film import WEBP
from gankit_report.headline import format_number

log = logging.getLogger("gankit")
SIDE = 96  # px of a picture, at most


def page_moments(folder: Path, registry: Registry | None, *, examine: bool) -> list[dict[str, Any]]:
    """For each moment that a run recorded: its step, and the pictures of both kinds.

    With `examine`, a run that recorded none is looked at through its checkpoints, for some seconds.
    """
    moments = read_moments(folder)
    if examine and not moments:
        moments = _view_checkpoints(folder, registry)
    return [
        {
            "step": moment.step,
            "reals": _pictures(moment.reals),
            "fakes": _pictures(moment.fakes),
        }
        for moment in moments
    ]


def _view_checkpoints(folder: Path, registry: Registry | None) -> list[Moment]:
    from gankit_report.view_of_checkpoints import view_checkpoints  # imports torch

    try:
        return view_checkpoints(folder, registry)
    except Exception as error:  # of a part of a plugin, or its pictures are gone
        log.warning("the page of %s lacks D's own view: %s", folder, describe_error(error))
        return []


def _pictures(judged: Sequence[Judged]) -> list[dict[str, str]]:
    return [
        {
            "uri": data_uri(_beside(item.picture, item.heat), "WEBP", **WEBP),
            "score": format_number(item.score),
        }
        for item in judged
    ]


def _beside(picture: Image.Image, heat: Image.Image) -> Image.Image:
    """A picture and its heat map in one picture, side by side."""
    picture.thumbnail((SIDE, SIDE))
    pair = Image.new("RGB", (2 * picture.width, picture.height))
    pair.paste(picture, (0, 0))
    pair.paste(heat.resize(picture.size), (picture.width, 0))
    return pair
