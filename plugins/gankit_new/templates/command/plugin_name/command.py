"""The command itself, written with click."""

from pathlib import Path

import click

from gankit import GankitError


@click.command("plugin-name")
@click.argument("run", type=click.Path(path_type=Path))
def plugin_name(run: Path) -> None:
    """Print the last line of the log of RUN, a run's folder."""
    file = run / "log.csv"
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:  # a GankitError is printed as one line
        raise GankitError(f"cannot read {file}: {error.strerror}") from error
    click.echo(lines[-1])
