"""What the plugin adds. Every gankit command imports this file, so do not import torch here."""

from typing import Any

from gankit import Run, hookimpl


@hookimpl
def step_done(run: Run, step: int, scalars: dict[str, Any]) -> None:
    """Write D's loss of every logged step into a file in the run's folder."""
    with (run.folder / "plugin-name.csv").open("a", encoding="utf-8") as file:
        file.write(f"{step},{scalars['d_loss']:.4f}\n")
