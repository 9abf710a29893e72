"""`gankit export RUN`: its generator for a browser, for ONNX, or for PyTorch alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gankit.cli.check_output import check_output, check_page, require_folder, write_error
from gankit.cli.param_types import ALL, CheckpointName
from gankit.cli.terminal.log import show_log
from gankit.core.errors import GankitError
from gankit.core.files.portable_path import path_from_here
from gankit.core.printable import printable
from gankit.core.run.settings import Run, command_about
from gankit.training.run_folder.find_run import WEIGHTS, find_run
from gankit.training.run_folder.links import refuse_links_out

if TYPE_CHECKING:
    from gankit.core.parts.registry import Registry

FOLDER = "export"  # in the run's folder
# A new folder is not named like a file; a name such as flowers-v1.2 is allowed.
FILE_ENDINGS = frozenset({*WEIGHTS, ".htm", ".html", ".pt2", ".py", ".tar", ".zip"})
PATHS = {"web": f"{FOLDER}/explore.html", "onnx": f"{FOLDER}/netG.onnx", "torch": FOLDER}
FORMATS = """
\b
  web    one HTML page that draws in a browser, without a network
  onnx   one file for onnxruntime and other programs: input z, output images in [-1, 1];
         with class labels also the input labels
  torch  a folder: the weights netG.pth, the network generator.py, and draw.py
"""


@click.command(epilog=f"The formats:\n{FORMATS}")
@click.argument("run", type=Path)
@click.option(
    "--format",
    "form",
    type=click.Choice(list(PATHS)),
    default="web",
    show_default=True,
    help="What to write; see below.",
)
@click.option(
    "--checkpoint",
    type=CheckpointName(ALL),
    metavar="STEP",
    help="Use the checkpoint of this step, or best; with --format web also all: a page that goes "
    "through all of them.  [default: last]",
)
@click.option(
    "--out",
    type=Path,
    metavar="PATH",
    help="File to write (.html, .onnx), or the folder of --format torch.  "
    f"[default: in the folder {FOLDER} of RUN]",
)
@click.pass_context
def export(ctx: click.Context, run: Path, form: str, checkpoint: Any, out: Path | None) -> None:
    """Write the generator of the run in the folder RUN for other programs.

    The seed that gives a picture in `gankit sample` gives the same picture there. gankit draws
    with what it writes, compares, and refuses what would draw other pictures.
    """
    if checkpoint == ALL and form != "web":
        raise GankitError(
            f"--checkpoint all works with --format web only: --format {form} holds one checkpoint, "
            "so give its STEP"
        )
    run = find_run(run, " and --checkpoint {step}")
    out = _check_out(out, run, form)
    with show_log():
        try:
            notes = _write(run, form, checkpoint, out, ctx.obj)
        except OSError as error:
            raise write_error(out, error) from error
    for note in notes:
        click.echo(printable(f"gankit: {note}"), err=True)
    click.echo(printable(str(out)))


def _check_out(out: Path | None, run: Path, form: str) -> Path:
    """What to write: --out, or a path in the run's folder. GankitError if it cannot be written."""
    if out is None:
        refuse_links_out(run)
        check_output(run)
        return run / PATHS[form]
    if form == "web":
        return check_page(out)
    if form == "onnx" and (out.suffix.lower() != ".onnx" or out.is_dir()):
        raise GankitError(f"--out is {str(out)!r}; the name of the file must end in .onnx")
    is_named_like_a_file = out.suffix.lower() in FILE_ENDINGS and not out.is_dir()
    if form == "torch" and (out.is_file() or is_named_like_a_file):
        raise GankitError(
            f"--out is {str(out)!r}; --format torch writes several files, so name a folder"
        )
    require_folder(out)
    check_output(out)
    return out


def _write(run: Path, form: str, checkpoint: Any, out: Path, registry: Registry) -> list[str]:
    """Write the files; returns notes about them. Raises GankitError and OSError."""
    from gankit.runs.provenance import of_run
    from gankit.runs.sampler import load

    if form == "web":
        from gankit_explore.page import write_page

        if checkpoint == ALL:
            return _write_all(run, out, registry)
        return write_page([load(run, checkpoint, registry)], out)
    sampler = load(run, checkpoint, registry)
    provenance = of_run(run, sampler.step, _command(sampler.run, form, sampler.step))
    if form == "onnx":
        from gankit_export.onnx_file import write_onnx

        return write_onnx(sampler, out, provenance)
    from gankit_export.torch_files import write_torch

    return write_torch(sampler, out, provenance, registry)


def _write_all(run: Path, out: Path, registry: Registry) -> list[str]:
    """Write a page of all checkpoints, or of as many as it takes; returns notes about it."""
    from gankit_explore.page import thin_out, write_page

    from gankit.runs.sampler import load
    from gankit.training.checkpoints.checkpoint import require_checkpoints, step_of

    steps = sorted(map(step_of, require_checkpoints(run / "checkpoints")))
    samplers = [load(run, each, registry) for each in thin_out(steps)]
    return write_page(samplers, out, available=len(steps))


def _command(run: Run, form: str, step: int) -> str:
    words = ("export", path_from_here(run.folder), "--format", form, "--checkpoint", str(step))
    return command_about(run, *words)
