"""Text that both views print."""

from __future__ import annotations

import shlex
from typing import Any

from gankit.core.clock import format_duration
from gankit.core.settings import Run


def ending(run: Run, first: int, outcome: dict[str, Any]) -> list[str]:
    """What to say when a run that began at step `first` is over: lines of text."""
    step = outcome["step"]
    is_finished = outcome["state"] == "finished"
    if step == first and is_finished:
        lines = [f"finished already at step {step:,}; --steps makes it longer"]
    else:
        seconds = format_duration(outcome["seconds"])
        lines = [f"{outcome['state']} after {seconds} at step {step:,} of {run.steps:,}"]
    has_logged = is_finished or step // run.log_every > first // run.log_every
    if step > first and has_logged:
        for name, activity in outcome["tricks"].items():
            lines.append(f"  {name}: {activity or 'WARNING, it never acted'}")
    folder = shlex.quote(str(run.folder))
    if is_finished:
        lines.append(f"pictures: {run.folder / 'samples' / f'{step:06d}.png'}")
        lines.append(f"video:    {run.folder / 'progress.mp4'}")
        lines.append(f"more:     gankit sample {folder}")
    elif any((run.folder / "checkpoints").glob("step-*")):
        lines.append(f"go on:    gankit run --resume {folder}")
    return lines
