"""What `gankit sample` writes: is the path a good one, will the pictures fit, and writing them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from gankit.cli.check_output import require_folder, write_error
from gankit.core.errors import GankitError
from gankit.core.portable_path import portable_path
from gankit.core.settings import command_about
from gankit.core.shell import join_command
from gankit.runs import video
from gankit.runs.grids import list_grids
from gankit.runs.provenance import Provenance, of_run

if TYPE_CHECKING:
    from gankit.runs.sampler import Sampler

MAX_PIXELS = 89_478_485  # Pillow warns of a larger picture when it opens it
MAX_SIDES = {"JPEG": 65_500, "WEBP": 16_383, "GIF": 65_535, "AVIF": 65_535}  # pixels
PICTURE_ENDINGS = ".png, .jpg or .webp"


def check_path(out: Path, form: str, run: Path) -> None:
    """GankitError if --out cannot be what `form` ("grid", "files", ...) writes."""
    if form == "files":
        _check_folder(out, run)
        return
    if out.is_dir():
        example = out / ("loop.mp4" if form in ("loop", "history") else "flowers.png")
        raise GankitError(
            f"--out {out} is a folder: name a file in it, such as {example}, or use --files"
        )
    ending = out.suffix.lower()
    if form in ("loop", "history"):
        if ending not in video.ENDINGS:
            raise GankitError(f"--{form} writes a video, so --out must end in .mp4, .webp or .gif; "
                              f"it is {out}")  # fmt: skip
    elif ending == ".mp4":
        raise GankitError(
            f"--out {out} is a video: add --loop or --history, or write {PICTURE_ENDINGS}"
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


def check_picture_size(sampler: Sampler, count: int, columns: int, out: Path) -> None:
    """GankitError if a grid of `count` pictures would be larger than its format or MAX_PIXELS."""
    from gankit.runs.images import grid_size  # imports torch

    side = sampler.run.image_size
    width, height = grid_size(count, columns, (side, side))
    file_format = _picture_format(out.suffix.lower()) or ""
    max_side = MAX_SIDES.get(file_format, MAX_PIXELS)
    if width * height > MAX_PIXELS:
        limit = f"{MAX_PIXELS:,} pixels are the most that programs open safely"
    elif max(width, height) > max_side:
        limit = f"{out.suffix} has at most {max_side:,} pixels on a side"
    else:
        return
    raise GankitError(
        f"--count {count} is too many for one picture: it would have {width:,} x {height:,} "
        f"pixels, and {limit}. Use a smaller --count, or --files"
    )


def check_frames_fit(sampler: Sampler, count: int, frames_per_picture: int, out: Path) -> None:
    """GankitError if the frames of a .webp or .gif do not fit into memory; .mp4 needs only one."""
    max_count = MAX_PIXELS // (frames_per_picture * sampler.run.image_size**2)
    if out.suffix.lower() != ".mp4" and count > max_count:
        raise GankitError(
            f"--count {count} is too many for {out.suffix}, whose frames must be in memory at "
            f"once: use --count {max_count} or less, or .mp4"
        )


@contextlib.contextmanager
def explain_write_error(out: Path) -> Iterator[None]:
    """Raise an error of the file system or of Pillow again as a GankitError that names the path."""
    try:
        yield
    except (OSError, ValueError, OverflowError) as error:
        raise write_error(out, error) from error


def write_history(run: Path, out: Path) -> None:
    """Write the grids that a run has drawn during training as a video."""
    from gankit.runs.read_grid import read_grid

    grids = list_grids(run)
    if not grids:
        raise GankitError(f"{run} has no grids in samples/, so --history has nothing to show")
    frames = (read_grid(grid) for _, grid in grids)
    last_step, _ = grids[-1]
    provenance = of_run(run, last_step, join_command(["gankit", *_sample_words(run, "--history")]))
    with explain_write_error(out):
        video.write_video(frames, out, 8, provenance)


def describe_picture(sampler: Sampler, form: str, seed: int, count: int) -> Provenance:
    """Where a picture or video of `gankit sample` comes from."""
    run = sampler.run
    options = [] if form == "grid" else [f"--{form}"]
    options += ["--seed", str(seed), "--count", str(count), "--checkpoint", str(sampler.step)]
    command = command_about(run, *_sample_words(run.folder, *options))
    return of_run(run.folder, sampler.step, command, seed)


def _sample_words(run: Path, *options: str) -> list[str]:
    """The words of `gankit sample` after `gankit`; the path does not name your home folder."""
    working_folder = Path.cwd()
    return ["sample", portable_path(str(run), working_folder, working_folder), *options]
