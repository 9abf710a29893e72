"""`gankit sample RUN`: pictures, strips and videos from a trained run."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gankit.core.errors import GankitError

if TYPE_CHECKING:
    from torch import Tensor

    from gankit.runs.sampler import Sampler

STEPS_BETWEEN = 24  # frames of a loop from one picture to the next
FILE_NAMES = {
    "grid": "grid-{seed}.png",
    "files": "pictures",
    "strip": "strip-{seed}.png",
    "loop": "loop.mp4",
    "history": "progress.mp4",
}


@click.command()
@click.argument("run", type=Path)
@click.option("--seed", default=0, show_default=True, help="The first picture's seed.")
@click.option("--count", default=64, show_default=True, help="How many; 1 gives one picture.")
@click.option("--files", is_flag=True, help="One file for each picture, into the folder --out.")
@click.option("--strip", is_flag=True, help="One row, walking from --seed to the next seed.")
@click.option("--loop", is_flag=True, help="A video through --count pictures and back.")
@click.option("--history", is_flag=True, help="A video of the grids drawn during training.")
@click.option("--checkpoint", type=int, metavar="STEP", help="Another than the newest.")
@click.option("--out", type=Path, help="File (.png .jpg .webp; video .mp4 .webp .gif) or folder.")
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
    """Draw from the run in folder RUN: a grid, unless something else is asked for."""
    chosen_forms = [form for form in FILE_NAMES if forms.get(form)]
    if len(chosen_forms) > 1:
        raise GankitError(f"choose one of {' and '.join('--' + form for form in chosen_forms)}")
    if count < 1 or seed < 0:
        raise GankitError("--count must be 1 or more, --seed 0 or more")
    form = chosen_forms[0] if chosen_forms else "grid"
    out = out or run / FILE_NAMES[form].format(seed=seed)
    try:
        if form == "history":
            _history(run, out)
        else:
            from gankit.runs.sampler import load

            sampler = load(run, step=checkpoint, registry=ctx.obj)
            DRAW[form](sampler, seed, count, out)
    except (OSError, ValueError) as error:  # Pillow's ValueError: an ending it does not know
        raise GankitError(f"cannot write {out}: {error}") from error
    click.echo(out)


def _grid(sampler: Sampler, seed: int, count: int, out: Path) -> None:
    picture = sampler.sample(seed) if count == 1 else sampler.grid(count, seed)
    picture.save(out)


def _files(sampler: Sampler, seed: int, count: int, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for number in range(seed, seed + count):
        sampler.sample(number).save(out / f"{number:06d}.png")


def _strip(sampler: Sampler, seed: int, count: int, out: Path) -> None:
    from gankit.runs.images import to_grid

    count = min(count, 10)
    z = _walk(sampler.latents([seed, seed + 1]), count - 1)[:count]
    to_grid(sampler.images(z), columns=count).save(out)


def _loop(sampler: Sampler, seed: int, count: int, out: Path) -> None:
    from gankit.runs.images import to_grid
    from gankit.runs.video import write_video

    count = min(count, 12)
    z = sampler.latents([*range(seed, seed + count), seed])
    images = sampler.images(_walk(z, STEPS_BETWEEN)[:-1])  # the last frame is the first again
    write_video([to_grid(image[None], gap=0) for image in images], out, fps=24)


DRAW: dict[str, Callable[[Sampler, int, int, Path], None]] = {
    "grid": _grid,
    "files": _files,
    "strip": _strip,
    "loop": _loop,
}


def _history(run: Path, out: Path) -> None:
    from PIL import Image

    from gankit.runs.video import write_video

    grids = sorted((run / "samples").glob("*.png"))
    if not grids:
        raise GankitError(f"{run} holds no grids of samples")
    write_video([Image.open(path) for path in grids], out, fps=8)


def _walk(z: Tensor, steps: int) -> Tensor:
    """From each z (N, latent_dim) to the next on the sphere, `steps` pictures each, then the last.

    Latents lie near a sphere: a straight line would leave it for the greyish middle (White 2016,
    arXiv 1609.04468).
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
            else:  # the two lie on one line, which has no sphere to follow
                points.append(torch.lerp(start, end, t))
    return torch.stack([*points, z[-1]])
