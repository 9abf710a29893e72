"""`--deep`: train copies of a run's networks against each other, and measure its pictures."""

from __future__ import annotations

import logging

import torch
from torch import Tensor

from gankit.core.contracts.prepared import PreparedDataset
from gankit.core.contracts.trick import Targets
from gankit.core.errors import GankitError
from gankit.core.gan import Gan
from gankit.core.parts.registry import Registry
from gankit.core.progress import Progress
from gankit.core.run.all_stages import count_batches
from gankit.core.run.settings import Run
from gankit.core.step import begin_batch, d_backward, g_backward, update
from gankit.training.assemble import Trainer, assemble
from gankit.training.checkpoints.checkpoint import list_checkpoints
from gankit.training.checkpoints.resume import restored
from gankit.training.run_folder.run_pictures import prepare_again
from gankit_doctor.old_runs import on_this_computer

log = logging.getLogger("gankit")
STEPS = 200  # of each copy
BATCHES = 8  # for the value of a pair of players
METRICS = ("memorising", "modes")
SAMPLES = 500


def measure_deeply(run: Run, registry: Registry, progress: Progress) -> dict[str, float]:
    """The duality gap, and the metrics that can be measured: columns `deep.*` -> numbers.

    Empty, with a warning, for a run without a checkpoint: it has no networks.
    """
    if not list_checkpoints(run.folder / "checkpoints"):
        log.warning("%s has no checkpoint, so --deep has no networks to measure", run.folder)
        return {}
    run = on_this_computer(run)
    prepared = prepare_again(run, registry)
    numbers = {"deep.duality_gap": duality_gap(run, registry, prepared, progress)}
    for metric in METRICS:
        value = _measure(run, registry, metric)
        if value is not None:
            numbers[f"deep.{metric}"] = value
    return numbers


def _measure(run: Run, registry: Registry, metric: str) -> float | None:
    """The lower end of a metric's interval; None if it cannot be measured for this run.

    Nor if G's pictures are nothing like real ones, because then the number means nothing.
    """
    from gankit_metrics.evaluate import evaluate  # imports much

    try:
        (measurement,) = evaluate(run, [metric], samples=SAMPLES, registry=registry)
    except GankitError as error:  # too few pictures, or a metric for other data sets
        _say_omitted(metric, str(error))
        return None
    if measurement.is_hollow:
        _say_omitted(metric, "the pictures are nothing like real ones")
        return None
    return measurement.low


def _say_omitted(metric: str, why: str) -> None:
    if metric != "modes":  # most data sets cannot have it
        log.warning("--deep does not measure %s: %s", metric, why)


def duality_gap(
    run: Run, registry: Registry, prepared: PreparedDataset, progress: Progress
) -> float:
    """How much each player can still gain if the other stands still: 0 at an equilibrium.

    Grnarova et al. 2019, arXiv 1811.05512: the value of the game after a copy of D has learnt
    against G, minus the value after a copy of G has learnt against D.
    """
    values = {}
    for index, name in enumerate(("D", "G")):
        trainer = restored(run, lambda stage: assemble(stage, registry, prepared))
        start = trainer.gan.step
        for step in range(start, start + STEPS):
            _train_one(trainer, step, name)
            progress(index * STEPS + step - start + 1, 2 * STEPS)
        values[name] = _value(trainer, start + STEPS)
    return values["D"] - values["G"]


def _train_one(trainer: Trainer, step: int, name: str) -> None:
    """A step in which only one player learns."""
    gan = trainer.gan
    gan.steps = trainer.run.steps
    gan.begin_step(step)
    player = gan.D if name == "D" else gan.G
    begin_batch(gan, player, trainer.tricks)
    batch = count_batches(trainer.run, step)
    micro_batches = gan.micro_batches(trainer.batches[batch], trainer.labels_of(batch))
    for real, z, labels in micro_batches:
        if name == "D":
            with torch.no_grad():
                fakes = gan.generate(z, labels)
            d_backward(gan, trainer.loss, trainer.tricks, real=real, fakes=fakes)
        else:
            fakes = gan.generate(z, labels)
            g_backward(gan, trainer.loss, trainer.tricks, real=real, fakes=fakes)
    update(gan, player, trainer.tricks)


@torch.no_grad()
def _value(trainer: Trainer, step: int) -> float:
    """The value of the game for D, without tricks: minus its loss, on real pictures and fakes."""
    gan = trainer.gan
    losses = []
    for index in range(BATCHES):
        gan.begin_step(step + index)
        batch = count_batches(trainer.run, step + index)
        real = trainer.batches[batch]
        gan.labels = trainer.labels_of(batch)
        real_logits = gan.look(real, training=True, labels=gan.labels)
        fake_logits = gan.look(_fakes(gan, len(real)), training=True, labels=gan.labels)
        targets = Targets(torch.ones_like(real_logits), torch.zeros_like(fake_logits))
        losses.append(trainer.loss.d_loss(real_logits, fake_logits, targets))
    return -float(torch.stack(losses).mean())


def _fakes(gan: Gan, count: int) -> Tensor:
    return gan.generate(gan.latents(count))
