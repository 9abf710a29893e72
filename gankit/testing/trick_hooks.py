"""What a trick may do at each of its places in a step, tried one by one.

Each function raises ValueError in words that mend; the trainer is spoilt afterwards.
"""

from __future__ import annotations

import contextlib
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gankit.core.errors import RunFailed
from gankit.core.gan import Gan, Player
from gankit.core.step import judge
from gankit.core.trick import Targets, Trick
from gankit.training import checkpoint
from gankit.training.assemble import Trainer

MEND = "take random numbers from gan.draw('some purpose')"


def images_before_d(trainer: Trainer, trick: Trick) -> None:
    """What `d_input` and `fakes` return stands where images stood."""
    gan = trainer.gan
    gan.begin_step(0)
    with torch.no_grad():
        fakes = gan.generate(gan.latents(trainer.run.batch_size))
    for place, images in (("fakes", fakes), ("d_input", fakes), ("d_input", trainer.batches[0])):
        before = images.clone()
        result = getattr(trick, place)(images, gan)
        like(place, result, images)
        if not torch.equal(images, before):
            raise ValueError(f"{place} changes its images in place: return new ones")


def like(place: str, result: object, example: Tensor) -> None:
    """ValueError unless it is a finite tensor of the example's shape, dtype and device."""
    if not isinstance(result, torch.Tensor):
        raise ValueError(f"{place} returns a {type(result).__name__}; wanted is a tensor")
    properties: dict[str, tuple[object, object]] = {
        "shape": (tuple(result.shape), tuple(example.shape)),
        "dtype": (result.dtype, example.dtype),
        "device": (result.device, example.device),
    }
    for name, (actual, expected) in properties.items():
        if actual != expected:
            raise ValueError(f"{place} returns {name} {actual}; wanted is {expected}, as given")
    if not result.isfinite().all():
        raise ValueError(f"{place} returns NaN or infinity")


def gradients_through_d_input(trainer: Trainer, trick: Trick) -> None:
    """G can learn through it."""
    gan = trainer.gan
    gan.begin_step(0)
    images = trainer.batches[0].clone().requires_grad_()
    result = trick.d_input(images, gan)
    towards = torch.randn(result.shape, generator=torch.Generator().manual_seed(0))
    gradient = None
    if result.requires_grad:
        (gradient,) = torch.autograd.grad((result * towards).sum(), images, allow_unused=True)
    if gradient is None or not gradient.any():
        raise ValueError("d_input stops gradients, so G could not learn: leave out detach, round")
    if not gradient.isfinite().all():
        raise ValueError("d_input has gradients that are not finite")


def targets(trainer: Trainer, trick: Trick) -> None:
    """One target for each picture."""
    trainer.gan.begin_step(0)
    before = _plain_targets(trainer)
    result = trick.targets(before, trainer.gan)
    if not isinstance(result, tuple) or len(result) != 2:
        raise ValueError("targets returns no Targets(real, fake)")
    like("targets (real)", result[0], before.real)
    like("targets (fake)", result[1], before.fake)


def _plain_targets(trainer: Trainer) -> Targets:
    """1 for each real picture of a batch, 0 for each fake."""
    batch_size = trainer.run.batch_size
    return Targets(torch.ones(batch_size), torch.zeros(batch_size))


def penalties(trainer: Trainer, trick: Trick) -> None:
    """A penalty is one number with a gradient, or None; calling backward is the step's."""
    gan = trainer.gan
    for player in (gan.D, gan.G):
        gan.begin_step(0)
        fake = gan.generate(gan.latents(trainer.run.batch_size))
        fake = fake.detach() if player is gan.D else fake
        weights = [p for p in player.net.parameters() if p.requires_grad]
        value = penalty_of(trick, gan, player, trainer.batches[0], fake)
        if any(p.grad is not None for p in weights):
            raise ValueError("penalty calls backward: return the number, the step does the rest")
        if value is not None:
            _one_number(f"penalty for {player.name}", value, weights)


def penalty_of(trick: Trick, gan: Gan, player: Player, real: Tensor, fake: Tensor) -> Tensor | None:
    """The trick's penalty for a player, asked as a step does: after D has judged."""
    frozen = gan.D.frozen() if player is gan.G else contextlib.nullcontext()
    with frozen:
        if player is gan.D:
            judge(gan, player, [trick], real, is_real=True)
        judge(gan, player, [trick], fake, is_real=False)
        with gan.full_precision():
            return trick.penalty(gan, player, real, fake)


def logits(trainer: Trainer, trick: Trick) -> None:
    """One logit for each picture, in both players' updates, and gradients to G."""
    gan = trainer.gan
    for player in (gan.D, gan.G):
        for is_real in (True, False):
            gan.begin_step(0)
            given = gan.judge(trainer.batches[0])
            before = given.detach().clone()
            result = trick.logits(given, gan, player, is_real)
            like("logits", result, given)
            if not torch.equal(given, before):
                raise ValueError("logits changes what it is given in place: return new ones")
            if not result.requires_grad:
                raise ValueError("logits stops gradients, so nobody could learn: leave out detach")


def _one_number(what: str, value: object, weights: list[torch.nn.Parameter]) -> None:
    """ValueError unless it is a finite 0-d tensor with a gradient for some of the weights."""
    if not isinstance(value, torch.Tensor) or value.ndim:
        shape = f" of shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else ""
        raise ValueError(f"{what} is a {type(value).__name__}{shape}; wanted is one number")
    if not value.isfinite():
        raise ValueError(f"{what} is {value.item()}")
    gradients: tuple[Tensor | None, ...] = ()
    if value.requires_grad:
        gradients = torch.autograd.grad(value, weights, allow_unused=True)
    if all(gradient is None for gradient in gradients):
        raise ValueError(f"{what} has no gradient, so it changes nothing: is something detached?")


def draws(trainer: Trainer, trick: Trick) -> None:
    """Random numbers come from gan.draw, so they depend on seed, step and purpose alone."""
    inputs = {"d_input": trainer.batches[0], "targets": _plain_targets(trainer)}
    for place, value in inputs.items():
        if not trick.overrides(place):
            continue
        results: list[tuple[Tensor, ...]] = []
        for _ in range(2):
            trainer.gan.begin_step(1)
            before = _random_states()
            result = getattr(trick, place)(value, trainer.gan)
            results.append(result if isinstance(result, tuple) else (result,))
            if _random_states() != before:
                raise ValueError(f"{place} draws from a random state that all share: {MEND}")
        if not all(map(torch.equal, *results)):
            raise ValueError(f"{place} draws otherwise when asked again in one step: {MEND}")


def _random_states() -> tuple[Any, ...]:
    """torch's, NumPy's and Python's own random state, to be compared."""
    twister = np.random.get_state(legacy=False)["state"]
    numpy_state = (twister["key"].tolist(), twister["pos"])
    return torch.get_rng_state().tolist(), numpy_state, random.getstate()


def gradients_to_g(trainer: Trainer, trick: Trick) -> None:
    """What D says of a fake tells G something."""
    gan = trainer.gan
    gan.begin_step(0)
    logits = gan.judge(gan.generate(gan.latents(trainer.run.batch_size)))
    torch.autograd.backward(logits.sum())
    trained = [p for p in gan.G.net.parameters() if p.requires_grad]
    if not all(p.grad is not None and p.grad.any() for p in trained):
        raise ValueError("lets no gradient from D's answer through to G, or not to all of it")


def says_and_saves(trick: Trick) -> str | None:
    """After a step: what it did in words, and what it needs to go on, as a checkpoint holds it."""
    activity: object = trick.activity()
    if activity is not None and not isinstance(activity, str):
        raise ValueError(f"activity returns {activity!r}; wanted is a text, or None")
    state: object = trick.state_dict()
    if not isinstance(state, dict):
        raise ValueError(f"state_dict returns a {type(state).__name__}; wanted is a dict")
    try:
        with tempfile.TemporaryDirectory() as folder:
            checkpoint.save(Path(folder), checkpoint.Checkpoint(0, {}, state), keep=1)
    except RunFailed as error:
        raise ValueError(
            f"state_dict: a checkpoint cannot be made of it; {error.__cause__}"
        ) from error
    return activity


Place = Callable[[Trainer, Trick], None]
PLACES: tuple[Place, ...] = (
    images_before_d,
    gradients_through_d_input,
    targets,
    logits,
    penalties,
    draws,
    gradients_to_g,
)
