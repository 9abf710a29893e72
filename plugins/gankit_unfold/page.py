"""The page of unfolded steps: one HTML file that needs no other file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gankit.cli import check_output
from gankit.cli.page.charts import Axis
from gankit.cli.page.render import render_page
from gankit.core.files.portable_path import hide_home
from gankit.core.run.settings import Run, command_line
from gankit_unfold.pictures import Pictures, scale_of_changes, scale_of_wishes
from gankit_unfold.questions import questions_of
from gankit_unfold.stops import STOPS
from gankit_unfold.study import Judged, Layer, Lesson, UnfoldedStep


def write_page(
    run: Run, steps: Sequence[UnfoldedStep], compared: Mapping[int, int], path: Path
) -> Path:
    """Write the page; see `Unfolding`. Returns the path. GankitError."""
    pictures = Pictures()
    text = render_page(
        "gankit_unfold",
        "unfold.html",
        title=f"Single steps of {run.folder.resolve().name}",
        command=command_line(run),
        run=run,
        stops=STOPS,
        steps=[_show_step(step, pictures) for step in steps],
        num_rows=len(compared),
        num_compared=sum(compared.values()),
        pictures=pictures.style_sheet(),
    )
    return check_output.write_page(path, hide_home(text))


def _show_step(step: UnfoldedStep, pictures: Pictures) -> dict[str, Any]:
    """What the template shows of a step."""
    judged = [*step.reals, *step.fakes]
    answers = [each.answer for each in judged] + [each.answer_after for each in judged]
    axis = Axis(min(0.0, *answers), max(1.0, *answers), 16, 304)  # px in the chart of 320
    wishes = scale_of_wishes([lesson.wish for lesson in step.lessons])
    changes = scale_of_changes([each.new_image - each.image for each in step.lessons])
    return {
        "step": step.step,
        "batch_size": step.batch_size,
        "is_in_log": step.is_in_log,
        "has_pairs": step.has_pairs,
        "numbers": {name: json.dumps(value) for name, value in step.numbers.items()},
        "reals": [_show_judged(each, pictures, axis) for each in step.reals],
        "fakes": [_show_judged(each, pictures, axis) for each in step.fakes],
        "low": short(axis.low),
        "high": short(axis.high),
        "lessons": [_show_lesson(each, pictures, wishes, changes) for each in step.lessons],
        "change_scale": f"{changes:g}",
        "d_layers": [_show_layer(layer) for layer in step.d_layers],
        "g_layers": [_show_layer(layer) for layer in step.g_layers],
        "acts": [stop.acts_of(step.acts) for stop in STOPS],
        "questions": [
            {**vars(question), "pictures": [pictures.add(p.image) for p in question.pictures]}
            for question in questions_of(step)
        ],
    }


def _show_judged(judged: Judged, pictures: Pictures, axis: Axis) -> dict[str, Any]:
    """What the template shows of a picture in D's update."""
    return {
        "picture": pictures.add(judged.image),
        "heat": pictures.add_heat(judged.image, judged.slope),
        "x": axis.px(judged.answer),
        "x_after": axis.px(judged.answer_after),
        "answer": short(judged.answer),
        "answer_after": short(judged.answer_after),
        "loss": None if judged.loss is None else short(judged.loss),
    }


def _show_lesson(
    lesson: Lesson, pictures: Pictures, wishes: float, changes: float
) -> dict[str, Any]:
    """What the template shows of a fake in G's update, with these scales."""
    wish = wishes * lesson.wish
    return {
        "picture": pictures.add(lesson.image),
        "wish": pictures.add(wish),
        "asked": pictures.add(lesson.image + wish),
        "new": pictures.add(lesson.new_image),
        "change": pictures.add(changes * (lesson.new_image - lesson.image)),
        "answer": short(lesson.answer),
        "loss": None if lesson.loss is None else short(lesson.loss),
        "strength": short(lesson.strength),
        "brighter": "brighter" if lesson.brighter > 0 else "darker",
        "before": short(lesson.answer_before),
        "after": short(lesson.answer_after),
        "is_more": lesson.answer_after > lesson.answer_before,
    }


def _show_layer(layer: Layer) -> dict[str, str]:
    ratio = layer.ratio
    return {
        "name": layer.name,
        "kind": layer.kind,
        "gradient": f"{layer.gradient:.3g}",
        "weight": f"{layer.weight:.3g}",
        "update": f"{layer.update:.2g}",
        "ratio": "they were 0" if ratio is None else f"{100 * ratio:.2g} %",
    }


def short(value: float) -> str:
    """A number with the digits that a reader compares."""
    return f"{value:.2f}" if abs(value) >= 0.01 or value == 0 else f"{value:.1g}"
