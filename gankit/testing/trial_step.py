"""Strangers' parts of a run, tried on trainers that are thrown away, before the first step."""

from __future__ import annotations

import numpy as np

from gankit.core.choice import Choice
from gankit.core.prepared import PreparedDataset
from gankit.core.registry import Registry
from gankit.core.settings import Run
from gankit.core.stop import Progress
from gankit.data.prepare import prepare
from gankit.testing import places
from gankit.testing.bench import finite
from gankit.testing.datasets import is_a_picture
from gankit.testing.losses import try_numbers
from gankit.training.assemble import Trainer, assemble, resolve_auto

ForeignPart = tuple[str, Choice]  # its kind, and its name with its options
PICTURES = 32  # that a metric is tried on
PLACES = (
    places.images_before_d,
    places.gradients_through_d_input,
    places.targets,
    places.logits,
    places.penalties,
)


def rehearse(run: Run, registry: Registry, progress: Progress) -> None:
    """Try the parts that did not come with gankit; a GankitError names a broken one."""
    _make_metrics(run, registry)
    foreign = _foreign_parts(run, registry)
    if not foreign:
        return
    if ("dataset", run.dataset) in foreign:
        _gives_pictures(run, registry)
    prepared = prepare(run, registry, progress)
    run = resolve_auto(run, prepared)
    trainer = assemble(run, registry, prepared)
    for kind, text in foreign:
        with registry.attribute_errors_to(kind, text):
            _try_alone(kind, text, trainer, registry, prepared)
    acting = [part for part in foreign[::-1] if part[0] != "metric"]
    if acting:
        _take_a_step(assemble(run, registry, prepared), registry, acting)  # as it will be


def _try_alone(
    kind: str, text: str, trainer: Trainer, registry: Registry, prepared: PreparedDataset
) -> None:
    """Try what can be tried of a part alone."""
    if kind == "metric":
        registry.make(kind, text).rows(np.array(prepared.pixels[:PICTURES]))
    elif kind == "loss":
        try_numbers(trainer.loss)
    elif kind == "trick":
        for place in PLACES:
            place(trainer, trainer.tricks[trainer.run.tricks.index(text)])


def _take_a_step(trainer: Trainer, registry: Registry, foreign: list[ForeignPart]) -> None:
    """If the step breaks, a foreign part broke it; of several, the error names all."""
    try:
        finite(trainer, trainer.step(0), "at the first step")
    except Exception as error:  # a stranger's code: anything may come
        others = [f"{kind} {choice.name!r}" for kind, choice in foreign[1:]]
        what = " ".join(str(error).split()) or type(error).__name__
        hint = f" (or is it {' or '.join(others)}?)" if others else ""
        with registry.attribute_errors_to(*foreign[0]):
            raise ValueError(f"{what}{hint}") from error
    for trick, text in zip(trainer.tricks, trainer.run.tricks, strict=True):
        if ("trick", text) in foreign:
            with registry.attribute_errors_to("trick", text):
                places.says_and_saves(trick)


def _make_metrics(run: Run, registry: Registry) -> None:
    """Build them once: one whose features are missing is better refused now."""
    for text in run.metrics:
        registry.make("metric", text)


def _foreign_parts(run: Run, registry: Registry) -> list[ForeignPart]:
    """The run's parts that did not come with gankit."""
    kinds = ("dataset", "generator", "discriminator", "loss")
    chosen: list[ForeignPart] = [(kind, getattr(run, kind)) for kind in kinds]
    chosen += [("trick", text) for text in run.tricks]
    chosen += [("metric", text) for text in run.metrics]
    return [
        (kind, choice)
        for kind, choice in chosen
        if not registry.comes_with_gankit(kind, choice.name)
    ]


def _gives_pictures(run: Run, registry: Registry) -> None:
    """Its first picture is one; if it cannot give it, or later ones, preparing will say so."""
    if "data" in registry.find("dataset", run.dataset.name).parameters():
        return  # it reads files, and preparing them will say what is wrong
    filled_in = {"image_size": run.image_size, "channels": run.channels or 3}
    pictures = registry.make("dataset", run.dataset, **filled_in)
    with registry.attribute_errors_to("dataset", run.dataset):
        if not hasattr(pictures, "__len__") or not hasattr(pictures, "__getitem__"):
            raise ValueError("is no sequence of pictures: give it __len__ and __getitem__")
        if len(pictures):
            try:
                first = pictures[0]
            except Exception:  # one that is broken is skipped and listed, like any other
                return
            is_a_picture(0, first)
