"""Undo what the import of a plugin changes for the whole process, such as sys.stdout."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

# Values before torch is imported, if the plugin is the first to import it.
TORCH_DEFAULTS = {"torch's default dtype": "float32", "torch.set_grad_enabled": True}


@contextlib.contextmanager
def undo_global_changes() -> Iterator[list[str]]:
    """Put back what the code inside changes for the whole process; gives the names of it.

    Output streams, the handlers of Ctrl-C and SIGTERM, the current folder, torch's default dtype
    and gradient mode, and new filters that turn warnings into errors. In another thread than the
    main one only the gradient mode, which is the thread's own: the others may change meanwhile.
    """
    before = {**TORCH_DEFAULTS, **_read_state()}
    filters = list(warnings.filters)
    changed: list[str] = []
    try:
        yield changed
    finally:
        for name, value in _read_state().items():
            if name in before and value != before[name]:
                _write_state(name, before[name])
                changed.append(name)
        new_errors = [f for f in warnings.filters if f[0] == "error" and f not in filters]
        if new_errors and _is_main_thread():
            kept = [f for f in warnings.filters if f not in new_errors]
            warnings.filters[:] = kept  # type: ignore[index]  # typed as a sequence
            changed.append("the filters of warnings")


def print_to_stderr() -> contextlib.AbstractContextManager[object]:
    """While open, `print` writes to stderr, so that stdout has only what gankit prints.

    Not in another thread than the main one, because the others may print meanwhile.
    """
    if _is_main_thread():
        return contextlib.redirect_stdout(sys.stderr)
    return contextlib.nullcontext()


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _read_state() -> dict[str, Any]:
    """What belongs to the whole process: name -> value; in another thread, what is its own."""
    state: dict[str, Any] = {}
    torch: Any = sys.modules.get("torch")
    if hasattr(torch, "is_grad_enabled"):
        state["torch.set_grad_enabled"] = torch.is_grad_enabled()
    if not _is_main_thread():
        return state
    state |= {"sys.stdout": sys.stdout, "sys.stderr": sys.stderr}
    with contextlib.suppress(OSError):  # the folder was deleted
        state["the current folder"] = os.getcwd()  # noqa: PTH109 - a text is cheaper than a Path
    for number in (signal.SIGINT, signal.SIGTERM):
        state[f"the handler of {number.name}"] = signal.getsignal(number)
    if hasattr(torch, "get_default_dtype"):
        state["torch's default dtype"] = str(torch.get_default_dtype()).removeprefix("torch.")
    return state


def _write_state(name: str, value: Any) -> None:
    torch: Any = sys.modules.get("torch")
    if name.startswith("sys."):
        setattr(sys, name.removeprefix("sys."), value)
    elif name == "the current folder":
        os.chdir(value)
    elif name == "torch's default dtype":
        torch.set_default_dtype(getattr(torch, value))
    elif name == "torch.set_grad_enabled":
        torch.set_grad_enabled(value)
    elif value is not None:  # None: a handler that was not set from Python
        signal.signal(signal.Signals[name.rpartition(" ")[2]], value)
