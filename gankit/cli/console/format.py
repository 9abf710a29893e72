"""Text that both views print."""

from __future__ import annotations

import dataclasses
from typing import Any

import click

from gankit.cli.main import new_cli
from gankit.core.clock import format_duration
from gankit.core.errors import GankitError
from gankit.core.run.all_stages import describe_stage, runs_of_stages, stage_begin
from gankit.core.run.settings import Run, command_about
from gankit.runs.grids import grid_path
from gankit.training.checkpoints.named_checkpoint import BEST, best_step
from gankit.training.run_folder.run_file import recorded_run
from gankit.training.settings.python_words import in_caller_words, resume_call

LIKED_CELL = 12  # of the grid: an example of a picture that you may like
TERMS = "G draws, D judges. D(x), D(G(z)): how real D finds real pictures and G's."


def explain_terms(run: Run, first_step: int) -> str:
    """A line that explains the view's terms at the start of your first run, else an empty text.

    Your first run is one that has no other run beside it, in `runs/` for instance.
    """
    has_other_runs = any(path.parent != run.folder for path in run.folder.parent.glob("*/run.json"))
    return "" if first_step or has_other_runs else TERMS


def explain_changes(run: Run) -> str:
    """A line that says how real pictures are changed before D sees them; empty if they are not."""
    changes = {}  # by the option that turns it off
    if run.dihedral:
        turned = "rotated" if run.size.is_square else "rotated by 180 degrees"
        changes["--no-dihedral"] = f"{turned} and mirrored at random"
    elif run.flip:
        changes["--no-flip"] = "mirrored at random"
    if run.zoom > 1:
        changes["--zoom 1"] = f"cropped at random and enlarged up to {run.zoom:g} times"
    if not changes:
        return ""
    off = in_caller_words(" and ".join(changes))
    return f"real pictures are {', '.join(changes.values())} (off with {off})"


def whole_run(run: Run) -> Run:
    """A run with all of its stages, where `run` is in one of them."""
    try:
        return dataclasses.replace(recorded_run(run.folder), carried=run.in_python)
    except GankitError:  # its run.json was deleted, or changed
        return run


def explain_stages(run: Run, whole: Run, first_step: int) -> list[str]:
    """Lines that say what changes at the first step; else what stages to come will change.

    `whole`: the run with all of its stages, where `run` is in one of them.
    """
    if run.stages and stage_begin(run) == first_step:
        return [in_caller_words(describe_stage(run))]
    stages = runs_of_stages(whole)[1:]
    to_come = [stage for stage in stages if stage_begin(stage) > first_step]
    return [in_caller_words(describe_stage(stage)) for stage in to_come]


def summarize_outcome(run: Run, first_step: int, outcome: dict[str, Any]) -> list[str]:
    """Lines to print when a run that started at `first_step` has ended."""
    step = outcome["step"]
    if outcome["state"] == "stage":
        return [f"stage {len(run.stages) + 1} ends at step {step:,} of {run.steps:,}"]
    is_finished = outcome["state"] == "finished"
    if step == first_step and is_finished:
        done = f"finished already at step {step:,}: make it longer with --steps N"
        lines = [in_caller_words(done)]
    else:
        duration = format_duration(outcome["seconds"])
        because = f": {outcome['reason']}" if outcome.get("reason") else ""
        end = f"{outcome['state']} after {duration} at step {step:,} of {run.steps:,}{because}"
        lines = [in_caller_words(end)]
    has_logged = is_finished or step // run.log_every > first_step // run.log_every
    if step > first_step and has_logged:
        for name, activity in outcome["tricks"].items():
            lines.append(f"  {name}: {activity or 'WARNING, it never acted'}")
    if run.keep_best and outcome["state"] != "failed":
        lines.append(f"best:     {_describe_best(run, outcome['best'])}")
    if is_finished:
        lines.append(f"pictures: {grid_path(run.folder, step)}")
        lines.append(f"video:    {run.folder / 'progress.mp4'}")
        lines += [f"more:     {_how_to_sample(run)}", *_how_to_explore(run)]
    elif any((run.folder / "checkpoints").glob("step-*")):
        lines.append(f"resume:   {_how_to_resume(run)}")
    return lines


def _how_to_sample(run: Run) -> str:
    """The command that draws more pictures, or the call if they need objects from Python."""
    if _needs_python(run):
        return f"gankit.load({str(run.folder)!r}).grid().save('more.png')"
    return command_about(run, "sample", str(run.folder), "--near", str(LIKED_CELL))


def _describe_best(run: Run, best: Any) -> str:
    """The best measurement, and the command that draws from its checkpoint."""
    if best is None:
        return f"none, as {run.keep_best} was not measured"
    if best_step(run.folder / "checkpoints") != best.step:
        return f"{best}; its checkpoint is gone"
    command = command_about(run, "sample", str(run.folder), "--checkpoint", BEST)
    if _needs_python(run):
        command = f"gankit.load({str(run.folder)!r}, step={BEST!r}).grid().save('best.png')"
    return f"{best}: {command}"


def _needs_python(run: Run) -> bool:
    """Whether drawing needs objects that were given in Python."""
    kinds = {part.partition(" ")[0] for part in run.given_objects()}
    return bool(kinds & {"generator", "trick"})


def _how_to_explore(run: Run) -> list[str]:
    """A line with the command that opens a page to play with, if a plugin has it."""
    cli = new_cli()
    commands = cli.list_commands(click.Context(cli, resilient_parsing=True))
    if run.given_objects() or "explore" not in commands:
        return []
    return [f"play:     {command_about(run, 'explore', str(run.folder))}"]


def _how_to_resume(run: Run) -> str:
    if run.given_objects():
        return resume_call(run.folder)
    return command_about(run, "run", "--resume", str(run.folder))
