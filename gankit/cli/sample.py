"""`gankit sample RUN`: pictures, strips and videos from a trained run."""

import itertools
import math
from pathlib import Path

import click

from gankit.core.errors import GankitError

STEPS_BETWEEN = 24  # frames of a loop from one picture to the next


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
def sample(ctx, run, seed, count, files, strip, loop, history, checkpoint, out):
    """Draw from the run in folder RUN: a grid, unless something else is asked for."""
    wanted = [name for name in ("files", "strip", "loop", "history") if ctx.params[name]]
    if len(wanted) > 1:
        raise GankitError(f"choose one of {' and '.join('--' + name for name in wanted)}")
    if count < 1 or seed < 0:
        raise GankitError("--count must be 1 or more, --seed 0 or more")
    what = wanted[0] if wanted else "grid"
    out = out or run / {"files": "pictures", "loop": "loop.mp4", "history": "progress.mp4"}.get(
        what, f"{what}-{seed}.png"
    )
    try:
        if what == "history":
            _history(run, out)
        else:
            from gankit.runs.sampler import load

            sampler = load(run, step=checkpoint, registry=ctx.obj)
            {"grid": _grid, "files": _files, "strip": _strip, "loop": _loop}[what](
                sampler, seed, count, out
            )
    except (OSError, ValueError) as error:  # Pillow's ValueError: an ending it does not know
        raise GankitError(f"cannot write {out}: {error}") from error
    click.echo(out)


def _grid(sampler, seed, count, out):
    (sampler.sample(seed) if count == 1 else sampler.grid(count, seed)).save(out)


def _files(sampler, seed, count, out):
    out.mkdir(parents=True, exist_ok=True)
    for number in range(seed, seed + count):
        sampler.sample(number).save(out / f"{number:06d}.png")


def _strip(sampler, seed, count, out):
    from gankit.runs.images import to_grid

    count = min(count, 10)
    z = _walk(sampler.latents([seed, seed + 1]), count - 1)[:count]
    to_grid(sampler.images(z), columns=count).save(out)


def _loop(sampler, seed, count, out):
    from gankit.runs.images import to_grid
    from gankit.runs.video import write_video

    count = min(count, 12)
    z = sampler.latents([*range(seed, seed + count), seed])
    images = sampler.images(_walk(z, STEPS_BETWEEN)[:-1])  # the last frame is the first again
    write_video([to_grid(image[None], gap=0) for image in images], out, fps=24)


def _history(run, out):
    from PIL import Image

    from gankit.runs.video import write_video

    grids = sorted((run / "samples").glob("*.png"))
    if not grids:
        raise GankitError(f"{run} holds no grids of samples")
    write_video([Image.open(path) for path in grids], out, fps=8)


def _walk(z, steps):
    """From each z (N, latent_dim) to the next on the sphere, `steps` pictures each, then the last.

    Latents lie near a sphere: a straight line would leave it for the greyish middle (White 2016,
    arXiv 1609.04468).
    """
    import torch

    points = []
    for a, b in itertools.pairwise(z):
        cosine = torch.dot(a, b) / (a.norm() * b.norm())
        angle = math.acos(float(cosine.clamp(-1, 1)))
        for t in torch.arange(max(steps, 1)) / max(steps, 1):
            if math.sin(angle) > 1e-3:
                part = math.sin((1 - t) * angle), math.sin(t * angle)
                points.append((part[0] * a + part[1] * b) / math.sin(angle))
            else:  # the two lie on one line, which has no sphere to follow
                points.append(torch.lerp(a, b, t))
    return torch.stack([*points, z[-1]])
