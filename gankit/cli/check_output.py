"""Before work that takes minutes: can its result be written?"""

from __future__ import annotations

from pathlib import Path

from gankit.core.errors import GankitError
from gankit.core.files.atomic_write import try_to_create, write_atomically
from gankit.core.files.retried_write import describe_write_error

OTHER_OUT = "--out chooses another place"


def check_output(path: Path, cure: str = OTHER_OUT) -> None:
    """GankitError if a file or folder cannot be written at this path; it ends with the cure."""
    try:
        try_to_create(path)
    except OSError as error:
        raise write_error(path, error, cure) from error


def write_error(path: Path, error: Exception, cure: str = OTHER_OUT) -> GankitError:
    """What to raise if writing a result fails."""
    return GankitError(f"cannot write {path}: {describe_write_error(error)}; {cure}")


def check_page(path: Path) -> Path:
    """The path, if a page can be written there. GankitError if it cannot, or is not named .html."""
    if path.suffix.lower() not in (".html", ".htm"):
        raise GankitError(f"--out is {str(path)!r}; the name of a page must end in .html")
    require_folder(path)
    check_output(path)
    return path


def write_page(path: Path, text: str) -> Path:
    """Write a page; returns its path. GankitError if it cannot be written."""
    try:
        write_atomically(path, text)
    except OSError as error:
        raise write_error(path, error) from error
    return path


def require_folder(file: Path) -> None:
    """GankitError if the folder of a file does not exist; gankit makes none, as a name may be
    misspelt.
    """
    if not file.absolute().parent.is_dir():
        raise GankitError(f"cannot write {file}: there is no folder {file.parent}")
