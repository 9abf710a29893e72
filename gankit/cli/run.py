"""`gankit run`: choose parts by name and train."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from gankit.cli.part import Part
from gankit.core.errors import GankitError

if TYPE_CHECKING:
    from gankit.core.registry import Registry
    from gankit.core.settings import Run

LENGTHS = ("steps", "epochs", "kimg")
# The others decide the arithmetic.
FREE_ON_RESUME = {
    "length", "device", "threads", "compile", "keep", "tensorboard", "metrics", "measure_every",
}  # fmt: skip


@click.command()
@click.option("--recipe", type=Part("recipe"), help="A whole run by name; other options go before.")
@click.option("--dataset", type=Part("dataset"), help="Data set; gankit list dataset.")
@click.option("--data", multiple=True, metavar="PATH", help="Your own pictures; repeatable.")
@click.option("--classes", multiple=True, metavar="A,B", help="Only these class folders.")
@click.option("--fit", help="crop, pad, stretch or patches[:size=96,stride=96].")
@click.option("--background", metavar="COLOUR", help="Under transparent and padded pictures.")
@click.option("--subset", type=int, help="Take only so many pictures.")
@click.option("--holdout", type=float, help="Share of pictures kept for measuring; 0 for none.")
@click.option("--data-seed", type=int, help="Which pictures: subset and hold-out.")
@click.option("--flip/--no-flip", default=None, help="Mirror pictures at random.")
@click.option("--dihedral/--no-dihedral", default=None, help="Turn and mirror them at random.")
@click.option("--zoom", type=float, help="Show random parts, enlarged up to so many times.")
@click.option("--model", type=Part("model"), help="Two networks and their settings, by name.")
@click.option("--generator", type=Part("generator"), help="Another G than the model's.")
@click.option("--discriminator", type=Part("discriminator"), help="Another D.")
@click.option("--loss", type=Part("loss"), help="Adversarial loss.")
@click.option(
    "--trick", "tricks", type=Part("trick"), multiple=True,
    help="NAME or NAME:option=value,...; repeatable; replaces the model's own; none for none.",
)  # fmt: skip
@click.option("--steps", type=int, help="How long: updates of G.")
@click.option("--epochs", type=float, help="How long: times through the pictures.")
@click.option("--kimg", type=float, help="How long: thousands of real pictures shown to D.")
@click.option("--budget", metavar="TIME", help="How long: 90s, 10m, 2h, planned by measuring.")
@click.option("--image-size", type=int, help="Side of the pictures in px.")
@click.option("--channels", type=click.Choice(["auto", "1", "3"]), help="1 grey, 3 colour.")
@click.option("--latent-dim", type=int, help="Length of z.")
@click.option("--batch-size", type=int, help="Pictures a step.")
@click.option("--accumulate", type=int, help="Take a batch in so many pieces, for small memory.")
@click.option("--d-steps", type=int, help="Updates of D for one of G.")
@click.option("--lr", type=float, help="Learning rate of both players.")
@click.option("--lr-g", type=float, help="Learning rate of G.")
@click.option("--lr-d", type=float, help="Learning rate of D.")
@click.option("--beta1", type=float, help="Adam's decay of the gradient's mean.")
@click.option("--beta2", type=float, help="Adam's decay of its square.")
@click.option("--seed", type=int, help="The same seed gives the same pictures.")
@click.option("--sync-batch-norm/--no-sync-batch-norm", default=None, help="Under torchrun.")
@click.option("--device", help="auto, cpu, cuda, cuda:1, mps.")
@click.option("--precision", help="auto, 32, bf16 or 16.")
@click.option("--compile", help="torch.compile: no, yes, or auto, where it is faster.")
@click.option("--threads", type=click.IntRange(0, 1024), help="CPU threads.")
@click.option("--memory-format", help="channels-last or contiguous.")
@click.option("--optimizer", help="Kernel of Adam: fused or plain.")
@click.option("--log-every", type=int, help="Steps between lines of the log.")
@click.option("--draw-every", type=int, help="Steps between grids of samples.")
@click.option("--save-every", type=int, help="Steps between checkpoints.")
@click.option("--keep", type=int, help="Checkpoints to keep.")
@click.option(
    "--metric", "metrics", type=Part("metric"), multiple=True,
    help="Measure during the run, too: NAME or NAME:option=value,...; repeatable.",
)  # fmt: skip
@click.option("--measure-every", type=int, help="Steps between measurements.")
@click.option("--tensorboard", is_flag=True, default=None, help="Write TensorBoard records too.")
@click.option("--out", metavar="DIR", help="Folder of the run; runs/... if not given.")
@click.option("--config", type=Path, metavar="FILE", help="Take settings from a run.json.")
@click.option("--resume", type=Path, metavar="RUN", help="Go on from a run's last checkpoint.")
@click.option("--dry-run", is_flag=True, help="Show what would run and how long it takes.")
@click.option("--preview", type=Path, metavar="FILE", help="Write what D would see, no more.")
@click.pass_context
def run(
    ctx: click.Context,
    config: Path,
    resume: Path,
    budget: str,
    dry_run: bool,
    preview: Path,
    **given: Any,
) -> None:
    """Train a GAN. Without options: flowers, on any laptop, in minutes."""
    check_beginning(resume, config, given["recipe"])
    check_alone({"--budget": budget, "--dry-run": dry_run, "--preview": preview})
    if resume:  # the environment's defaults are for new runs
        typed = ParameterSource.COMMANDLINE
        given = {k: v for k, v in given.items() if ctx.get_parameter_source(k) is typed}
    asked = read_asked(given, budget, resume)
    chosen = resumed(resume, **asked) if resume else composed(ctx.obj, config, asked)
    with _log_shown():
        _do(chosen, ctx.obj, budget, dry_run, preview, bool(resume))


def _do(
    chosen: Run, registry: Registry, budget: str, dry_run: bool, preview: Path, resume: bool
) -> None:
    """What was asked for with the run: to describe it, to look ahead, or to train."""
    from gankit import testing
    from gankit.cli import out_of_memory, plan
    from gankit.cli.stop import stop_signals

    if not resume:
        testing.rehearse(chosen, registry, _progress)
    if budget:
        chosen = plan.within(chosen, budget, registry, _progress)
    if dry_run:
        click.echo(plan.describe(chosen, registry, _progress))
        return
    if preview:
        from gankit.cli.preview import preview as write

        click.echo(write(chosen, registry, preview, _progress))
        return
    from gankit.training.loop import train

    with stop_signals() as stop:

        def progress(done: int, total: int) -> None:
            _progress(done, total)
            if stop():  # nothing has begun that could be saved
                raise KeyboardInterrupt

        with out_of_memory.explained(chosen, registry):
            train(chosen, registry, resume=resume, progress=progress, stop=stop)


def check_beginning(resume: Path | None, config: Path | None, recipe: str | None) -> None:
    """A run begins in one way."""
    if resume and config:
        raise GankitError("--resume goes on with a run, --config begins one like it: choose one")
    if config and recipe:
        raise GankitError("--config says all that --recipe could: choose one")


def check_alone(asked: dict[str, Any]) -> None:
    """What looks ahead does so with one process, so it would tell another's time and memory."""
    for option in (name for name, value in asked.items() if value):
        if "TORCHELASTIC_RUN_ID" in os.environ:
            raise GankitError(f"{option} is for one process: leave torchrun away, or {option}")


def read_options(words: Sequence[str], registry: Registry) -> Run:
    """The run that options of `gankit run` ask for, for commands that take them too."""
    named = {"obj": registry, "auto_envvar_prefix": "GANKIT_RUN"}
    with run.make_context("run", list(words), **named) as context:
        given = dict(context.params)
    for name in ("resume", "budget", "dry_run", "preview"):
        if given.pop(name):
            raise GankitError(f"--{name.replace('_', '-')} is for gankit run itself")
    config = given.pop("config")
    check_beginning(None, config, given["recipe"])
    return composed(registry, config, read_asked(given, None, None))


def read_asked(given: dict[str, Any], budget: str | None, resume: Path | None) -> dict[str, Any]:
    """Fields of Run from the options given: one length, one or two learning rates."""
    asked = {key: value for key, value in given.items() if value is not None and value != ()}
    lengths = [f"{asked.pop(unit):.12g} {unit}" for unit in LENGTHS if unit in asked]
    if len(lengths) + bool(budget) > 1 or (resume and budget):
        raise GankitError("a run has one length: --steps, --epochs, --kimg or, when new, --budget")
    if lengths or budget:
        asked["length"] = lengths[0] if lengths else "1 steps"  # until the budget is planned
    if "channels" in asked:
        asked["channels"] = int(asked["channels"].replace("auto", "0"))
    if "classes" in asked:
        asked["classes"] = tuple(name for text in asked["classes"] for name in text.split(","))
    if "lr" in asked:
        asked = {**dict.fromkeys(("lr_g", "lr_d"), asked.pop("lr")), **asked}
    return asked


def composed(registry: Registry, config: Path | None, asked: dict[str, Any]) -> Run:
    """The run that the options describe, on top of the config file's."""
    from gankit.core.settings import read_run
    from gankit.training.compose import compose

    settings = read_run(config) if config else {}
    stale = {"out", "fingerprint"}  # that folder holds the run that is being repeated
    if "model" in asked:  # brings its own networks and size
        stale |= {"generator", "discriminator", "image_size"}
    if "length" in asked:  # decides these anew
        stale |= {"steps", "draw_every", "save_every"}
    kept = {key: value for key, value in settings.items() if key not in stale}
    return compose(registry, **{**kept, **asked})


def resumed(folder: Path, **asked: Any) -> Run:
    """The run in a folder, longer if asked; what decides its arithmetic cannot change any more."""
    from gankit.core.settings import load_run, option, parse_length

    for key in sorted(set(asked) - FREE_ON_RESUME):
        raise GankitError(f"{option(key)} was decided when the run began and cannot change now")
    if "length" in asked:
        number, unit = parse_length(asked["length"])
        if unit != "steps":
            raise GankitError("a resumed run is made longer with --steps")
        asked["steps"] = int(number)
    return load_run(folder, **asked, out=str(folder))


class _ToStderr(logging.Handler):
    """Warnings, and to a person at a terminal also what takes a while."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING or sys.stderr.isatty():
            click.echo(f"gankit: {record.getMessage()}", err=True)  # whatever stderr is by now


@contextlib.contextmanager
def _log_shown() -> Iterator[None]:
    log, handler = logging.getLogger("gankit"), _ToStderr(logging.INFO)
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


def _progress(done: int, total: int) -> None:
    if total and sys.stderr.isatty():
        click.echo(f"\r{done / total:6.1%}", nl=done == total, err=True)
