"""What `gankit sample` writes: is the path a good one, will the pictures fit, and writing them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from gankit.cli.check_output import require_folder, write_error
from gankit.cli.sample.options import HISTORY_FPS
from gankit.core.errors import GankitError
from gankit.core.files.portable_path import path_from_here
from gankit.core.run.settings import Run
from gankit.core.shell import join_command
from gankit.data.alpha import ALPHA
from gankit.data.messages import shorten
from gankit.runs import video
from gankit.runs.grids import list_grids
from gankit.runs.provenance import of_run
from gankit.training.run_folder.run_file import recorded_run

MAX_PIXELS = 89_478_485  # Pillow warns of a larger picture when it opens it
MAX_SIDES = {"JPEG": 65_500, "WEBP": 16_383, "GIF": 65_535, "AVIF": 65_535}  # pixels
MAX_FILM_SIDE = 4096  # pixels: more than most players and their hardware show
MAX_SHOWN = 80  # letters of options in a message
PICTURE_ENDINGS = ".png, .jpg or .webp"


def check_path(
    out: Path, run: Path, *, is_folder: bool = False, video_option: str = "", fps: int = 0
) -> None:
    """GankitError if --out cannot be what is written: a picture, a folder of them, or a video.

    `video_option` is the option that asks for a video; `fps`: the value of --fps, or 0.
    """
    if is_folder:
        _check_folder(out, run)
        return
    if out.is_dir():
        example = out / ("loop.mp4" if video_option else "flowers.png")
        raise GankitError(
            f"--out {out} is a folder: name a file in it, such as {example}, or use --files"
        )
    ending = out.suffix.lower()
    if video_option:
        if ending not in video.ENDINGS:
            raise GankitError(f"{video_option} writes a video, so --out must end in .mp4, .webp or "
                              f".gif; it is {out}")  # fmt: skip
        video.check_video(out, fps)
    elif ending == ".mp4":
        raise GankitError(
            f"--out {out} is a video: add --loop, --seconds or --history, or write "
            f"{PICTURE_ENDINGS}"
        )
    elif _picture_format(ending) is None:
        raise GankitError(
            f"--out {out} must end in {PICTURE_ENDINGS}, so that gankit knows the kind of picture"
        )
    require_folder(out)


def _check_folder(out: Path, run: Path) -> None:
    """GankitError if --files cannot write into the folder --out."""
    if out.is_file():
        raise GankitError(f"--files writes into a folder, and --out {out} is a file")
    ending = out.suffix.lower()
    is_named_like_a_file = ending in video.ENDINGS or _picture_format(ending) is not None
    if is_named_like_a_file and not out.is_dir():
        raise GankitError(
            f"--files writes into a folder, and --out {out} is named like a file: omit {out.suffix}"
        )
    if out.resolve() == (run / "samples").resolve():
        raise GankitError(f"--out {out} holds the grids of training: choose another folder")


def _picture_format(ending: str) -> str | None:
    """Pillow's name of the format with this ending, or None if it cannot write one."""
    file_format = Image.registered_extensions().get(ending)
    return file_format if file_format in Image.SAVE else None


def check_picture_fits(
    options: Sequence[str],
    count: int,
    columns: int,
    size: tuple[int, int],
    gap: int,
    out: Path,
) -> None:
    """GankitError if a grid of `count` pictures would be larger than its format or MAX_PIXELS.

    `options` of `gankit sample` choose them; each has this size (width, height), and `gap` pixels
    around it.
    """
    from gankit.runs.images import grid_size  # imports torch

    width, height = grid_size(count, columns, size, gap)
    file_format = _picture_format(out.suffix.lower()) or ""
    max_side = MAX_SIDES.get(file_format, MAX_PIXELS)
    if width * height > MAX_PIXELS:
        limit = f"{MAX_PIXELS:,} pixels are the most that programs open safely"
    elif max(width, height) > max_side:
        limit = f"{out.suffix} has at most {max_side:,} pixels on a side"
    else:
        return
    raise GankitError(
        f"{_shorten(options)} would make a picture of {width:,} x {height:,} pixels, and {limit}: "
        "use fewer pictures, a smaller --size, or --files"
    )


def check_film_fits(options: Sequence[str], count: int, size: tuple[int, int], out: Path) -> None:
    """GankitError if players cannot show a film of `count` frames of this size (width, height).

    The frames of a .webp or .gif must also fit into memory.
    """
    _check_film_side(*size)
    _check_frames_fit(options, count, size, out)


def _check_film_side(width: int, height: int) -> None:
    if max(width, height) > MAX_FILM_SIDE:
        raise GankitError(
            f"the video would have {width:,} x {height:,} pixels, and players show "
            f"{MAX_FILM_SIDE:,} a side: use a smaller --size"
        )


def _check_frames_fit(options: Sequence[str], count: int, size: tuple[int, int], out: Path) -> None:
    width, height = size
    max_count = MAX_PIXELS // (width * height)
    if out.suffix.lower() != ".mp4" and count > max_count:
        raise GankitError(
            f"{_shorten(options)} would make {count:,} frames of {width} x {height} pixels, and a "
            f"{out.suffix} must have all in memory at once, {max_count:,} at most: write an .mp4"
        )


def _shorten(options: Sequence[str]) -> str:
    text = " ".join(options)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


@contextlib.contextmanager
def explain_write_error(out: Path) -> Iterator[None]:
    """Raise an error of the file system or of Pillow again as a GankitError that names the path."""
    try:
        yield
    except (OSError, ValueError, OverflowError) as error:
        raise write_error(out, error) from error


def write_history(run: Path, out: Path, fps: int, size: int) -> int:
    """Write the grids that a run has drawn during training as a video.

    `size`: the pixels of each picture's longer side; 0: as they are. Returns what they were.
    GankitError if there are no grids, or if such a video is too large.
    """
    from gankit.runs.images import resize, resized
    from gankit.runs.read_grid import read_grid

    grids = list_grids(run)
    if not grids:
        raise GankitError(f"{run} has no grids in samples/, so --history has nothing to show")
    settings = recorded_run(run)
    side = settings.size.longer
    options = ["--history"]
    options += ["--size", str(size)] if size else []
    _, first = grids[0]
    drawn = read_grid(first).size
    longer = round(size / side * max(drawn))
    written = resized(*drawn, longer)
    if size:
        _check_film_side(*written)
    _check_frames_fit(options, len(grids), written, out)
    frames = (resize(read_grid(grid), longer, settings.resample) for _, grid in grids)
    options += ["--fps", str(fps)] if fps != HISTORY_FPS else []
    last_step, _ = grids[-1]
    provenance = of_run(run, last_step, join_command(["gankit", *sample_words(run, *options)]))
    video.write_video(frames, out, fps, provenance)
    return side


def sample_words(run: Path, *options: str) -> list[str]:
    """The words of `gankit sample` after `gankit`; the path does not name your home folder."""
    return ["sample", path_from_here(run), *options]


def _describe_background(out: Path, run: Run) -> str:
    """Where a single picture of a run lies if its format has no transparency; else empty."""
    from gankit.runs.images import can_be_transparent  # imports torch

    if run.channels != ALPHA or can_be_transparent(out):
        return ""
    return f"  (on {run.background}, because {out.suffix} has no transparency: use .png to keep it)"


def describe_grid(out: Path, run: Run, in_a_row: int, classes: Sequence[str]) -> str:
    """What the line that names a grid's file adds: its background, and the classes of its rows."""
    background = _describe_background(out, run) if in_a_row == 1 else ""
    rows = f"  (rows from the top: {shorten(', '.join(classes))})" if len(classes) > 1 else ""
    return background + rows


def describe_size(size: int, side: int) -> str:
    """What --size did to pictures with this longer side, for the line that names the file."""
    if not size or size == side:
        return ""
    change = "enlarged" if size > side else "made smaller"
    return f"  (each picture {change} from {side} to {size:,} pixels)"
