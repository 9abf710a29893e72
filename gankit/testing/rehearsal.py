"""Strangers' parts of a run, tried on games that are thrown away, before the first step."""

import numpy as np

from gankit.core.choice import Choice
from gankit.data.prepare import prepare
from gankit.testing import places
from gankit.testing.bench import finite
from gankit.testing.datasets import is_a_picture
from gankit.testing.losses import try_numbers
from gankit.training.assemble import assemble, resolve

PICTURES = 32  # that a metric is tried on
PLACES = (
    places.images_before_d,
    places.gradients_through_d_input,
    places.targets,
    places.logits,
    places.penalties,
)


def rehearse(run, registry, progress):
    _make_metrics(run, registry)
    strange = _strange(run, registry)
    if not strange:
        return
    if ("dataset", run.dataset) in strange:
        _gives_pictures(run, registry)
    prepared = prepare(run, registry, progress)
    run = resolve(run, prepared)
    game = assemble(run, registry, prepared)
    for kind, text in strange:
        with registry.blaming(kind, text):
            _ask(kind, text, game, registry, prepared)
    acting = [part for part in strange[::-1] if part[0] != "metric"]
    if acting:
        _take_a_step(assemble(run, registry, prepared), registry, acting)  # as it will be


def _ask(kind, text, game, registry, prepared):
    """What a part can be asked alone."""
    if kind == "metric":
        registry.make(kind, text).rows(np.array(prepared.pixels[:PICTURES]))
    elif kind == "loss":
        try_numbers(game.loss)
    elif kind == "trick":
        for place in PLACES:
            place(game, game.tricks[game.run.tricks.index(text)])


def _take_a_step(game, registry, strange):
    """Whoever breaks it down is one of the strangers; with two, nobody knows which."""
    try:
        finite(game, game.step(0), "at the first step")
    except Exception as error:  # a stranger's code: anything may come
        others = [f"{kind} {Choice.parse(text).name!r}" for kind, text in strange[1:]]
        what = " ".join(str(error).split()) or type(error).__name__
        hint = f" (or is it {' or '.join(others)}?)" if others else ""
        with registry.blaming(*strange[0]):
            raise ValueError(f"{what}{hint}") from error
    for trick, text in zip(game.tricks, game.run.tricks, strict=True):
        if ("trick", text) in strange:
            with registry.blaming("trick", text):
                places.says_and_saves(trick)


def _make_metrics(run, registry):
    """Build them once: one whose features are missing is better refused now."""
    for text in run.metrics:
        registry.make("metric", text)


def _strange(run, registry):
    """The run's parts that did not come with gankit: (kind, text)."""
    chosen = [(k, getattr(run, k)) for k in ("dataset", "generator", "discriminator", "loss")]
    chosen += [("trick", text) for text in run.tricks]
    chosen += [("metric", text) for text in run.metrics]
    ours = [p for p in registry.plugins if p.distribution and p.distribution.name == "gankit"]
    known = {(spec.kind, spec.name) for plugin in ours for spec in plugin.specs}
    return [(kind, text) for kind, text in chosen if (kind, Choice.parse(text).name) not in known]


def _gives_pictures(run, registry):
    """Its first picture is one; if it cannot give it, or later ones, preparing will say so."""
    if "data" in registry.find("dataset", Choice.parse(run.dataset).name).parameters():
        return  # it reads files, and preparing them will say what is wrong
    filled_in = {"image_size": run.image_size, "channels": run.channels or 3}
    pictures = registry.make("dataset", run.dataset, **filled_in)
    with registry.blaming("dataset", run.dataset):
        if not hasattr(pictures, "__len__") or not hasattr(pictures, "__getitem__"):
            raise ValueError("is no sequence of pictures: give it __len__ and __getitem__")
        if len(pictures):
            try:
                first = pictures[0]
            except Exception:  # one that is broken is skipped and listed, like any other
                return
            is_a_picture(0, first)
