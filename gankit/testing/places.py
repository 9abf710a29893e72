"""What a trick may do at each of its places in a step, tried one by one.

Each function raises ValueError in words that mend; the game is spoilt afterwards.
"""

import contextlib
import random
import tempfile
from pathlib import Path

import numpy as np
import torch

from gankit.core.errors import RunFailed
from gankit.core.step import judge
from gankit.core.trick import Targets
from gankit.training import checkpoint

MEND = "take random numbers from gan.draw('some purpose')"


def images_before_d(game, trick):
    """What `d_input` and `fakes` return stands where images stood."""
    gan = game.gan
    gan.begin_step(0)
    with torch.no_grad():
        fakes = gan.generate(gan.latents(game.run.batch_size))
    for place in ("fakes", "d_input"):
        for given in (fakes, game.batches[0]) if place == "d_input" else (fakes,):
            before = given.clone()
            result = getattr(trick, place)(given, gan)
            like(place, result, given)
            if not torch.equal(given, before):
                raise ValueError(f"{place} changes its images in place: return new ones")


def like(place, result, given):
    """A tensor of that shape, kind and place, full of numbers."""
    if not isinstance(result, torch.Tensor):
        raise ValueError(f"{place} returns a {type(result).__name__}; wanted is a tensor")
    for what in ("shape", "dtype", "device"):
        here, wanted = getattr(result, what), getattr(given, what)
        if here != wanted:
            if what == "shape":
                here, wanted = tuple(here), tuple(wanted)
            raise ValueError(f"{place} returns {what} {here}; wanted is {wanted}, as given")
    if not result.isfinite().all():
        raise ValueError(f"{place} returns NaN or infinity")


def gradients_through_d_input(game, trick):
    """G can learn through it."""
    gan = game.gan
    gan.begin_step(0)
    images = game.batches[0].clone().requires_grad_()
    result = trick.d_input(images, gan)
    towards = torch.randn(result.shape, generator=torch.Generator().manual_seed(0))
    gradient = None
    if result.requires_grad:
        (gradient,) = torch.autograd.grad((result * towards).sum(), images, allow_unused=True)
    if gradient is None or not gradient.any():
        raise ValueError("d_input stops gradients, so G could not learn: leave out detach, round")
    if not gradient.isfinite().all():
        raise ValueError("d_input has gradients that are not finite")


def targets(game, trick):
    """One target for each picture."""
    gan, many = game.gan, game.run.batch_size
    gan.begin_step(0)
    given = Targets(torch.ones(many), torch.zeros(many))
    result = trick.targets(given, gan)
    if not isinstance(result, tuple) or len(result) != 2:
        raise ValueError("targets returns no Targets(real, fake)")
    for side, now, before in zip(Targets._fields, result, given, strict=True):
        like(f"targets ({side})", now, before)


def penalties(game, trick):
    """A penalty is one number with a gradient, or None; calling backward is the step's."""
    gan = game.gan
    for player in (gan.D, gan.G):
        gan.begin_step(0)
        fake = gan.generate(gan.latents(game.run.batch_size))
        fake = fake.detach() if player is gan.D else fake
        weights = [p for p in player.net.parameters() if p.requires_grad]
        value = penalty_of(trick, gan, player, game.batches[0], fake)
        if any(p.grad is not None for p in weights):
            raise ValueError("penalty calls backward: return the number, the step does the rest")
        if value is not None:
            _one_number(f"penalty for {player.name}", value, weights)


def penalty_of(trick, gan, player, real, fake):
    """The trick's penalty for a player, asked as a step does: after D has judged."""
    frozen = gan.D.frozen() if player is gan.G else contextlib.nullcontext()
    with frozen:
        if player is gan.D:
            judge(gan, player, [trick], real, is_real=True)
        judge(gan, player, [trick], fake, is_real=False)
        with gan.full_precision():
            return trick.penalty(gan, player, real, fake)


def logits(game, trick):
    """One logit for each picture, in both players' updates, and gradients to G."""
    gan = game.gan
    for player in (gan.D, gan.G):
        for is_real in (True, False):
            gan.begin_step(0)
            given = gan.judge(game.batches[0])
            before = given.detach().clone()
            result = trick.logits(given, gan, player, is_real)
            like("logits", result, given)
            if not torch.equal(given, before):
                raise ValueError("logits changes what it is given in place: return new ones")
            if not result.requires_grad:
                raise ValueError("logits stops gradients, so nobody could learn: leave out detach")


def _one_number(what, value, weights):
    if not isinstance(value, torch.Tensor) or value.ndim:
        shape = f" of shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else ""
        raise ValueError(f"{what} is a {type(value).__name__}{shape}; wanted is one number")
    if not value.isfinite():
        raise ValueError(f"{what} is {value.item()}")
    gradients = (None,)
    if value.requires_grad:
        gradients = torch.autograd.grad(value, weights, allow_unused=True)
    if all(gradient is None for gradient in gradients):
        raise ValueError(f"{what} has no gradient, so it changes nothing: is something detached?")


def draws(game, trick):
    """Random numbers come from gan.draw, so they depend on seed, step and purpose alone."""
    gan, many = game.gan, game.run.batch_size
    given = {"d_input": game.batches[0], "targets": Targets(torch.ones(many), torch.zeros(many))}
    for place in [place for place in given if trick.overrides(place)]:
        results = []
        for _ in range(2):
            gan.begin_step(1)
            before = _random_states()
            results.append(getattr(trick, place)(given[place], gan))
            if _random_states() != before:
                raise ValueError(f"{place} draws from a random state that all share: {MEND}")
        if not all(map(torch.equal, *map(_tensors, results))):
            raise ValueError(f"{place} draws otherwise when asked again in one step: {MEND}")


def _tensors(result):
    return result if isinstance(result, tuple) else (result,)


def _random_states():
    """torch's, NumPy's and Python's own random state, to be compared."""
    numbers = np.random.get_state()
    return torch.get_rng_state().tolist(), numbers[1].tolist(), numbers[2], random.getstate()


def gradients_to_g(game, trick):
    """What D says of a fake tells G something."""
    gan = game.gan
    gan.begin_step(0)
    gan.judge(gan.generate(gan.latents(game.run.batch_size))).sum().backward()
    trained = [p for p in gan.G.net.parameters() if p.requires_grad]
    if not all(p.grad is not None and p.grad.any() for p in trained):
        raise ValueError("lets no gradient from D's answer through to G, or not to all of it")


def says_and_saves(trick):
    """After a step: what it did in words, and what it needs to go on, as a checkpoint holds it."""
    said = trick.activity()
    if said is not None and not isinstance(said, str):
        raise ValueError(f"activity returns {said!r}; wanted is a text, or None")
    kept = trick.state_dict()
    if not isinstance(kept, dict):
        raise ValueError(f"state_dict returns a {type(kept).__name__}; wanted is a dict")
    try:
        with tempfile.TemporaryDirectory() as folder:
            checkpoint.save(Path(folder), checkpoint.Checkpoint(0, {}, kept), keep=1)
    except RunFailed as error:
        raise ValueError(
            f"state_dict: a checkpoint cannot be made of it; {error.__cause__}"
        ) from error
    return said


PLACES = (
    images_before_d,
    gradients_through_d_input,
    targets,
    logits,
    penalties,
    draws,
    gradients_to_g,
)
