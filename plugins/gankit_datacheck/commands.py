"""`gankit data`: check pictures, look at what D will see, tidy up the cache."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from gankit.core.errors import GankitError
from gankit.data.store.cache import cache_folder
from gankit_datacheck.check import check


@click.group()
def data() -> None:
    """Check, preview and tidy up pictures."""


data.add_command(check)


@data.command(context_settings={"ignore_unknown_options": True})
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
@click.option("--page", "file", default="preview.png", show_default=True, help="File to write.")
@click.pass_context
def preview(ctx: click.Context, options: tuple[str, ...], file: str) -> None:
    """Write a picture of what D will see: OPTIONS are those of `gankit run`.

    On the left a batch as it comes, mirrored, turned and enlarged as asked for; on the right the
    same batch after every trick that acts on D's input.
    """
    root = ctx.find_root()
    assert isinstance(root.command, click.Group)
    _, run, _ = root.command.resolve_command(root, ["run"])
    assert run is not None
    with run.make_context("run", [*options, "--preview", file], parent=root) as inner:
        run.invoke(inner)


@data.command()
@click.option("--downloads", is_flag=True, help="Delete downloaded archives too.")
def clean(downloads: bool) -> None:
    """Delete prepared pictures and unpacked archives; the next run makes them anew."""
    kinds = ["pictures", "unpacked"]
    if downloads:
        kinds.append("downloads")
    freed = 0
    for kind in kinds:
        folder = cache_folder(kind)
        aside = cache_folder(f"{kind}.deleting")
        try:
            freed += _delete(aside)  # of a clean that was interrupted
            if folder.exists():
                folder.rename(aside)  # first: nobody takes half of it for the whole
                freed += _delete(aside)
        except OSError as error:
            why = f"{error.strerror}; is a run still using it?"
            raise GankitError(f"cannot delete {folder}: {why}", 1) from error
    kept = "" if downloads else "; downloads are kept (--downloads deletes them too)"
    click.echo(f"deleted {freed / 1e6:,.1f} MB from {cache_folder()}{kept}")


def _delete(folder: Path) -> int:
    """Delete a folder, if there is one; returns how many bytes that freed."""
    freed = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    if folder.exists():
        shutil.rmtree(folder)
    return freed
