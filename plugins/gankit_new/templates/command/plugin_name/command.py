"""The command itself, written with click."""

from pathlib import Path

import click

from gankit import GankitError, load
from gankit.core.parts.registry import Registry


@click.command("plugin-name")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--picture", type=click.Path(path_type=Path), help="Also draw a picture.")
@click.pass_obj  # the registry: all parts, also those of a file after -p
def plugin_name(registry: Registry | None, run: Path, picture: Path | None) -> None:
    """Print the last line of the log of RUN, a run's folder."""
    file = run / "log.csv"
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:  # a GankitError is printed as one line
        raise GankitError(f"cannot read {file}: {error.strerror}") from error
    click.echo(lines[-1])
    if picture:
        load(run, registry=registry).sample(seed=0).save(picture)
