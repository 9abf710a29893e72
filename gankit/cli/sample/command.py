"""`gankit sample RUN`: pictures, strips and videos from a trained run."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from gankit.cli.check_output import check_output
from gankit.cli.grouped_command import GroupedCommand
from gankit.cli.sample.classes import file_prefix, read_classes
from gankit.cli.sample.options import (
    COUNTS,
    GROUPS,
    HISTORY_FPS,
    check_values,
    choose_form,
    film_option,
    film_options,
    read_film,
    read_pictures,
)
from gankit.cli.sample.pictures import Pictures, Successive
from gankit.cli.terminal.log import show_log
from gankit.core.errors import GankitError
from gankit.core.printable import printable
from gankit.training.checkpoints.named_checkpoint import LAST, checkpoint_word
from gankit.training.run_folder.find_run import find_run
from gankit.training.run_folder.links import WRITTEN, refuse_links_out
from gankit.training.run_folder.run_file import grid_shows_seeds

if TYPE_CHECKING:
    from gankit.cli.sample.forms import Drawing
    from gankit.runs.images import Frames

Values = dict[str, Any]  # of the options

log = logging.getLogger("gankit")


class SampleCommand(GroupedCommand):
    """A command that refuses an option given twice, where click would use only the last value."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        _, _, order = self.make_parser(ctx).parse_args(list(args))
        for parameter, times in Counter(order).items():
            if not isinstance(parameter, click.Option) or parameter.is_flag or parameter.multiple:
                continue
            if times > 1:
                raise GankitError(f"{parameter.opts[0]} is given {times} times: give it only once")
        return super().parse_args(ctx, args)


@click.command(cls=SampleCommand, groups=GROUPS)
@click.argument("run", type=Path)
@click.pass_context
def sample(ctx: click.Context, /, run: Path, **values: Any) -> None:
    """Draw pictures from the trained run in the folder RUN.

    Without --files, --strip or an option of videos, draw a grid.
    """
    from gankit.cli.sample.output import (
        describe_grid,
        describe_size,
        explain_write_error,
        write_history,
    )

    check_values(values)
    form = choose_form(values, _given(ctx))
    run = find_run(run, " and --checkpoint {step}")
    shows_seeds = grid_shows_seeds(run)
    pictures = read_pictures(values, form, grid_shows_seeds=shows_seeds)
    classes = read_classes(run, values["classes"])
    out = _check_out(run, form, pictures, values, classes)
    size = values["size"] or 0
    about = ""
    with show_log():
        _warn_of_places(values, shows_seeds=shows_seeds)
        if form == "history":
            with explain_write_error(out):
                side = write_history(run, out, values["fps"] or HISTORY_FPS, size)
        else:
            from gankit.cli.sample.forms import Drawing
            from gankit.runs.sampler import load

            sampler = load(run, step=values["checkpoint"], registry=ctx.obj)
            side = sampler.run.size.longer
            with explain_write_error(out):
                frames = _write(Drawing(sampler, out, size, classes), form, pictures, values)
            if values["show"] and frames is not None:
                _show(frames, form, pictures)
            if form == "grid":
                about = describe_grid(out, sampler.run, len(pictures.numbers), classes)
    click.echo(printable(f"{out}{describe_size(size, side)}{about}"))


def _warn_of_places(values: Mapping[str, Any], *, shows_seeds: bool) -> None:
    """Warn if seeds were given of an older run, whose grids do not show the pictures of seeds."""
    if not shows_seeds and (values["seeds"] or values["near"] is not None):
        log.warning("in the grids of this older run, places are not seeds: --cells names them")


def _given(ctx: click.Context) -> set[str]:
    """The options on the command line."""
    source = ctx.get_parameter_source
    return {name for name in ctx.params if source(name) is ParameterSource.COMMANDLINE}


def _check_out(
    run: Path, form: str, pictures: Pictures, values: Values, classes: Sequence[str]
) -> Path:
    """What to write: --out, or a file in the run's folder. GankitError if it cannot be written."""
    from gankit.cli.sample.output import check_path

    out: Path | None = values["out"]
    check_output(out or run)
    if out:
        video = "--history" if form == "history" else film_option(values)
        fps = values["fps"] or 0
        check_path(out, run, is_folder=form == "files", video_option=video, fps=fps)
        return out
    name = _file_name(form, pictures, values)
    file = run / (name if form == "files" else file_prefix(classes) + name)
    refuse_links_out(run, (*WRITTEN, file.name))
    return file


def _file_name(form: str, pictures: Pictures, values: Values) -> str:
    """What to write without --out: other seeds, spreads and checkpoints have other names."""
    if form == "history":
        return "progress.mp4"
    checkpoint = values["checkpoint"]
    step = "" if checkpoint in (None, LAST) else f"-{checkpoint_word(checkpoint)}"
    if form == "files":
        return f"pictures{step}"
    ending = "mp4" if form == "film" else "png"
    return f"{_kind(form, pictures, values)}{_which(form, pictures, values)}{step}.{ending}"


def _kind(form: str, pictures: Pictures, values: Values) -> str:
    """What the name of a film or picture without --out begins with."""
    if form == "film":
        return "loop" if values["loop"] else "walk"
    if form == "strip":
        return "strip"
    is_single = len(pictures.numbers) == 1 and not isinstance(pictures, Successive)
    return "picture" if is_single else "grid"


def _which(form: str, pictures: Pictures, values: Values) -> str:
    """Which pictures they are, after a dash; empty for a loop from seed 0."""
    is_loop_of_seeds = form == "film" and values["loop"] and isinstance(pictures, Successive)
    return "" if is_loop_of_seeds and not pictures.numbers[0] else f"-{pictures.name()}"


def _write(drawing: Drawing, form: str, pictures: Pictures, values: Values) -> Frames | None:
    """Draw and write; returns the pictures, but none of a film."""
    from gankit.cli.sample import forms

    if form == "film":
        film = read_film(values)
        forms.write_film(drawing, pictures, film, film_options(values))
        return None
    if form == "strip":
        return forms.write_strip(drawing, pictures, values["count"] or COUNTS["strip"])
    if form == "files":
        return forms.write_files(drawing, pictures)
    return forms.write_grid(drawing, pictures, numbered=values["numbers"])


def _show(frames: Frames, form: str, pictures: Pictures) -> None:
    from gankit.cli.sample.show_samples import show_pictures

    count = len(pictures.numbers) if form == "files" else len(frames)
    show_pictures(frames, count)
