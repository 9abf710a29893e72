"""The contract of a trick."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from torch import Tensor

from gankit.core.errors import GankitError, RunStopped
from gankit.core.trick import Trick
from gankit.testing import places
from gankit.testing.bench import Bench, LinearD, Weights, difference, finite, weights
from gankit.training import checkpoint
from gankit.training.loop import train
from gankit.training.run_file import load_run

ACTS = (
    "wrap",
    "start",
    "fakes",
    "d_input",
    "targets",
    "logits",
    "penalty",
    "before_update",
    "after_update",
)
STEPS = 4  # of the bench's run
Penalty = Callable[[Tensor, Tensor, Tensor], Tensor | float]  # of slope, real and fake
STATE = "let state_dict give, and load_state_dict take, all that it needs to go on"


def check(bench: Bench, off: str, partners: Iterable[str] | None) -> None:
    for contract in (has_something_to_do, keeps_to_its_places, trains, repeats_itself_and_resumes):
        bench.keep_to(contract)
    if off:
        bench.keep_to(changes_nothing, off)
    for partner in _bundled(bench) if partners is None else partners:
        bench.keep_to(goes_with, partner)


def has_something_to_do(bench: Bench) -> None:
    """it has something to do, and says what it did"""
    trick = bench.make()
    if not isinstance(trick, Trick):
        raise ValueError(f"its builder makes a {type(trick).__name__}; wanted is a gankit.Trick")
    if not trick.overrides(*ACTS):
        raise ValueError(f"acts nowhere: it overrides none of {', '.join(ACTS)}")
    if not trick.overrides("activity"):
        raise ValueError("never says what it did: give it a method activity()")


def trains(bench: Bench) -> None:
    """it trains in colour and grey, in float32 and bf16"""
    activities = []
    for channels, precision, steps in ((1, "32", 2), (3, "bf16", 2), (3, "32", STEPS)):
        trainer = bench.trainer(bench.text, channels=channels, precision=precision)
        where = f"{'colour' if channels == 3 else 'grey'}, precision {precision}"
        for step in range(steps):
            scalars = trainer.step(step)
            activities.append(places.says_and_saves(trainer.tricks[0]))
            finite(trainer, scalars, f"at step {step + 1} ({where})")
    if not any(activities):
        raise ValueError(f"never acted in {STEPS} steps, or its activity() does not say so")
    bench.final_weights = weights(trainer)


def keeps_to_its_places(bench: Bench) -> None:
    """each of its methods takes and gives what it should"""
    for channels in (3, 1):
        trainer = bench.trainer(bench.text, channels=channels)
        for place in places.PLACES:
            place(trainer, trainer.tricks[0])


def repeats_itself_and_resumes(bench: Bench) -> None:
    """a run can be repeated, and stopped and gone on with, bit for bit"""
    changed = difference(bench.final_weights, _weights_of_a_repeated_run(bench))
    if changed:
        raise ValueError(f"a run with it cannot be repeated ({changed} differs): {places.MEND}")
    changed = difference(bench.final_weights, _weights_of_a_resumed_run(bench))
    if changed:
        raise ValueError(f"a resumed run ends otherwise ({changed} differs): {STATE}")


def _weights_of_a_repeated_run(bench: Bench) -> Weights:
    """The weights after a whole run, which must not hear of any random state outside."""
    torch.manual_seed(12345)  # NumPy's and Python's own have moved on since the first run
    trainer = bench.trainer(bench.text)
    for step in range(STEPS):
        trainer.step(step)
    return weights(trainer)


def _weights_of_a_resumed_run(bench: Bench) -> Weights:
    """The weights after the same run, stopped in the middle and gone on with."""
    with tempfile.TemporaryDirectory() as folder:
        run = bench.run(bench.text, out=f"{folder}/run")
        signals = iter([0, 2])  # what `stop` gives: go on after the first step, stop after two
        try:
            train(run, bench.registry, stop=lambda: next(signals))
        except RunStopped:
            train(load_run(Path(run.out)), bench.registry, resume=True)
        saved = checkpoint.newest(run.folder / "checkpoints")[1].model
    return {f"{name} {key}": value for name in saved for key, value in saved[name].items()}


def changes_nothing(bench: Bench, off: str) -> None:
    """its zero strength changes nothing"""
    trainer = bench.trainer(f"{bench.name}:{off}")
    plain_trainer = bench.trainer()
    for step, either_trainer in itertools.product(range(2), (trainer, plain_trainer)):
        either_trainer.step(step)
    changed = difference(weights(trainer), weights(plain_trainer))
    if changed:
        raise ValueError(f"changes {changed} with {off}, which should switch it off")
    activity = trainer.tricks[0].activity()
    if activity:
        raise ValueError(f"says {activity!r} with {off}, where it should say None")


def goes_with(bench: Bench, partner: str) -> None:
    """it trains together with another trick"""
    for pair in ((bench.text, partner), (partner, bench.text)):
        try:
            trains_together(bench, *pair)
        except GankitError as error:
            if "exclude each other" not in str(error) and _stands_alone(bench, partner):
                raise


def trains_together(bench: Bench, *tricks: str) -> None:
    """they train together"""
    trainer = bench.trainer(*tricks)
    names = " with ".join(tricks)
    for step in range(2):
        finite(trainer, trainer.step(step), f"at step {step + 1}, {names}")
    idle = [trick.name for trick in trainer.tricks if not trick.activity()]
    if idle:
        raise ValueError(f"{names}: {idle[0]} did not act")


def _bundled(bench: Bench) -> list[str]:
    """The other tricks that come with gankit."""
    ours = [p for p in bench.registry.plugins if p.distribution and p.distribution.name == "gankit"]
    return [s.name for p in ours for s in p.specs if s.kind == "trick" and s.name != bench.name]


def _stands_alone(bench: Bench, partner: str) -> bool:
    """Whether the partner trains without this trick; if not, the failure is not this trick's."""
    try:
        bench.trainer(partner)
    except GankitError:
        return False
    return True


def check_penalty(bench: Bench, expected: Penalty, player: str) -> None:
    bench.keep_to(is_the_known_penalty, expected, player)


def is_the_known_penalty(bench: Bench, expected: Penalty, name: str) -> None:
    """its penalty is the one that is known by hand"""
    trainer = bench.trainer(bench.text, discriminator="gankit-testing")
    gan, real = trainer.gan, trainer.batches[0]
    assert isinstance(gan.D.net, LinearD)
    gan.begin_step(0)
    fake = gan.generate(gan.latents(len(real))).detach()
    player = {"G": gan.G, "D": gan.D}[name]
    value = places.penalty_of(trainer.tricks[0], gan, player, real, fake)
    by_hand = float(expected(gan.D.net.slope.detach(), real, fake))
    penalty = None if value is None else value.item()
    if penalty is None or abs(penalty - by_hand) > 1e-4 * max(1.0, abs(by_hand)):
        raise ValueError(f"its penalty is {penalty}, where {by_hand:.6g} is known by hand")
