"""What a run did in all of its stages: pictures that it showed, tricks that it used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gankit.core.parts.choice import Choice
from gankit.core.run.settings import Run, option, setting_to_argv


def stage_begin(run: Run) -> int:
    """The step with which the last stage of a run begins; 0 if it has only one."""
    return run.stages[-1].step if run.stages else 0


def next_begin(run: Run, step: int) -> int | None:
    """The step with which the next stage of a run begins after some steps; None if none does."""
    return next((stage.step for stage in run.stages if stage.step > step), None)


def count_batches(run: Run, step: int) -> int:
    """The number of batches of real pictures that a run takes before a step, counted from 0."""
    return sum(count * stage.d_steps for count, stage in _stretches(run, step))


def count_pictures(run: Run, step: int) -> int:
    """The number of real pictures that D is shown before a step, counted from 0."""
    return sum(count * stage.d_steps * stage.batch_size for count, stage in _stretches(run, step))


def tricks_of_all_stages(run: Run) -> list[Choice]:
    """The tricks of all stages of a run, those of earlier stages first; each name once."""
    names: dict[str, Choice] = {}
    for stage in runs_of_stages(run):
        for trick in stage.tricks:
            names.setdefault(trick.name, trick)
    return list(names.values())


def runs_of_stages(run: Run) -> list[Run]:
    """The run as it is in each of its stages, oldest first."""
    return [run.at(begin) for begin in (0, *(stage.step for stage in run.stages))]


def describe_stages(run: Run) -> list[str]:
    """What changed when each stage of a run began, apart from the first."""
    return [describe_stage(stage) for stage in runs_of_stages(run)[1:]]


def describe_stage(run: Run) -> str:
    """What changed when the last stage of a run began: `stage 2 from step 300 on: --lr-g ...`."""
    changes: list[str] = []
    for name, before in run.stages[-1].before.items():
        if before == getattr(run, name):  # it is kept with another that changed
            continue
        if name == "tricks":
            changes += _changes_of_tricks(before, run.tricks)
        elif isinstance(before, bool):
            changes.append(setting_to_argv(name, not before)[0])
        else:
            old, new = (_format(value) for value in (before, getattr(run, name)))
            changes.append(f"{option(name)} {new} (before: {old})")
    number = len(run.stages) + 1
    return f"stage {number} from step {run.stages[-1].step:,} on: {', '.join(changes)}"


def _changes_of_tricks(before: Sequence[str], tricks: Sequence[Choice]) -> Iterator[str]:
    """`new trick r1`, `trick ema:decay=0.9 (before: ema)` and `without trick noisy-d`."""
    old = {trick.name: trick for trick in map(Choice.parse, before)}
    new = {trick.name: trick for trick in tricks}
    for name, trick in new.items():
        if name not in old:
            yield f"new trick {trick}"
        elif trick != old[name]:
            yield f"trick {trick} (before: {old[name]})"
    yield from (f"without trick {name}" for name in old if name not in new)
    if list(old) != list(new) and set(old) == set(new):
        yield f"tricks in the order {', '.join(new)}"


def _format(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    text = ", ".join(value) if isinstance(value, tuple) else str(value)
    return text or "none"


def _stretches(run: Run, step: int) -> Iterator[tuple[int, Run]]:
    """The steps before `step` in each stage, and the run as it takes them."""
    begin = 0
    for end in (*(stage.step for stage in run.stages), step):
        if begin < min(end, step):
            yield min(end, step) - begin, run.at(begin)
        begin = end
