"""Restore a trainer from a checkpoint."""

import contextlib
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gankit.core.errors import GankitError, RunFailed, describe_reason
from gankit.core.gan import Gan
from gankit.core.parts.registry import Registry
from gankit.core.run.settings import Run
from gankit.training.assemble import Trainer
from gankit.training.checkpoints import checkpoint
from gankit.training.checkpoints.check_checkpoint import check_fits, load_weights
from gankit.training.guard import guard_parts


def restore(trainer: Trainer) -> None:
    """Load the newest checkpoint of the trainer's run that is not damaged and fits the run.

    If the run has no checkpoint yet, the trainer stays at step 0. GankitError if none can be used.
    """
    restored(trainer.run, lambda run: trainer)


def restored(
    run: Run, make_trainer: Callable[[Run], Trainer], registry: Registry | None = None
) -> Trainer:
    """A trainer with the newest checkpoint of a run that is not damaged and fits the run.

    It is made for the stage that the checkpoint was saved in, so a new stage may begin with the
    next step. If the run has no checkpoint yet, the trainer is at step 0. GankitError if none can
    be used. With `registry`, an error of a part names the part.
    """
    folder = run.folder / "checkpoints"
    checkpoints = checkpoint.list_checkpoints(folder)
    if not checkpoints:
        return make_trainer(run.at(0))
    trainer = make_trainer(run_at_end(run, checkpoint.step_of(checkpoints[0])))

    def use(saved: checkpoint.Checkpoint) -> None:
        nonlocal trainer
        if trainer.run.stages != run_at_end(run, saved.step).stages:
            trainer = make_trainer(run_at_end(run, saved.step))
        with guard_parts(trainer, registry) if registry else contextlib.nullcontext():
            restore_from(saved, trainer)

    path, saved, _ = checkpoint.load_newest(folder, use)
    if saved.step > run.steps:
        last = f"the run's last step, {run.steps}"
        cure = f"give --steps N, with N of {saved.step} or more"
        raise GankitError(f"checkpoint {path} is past {last}: {cure}")
    return trainer


def run_at_end(run: Run, step: int) -> Run:
    """The run with the settings of the last of `step` steps, with which it saved a checkpoint."""
    return run.at(max(0, step - 1))


def restore_from(saved: checkpoint.Checkpoint, trainer: Trainer) -> None:
    """Check all of a checkpoint, then load it. ValueError.

    Only a trick can then refuse its state; the next checkpoint overwrites all that was loaded. An
    imported run begins with a checkpoint of G alone: then D and the optimisers are new.
    """
    if set(saved.model) == {"G"} and not saved.step:
        _begin_with(saved.model["G"], trainer.gan)
        return
    check_fits(saved, trainer)
    gan = trainer.gan
    scalers = saved.state.get("scalers", {"G": {}, "D": {}})
    for player in (gan.G, gan.D):
        player.net.load_state_dict(saved.model[player.name])
        load_optimizer(player.adam, saved.state[player.name])
        player.scaler.load_state_dict(scalers[player.name])
    if "sampler" in saved.model:
        gan.sampler.load_state_dict(saved.model["sampler"])
    for trick in trainer.tricks:
        try:
            trick.load_state_dict(saved.state["tricks"][trick.name])
        except RunFailed:  # which names the trick already
            raise
        except (Exception, SystemExit) as error:  # a plugin may raise anything
            why = describe_reason(error)
            raise ValueError(f"trick {trick.name!r} refuses its state: {why}") from error
    trainer.best.load_state_dict(saved.state.get("best", {}))
    trainer.last_penalty = saved.state.get("penalty")
    acted = saved.state.get("acted", ())
    trainer.earlier_activity = dict.fromkeys(acted, "acted before the run was resumed")
    gan.step = saved.step


def _begin_with(weights: Any, gan: Gan) -> None:
    """Load the weights of G, also as its average if it has one. ValueError."""
    load_weights(gan.G.net, weights, "G")
    if gan.sampler is not gan.G.net:
        gan.sampler.load_state_dict(weights)


def load_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Load an optimiser's state; each moment gets the memory layout of its weight.

    Fused kernels read both in memory order, so a moment in another layout would be mixed up.
    """
    # Another version of torch may have saved fewer options.
    groups = [{**optimizer.defaults, **group} for group in state["param_groups"]]
    optimizer.load_state_dict({**state, "param_groups": groups})
    for parameter, values in optimizer.state.items():
        for key, value in values.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                values[key] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)
