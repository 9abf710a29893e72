"""Checks of a trick."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from gankit.core.contracts.trick import Trick
from gankit.core.errors import GankitError
from gankit.testing.harness import (
    HARNESS,
    Harness,
    LinearD,
    Setting,
    Weights,
    copy_weights,
    first_difference,
    open_harness,
)
from gankit.training.checkpoints import checkpoint
from gankit.training.settings.combine import exclusion_reason
from gankit.training.train import train
from gankit.training.trial import trick_hooks, trick_in_step
from gankit.training.trial.trial_step import require_finite

if TYPE_CHECKING:
    from gankit.training.settings.compose import Part

ACTING_METHODS = (
    "wrap",
    "start",
    "begin_batch",
    "reals",
    "fakes",
    "d_input",
    "targets",
    "logits",
    "penalty",
    "before_update",
    "after_update",
)
CHANGING_METHODS = ("reals", "fakes", "d_input", "targets", "penalty")  # never to look only
STEPS = 4  # of the harness's run
Penalty = Callable[[Tensor, Tensor, Tensor], Tensor | float]  # of slope, real and fake
SAVE_ALL_STATE = "return all it needs from state_dict, and restore it in load_state_dict"


def check_trick(
    part: Part[Trick],
    *,
    plugin: object | None = None,
    off: str = "",
    beside: Iterable[str] | None = None,
    **run: Setting,
) -> None:
    """It trains, reports what it did, can be repeated and resumed, and works with other tricks.

    off: options that switch it off, such as `sigma=0`; with them it must not change anything.
    beside: tricks to combine it with; by default all that are bundled with gankit, () for none.
    run: settings that it needs, as in `gankit.compose`: loss="wasserstein", model="mine".
    """
    with open_harness("trick", part, plugin, run) as harness:
        harness.check_all(check_methods, check_hooks, check_in_step, check_micro_batches)
        harness.check_all(check_training, check_effect, check_repeat_and_resume)
        if off:
            harness.check(check_switched_off, off)
        for partner in _bundled_tricks(harness) if beside is None else beside:
            harness.check(check_combination, partner)


def check_together(
    part: Part[Trick], *others: str, plugin: object | None = None, **run: Setting
) -> None:
    """These tricks train together, in this order, and each acts."""
    with open_harness("trick", part, plugin, run) as harness:
        harness.check(check_trained_together, harness.text, *others)


def check_penalty(
    part: Part[Trick],
    expected: Penalty,
    *,
    plugin: object | None = None,
    player: Literal["D", "G"] = "D",
    **run: Setting,
) -> None:
    """The trick's penalty is `expected(slope, real, fake)` for a linear D.

    D(x) is the sum of slope * x over a picture, so its gradient is `slope` (C, H, W) everywhere.
    player: the player in whose update the penalty is computed.
    """
    with open_harness("trick", part, plugin, run) as harness:
        harness.check(check_penalty_value, expected, player)


def check_methods(harness: Harness) -> None:
    """it overrides a method that acts, and activity"""
    trick = harness.make_instance(Trick)
    if not trick.overrides(*ACTING_METHODS):
        raise ValueError(f"does nothing: override one of {', '.join(ACTING_METHODS)}")
    if not trick.overrides("activity"):
        raise ValueError("does not report what it does: override activity")


def check_training(harness: Harness) -> None:
    """it trains in colour and grey, in float32 and bf16"""
    activities = []
    for channels, precision, steps in ((1, "32", 2), (3, "bf16", 2), (3, "32", STEPS)):
        trainer = harness.trainer(harness.text, channels=channels, precision=precision)
        where = f"{'colour' if channels == 3 else 'grey'}, precision {precision}"
        for step in range(steps):
            scalars = trainer.step(step)
            activities.append(trick_hooks.check_activity_and_state(trainer.tricks[0]))
            require_finite(trainer, scalars, f"at step {step + 1} ({where})")
    if not any(activities):
        silent = f"activity returned None in all of {STEPS} steps: return what it did"
        raise ValueError(f"{silent}; {_if_it_acts_seldom(harness)}")
    harness.final_weights = copy_weights(trainer)


def _if_it_acts_seldom(harness: Harness) -> str:
    """What to give a trick that does not act in the few steps of a check."""
    options = harness.spec.options()
    example = "every=1" if "every" in options else f"{next(iter(options), 'OPTION')}=..."
    return f'if it acts seldom, give options with which it acts at once: "{harness.name}:{example}"'


def check_effect(harness: Harness) -> None:
    """what it changes has an effect on the weights"""
    trick = harness.make_instance(Trick)
    if not trick.overrides(*CHANGING_METHODS) or trick.preview_state:  # which acts only later
        return
    trainer = harness.trainer()
    for step in range(STEPS):
        trainer.step(step)
    if first_difference(harness.final_weights, copy_weights(trainer)) is None:
        method = next(name for name in CHANGING_METHODS if trick.overrides(name))
        raise ValueError(
            f"activity says that it acts, but {STEPS} steps end with the same weights as without "
            f"it: see whether {method} ever changes anything; {_if_it_acts_seldom(harness)}"
        )


def check_hooks(harness: Harness) -> None:
    """each of its methods returns what it should"""
    for channels in (3, 1):
        trainer = harness.trainer(harness.text, channels=channels)
        for check_hook in trick_hooks.CHECKS:
            check_hook(trainer, trainer.tricks[0])


def check_in_step(harness: Harness) -> None:
    """in a step, it treats all images alike and leaves optimisers and random states alone"""
    trainers = [harness.trainer(harness.text) for _ in range(2)]
    if trick_in_step.tells_reals_from_fakes(trainers[0], trainers[1], 0):
        raise ValueError(trick_in_step.TELLS_REALS_FROM_FAKES)
    trainer = harness.trainer(harness.text)
    with trick_in_step.watch_trick(trainer.tricks[0], trainer.gan) as watch:
        for step in range(2):
            trainer.step(step)
    for message in watch.found:
        raise ValueError(message)


def check_micro_batches(harness: Harness) -> None:
    """its counts are of batches or pictures, also if a batch is split into micro-batches"""
    numbers = []
    for accumulate in (1, 2, 4):
        trainer = harness.trainer(harness.text, accumulate=accumulate)
        for step in range(2):
            trainer.step(step)
        numbers.append(trick_in_step.numbers_in(trainer.tricks[0].state_dict()))
    whole, halves, quarters = numbers
    for name, value in whole.items():
        if value and halves.get(name) == 2 * value and quarters.get(name) == 4 * value:
            wrong = f"{name} is {value:g} after 2 steps, and {2 * value:g} with --accumulate 2"
            raise ValueError(f"{wrong}: change it in begin_batch, which is called once for a batch")


def check_repeat_and_resume(harness: Harness) -> None:
    """a repeated run and a resumed run end with the same weights, bit for bit"""
    changed = first_difference(harness.final_weights, _weights_of_a_repeated_run(harness))
    if changed:
        raise ValueError(
            f"a repeated run ends with another {changed}: {trick_in_step.USE_GAN_DRAW}"
        )
    changed = first_difference(harness.final_weights, _weights_of_a_resumed_run(harness))
    if changed:
        raise ValueError(f"a resumed run ends with another {changed}: {SAVE_ALL_STATE}")


def _weights_of_a_repeated_run(harness: Harness) -> Weights:
    """The weights after a whole run, with other global random states than in the first run."""
    torch.manual_seed(12345)  # NumPy's and Python's states have changed since the first run
    trainer = harness.trainer(harness.text)
    for step in range(STEPS):
        trainer.step(step)
    return copy_weights(trainer)


def _weights_of_a_resumed_run(harness: Harness) -> Weights:
    """The weights after the same run, stopped in the middle and resumed."""
    with tempfile.TemporaryDirectory() as folder:
        run = harness.run(harness.text, out=f"{folder}/run")
        answers = iter([False, True])  # stop after the second step
        train(run, harness.registry, stop=lambda: next(answers))
        train(run.folder, harness.registry, resume=True)
        saved = checkpoint.load_newest(run.folder / "checkpoints")[1].model
    return {f"{name} {key}": value for name in saved for key, value in saved[name].items()}


def check_switched_off(harness: Harness, off: str) -> None:
    """it changes nothing with the options that switch it off"""
    trainer = harness.trainer(f"{harness.name}:{off}")
    plain_trainer = harness.trainer()
    for step, either_trainer in itertools.product(range(2), (trainer, plain_trainer)):
        either_trainer.step(step)
    changed = first_difference(copy_weights(trainer), copy_weights(plain_trainer))
    if changed:
        raise ValueError(f"changes {changed} with {off}: it must not change anything then")
    activity = trainer.tricks[0].activity()
    if activity:
        raise ValueError(f"activity returns {activity!r} with {off}; expected None")


def check_combination(harness: Harness, partner: str) -> None:
    """it trains together with another trick"""
    partner_name = harness.registry.check("trick", partner).name
    for name, other in itertools.permutations((harness.name, partner_name)):
        if exclusion_reason(harness.registry, name, other) is not None:
            return
    for pair in ((harness.text, partner), (partner, harness.text)):
        try:
            check_trained_together(harness, *pair)
        except GankitError:
            if _trains_alone(harness, partner):
                raise


def check_trained_together(harness: Harness, *tricks: str) -> None:
    """they train together, and each acts"""
    trainer = harness.trainer(*tricks)
    names = " with ".join(tricks)
    for step in range(2):
        require_finite(trainer, trainer.step(step), f"at step {step + 1}, {names}")
    idle = [trick.name for trick in trainer.tricks if not trick.activity()]
    if idle:
        raise ValueError(f"{names}: {idle[0]} did not act")


def _bundled_tricks(harness: Harness) -> list[str]:
    """The names of the other tricks that are bundled with gankit."""
    return [
        spec.name
        for spec in harness.registry.specs("trick")
        if spec.name != harness.name and harness.registry.comes_with_gankit("trick", spec.name)
    ]


def _trains_alone(harness: Harness, partner: str) -> bool:
    """Whether the partner can be used without this trick."""
    try:
        harness.trainer(partner)
    except GankitError:
        return False
    return True


def check_penalty_value(harness: Harness, expected: Penalty, player_name: str) -> None:
    """its penalty is the expected one"""
    trainer = harness.trainer(harness.text, discriminator=HARNESS)
    gan = trainer.gan
    real = trainer.batches[0]
    assert isinstance(gan.D.net, LinearD)
    trick_hooks.begin_batch(gan, trainer.tricks[0], gan.D)
    fake = gan.generate(gan.latents(len(real))).detach()
    player = {"G": gan.G, "D": gan.D}[player_name]
    value = trick_hooks.compute_penalty(trainer.tricks[0], gan, player, real, fake)
    penalty = None if value is None else value.item()
    correct = float(expected(gan.D.net.slope.detach(), real, fake))
    if penalty is None or abs(penalty - correct) > 1e-4 * max(1.0, abs(correct)):
        raise ValueError(f"penalty returns {penalty}; expected {correct:.6g}")
