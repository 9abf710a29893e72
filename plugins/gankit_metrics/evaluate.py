"""`gankit.evaluate`: how good are a run's pictures? Numbers with intervals and floors."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import torch

from gankit.core.contracts.contract import require_part
from gankit.core.contracts.metric import Metric
from gankit.core.contracts.prepared import Pixels
from gankit.core.errors import GankitError
from gankit.core.files.atomic_write import try_to_create
from gankit.core.files.retried_write import describe_write_error
from gankit.core.parts.choice import Choice
from gankit.core.parts.registry import Registry, load_registry, registry_of
from gankit.core.parts.specs import Spec
from gankit.core.progress import Progress, no_progress
from gankit.core.run.settings import Run
from gankit.runs.find_class import Label, find_class
from gankit.runs.sampler import Sampler, load
from gankit.training.checkpoints.named_checkpoint import Step, named_step
from gankit.training.checks.metrics import require_dataset
from gankit.training.run_folder.find_run import find_run
from gankit.training.run_folder.links import refuse_links_out
from gankit.training.run_folder.run_file import Data, folder_of, load_run
from gankit.training.run_folder.run_parts import require_parts
from gankit.training.run_folder.run_pictures import prepare_again
from gankit.training.settings.compose import name_objects
from gankit.training.settings.python_words import called_in_python, errors_in_python
from gankit.training.trial.try_metric import IGNORES_PICTURES, ignores_pictures
from gankit_metrics.bootstrap import measure
from gankit_metrics.features import features_available
from gankit_metrics.measurement import Measurement
from gankit_metrics.metrics_file import add_metrics, save_metric_picture
from gankit_metrics.picture_sets import (
    HOLDOUT,
    MIN_PICTURES,
    PictureSets,
    choose_picture_sets,
    only_class,
)

if TYPE_CHECKING:
    from gankit.training.settings.compose import Part

log = logging.getLogger("gankit")
BuiltMetrics = list[tuple[Choice, Metric]]  # each as you wrote it, and built


@overload
def evaluate(
    folder: str | Path | Run | Sampler,
    metrics: Part[Metric] | Iterable[Part[Metric]] | None = ...,
    *more: Part[Metric],
    samples: int = ...,
    checkpoint: Step = ...,
    registry: Registry | None = ...,
    progress: Progress = ...,
    pictures: Pixels | None = None,
    data: Data = ...,
    plugins: Sequence[Any] = ...,
    label: Label | None = ...,
) -> list[Measurement]: ...


@overload
def evaluate(
    folder: str | Path | Run | Sampler,
    metrics: Part[Metric] | Iterable[Part[Metric]] | None = ...,
    *more: Part[Metric],
    samples: int = ...,
    checkpoint: Step = ...,
    registry: Registry | None = ...,
    progress: Progress = ...,
    pictures: Mapping[str, Pixels],
    data: Data = ...,
    plugins: Sequence[Any] = ...,
    label: Label | None = ...,
) -> dict[str, list[Measurement]]: ...


@called_in_python
def evaluate(
    folder: str | Path | Run | Sampler,
    metrics: Part[Metric] | Iterable[Part[Metric]] | None = (),
    *more: Part[Metric],
    samples: int = 1000,
    checkpoint: Step = None,
    registry: Registry | None = None,
    progress: Progress = no_progress,
    pictures: Pixels | Mapping[str, Pixels] | None = None,
    data: Data = (),
    plugins: Sequence[Any] = (),
    label: Label | None = None,
) -> list[Measurement] | dict[str, list[Measurement]]:
    """Measure a run at its newest checkpoint, or at a step, "best" or "last"; a Sampler at its own.

    `evaluate("runs/petals-1", "swd")` returns a Measurement for each metric, and adds them to
    metrics.csv and metrics.json, if they can be written. The same call gives the same numbers.
    folder: that of the run, a Run or a Sampler.
    metrics: names, objects or classes, one after another or as a list. If you name none, those
    that the run measured while it trained, or kid and swd if it measured none. None: those that
    suit the run and have their features.
    pictures: uint8 (N, H, W, C), measured in place of G's, to see how a metric answers pictures
    that you know. Nothing is written. A dict of arrays of equal length gives a dict of lists.
    data: where the run's pictures are now, if they were moved. GankitError if they are others.
    plugins: as for `gankit.compose`: modules or objects with hooks, and paths of .py files.
    label: a class, by name or number, to measure alone. Nothing is written.
    """
    texts, registry = _take_metrics(metrics, more, plugins, registry or load_registry())
    sampler = _load_sampler(folder, checkpoint, registry, is_written=pictures is None)
    registry = registry_of(sampler.run, registry)
    own_pictures = _by_name(pictures)
    samples = max(map(len, own_pictures.values()), default=samples)
    sets = _choose_sets(sampler, samples, data, registry, label)
    run = sampler.run
    texts = texts or _choose_metrics(run, registry, sets, label, must_suit=metrics is None)
    built = _build_and_try(texts, run, registry, sets)
    if pictures is None:
        return _measure_generated(built, sets, registry, sampler, progress, is_kept=label is None)
    measured = _measure_each(own_pictures, built, sets, registry, sampler.step, progress)
    return measured if isinstance(pictures, Mapping) else measured[""]


def _choose_sets(
    sampler: Sampler, samples: int, data: Data, registry: Registry, label: Label | None
) -> PictureSets:
    """The real pictures to compare with, of all classes or of one. GankitError."""
    run = sampler.run
    prepared = prepare_again(load_run(run, data=data) if data else run, registry)
    if label is not None:
        prepared = only_class(prepared, find_class(sampler.class_names, label))
    return choose_picture_sets(prepared, samples, run.data_seed)


def _measure_generated(
    built: BuiltMetrics,
    sets: PictureSets,
    registry: Registry,
    sampler: Sampler,
    progress: Progress,
    *,
    is_kept: bool,
) -> list[Measurement]:
    """Measure G's pictures and, with `is_kept`, write the numbers into the run if possible."""
    folder = sampler.run.folder
    has_classes = bool(sampler.class_names)
    sets.generate(sampler.images, sampler.run.latent_dim, has_classes=has_classes)
    if not (is_kept and _can_be_kept(folder)):
        return measure_all(built, sets, registry, None, sampler.step, progress)
    measurements = measure_all(built, sets, registry, folder, sampler.step, progress)
    _record(folder, measurements)
    return measurements


def _can_be_kept(folder: Path) -> bool:
    """Whether the numbers can be written into the run; if not, a warning before they are measured.

    The run may be on a disk that is read-only: the numbers are worth measuring nevertheless.
    """
    try:
        try_to_create(folder)
    except OSError as error:
        why = describe_write_error(error)
        log.warning("cannot write into %s: %s; the numbers are shown but not kept", folder, why)
        return False
    return True


def _load_sampler(
    run: str | Path | Run | Sampler,
    checkpoint: Step,
    registry: Registry | None,
    *,
    is_written: bool,
) -> Sampler:
    """The sampler of a run; GankitError if its folder would let gankit write elsewhere."""
    folder = run.run.folder if isinstance(run, Sampler) else folder_of(run)
    run_folder = find_run(folder, " and checkpoint={step}")
    if is_written:
        refuse_links_out(run_folder)
    if not isinstance(run, Sampler):
        return load(run, step=checkpoint, registry=registry)
    if named_step(run_folder, checkpoint) not in (None, run.step):
        raise GankitError(
            f"this Sampler is of step {run.step}: omit checkpoint, or give the folder"
        )
    return run


def _take_metrics(
    metrics: Any, more: Sequence[Any], plugins: Sequence[Any], registry: Registry
) -> tuple[tuple[str, ...], Registry]:
    """The metrics by name, and the registry with those that are objects, and with `plugins`."""
    is_list = isinstance(metrics, Iterable) and not isinstance(metrics, str)
    items = [] if metrics is None else [*metrics] if is_list else [metrics]
    with errors_in_python():
        settings, carried = name_objects(registry, plugins, {"metrics": [*items, *more]})
    return tuple(settings["metrics"]), registry.with_plugins(carried.plugins)


def _choose_metrics(
    run: Run, registry: Registry, sets: PictureSets, label: Label | None, *, must_suit: bool
) -> tuple[str, ...]:
    """The metrics if none are named: those that suit the run, or that it measured itself."""
    if label is not None:
        return (kid_or_swd(),)
    if must_suit:
        return default_metrics(run, registry, sets)
    require_parts(run, registry, ("metric",))
    return run.metrics or ("kid", "swd")


def _record(folder: Path, measurements: list[Measurement]) -> None:
    """Add the numbers to metrics.json; a warning if it cannot be written, as they took minutes."""
    try:
        add_metrics(folder, measurements)
    except GankitError as error:
        if not isinstance(error.__cause__, OSError):  # a damaged file
            raise
        log.warning("%s, so the numbers are not in metrics.json", error)


def _by_name(pictures: Pixels | Mapping[str, Pixels] | None) -> Mapping[str, Pixels]:
    """The arrays in `pictures` by name; the name of a single one is empty."""
    if pictures is None:
        return {}
    return pictures if isinstance(pictures, Mapping) else {"": pictures}


def _measure_each(
    own_pictures: Mapping[str, Pixels],
    built: BuiltMetrics,
    sets: PictureSets,
    registry: Registry,
    step: int,
    progress: Progress,
) -> dict[str, list[Measurement]]:
    """Measure each of these arrays in place of G's pictures; nothing is written."""
    results = {}
    for name, pixels in own_pictures.items():
        sets.set_generated(pixels)
        results[name] = measure_all(built, sets, registry, None, step, progress)
    return results


def kid_or_swd() -> str:
    """The metric for the pictures of one class if none is named."""
    return "kid" if features_available("imagenet-lite") else "swd"


def default_metrics(run: Run, registry: Registry, sets: PictureSets) -> tuple[str, ...]:
    """What to measure if no metric is named; metrics made for the run's data set come last."""
    specs = {spec.name: spec for spec in registry.specs("metric")}
    names = []
    if features_available("imagenet-lite"):
        names.append("kid")
    names.append("swd")
    if sets.against == HOLDOUT:
        names.append("memorising")
    for name, spec in specs.items():
        if name not in names and run.dataset.name in _datasets_of(registry, spec):
            names.append(name)
    return tuple(name for name in names if name in specs)


def _datasets_of(registry: Registry, spec: Spec) -> Sequence[str]:
    """The data sets that a metric was made for; none, with a warning, if it cannot be imported."""
    try:
        with registry.attribute_errors_to("metric", spec.name):
            return tuple(getattr(spec.builder(), "datasets", ()))
    except GankitError as error:
        log.warning("%s", error)
        return ()


def build_metrics(
    texts: Iterable[str], run: Run, registry: Registry, sets: PictureSets
) -> BuiltMetrics:
    """Build the metrics; a metric that cannot measure this run is an error."""
    built = []
    for text in dict.fromkeys(texts):
        choice = registry.check("metric", text)
        part = registry.make("metric", choice)
        with registry.attribute_errors_to("metric", choice):
            metric = require_part(part, Metric)
            require_dataset(metric, run)
            if metric.reads_training and sets.against != HOLDOUT:
                raise ValueError(
                    f"needs at least {MIN_PICTURES} pictures held out, and this run has "
                    f"{sets.num_held_out}: train with a larger --holdout (near copies of a picture "
                    "are held out together or not at all)"
                )
        built.append((choice, metric))
    return built


def _build_and_try(
    texts: Iterable[str], run: Run, registry: Registry, sets: PictureSets
) -> BuiltMetrics:
    """Build the metrics, and warn of one of yours whose score does not depend on the pictures."""
    built = build_metrics(texts, run, registry, sets)
    for choice, metric in built:
        if registry.comes_with_gankit("metric", choice.name):
            continue
        with registry.attribute_errors_to("metric", choice):
            if ignores_pictures(metric, sets.pictures("reference")):
                described = registry.describe(registry.find("metric", choice.name))
                log.warning("%s: %s", described, IGNORES_PICTURES)
    return built


def measure_all(
    metrics: BuiltMetrics,
    sets: PictureSets,
    registry: Registry,
    folder: Path | None,
    step: int,
    progress: Progress,
) -> list[Measurement]:
    """Measure the generated pictures of `sets` with each metric.

    A metric's picture is saved into `folder`, if you give one. torch's random state stays as it is.
    """
    measurements = []
    with torch.random.fork_rng(devices=[]):
        for index, (text, metric) in enumerate(metrics):
            progress(index, len(metrics))
            picture = None
            with registry.attribute_errors_to("metric", text):
                measurement, state = measure(metric, text, sets)
                if folder:
                    picture = _draw_picture(metric, state, sets)
            path = ""
            if folder and picture is not None:
                path = save_metric_picture(picture, folder, step, text, sets.samples)
            measurements.append(dataclasses.replace(measurement, step=step, picture=path))
    progress(len(metrics), len(metrics))
    return measurements


def _draw_picture(metric: Metric, state: Any, sets: PictureSets) -> Any:
    """The metric's picture of what its number means, uint8 (H, W, C); None if it draws none."""
    if type(metric).picture is Metric.picture:  # then do not read the pictures
        return None
    generated = sets.pictures("generated")
    pixels = metric.picture(state, generated, sets.pictures("reference"), sets.pictures("training"))
    shape = getattr(pixels, "shape", ())
    if pixels is not None and (len(shape) != 3 or pixels.dtype != "uint8"):
        raise ValueError(
            f"picture returns {type(pixels).__name__} {shape}; expected uint8 (H, W, C)"
        )
    return pixels
