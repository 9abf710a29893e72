"""The words both views share."""

import shlex


def clock(seconds):
    """`2:05:07`, `3:20`, `0:45`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def ending(run, first, outcome):
    """What to say when a run that began at step `first` is over: lines of text."""
    seconds, step = outcome["seconds"], outcome["step"]
    lines = [f"{outcome['state']} after {clock(seconds)} at step {step:,} of {run.steps:,}"]
    if step == first and outcome["state"] == "finished":
        lines = [f"finished already at step {step:,}; --steps makes it longer"]
    asked = outcome["state"] == "finished" or step // run.log_every > first // run.log_every
    for name, did in outcome["tricks"].items() if step > first and asked else ():
        lines.append(f"  {name}: {did}" if did else f"  {name}: WARNING, it never acted")
    grid = run.folder / "samples" / f"{step:06d}.png"
    if outcome["state"] == "finished":
        lines += [f"pictures: {grid}", f"video:    {run.folder / 'progress.mp4'}"]
        lines += [f"more:     gankit sample {shlex.quote(str(run.folder))}"]
    elif any((run.folder / "checkpoints").glob("step-*")):
        lines += [f"go on:    gankit run --resume {shlex.quote(str(run.folder))}"]
    return lines
