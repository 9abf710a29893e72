"""The options of `gankit sample`, and which of them go together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from gankit.cli.param_types import CheckpointName
from gankit.cli.sample.pictures import (
    Cells,
    Circle,
    Directions,
    Near,
    Pair,
    Pictures,
    Seeds,
    Successive,
    read_numbers,
)
from gankit.core.errors import GankitError
from gankit.runs.sample_limits import MAX_SIZE, NEAR_COUNT, SPREAD
from gankit.training.run_folder.run_file import GRID_SIZE

ROW = 8  # pictures of each class, if there are several
COUNTS = {"grid": 64, "files": 64, "strip": 10, "film": 12}  # pictures, if --count is not given
FPS = 24
HISTORY_FPS = 8
MAX_SECONDS = 3600
MAX_FPS = 120

WHICH = (
    click.Option(["--seed"], type=int, default=0, show_default=True, metavar="N",
                 help="Seed of the first picture."),
    click.Option(["--count"], type=int, metavar="N",
                 help="Number of pictures.  [default: 64; --strip 10; --loop 12; --near 16]"),
    click.Option(["--seeds"], metavar="5,12,0-3", help="These seeds, in place of --seed."),
    click.Option(["--cells"], metavar="5,12", help="These pictures of the grids in samples/, "
                 "counted from 0, row by row; with --near, of the grid that it draws."),
    click.Option(["--near"], type=int, metavar="SEED",
                 help="Pictures like that of SEED, which comes first."),
    click.Option(["--spread"], type=float, default=SPREAD, show_default=True, metavar="SHARE",
                 help="How different the pictures of --near are, up to 1."),
    click.Option(["--class", "classes"], multiple=True, metavar="NAME", help="Pictures of this "
                 "class, of a run with --class-labels; of several, a row for each or, in "
                 "videos and strips, a way from class to class.  [default: the classes in turn]"),
    click.Option(["--checkpoint"], type=CheckpointName(), metavar="STEP",
                 help="Use the checkpoint of this step, or best.  [default: last]"),
)  # fmt: skip
HOW = (
    click.Option(["--files"], is_flag=True,
                 help="Write one file per picture, into the folder --out."),
    click.Option(["--strip"], is_flag=True, help="Draw one row of --count pictures, from --seed "
                 "to the next seed, or through --seeds."),
    click.Option(["--size"], type=int, metavar="PX", help="Enlarge each picture's longer "
                 "side to PX pixels.  [default: as G draws it]"),
    click.Option(["--numbers"], is_flag=True, help="Write its seed on each picture of a grid; "
                 "with --near or --cells, its cell."),
    click.Option(["--show"], is_flag=True, help="Also draw the pictures in the terminal, as many "
                 "as there is room for. The file is written as always."),
)  # fmt: skip
VIDEOS = (
    click.Option(["--loop/--no-loop"], default=None, help="Make a video through the pictures and "
                 "back. --no-loop: the video of --directions ends at its last picture."),
    click.Option(["--seconds"], type=float, metavar="N", help="Make a video of this length; "
                 "without --loop, it ends at the last picture.  [default: 1 a picture]"),
    click.Option(["--history"], is_flag=True,
                 help="Make a video of the grids drawn during training."),
    click.Option(["--fps"], type=int, metavar="N",
                 help="Frames per second.  [default: 24; --history 8]"),
    click.Option(["--ease/--no-ease"], default=None, help="Slow down at each picture, or do not.  "
                 "[default: slow down, but not with --loop alone]"),
    click.Option(["--directions"], type=Path, metavar="FILE",
                 help="Make a video of a walk that you saved in the page of gankit explore."),
)  # fmt: skip
OUTPUT = (
    click.Option(["--out"], type=Path, metavar="PATH", help="File to write (.png .jpg .webp; "
                 "videos .mp4 .webp .gif), or the folder of --files.  "
                 "[default: in the run's folder]"),
)  # fmt: skip
GROUPS = {
    "Which pictures": WHICH,
    "How to draw them": HOW,
    "Videos": VIDEOS,
    "Output": OUTPUT,
}

_RANGES: dict[
    str, tuple[Callable[[Any], bool], str]
] = {  # option -> whether a value is allowed, and which are
    "seed": (lambda value: value >= 0, "0 or more"),
    "near": (lambda value: value >= 0, "0 or more"),
    "count": (lambda value: value >= 1, "1 or more"),
    "spread": (lambda value: 0 < value <= 1, "above 0, and 1 at most"),
    "size": (lambda value: 1 <= value <= MAX_SIZE, f"from 1 to {MAX_SIZE} pixels"),
    "seconds": (lambda value: 0.1 <= value <= MAX_SECONDS, f"from 0.1 to {MAX_SECONDS}"),
    "fps": (lambda value: 1 <= value <= MAX_FPS, f"from 1 to {MAX_FPS}"),
}
_CHOOSERS = ("seed", "seeds", "cells", "near", "directions")  # each chooses the pictures
_FILM_ONLY = {"fps", "ease"}
# What each form is, and the options that it does not take.
_REFUSED = {
    "grid": ("a grid is not a video", _FILM_ONLY),
    "files": ("--files writes single pictures", {"numbers", *_FILM_ONLY}),
    "strip": ("--strip draws the way from picture to picture", {"numbers", *_FILM_ONLY}),
    "film": ("{film} makes a video", {"numbers", "show"}),
    "history": (
        "--history shows the grids that training has drawn",
        {*_CHOOSERS, "classes", "count", "spread", "checkpoint", "numbers", "show", "ease"},
    ),
}


@dataclass(frozen=True)
class Film:
    """How a film passes its pictures."""

    fps: int
    closed: bool | None  # back to the first picture; None: as the file of a walk says
    eased: bool
    seconds: float  # 0: a second from each picture to the next


def check_values(values: Mapping[str, Any]) -> None:
    """GankitError if the value of an option is out of its range."""
    for name, (is_allowed, allowed) in _RANGES.items():
        if values[name] is not None and not is_allowed(values[name]):
            raise GankitError(f"--{name} is {values[name]}; it must be {allowed}")


def choose_form(values: Mapping[str, Any], given: Collection[str]) -> str:
    """What to draw: "grid", "files", "strip", "film" or "history".

    `values`: of all options. `given`: those on the command line, which must not contradict each
    other, or it is a GankitError; environment variables only set defaults.
    """
    film = film_option(values)
    forms = [form for form in ("files", "strip", "history") if values[form]]
    options = [*(f"--{form}" for form in forms), *([film] if film else [])]
    if len(options) > 1:
        raise GankitError(f"{' and '.join(options)} exclude each other: give only one of them")
    form = "film" if film else (*forms, "grid")[0]
    what, refused = _REFUSED[form]
    for name in sorted(refused & set(given)):
        name = "class" if name == "classes" else name
        if form == "grid":
            raise GankitError(f"--{name} is for videos: add --seconds N or --loop, or omit it")
        raise GankitError(f"{what.format(film=options[0])}: omit --{name}")
    _check_choosers(form, given)
    if values["loop"] is False and "loop" in given and "directions" not in given:
        raise GankitError("--no-loop is for the video of --directions: omit it")
    _check_several_classes(values, given, form)
    return form


def _check_several_classes(values: Mapping[str, Any], given: Collection[str], form: str) -> None:
    """GankitError if a circle around a picture is to be of several classes."""
    is_circle = form == "film" and "near" in given and "cells" not in given
    if is_circle and len(values["classes"]) > 1:
        raise GankitError(
            "the video of --near is a circle in one class: give --class only once, or use --seed "
            "for a walk through the classes"
        )


def film_option(values: Mapping[str, Any]) -> str:
    """The option that asks for a film of a walk; empty if none does."""
    return next((f"--{name}" for name in ("loop", "seconds", "directions") if values[name]), "")


def _check_choosers(form: str, given: Collection[str]) -> None:
    """GankitError if options do not choose the pictures in one way."""
    choosers = [name for name in _CHOOSERS if name in given]
    if len(choosers) > 1 and choosers != ["cells", "near"]:
        options = " and ".join(f"--{name}" for name in choosers)
        raise GankitError(f"{options} exclude each other: give only one of them")
    names_each = next((name for name in ("seeds", "cells", "directions") if name in given), "")
    if names_each and "count" in given and form != "strip":
        raise GankitError(f"--{names_each} names each picture: omit --count")
    if "spread" in given and "near" not in given:
        raise GankitError("--spread is for --near: add --near SEED, or omit it")
    if "near" in given and "cells" not in given:
        _check_circle(form, given)


def _check_circle(form: str, given: Collection[str]) -> None:
    """GankitError for options that do not go with --near without --cells."""
    if form == "strip":
        raise GankitError(
            "--strip draws the way from picture to picture: choose some of --near with --cells"
        )
    for name in ("count", "ease"):
        if form == "film" and name in given:
            circle = "the video of --near is a circle around one picture"
            raise GankitError(f"{circle}: omit --{name}")


def read_pictures(values: Mapping[str, Any], form: str, *, grid_shows_seeds: bool) -> Pictures:
    """The pictures that the options choose. GankitError if there are too few, or no such cell.

    `grid_shows_seeds`: whether cell k of the run's own grids shows seed k.
    """
    cells = read_numbers("--cells", values["cells"]) if values["cells"] else ()
    has_several_classes = len(set(values["classes"])) > 1
    if values["directions"]:
        return Directions(values["directions"])
    if values["near"] is not None:
        numbers = cells or range(values["count"] or NEAR_COUNT)
        if form == "film" and not cells:
            return Circle(values["near"], values["spread"])
        pictures: Pictures = Near(values["near"], values["spread"], numbers)
    elif cells:
        _check_cells(cells)
        pictures = Seeds(cells) if grid_shows_seeds else Cells(cells)
    elif values["seeds"]:
        pictures = Seeds(read_numbers("--seeds", values["seeds"]))
    elif form == "strip":
        return Pair(values["seed"], 1 if has_several_classes else 2)
    else:
        count = values["count"] or _count(form, has_several_classes)
        pictures = Successive(values["seed"], count)
    if form in ("strip", "film") and len(pictures.numbers) < 2 and not has_several_classes:
        option = next(f"--{name}" for name in ("cells", "seeds", "count") if values[name])
        raise GankitError(
            f"{option} gives one picture, and the way from picture to picture needs two or more; "
            "--near SEED --loop moves around one"
        )
    return pictures


def _count(form: str, has_several_classes: bool) -> int:
    """How many pictures of successive seeds, if --count is not given."""
    if has_several_classes:
        return {"grid": ROW, "film": 1}.get(form, COUNTS[form])
    return COUNTS.get(form, 0)


def _check_cells(cells: tuple[int, ...]) -> None:
    if max(cells) >= GRID_SIZE:
        last = GRID_SIZE - 1
        raise GankitError(f"--cells has {max(cells)}: a grid of training has cells 0 to {last}")


def read_film(values: Mapping[str, Any]) -> Film:
    """How a film passes its pictures; --loop alone walks as evenly as it always did."""
    is_plain_loop = not any(values[name] for name in ("seconds", "seeds", "cells", "directions"))
    eased = not is_plain_loop if values["ease"] is None else values["ease"]
    return Film(values["fps"] or FPS, values["loop"], eased, values["seconds"] or 0)


def film_options(values: Mapping[str, Any]) -> list[str]:
    """The options that make the same film of the same pictures."""
    options = _switch("loop", values) if values["loop"] or values["directions"] else []
    for name in ("seconds", "fps"):
        options += [f"--{name}", f"{values[name]:.12g}"] if values[name] else []
    return options + _switch("ease", values)


def _switch(name: str, values: Mapping[str, Any]) -> list[str]:
    if values[name] is None:
        return []
    return [f"--{name}" if values[name] else f"--no-{name}"]
