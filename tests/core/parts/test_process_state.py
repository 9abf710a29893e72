"""What the import of a plugin changes for the whole process is undone."""

import os
import sys
import threading
from pathlib import Path

import pytest
import torch

from gankit.core.parts.process_state import undo_global_changes


@pytest.mark.parametrize("changes_stream", [True, False])
def test_a_plugin_changes_neither_the_current_folder_nor_the_streams(here, changes_stream):
    stream = sys.stderr
    with undo_global_changes() as changed:
        if changes_stream:
            sys.stderr = None
        else:
            os.chdir(here.parent)
    assert changed == ["sys.stderr" if changes_stream else "the current folder"]
    assert Path.cwd() == here
    assert sys.stderr is stream


def test_a_thread_does_not_undo_what_the_main_thread_changes(here, monkeypatch):
    """A server's thread may import a module while the main thread goes on."""
    entered, changed = threading.Event(), threading.Event()
    undone = []

    def import_slowly():
        with undo_global_changes() as names:
            entered.set()
            assert changed.wait(60)
        undone.append(names)

    thread = threading.Thread(target=import_slowly)
    thread.start()
    assert entered.wait(60)
    monkeypatch.chdir(here.parent)
    other = sys.stderr
    monkeypatch.setattr(sys, "stdout", other)
    torch.set_default_dtype(torch.float64)
    try:
        changed.set()
        thread.join(60)
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert undone == [[]]
    assert Path.cwd() == here.parent
    assert sys.stdout is other
