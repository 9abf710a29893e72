"""`gankit.evaluate`: how good are a run's pictures? Numbers with intervals and floors."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, overload

import torch
from PIL import Image

from gankit.core.choice import Choice
from gankit.core.errors import GankitError
from gankit.core.metric import Metric
from gankit.core.prepared import Pixels
from gankit.core.registry import Registry, load_registry
from gankit.core.settings import Run
from gankit.core.stop import Progress
from gankit.data.prepare import prepare
from gankit.runs.sampler import load
from gankit_metrics import record
from gankit_metrics.bootstrap import measure
from gankit_metrics.features import there_is
from gankit_metrics.measured import Measured
from gankit_metrics.sets import FEWEST, Sets, choose

Chosen = list[tuple[Choice, Metric]]  # each as it was written, and built


@overload
def evaluate(
    folder: str | Path,
    metrics: Iterable[str] | None = ...,
    *,
    samples: int = ...,
    checkpoint: int | None = ...,
    registry: Registry | None = ...,
    progress: Progress = ...,
    pictures: Pixels | None = None,
) -> list[Measured]: ...


@overload
def evaluate(
    folder: str | Path,
    metrics: Iterable[str] | None = ...,
    *,
    samples: int = ...,
    checkpoint: int | None = ...,
    registry: Registry | None = ...,
    progress: Progress = ...,
    pictures: Mapping[str, Pixels],
) -> dict[str, list[Measured]]: ...


def evaluate(
    folder: str | Path,
    metrics: Iterable[str] | None = ("kid", "swd"),
    *,
    samples: int = 1000,
    checkpoint: int | None = None,
    registry: Registry | None = None,
    progress: Progress = lambda done, total: None,
    pictures: Pixels | Mapping[str, Pixels] | None = None,
) -> list[Measured] | dict[str, list[Measured]]:
    """Measure the run in `folder` at its newest checkpoint, or at the one of that step.

    Returns a list of Measured, one for each metric.

    metrics: `name:option=value` texts; None takes those that suit the run and can be had here.
    The numbers are also written into the folder, as metrics.csv and metrics.json. The same call
    gives the same numbers.

    pictures: uint8 (N, H, W, C) of your own, to be measured in the place of G's, as many as they
    are; to see how a metric answers what one knows (blurred pictures, copies). Nothing is written.
    Several such sets, as many in each, by name: then a dict, with a list for each name.
    """
    registry = registry or load_registry()
    sampler = load(folder, step=checkpoint, registry=registry)
    prepared = prepare(sampler.run, registry, lambda done, total: None)
    own_pictures = _by_name(pictures)
    samples = max((len(pixels) for pixels in own_pictures.values()), default=samples)
    sets = choose(prepared, samples, sampler.run.data_seed)
    texts = suitable(sampler.run, registry, sets) if metrics is None else tuple(metrics)
    chosen = build(texts, sampler.run, registry, sets)
    if pictures is not None:
        results = {}
        for name, pixels in own_pictures.items():
            sets.take(pixels)
            results[name] = measured(chosen, sets, registry, None, sampler.step, progress)
        return results if isinstance(pictures, Mapping) else results[""]
    sets.draw(sampler.images, sampler.run.latent_dim)
    found = measured(chosen, sets, registry, Path(folder), sampler.step, progress)
    record.write(Path(folder), found)
    return found


def _by_name(pictures: Pixels | Mapping[str, Pixels] | None) -> Mapping[str, Pixels]:
    """A person's own sets of pictures; a single one has no name."""
    if pictures is None:
        return {}
    return pictures if isinstance(pictures, Mapping) else {"": pictures}


def suitable(run: Run, registry: Registry, sets: Sets) -> tuple[str, ...]:
    """The metrics taken when nobody names any: what the data set has of its own comes last."""
    names = ["kid"] if there_is("imagenet-lite") else []
    names += ["swd"] + ["memorising"] * (sets.against == "hold-out")
    known = [spec for spec in registry.specs("metric") if spec.name not in names]
    own = run.dataset.name
    names += [s.name for s in known if own in getattr(s.builder(), "datasets", ())]
    return tuple(name for name in names if name in {s.name for s in registry.specs("metric")})


def build(texts: Iterable[str], run: Run, registry: Registry, sets: Sets) -> Chosen:
    """The metrics by name, each of which must be able to judge this run."""
    chosen = []
    for text in dict.fromkeys(texts):
        choice = registry.check("metric", text)
        metric = registry.make("metric", choice)
        with registry.attribute_errors_to("metric", choice):
            if not isinstance(metric, Metric):
                raise ValueError(f"builds a {type(metric).__name__}; wanted is a gankit.Metric")
            if metric.datasets and run.dataset.name not in metric.datasets:
                suits = ", ".join(metric.datasets)
                raise ValueError(f"does not apply: it knows {suits}, and this run is {run.dataset}")
            if metric.reads_training and sets.against != "hold-out":
                raise ValueError(f"needs {FEWEST} pictures held out; run with --holdout")
        chosen.append((choice, metric))
    return chosen


def measured(
    chosen: Chosen, sets: Sets, registry: Registry, folder: Path | None, step: int,
    progress: Progress,
) -> list[Measured]:  # fmt: skip
    """Every metric's number for the pictures that `sets` holds; torch's random state is kept.

    Where a metric draws a picture of what its number means, it goes into `folder`, if one is given.
    """
    found = []
    with torch.random.fork_rng(devices=[]):
        for number, (text, metric) in enumerate(chosen):
            progress(number, len(chosen))
            with registry.attribute_errors_to("metric", text):
                number_found, state = measure(metric, text, sets)
                shown = _shown(metric, text, state, sets) if folder else None
            path = record.picture_path(folder, step, text) if folder and shown is not None else None
            if path:
                _save(shown, path)
            found.append(dataclasses.replace(number_found, step=step, picture=str(path or "")))
    progress(len(chosen), len(chosen))
    return found


def _shown(metric: Metric, text: str, state: Any, sets: Sets) -> Any:
    if type(metric).picture is Metric.picture:
        return None
    return metric.picture(state, *map(sets.pictures, ("generated", "reference", "training")))


def _save(pixels: Any, path: Path) -> None:
    try:
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(path)
    except OSError as error:
        raise GankitError(f"cannot write {path}: {error}", 1) from error
