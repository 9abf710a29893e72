"""Makes a folder of the cache, such as an unpacked archive: once, and completely or not at all."""

from __future__ import annotations

import logging
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from gankit.core.files.atomic_write import retry_while_locked
from gankit.core.files.file_lock import file_lock
from gankit.data.store.leftovers import remove_leftovers

log = logging.getLogger("gankit")


def make_once(folder: Path, last_file: str, what: str, make: Callable[[Path], None]) -> None:
    """Let `make` fill a temporary folder and rename it, unless `folder` is complete already.

    It is complete if it holds `last_file`, which `make` writes last. A second process waits for the
    first. `what` is logged: "unpacking flowers.zip".
    """
    if (folder / last_file).exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers()
    with file_lock(folder) as is_held:
        if (folder / last_file).exists():
            return
        if is_held:  # so what is there is half deleted
            shutil.rmtree(folder, ignore_errors=True)
        aside = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}.aside")
        try:
            log.info("%s", what)
            make(aside)
            retry_while_locked(lambda: aside.rename(folder))
        except OSError:
            # Else another process was faster, on a disk without locks.
            if not (folder / last_file).exists():
                raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
