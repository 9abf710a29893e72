"""The numbers of unfolded steps as plain data, for --json."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gankit_unfold.study import Judged, Layer, Lesson, UnfoldedStep


def to_dict(
    name: str, steps: Sequence[UnfoldedStep], compared: Mapping[int, int]
) -> dict[str, Any]:
    """All numbers of unfolded steps of the run `name`; see `Unfolding`.

    A number that is not finite becomes None, as JSON has none such.
    """
    numbers = {
        "run": name,
        "compared": {"rows": len(compared), "numbers": sum(compared.values())},
        "steps": [_step(step) for step in steps],
    }
    finite: dict[str, Any] = _finite(numbers)
    return finite


def _step(step: UnfoldedStep) -> dict[str, Any]:
    return {
        "step": step.step,
        "batch_size": step.batch_size,
        "is_in_log": step.is_in_log,
        **step.numbers,
        "reals": [_judged(picture) for picture in step.reals],
        "fakes": [_judged(picture) for picture in step.fakes],
        "lessons": [_lesson(lesson) for lesson in step.lessons],
        "d_layers": [_layer(layer) for layer in step.d_layers],
        "g_layers": [_layer(layer) for layer in step.g_layers],
        "tricks": [vars(act) for act in step.acts],
    }


def _judged(picture: Judged) -> dict[str, Any]:
    return {
        "answer": picture.answer,
        "loss": picture.loss,
        "middle": picture.middle,
        "answer_after": picture.answer_after,
    }


def _lesson(lesson: Lesson) -> dict[str, Any]:
    return {
        "answer": lesson.answer,
        "loss": lesson.loss,
        "strength": lesson.strength,
        "brighter": lesson.brighter,
        "answer_before": lesson.answer_before,
        "answer_after": lesson.answer_after,
    }


def _layer(layer: Layer) -> dict[str, Any]:
    return {**vars(layer), "ratio": layer.ratio}


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value
