"""Go on with a run; if its settings were changed, with a new stage of it."""

import dataclasses
import logging
from collections.abc import Callable, Collection
from typing import NamedTuple

from gankit.compute.compiling import compile_networks
from gankit.core.contracts.trick import Trick
from gankit.core.errors import GankitError, RunFailed, describe_reason, quote_value
from gankit.core.gan import Gan, Player
from gankit.core.parts.registry import Registry
from gankit.core.run.all_stages import runs_of_stages, stage_begin
from gankit.core.run.settings import Run
from gankit.core.run.stage import CHANGEABLE, TOGETHER, Stage
from gankit.training.assemble import Trainer, assemble
from gankit.training.checkpoints.checkpoint import list_checkpoints, step_of
from gankit.training.checkpoints.resume import restored, run_at_end
from gankit.training.run_folder.run_file import recorded_run
from gankit.training.run_folder.run_parts import TRAINED, require_parts

log = logging.getLogger("gankit")


class Training(NamedTuple):
    """A run with all of its stages, and a trainer of the stage that it is in."""

    run: Run
    trainer: Trainer


def begin(run: Run, registry: Registry, make_trainer: Callable[[Run], Trainer]) -> Training:
    """A new run, at its first step. Nothing of it is `auto`.

    GankitError if a later stage could not begin: now, not when its step has come.
    """
    trainer = make_trainer(run.at(0))
    earlier = trainer
    halvings = _halvings(trainer.gan)
    for stage in runs_of_stages(run)[1:]:
        later = assemble(stage, registry, trainer.prepared)
        for player, first in ((later.gan.G, trainer.gan.G), (later.gan.D, trainer.gan.D)):
            _require_same_weights(player, first, trainer, stage, registry)
        halvings = min(halvings, _planned_halvings(earlier.gan, run, stage_begin(stage)))
        _require_growth_goes_on(halvings, stage, earlier.run, registry)
        earlier = later
    return Training(dataclasses.replace(run, compile=trainer.run.compile), trainer)


def resume(
    run: Run, changed: Collection[str], registry: Registry, make_trainer: Callable[[Run], Trainer]
) -> Training:
    """A run at its newest checkpoint; settings that were `changed` begin a new stage.

    Nothing of `run` is `auto`. GankitError if it cannot go on so; nothing was written then.
    """
    recorded = recorded_run(run.folder)
    before = {name: getattr(recorded, name) for name in changed if name in CHANGEABLE}
    unchanged = dataclasses.replace(run, **before, stages=recorded.stages)
    without_metrics = dataclasses.replace(unchanged, metrics=run.metrics)  # theirs may be lost
    require_parts(unchanged, registry, TRAINED)
    checkpoints = list_checkpoints(run.folder / "checkpoints")
    trainer = None
    if not before or any(map(step_of, checkpoints)):
        trainer = restored(without_metrics, make_trainer, registry)
    step = trainer.gan.step if trainer else 0
    if not checkpoints:
        log.warning("%s has no checkpoint yet, so training starts at step 0", run.folder)
    plans = _plans_until(recorded, run.steps, step)
    unchanged = dataclasses.replace(unchanged, earlier_plans=plans)
    whole = begin_stage(unchanged, run, step) if before else unchanged
    if not trainer or (before and not step):  # no weight was trained yet: all may be others
        trainer = restored(whole, make_trainer, registry)
    whole = dataclasses.replace(whole, compile=trainer.run.compile)
    return Training(whole, trainer_of_stage(trainer, whole, registry))


def _plans_until(recorded: Run, steps: int, step: int) -> tuple[str, ...]:
    """`earlier_plans` of a run whose length is changed to `steps` after `step` steps."""
    if steps == recorded.steps:
        return recorded.earlier_plans
    earlier = [plan for plan in recorded.earlier_plans if int(plan.partition(":")[0]) < step]
    planned = recorded.planned_steps(step - 1)
    if step and planned != steps:
        earlier.append(f"{step}:{planned}")
    return tuple(earlier)


def begin_stage(run: Run, changed: Run, step: int) -> Run:
    """`changed`, with what `run` was in its first `step` steps as its earlier stages.

    GankitError if no step is left, or if a stage of `run` begins later. Before its first step, a
    run has no earlier stages.
    """
    if run.at(step) is not run:
        later = next(stage.step for stage in run.stages if stage.step > step)
        what = f"{run.folder} is at step {step}, and its next stage begins at step {later}"
        raise GankitError(f"{what}: resume it without changes until then")
    if changed.steps <= step:
        what = f"{run.folder} has taken its {step} steps, so none is left for the new settings"
        raise GankitError(f"{what}: also give --steps N, with N of {step + 1} or more")
    if not step:
        return dataclasses.replace(changed, stages=(), earlier_plans=run.earlier_plans)
    taken = run_at_end(run, step)
    pairs = {name: (getattr(taken, name), getattr(changed, name)) for name in CHANGEABLE}
    before = {name: old for name, (old, new) in pairs.items() if old != new}
    if before.keys() & set(TOGETHER):
        before |= {name: getattr(taken, name) for name in TOGETHER}
    stages = (*taken.stages, Stage(step, before)) if before else taken.stages
    return dataclasses.replace(changed, stages=stages, earlier_plans=run.earlier_plans)


def trainer_of_stage(earlier: Trainer, run: Run, registry: Registry) -> Trainer:
    """The trainer of the stage that `run` is in after the steps that `earlier` has taken.

    It is `earlier` itself, if no setting changes with the next step. Else it goes on with the
    networks, the moments of Adam and the states of tricks that stay; a new trick begins now.
    GankitError if they do not fit the settings of the stage.
    """
    stage = run.at(earlier.gan.step)
    if all(getattr(stage, name) == getattr(earlier.run, name) for name in CHANGEABLE):
        return earlier

    def take_over(gan: Gan) -> None:
        gan.step = earlier.gan.step
        for player, before in ((gan.G, earlier.gan.G), (gan.D, earlier.gan.D)):
            _require_same_weights(player, before, earlier, stage, registry)
            _take_over(player, before)

    trainer = assemble(stage, registry, earlier.prepared, take_over)
    _require_growth_goes_on(_halvings(trainer.gan), stage, earlier.run, registry)
    _take_over_average(trainer.gan, earlier.gan)
    _load_states(trainer, earlier)
    if any(trick.overrides("penalty") for trick in trainer.tricks):
        trainer.last_penalty = earlier.last_penalty
    trainer.best = earlier.best
    trainer.best.begin_stage()
    trainer.run = compile_networks(stage, trainer.gan)
    return trainer


def _require_same_weights(
    player: Player, before: Player, earlier: Trainer, run: Run, registry: Registry
) -> None:
    """GankitError if the network of a player has other tensors than before."""
    shapes, shapes_before = (
        {name: tensor.shape for name, tensor in each.net.state_dict().items()}
        for each in (player, before)
    )
    if shapes == shapes_before:
        return
    changed = set(run.tricks) ^ set(earlier.run.tricks)
    wrapping = [choice for choice in sorted(changed) if _wraps(choice, registry)]
    names = dict.fromkeys(choice.name for choice in wrapping or sorted(changed))
    tricks = ", ".join(map(repr, names))
    what = f"trick {tricks}" if len(names) == 1 else f"tricks {tricks}"
    cure = "omit the change, or begin a new run"
    raise GankitError(
        f"{what} changes which weights {player.name} has, so it must stay as it was when the run "
        f"started: {cure}"
    )


def _wraps(choice: str, registry: Registry) -> bool:
    """Whether a trick changes the networks before Adam is created."""
    trick = registry.make("trick", choice)
    return isinstance(trick, Trick) and trick.overrides("wrap")


def _halvings(gan: Gan) -> int:
    """How often the pictures of the smaller network are halved now; 0 if it cannot grow."""
    return max(getattr(player.net, "halvings", 0) for player in (gan.G, gan.D))


def _planned_halvings(gan: Gan, run: Run, step: int) -> int:
    """How often pictures will still be halved after some steps, if `gan` has taken none yet."""
    plan_ends = [int(plan.partition(":")[0]) for plan in run.earlier_plans]
    last_steps = [min(end, step) - 1 for end in (*plan_ends, step)]  # of each plan until then
    progress = max(last / run.planned_steps(last) for last in last_steps)
    return _halvings(gan) - sum(begin <= progress for begin in gan.phases)


def _require_growth_goes_on(halvings: int, run: Run, earlier: Run, registry: Registry) -> None:
    """GankitError if the networks have yet to grow, and the trick that did it was left out.

    `halvings`: how often pictures are halved at the first step of the stage `run`.
    """
    names = {choice.name for choice in run.tricks}
    left_out = [choice for choice in earlier.tricks if choice.name not in names]
    growing = [choice.name for choice in left_out if _wraps(choice, registry)]
    if halvings > 0 and growing:
        trick = quote_value(growing[0])
        times = f"{halvings} time{'s' if halvings > 1 else ''}"
        small = f"pictures are still halved {times} at step {stage_begin(run)}"
        raise GankitError(
            f"without trick {trick}, {small} and would stay so: keep it (grow:until=0 gives them "
            "their full size at once)"
        )


def _take_over(player: Player, before: Player) -> None:
    """Give a player the weights of another one with equal layers, its moments and its scale.

    Weights that were not trained before have no moments yet.
    """
    player.net.load_state_dict(before.net.state_dict())
    states = {name: before.adam.state.get(w) for name, w in before.net.named_parameters()}
    trained = {weight for group in player.adam.param_groups for weight in group["params"]}
    for name, weight in player.net.named_parameters():
        state = states[name]
        if state and weight in trained:
            player.adam.state[weight] = {key: value.clone() for key, value in state.items()}
    if player.scaler.is_enabled() and before.scaler.is_enabled():
        player.scaler.load_state_dict(before.scaler.state_dict())


def _take_over_average(gan: Gan, before: Gan) -> None:
    """Go on with the average of G, if both have one; a new one has begun with G as it is now."""
    has_average = gan.sampler is not gan.G.net and before.sampler is not before.G.net
    if has_average:
        gan.sampler.load_state_dict(before.sampler.state_dict())


def _load_states(trainer: Trainer, earlier: Trainer) -> None:
    """Give tricks that stay their states. GankitError if one refuses it, as its options changed."""
    tricks = {trick.name: trick for trick in earlier.tricks}
    trainer.earlier_activity = {
        name: text for name, text in earlier.earlier_activity.items() if name in tricks
    }
    for trick, choice in zip(trainer.tricks, trainer.run.tricks, strict=True):
        if trick.name not in tricks:
            continue
        try:
            trick.load_state_dict(tricks[trick.name].state_dict())
        except RunFailed:  # which names the trick already
            raise
        except (Exception, SystemExit) as error:  # a plugin may raise anything
            why = describe_reason(error)
            raise GankitError(f"{trainer.run.folder} cannot go on with {choice}: {why}") from error
