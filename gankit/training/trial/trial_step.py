"""Try parts of other packages in a trial step, before the first step of a run."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import logging
import math
from pathlib import Path
from typing import Any

import torch

from gankit.core.class_labels import without_labels
from gankit.core.contracts.metric import Metric
from gankit.core.contracts.prepared import PreparedDataset
from gankit.core.errors import GankitError, RunFailed, error_text
from gankit.core.parts.choice import Choice
from gankit.core.parts.registry import Registry
from gankit.core.progress import Progress, no_progress
from gankit.core.run.settings import Run
from gankit.core.step import Scalars
from gankit.data.prepare import prepare
from gankit.training.assemble import Trainer, assemble, resolve_auto
from gankit.training.checks.loss import require_valid_loss
from gankit.training.checks.networks import ENDS_IN_TANH, ends_in_tanh
from gankit.training.guard import guard_parts
from gankit.training.run_folder.run_parts import Part, external_parts
from gankit.training.trial import trick_hooks, trick_in_step
from gankit.training.trial.pictures import require_picture, require_sequence
from gankit.training.trial.try_metric import IGNORES_PICTURES, ignores_pictures

log = logging.getLogger("gankit")
TRICK_CHECKS = (
    trick_hooks.check_images,
    trick_hooks.check_d_input_gradient,
    trick_hooks.check_targets,
    trick_hooks.check_logits,
    trick_hooks.check_penalty,
)


def try_external_parts(run: Run, registry: Registry, progress: Progress = no_progress) -> None:
    """Try parts of a run in a trial step, as `gankit run` does; GankitError names a broken one.

    Parts that can train, but probably do not do what they should, are named in a warning. Parts
    that are bundled with gankit are not tried: gankit's tests check them.
    """
    _build_metrics(run, registry)
    external = external_parts(run, registry)
    if not external:
        return
    if ("dataset", run.dataset) in external:
        _try_dataset(run, registry)
    prepared = prepare(run, registry, progress)
    run = resolve_auto(dataclasses.replace(run, threads=torch.get_num_threads()), prepared)
    trainer = assemble(run, registry, prepared)
    for kind, choice in external:
        with registry.attribute_errors_to(kind, choice):
            _try_part(kind, choice, trainer, registry, prepared)
    for position, choice in enumerate(run.tricks):
        if ("trick", choice) in external and trainer.tricks[position].overrides("d_input"):
            trainers = [assemble(run, registry, prepared) for _ in range(2)]
            _compare_reals_and_fakes(trainers[0], trainers[1], position, registry)
    # The part that is used last in a step is the most likely cause of an error.
    suspects = [part for part in reversed(external) if part[0] != "metric"]
    if suspects:
        _take_trial_step(assemble(run, registry, prepared), registry, suspects)


def _try_part(
    kind: str, choice: Choice, trainer: Trainer, registry: Registry, prepared: PreparedDataset
) -> None:
    """Try one part on its own, as far as its kind allows."""
    if kind == "metric":
        _try_metric(choice, registry, prepared)
    elif kind == "loss":
        require_valid_loss(trainer.loss)
    elif kind == "trick":
        trick = trainer.tricks[trainer.run.tricks.index(choice)]
        for check in TRICK_CHECKS:
            check(trainer, trick)
    elif kind == "discriminator":
        net = trainer.gan.D.net
        if ends_in_tanh(without_labels(net, trainer.gan.num_classes), trainer.batches[0]):
            _warn(registry, kind, choice, net, ENDS_IN_TANH)


def _try_metric(choice: Choice, registry: Registry, prepared: PreparedDataset) -> None:
    """Measure a few real pictures; warn if the score does not depend on them."""
    metric: Metric = registry.make("metric", choice)
    if ignores_pictures(metric, prepared.pixels):
        _warn(registry, "metric", choice, metric, IGNORES_PICTURES)


def _compare_reals_and_fakes(
    trainer: Trainer, other: Trainer, position: int, registry: Registry
) -> None:
    """Warn if the trick at `position` treats reals and fakes differently."""
    try:
        is_told = trick_in_step.tells_reals_from_fakes(trainer, other, position)
    except KeyboardInterrupt:
        raise
    except BaseException:  # the trial step raises it again, and names the part
        return
    if is_told:
        choice = trainer.run.tricks[position]
        trick = trainer.tricks[position]
        _warn(registry, "trick", choice, trick, trick_in_step.TELLS_REALS_FROM_FAKES)


def _warn(registry: Registry, kind: str, choice: Choice, part: Any, message: str) -> None:
    """Warn about a part; the line names the part, its plugin and its place in the source."""
    described = registry.describe(registry.find(kind, choice.name))
    log.warning("%s (%s): %s", described, _place(part), message)


def _place(part: object) -> str:
    """The file and line of a part's class; its module, if there is no file."""
    try:
        file = Path(inspect.getfile(type(part))).name
        return f"{file}, line {inspect.getsourcelines(type(part))[1]}"
    except (OSError, TypeError):
        return type(part).__module__


def _take_trial_step(trainer: Trainer, registry: Registry, suspects: list[Part]) -> None:
    """Take a step. An error names the first suspect, and mentions the others."""
    tried = [
        (trick, choice)
        for trick, choice in zip(trainer.tricks, trainer.run.tricks, strict=True)
        if ("trick", choice) in suspects
    ]
    try:
        with contextlib.ExitStack() as stack:
            watches = [
                stack.enter_context(trick_in_step.watch_trick(trick, trainer.gan))
                for trick, _ in tried
            ]
            stack.enter_context(guard_parts(trainer, registry))
            require_finite(trainer, trainer.step(0), "at the first step")
    except RunFailed as error:  # it names the part
        raise GankitError(str(error)) from error
    except Exception as error:  # a plugin may raise anything
        others = [f"{kind} {choice.name!r}" for kind, choice in suspects[1:]]
        what = error_text(error) or type(error).__name__
        hint = f" (the cause may also be {' or '.join(others)})" if others else ""
        with registry.attribute_errors_to(*suspects[0]):
            raise ValueError(f"{what}{hint}") from error
    for (trick, choice), watch in zip(tried, watches, strict=True):
        with registry.attribute_errors_to("trick", choice):
            trick_hooks.check_activity_and_state(trick)
        for message in watch.found:
            _warn(registry, "trick", choice, trick, message)


def _build_metrics(run: Run, registry: Registry) -> None:
    """Build all metrics once, so that missing features are an error now, not after training."""
    for choice in run.metrics:
        registry.make("metric", choice)


def _try_dataset(run: Run, registry: Registry) -> None:
    """Check the first picture of a data set; later ones are checked while they are prepared."""
    if "data" in registry.find("dataset", run.dataset.name).parameters():
        return  # it reads files; errors in them are found while they are prepared
    filled_in = {"image_size": run.size.longer, "channels": run.channels or 3}
    pictures = registry.make("dataset", run.dataset, **filled_in)
    with registry.attribute_errors_to("dataset", run.dataset):
        require_sequence(pictures)
        if len(pictures):
            try:
                first = pictures[0]
            except Exception:  # preparing skips and lists broken pictures
                return
            require_picture(0, first)


def require_finite(trainer: Trainer, scalars: Scalars, when: str) -> None:
    """ValueError if a loss or a weight is NaN or infinite. `when`: "at step 1"."""
    for name, value in scalars.items():
        if not math.isfinite(float(value)):
            raise ValueError(f"{name} is {float(value)} {when}")
    for player in (trainer.gan.G, trainer.gan.D):
        if not all(bool(p.isfinite().all()) for p in player.net.parameters()):
            raise ValueError(f"weights of {player.name} are NaN or infinite {when}")
