"""`gankit sample RUN`: pictures, strips and videos from a trained run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from gankit.cli.check_output import check_output
from gankit.cli.log import show_log
from gankit.cli.progress import progress_bar
from gankit.core.errors import GankitError
from gankit.data.read.names import printable
from gankit.training.find_run import find_run
from gankit.training.links import WRITTEN, refuse_links_out

if TYPE_CHECKING:
    from PIL import Image

    from gankit.runs.sampler import Sampler

FILE_NAMES = {
    "grid": "grid-{seed}.png",
    "files": "pictures",
    "strip": "strip-{seed}.png",
    "loop": "loop.mp4",
    "history": "progress.mp4",
}
MAX_SHOWN = 64  # of the pictures of --files, with --show
COUNTS = {"grid": 64, "files": 64, "strip": 10, "loop": 12}  # pictures, if --count is not given


class UnrepeatedOptions(click.Command):
    """A command that refuses an option given twice, where click would use only the last value."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        _, _, order = self.make_parser(ctx).parse_args(list(args))
        for parameter, times in Counter(order).items():
            if isinstance(parameter, click.Option) and not parameter.is_flag and times > 1:
                raise GankitError(f"{parameter.opts[0]} is given {times} times: give it only once")
        return super().parse_args(ctx, args)


@click.command(cls=UnrepeatedOptions)
@click.argument("run", type=Path)
@click.option("--seed", default=0, show_default=True, help="Seed of the first picture.")
@click.option("--count", type=int, help="Number of pictures.  [default: 64; --strip 10; --loop 12]")
@click.option("--files", is_flag=True, help="Write one file per picture, into the folder --out.")
@click.option(
    "--strip", is_flag=True, help="Draw one row of --count pictures, from --seed to the next seed."
)
@click.option("--loop", is_flag=True, help="Make a video through --count pictures and back.")
@click.option("--history", is_flag=True, help="Make a video of the grids drawn during training.")
@click.option(
    "--checkpoint", type=int, metavar="STEP", help="Use an earlier checkpoint than the newest."
)
@click.option(
    "--show",
    is_flag=True,
    help="Also draw the pictures in the terminal, as many as there is room for. The file is "
    "written as always.",
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
    count: int | None,
    checkpoint: int | None,
    out: Path | None,
    **flags: bool,
) -> None:
    """Draw pictures from the trained run in the folder RUN.

    Without --files, --strip, --loop or --history, draw a grid.
    """
    from gankit.cli import sample_output

    form = _choose_form(ctx, flags)
    if count is not None and count < 1:
        raise GankitError(f"--count is {count}; it must be 1 or more")
    if seed < 0:
        raise GankitError(f"--seed is {seed}; it must be 0 or more")
    run = find_run(run, " and --checkpoint {step}")
    out = _check_out(out, run, form, seed)
    with show_log():
        if form == "history":
            sample_output.write_history(run, out)
        else:
            from gankit.cli.show_samples import show_pictures
            from gankit.runs.sampler import load

            sampler = load(run, step=checkpoint, registry=ctx.obj)
            count = count or COUNTS[form]
            with sample_output.explain_write_error(out):
                pictures = WRITERS[form](sampler, seed, count, out)
            if flags["show"]:
                show_pictures(pictures, sampler.run.image_size, count)
    click.echo(printable(str(out)))


def _choose_form(ctx: click.Context, flags: dict[str, bool]) -> str:
    """What to draw. GankitError if options contradict each other."""
    chosen_forms = [form for form in FILE_NAMES if flags.get(form)]
    if len(chosen_forms) > 1:
        options = " and ".join(f"--{form}" for form in chosen_forms)
        raise GankitError(f"{options} exclude each other: give only one of them")
    form = chosen_forms[0] if chosen_forms else "grid"
    if flags["show"] and form in ("loop", "history"):
        raise GankitError(f"--show draws pictures, and --{form} makes a video: omit one of them")
    for name in ("seed", "count", "checkpoint"):
        is_given = ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if form == "history" and is_given:
            raise GankitError(f"--history shows the grids that training has drawn: omit --{name}")
    return form


def _check_out(out: Path | None, run: Path, form: str, seed: int) -> Path:
    """What to write: --out, or a file in the run's folder. GankitError if it cannot be written."""
    from gankit.cli.sample_output import check_path

    check_output(out or run)
    if out:
        check_path(out, form, run)
        return out
    file = run / FILE_NAMES[form].format(seed=seed)
    refuse_links_out(run, (*WRITTEN, file.name))
    return file


def _write_grid(sampler: Sampler, seed: int, count: int, out: Path) -> list[Image.Image]:
    from gankit.cli.sample_output import check_picture_size, describe_picture
    from gankit.runs.images import save_picture, square_columns

    provenance = describe_picture(sampler, "grid", seed, count)
    if count == 1:
        picture = sampler.sample(seed)
    else:
        check_picture_size(sampler, count, square_columns(count), out)
        picture = sampler.grid(count, seed)
    save_picture(picture, out, provenance)
    return [picture]


def _write_files(sampler: Sampler, seed: int, count: int, out: Path) -> list[Image.Image]:
    from gankit.cli.sample_output import describe_picture
    from gankit.runs.images import save_picture

    out.mkdir(parents=True, exist_ok=True)
    pictures: list[Image.Image] = []
    with progress_bar("drawing") as progress:
        for number in range(seed, seed + count):
            picture = sampler.sample(number)
            provenance = describe_picture(sampler, "grid", number, 1)
            save_picture(picture, out / f"{number:06d}.png", provenance)
            if len(pictures) < MAX_SHOWN:
                pictures.append(picture)
            progress(number - seed + 1, count)
    return pictures


def _write_strip(sampler: Sampler, seed: int, count: int, out: Path) -> list[Image.Image]:
    from gankit.cli.sample_output import check_picture_size, describe_picture
    from gankit.runs.images import save_picture
    from gankit.runs.walk import strip

    check_picture_size(sampler, count, count, out)
    provenance = describe_picture(sampler, "strip", seed, count)
    picture = strip(sampler, seed, count)
    save_picture(picture, out, provenance)
    return [picture]


def _write_loop(sampler: Sampler, seed: int, count: int, out: Path) -> list[Image.Image]:
    from gankit.cli.sample_output import check_frames_fit, describe_picture
    from gankit.runs.video import write_video
    from gankit.runs.walk import FRAMES_PER_PICTURE, loop_frames

    check_frames_fit(sampler, count, FRAMES_PER_PICTURE, out)
    with progress_bar("drawing") as progress:

        def draw() -> Iterator[Image.Image]:
            for number, frame in enumerate(loop_frames(sampler, seed, count), 1):
                yield frame
                progress(number, count * FRAMES_PER_PICTURE)

        write_video(draw(), out, 24, describe_picture(sampler, "loop", seed, count))
    return []


WRITERS: dict[str, Callable[[Sampler, int, int, Path], list[Image.Image]]] = {
    "grid": _write_grid,
    "files": _write_files,
    "strip": _write_strip,
    "loop": _write_loop,
}
