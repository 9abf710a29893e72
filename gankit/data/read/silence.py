"""Keeps Pillow and libtiff from printing to the terminal; users cannot act on what they say."""

import contextlib
import ctypes
import logging
import threading
import warnings

from PIL import Image

with contextlib.suppress(Exception):  # libtiff would print its errors to the terminal
    ctypes.CDLL(Image.core.__file__).TIFFSetErrorHandler(None)  # type: ignore[attr-defined]
logging.getLogger("PIL").addHandler(logging.NullHandler())  # and so would Pillow without it


class _NoPillowWarnings:
    """`warnings.catch_warnings` for many threads at once: users cannot act on Pillow's warnings.

    The first thread to enter silences them, and the last one to leave restores the filters.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.threads_inside = 0

    def __enter__(self) -> None:
        with self.lock:
            if not self.threads_inside:
                self.catcher = warnings.catch_warnings()
                self.catcher.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.")
            self.threads_inside += 1

    def __exit__(self, *error: object) -> None:
        with self.lock:
            self.threads_inside -= 1
            if not self.threads_inside:
                self.catcher.__exit__(None, None, None)


NO_PILLOW_WARNINGS = _NoPillowWarnings()
