"""`gankit sample RUN`: pictures, strips and videos from a trained run."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gankit.core.errors import GankitError
from gankit.training.find_run import find_run

if TYPE_CHECKING:
    from torch import Tensor

    from gankit.runs.sampler import Sampler

FRAMES_PER_PICTURE = 24  # of a loop: from one picture to the next
FILE_NAMES = {
    "grid": "grid-{seed}.png",
    "files": "pictures",
    "strip": "strip-{seed}.png",
    "loop": "loop.mp4",
    "history": "progress.mp4",
}


@click.command()
@click.argument("run", type=Path)
@click.option("--seed", default=0, show_default=True, help="Seed of the first picture.")
@click.option("--count", default=64, show_default=True, help="Number of pictures.")
@click.option("--files", is_flag=True, help="Write one file per picture, into the folder --out.")
@click.option("--strip", is_flag=True, help="Draw one row, from --seed to the next seed.")
@click.option("--loop", is_flag=True, help="Make a video through --count pictures and back.")
@click.option("--history", is_flag=True, help="Make a video of the grids drawn during training.")
@click.option(
    "--checkpoint", type=int, metavar="STEP", help="Use an earlier checkpoint than the newest."
)
@click.option(
    "--out",
    type=Path,
    metavar="PATH",
    help="File to write (.png .jpg .webp; videos .mp4 .webp .gif), or the folder of --files.  "
    "[default: in the run's folder]",
)
@click.pass_context
def sample(
    ctx: click.Context,
    /,
    run: Path,
    seed: int,
    count: int,
    checkpoint: int | None,
    out: Path | None,
    **forms: bool,
) -> None:
    """Draw pictures from the trained run in the folder RUN.

    Without --files, --strip, --loop or --history, draw a grid.
    """
    chosen_forms = [form for form in FILE_NAMES if forms.get(form)]
    if len(chosen_forms) > 1:
        options = " and ".join(f"--{form}" for form in chosen_forms)
        raise GankitError(f"{options} exclude each other: give only one of them")
    if count < 1:
        raise GankitError(f"--count is {count}; it must be 1 or more")
    if seed < 0:
        raise GankitError(f"--seed is {seed}; it must be 0 or more")
    run = find_run(run, " and --checkpoint {step}")
    form = chosen_forms[0] if chosen_forms else "grid"
    out = out or run / FILE_NAMES[form].format(seed=seed)
    try:
        if form == "history":
            _write_history(run, out)
        else:
            from gankit.runs.sampler import load

            sampler = load(run, step=checkpoint, registry=ctx.obj)
            WRITERS[form](sampler, seed, count, out)
    except (OSError, ValueError) as error:  # ValueError: Pillow does not know the file extension
        raise GankitError(f"cannot write {out}: {error}") from error
    click.echo(out)


def _write_grid(sampler: Sampler, seed: int, count: int, out: Path) -> None:
    from gankit.runs.images import save_picture

    picture = sampler.sample(seed) if count == 1 else sampler.grid(count, seed)
    save_picture(picture, out)


def _write_files(sampler: Sampler, seed: int, count: int, out: Path) -> None:
    from gankit.runs.images import save_picture

    out.mkdir(parents=True, exist_ok=True)
    for number in range(seed, seed + count):
        save_picture(sampler.sample(number), out / f"{number:06d}.png")


def _write_strip(sampler: Sampler, seed: int, count: int, out: Path) -> None:
    from gankit.runs.images import save_picture, to_grid

    count = min(count, 10)
    z = _interpolate(sampler.latents([seed, seed + 1]), count - 1)[:count]
    save_picture(to_grid(sampler.images(z), columns=count), out)


def _write_loop(sampler: Sampler, seed: int, count: int, out: Path) -> None:
    from gankit.runs.images import to_grid
    from gankit.runs.video import write_video

    count = min(count, 12)
    z = sampler.latents([*range(seed, seed + count), seed])
    images = sampler.images(_interpolate(z, FRAMES_PER_PICTURE)[:-1])  # the last equals the first
    write_video([to_grid(image[None], gap=0) for image in images], out, fps=24)


WRITERS: dict[str, Callable[[Sampler, int, int, Path], None]] = {
    "grid": _write_grid,
    "files": _write_files,
    "strip": _write_strip,
    "loop": _write_loop,
}


def _write_history(run: Path, out: Path) -> None:
    from PIL import Image

    from gankit.runs.video import write_video

    grids = sorted((run / "samples").glob("*.png"))
    if not grids:
        raise GankitError(f"{run} has no grids in samples/, so --history has nothing to show")
    write_video([Image.open(path) for path in grids], out, fps=8)


def _interpolate(z: Tensor, steps: int) -> Tensor:
    """Spherical interpolation (slerp) through z (N, latent_dim), with `steps` points from each z
    to the next; the last z comes last.

    Gaussian z lie near a sphere. A straight line leaves the sphere, and its middle gives grey
    pictures (White 2016, arXiv 1609.04468).
    """
    import torch

    points = []
    for start, end in itertools.pairwise(z):
        cosine = torch.dot(start, end) / (start.norm() * end.norm())
        angle = math.acos(float(cosine.clamp(-1, 1)))
        for t in torch.arange(max(steps, 1)) / max(steps, 1):
            if math.sin(angle) > 1e-3:
                start_weight = math.sin((1 - t) * angle)
                end_weight = math.sin(t * angle)
                points.append((start_weight * start + end_weight * end) / math.sin(angle))
            else:  # parallel vectors have no unique arc between them
                points.append(torch.lerp(start, end, t))
    return torch.stack([*points, z[-1]])
