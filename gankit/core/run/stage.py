"""Stage: a part of a run, which begins where settings of the run were changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gankit.core.errors import GankitError

# Settings of a run that may change on --resume, from the next step on. They affect the numbers,
# what is logged and measured, or where the run ends, so the values that they had before are kept.
CHANGEABLE = (
    "loss", "tricks", "flip", "dihedral", "zoom", "batch_size", "accumulate", "d_steps",
    "lr_g", "lr_d", "beta1", "beta2", "precision", "log_every", "draw_every", "save_every",
    "metrics", "measure_every", "keep_best", "patience",
)  # fmt: skip
TOGETHER = ("keep_best", "patience")  # a stage keeps both, because one needs the other
MAX_STAGES = 100
MAX_STEP = 10**15


@dataclass(frozen=True)
class Stage:
    """A stage of a run after its first one: where it begins, and what changed there."""

    step: int  # steps that were done before it
    before: Mapping[str, Any] = field(
        hash=False
    )  # settings that changed -> their values until then

    def __str__(self) -> str:
        """`until step 300: lr-g 0.0002`."""
        settings = (f"{name.replace('_', '-')} {_text(old)}" for name, old in self.before.items())
        return f"until step {self.step:,}: {', '.join(settings)}"


def _text(value: Any) -> str:
    return ("+".join(value) if isinstance(value, tuple | list) else str(value)) or "none"


def check_stages(stages: Sequence[Stage], steps: int) -> None:
    """GankitError unless the stages are in order and begin before the last of `steps`, if known."""
    begins = [stage.step for stage in stages]
    in_order = all(earlier < later for earlier, later in zip([0, *begins], begins, strict=False))
    if not in_order or len(begins) > MAX_STAGES or max(begins, default=0) > MAX_STEP:
        expected = f"at most {MAX_STAGES}, in the order of their steps, from step 1 on"
        raise GankitError(f"the stages of a run must be {expected}")
    if begins and 0 < steps <= begins[-1]:
        cure = f"give --steps N, with N of {begins[-1] + 1} or more"
        raise GankitError(f"the last stage of this run begins at step {begins[-1]}: {cure}")


def without(stages: Sequence[Stage], names: Collection[str]) -> tuple[Stage, ...]:
    """The stages without changes of these settings; those without any other are left out."""
    kept = [
        Stage(stage.step, {name: old for name, old in stage.before.items() if name not in names})
        for stage in stages
    ]
    return tuple(stage for stage in kept if stage.before)


def settings_before(stages: Sequence[Stage]) -> dict[str, Any]:
    """The settings that these stages changed, with their values before the first of them."""
    before: dict[str, Any] = {}
    for stage in reversed(stages):
        before |= stage.before
    return before
