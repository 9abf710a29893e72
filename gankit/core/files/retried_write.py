"""Writes that may fail for a while, such as on a full disk, and are tried again later."""

import contextlib
import errno
import logging
from collections.abc import Iterator
from pathlib import Path

from gankit.core.errors import GankitError

log = logging.getLogger("gankit")
FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def describe_write_error(error: Exception) -> str:
    """Why a write failed, and what to do: `No space left on device: free disk space`."""
    why = getattr(error, "strerror", None) or str(error)
    if isinstance(error, PermissionError):
        return f"{why}: close other programs that have it open, or allow writing"
    return f"{why}: free disk space" if getattr(error, "errno", None) in FULL else why


class RetriedWrite:
    """A file, folder or stream whose writes may fail. Warns once when they begin to fail, and once
    when they work again.

    `retry` says when gankit tries again, and what it keeps until then.
    """

    def __init__(self, target: Path | str, retry: str) -> None:
        self.target = target
        self.retry = retry
        self.is_failing = False

    @contextlib.contextmanager
    def attempt(self) -> Iterator[None]:
        """While open, an OSError or GankitError is a warning, not raised; a closed pipe is."""
        try:
            yield
        except BrokenPipeError:
            raise
        except (OSError, GankitError) as error:
            self._failed(error)
        else:
            self._worked()

    def _failed(self, error: OSError | GankitError) -> None:
        if not self.is_failing:
            why = f"cannot write {self.target}: {describe_write_error(error)}"
            message = str(error) if isinstance(error, GankitError) else why
            log.warning("%s; training continues, and %s", message, self.retry)
        self.is_failing = True

    def _worked(self) -> None:
        if self.is_failing:
            log.warning("%s can be written again", self.target)
        self.is_failing = False
