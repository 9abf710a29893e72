"""The file that a command writes, at a path that you give."""

from pathlib import Path

from gankit.core.errors import GankitError


def require_folder(file: Path) -> None:
    """GankitError if the folder of a file does not exist; gankit makes none, as a name may be
    misspelt.
    """
    if not file.absolute().parent.is_dir():
        raise GankitError(f"cannot write {file}: there is no folder {file.parent}")
