"""The plugin follows gankit's rules."""

import tempfile
from pathlib import Path

from click.testing import CliRunner
from plugin_name.command import plugin_name as command


def test_the_command_prints_the_last_line() -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "log.csv").write_text("step,d_loss\n10,1.3\n", encoding="utf-8")
        result = CliRunner().invoke(command, [folder])
    assert result.output == "10,1.3\n"


def test_the_command_names_a_log_that_is_missing() -> None:
    result = CliRunner().invoke(command, ["no-such-run"])
    assert "no-such-run" in str(result.exception)
