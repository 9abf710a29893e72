"""`gankit data`: check pictures, preview what D sees, clean the cache."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from gankit.core.errors import GankitError
from gankit.data.store.cache_folder import cache_folder
from gankit_datacheck.check import check


@click.group()
def data() -> None:
    """Check pictures, preview what D sees, clean the cache."""


data.add_command(check)


@data.command(
    context_settings={"ignore_unknown_options": True}, short_help="Draw a picture of what D sees."
)
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[OPTIONS OF gankit run]")
@click.option(
    "--page",
    "file",
    default="preview.png",
    metavar="FILE",
    show_default=True,
    help="Picture to write.",
)
@click.pass_context
def preview(ctx: click.Context, options: tuple[str, ...], file: str) -> None:
    """Draw a picture of what D sees in a run with these options of `gankit run`.

    On the left is a batch of pictures, with the flips, rotations and zoom that you ask for. On the
    right is the same batch after every trick that changes D's input.
    """
    root = ctx.find_root()
    assert isinstance(root.command, click.Group)
    _, run, _ = root.command.resolve_command(root, ["run"])
    assert run is not None
    with run.make_context("run", [*options, "--preview", file], parent=root) as run_context:
        run.invoke(run_context)


@data.command(short_help="Delete prepared pictures from the cache.")
@click.option("--downloads", is_flag=True, help="Delete downloaded archives too.")
def clean(downloads: bool) -> None:
    """Delete prepared pictures and unpacked archives from the cache.

    The next run prepares its pictures again.
    """
    kinds = ["pictures", "unpacked"]
    if downloads:
        kinds.append("downloads")
    freed_bytes = 0
    for kind in kinds:
        folder = cache_folder(kind)
        renamed = cache_folder(f"{kind}.deleting")
        try:
            freed_bytes += _delete(renamed)  # left by an interrupted clean
            if folder.exists():
                folder.rename(renamed)  # first, so that no run finds it half deleted
                freed_bytes += _delete(renamed)
        except OSError as error:
            reason = f"{error.strerror}; wait for runs that use it to end"
            raise GankitError(f"cannot delete {folder}: {reason}", 1) from error
    kept = "" if downloads else "; downloads are kept (--downloads deletes them too)"
    click.echo(f"deleted {freed_bytes / 1e6:,.1f} MB from {cache_folder()}{kept}")


def _delete(folder: Path) -> int:
    """Delete a folder if it exists; returns the number of bytes freed."""
    freed_bytes = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    if folder.exists():
        shutil.rmtree(folder)
    return freed_bytes
