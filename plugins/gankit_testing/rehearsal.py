"""Strangers' parts of a run, tried on games that are thrown away, before the first step."""

import gankit
from gankit.assemble import assemble, resolve
from gankit.choice import Choice
from gankit.errors import GankitError
from gankit_testing import places
from gankit_testing.bench import finite
from gankit_testing.losses import try_numbers


def rehearse(run, registry, progress):
    _make_metrics(run, registry)
    strange = _strange(run, registry)
    if not strange:
        return
    if ("dataset", run.dataset) in strange:
        _is_a_sequence(run, registry)
    prepared = gankit.prepare(run, registry, progress)
    run = resolve(run, prepared)
    game = assemble(run, registry, prepared)
    if ("loss", run.loss) in strange:
        with registry.blaming("loss", run.loss):
            try_numbers(game.loss)
    for trick, text in zip(game.tricks, run.tricks, strict=True):
        if ("trick", text) in strange:
            with registry.blaming("trick", text):
                for place in (places.images_before_d, places.targets, places.penalties):
                    place(game, trick)
    game = assemble(run, registry, prepared)  # as it will be
    try:
        finite(game, game.step(0), "at the first step")
    except ValueError as error:
        parts = " or ".join(f"{kind} {text!r}" for kind, text in strange)
        raise GankitError(f"{parts} {error}") from error


def _make_metrics(run, registry):
    """Build them once: one whose features are missing is better refused now."""
    for text in run.metrics:
        registry.make("metric", text)


def _strange(run, registry):
    """The run's parts that did not come with gankit: (kind, text)."""
    chosen = [(k, getattr(run, k)) for k in ("dataset", "generator", "discriminator", "loss")]
    chosen += [("trick", text) for text in run.tricks]
    ours = [p for p in registry.plugins if p.distribution and p.distribution.name == "gankit"]
    known = {(spec.kind, spec.name) for plugin in ours for spec in plugin.specs}
    return [(kind, text) for kind, text in chosen if (kind, Choice.parse(text).name) not in known]


def _is_a_sequence(run, registry):
    if "data" in registry.find("dataset", Choice.parse(run.dataset).name).parameters():
        return  # it reads files, and preparing them will say what is wrong
    filled_in = {"image_size": run.image_size, "channels": run.channels or 3}
    pictures = registry.make("dataset", run.dataset, **filled_in)
    if not hasattr(pictures, "__len__") or not hasattr(pictures, "__getitem__"):
        with registry.blaming("dataset", run.dataset):
            raise ValueError("is no sequence of pictures: give it __len__ and __getitem__")
