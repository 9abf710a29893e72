"""Ctrl-C while torch is imported, which would abort the process if it came twice."""

import signal
import subprocess
import sys

import pytest

from gankit.cli.stop_signals import safe_import

# `torch` is a file that sends the signal during its import.
PROGRAM = """
import sys
from gankit.cli.main import main
sys.path.insert(0, sys.argv[1])
main(["run", "--steps", "2", "--out", sys.argv[1] + "/run"])
"""


def test_the_process_ends_with_one_line(tmp_path):
    code = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nprint('still here')\n"
    (tmp_path / "torch.py").write_text(code)
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 130
    assert done.stderr == "gankit: interrupted\n"
    assert done.stdout == ""
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("handler", [signal.SIG_IGN, lambda number, frame: None])
def test_a_handler_of_somebody_else_is_left_alone(handler):
    before = signal.signal(signal.SIGINT, handler)
    try:
        with safe_import():
            assert signal.getsignal(signal.SIGINT) is handler
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_elsewhere_it_raises_and_python_has_its_own_handler_again():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), safe_import():
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
