"""Check each method of a trick on its own.

Each function raises ValueError if a method breaks its contract. Do not use the trainer afterwards.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from gankit.core.contracts.trick import Targets, Trick
from gankit.core.errors import RunFailed
from gankit.core.gan import Gan, Player
from gankit.core.reported import Activity
from gankit.core.step import judge
from gankit.training.assemble import Trainer
from gankit.training.checkpoints import checkpoint
from gankit.training.checks import returns
from gankit.training.checks.returns import changes_input
from gankit.training.trial.trick_in_step import USE_GAN_DRAW, random_states, uses_global_state

CHANGE_STATE = "and change state in begin_batch or after_update only"


def begin_batch(gan: Gan, trick: Trick, player: Player) -> None:
    """Begin a step and a batch, as gankit does before it calls the other methods."""
    gan.begin_step(0)
    trick.begin_batch(gan, player)


def check_images(trainer: Trainer, trick: Trick) -> None:
    """`reals`, `fakes` and `d_input` return new images like the given ones."""
    gan = trainer.gan
    reals = trainer.batches[0]
    begin_batch(gan, trick, gan.D)
    with torch.no_grad():
        fakes = gan.generate(gan.latents(trainer.run.batch_size))
    of_methods = (("reals", reals), ("fakes", fakes), ("d_input", fakes), ("d_input", reals))
    for method, images in of_methods:
        before = images.clone()
        result = getattr(trick, method)(images, gan)
        if method == "reals":  # which may shrink them
            returns.require_reals(result, images, gan.G.net)
            require_finite(method, result)
        else:
            require_like(method, result, images)
        if not torch.equal(images, before):
            raise changes_input(method)


def require_like(method: str, result: object, example: Tensor) -> None:
    """ValueError unless it is a finite tensor of the example's shape, dtype and device."""
    require_finite(method, returns.require_like(method, result, example))


def require_finite(method: str, result: Tensor) -> None:
    """ValueError if there is a NaN or an infinity in a tensor."""
    if not result.isfinite().all():
        raise ValueError(f"{method} returns NaN or infinity")


def check_d_input_gradient(trainer: Trainer, trick: Trick) -> None:
    """Gradients pass through `d_input`."""
    gan = trainer.gan
    begin_batch(gan, trick, gan.D)
    images = trainer.batches[0].clone().requires_grad_()
    result = trick.d_input(images, gan)
    generator = torch.Generator(result.device).manual_seed(0)
    direction = torch.randn(result.shape, generator=generator, device=result.device)
    gradient = None
    if result.requires_grad:
        (gradient,) = torch.autograd.grad((result * direction).sum(), images, allow_unused=True)
    if gradient is None or not gradient.any():
        raise stops_gradients("d_input")
    if not gradient.isfinite().all():
        raise ValueError("d_input has gradients that are NaN or infinite")


def stops_gradients(method: str) -> ValueError:
    """The error for a method through which no gradients pass."""
    return ValueError(f"{method} stops gradients, so G cannot learn: do not use detach or round")


def check_targets(trainer: Trainer, trick: Trick) -> None:
    """`targets` returns one target for each picture."""
    begin_batch(trainer.gan, trick, trainer.gan.D)
    before = _default_targets(trainer)
    given = Targets(*(target.clone() for target in before))
    result: object = trick.targets(given, trainer.gan)
    for name, values in returns.require_targets(result, before)._asdict().items():
        if not values.isfinite().all():
            raise ValueError(f"targets ({name}) returns NaN or infinity")
    if not all(map(torch.equal, given, before)):
        raise changes_input("targets")


def _default_targets(trainer: Trainer) -> Targets:
    """1 for each real picture of a batch, 0 for each fake."""
    size = (trainer.run.batch_size,)
    device = trainer.gan.machine.device
    return Targets(torch.ones(size, device=device), torch.zeros(size, device=device))


def check_penalty(trainer: Trainer, trick: Trick) -> None:
    """`penalty` returns None or a scalar with a gradient, and does not call backward."""
    gan = trainer.gan
    for player in (gan.D, gan.G):
        begin_batch(gan, trick, player)
        fake = gan.generate(gan.latents(trainer.run.batch_size))
        fake = fake.detach() if player is gan.D else fake
        weights = [p for p in player.net.parameters() if p.requires_grad]
        images = (trainer.batches[0], fake)
        before = [image.detach().clone() for image in images]
        value = compute_penalty(trick, gan, player, *images)
        if not all(map(torch.equal, images, before)):
            raise changes_input("penalty")
        if any(p.grad is not None for p in weights):
            raise ValueError("penalty calls backward: return the penalty; the step calls backward")
        if value is not None:
            _require_gradient(f"penalty for {player.name}", value, weights)


def compute_penalty(
    trick: Trick, gan: Gan, player: Player, real: Tensor, fake: Tensor
) -> Tensor | None:
    """The trick's penalty for a player, called as in a step: after D has judged."""
    frozen = gan.D.frozen() if player is gan.G else contextlib.nullcontext()
    with frozen:
        if player is gan.D:
            judge(gan, player, [trick], real, is_real=True)
        judge(gan, player, [trick], fake, is_real=False)
        with gan.full_precision():
            return trick.penalty(gan, player, real, fake)


def check_logits(trainer: Trainer, trick: Trick) -> None:
    """`logits` returns one logit for each picture, in both players' updates, with gradients."""
    gan = trainer.gan
    for player in (gan.D, gan.G):
        for is_real in (True, False):
            begin_batch(gan, trick, player)
            logits = gan.judge(trainer.batches[0])
            before = logits.detach().clone()
            result = trick.logits(logits, gan, player, is_real)
            require_like("logits", result, logits)
            if not torch.equal(logits, before):
                raise changes_input("logits")
            if not result.requires_grad:
                raise stops_gradients("logits")


def _require_gradient(what: str, value: object, weights: list[torch.nn.Parameter]) -> None:
    """ValueError unless it is a finite scalar with a gradient for some of the weights."""
    scalar = returns.require_scalar(what, value)
    gradients: tuple[Tensor | None, ...] = ()
    if scalar.requires_grad:
        gradients = torch.autograd.grad(scalar, weights, allow_unused=True)
    if all(gradient is None for gradient in gradients):
        cure = "use gan.judge, as gan.look has no gradients, and do not detach"
        raise ValueError(f"{what} has no gradient, so it has no effect: {cure}")


def check_draws(trainer: Trainer, trick: Trick) -> None:
    """Random numbers come from gan.draw, so they depend on seed, step and purpose only."""
    images = trainer.batches[0]
    inputs = {"reals": images, "d_input": images, "targets": _default_targets(trainer)}
    for method, value in inputs.items():
        if not trick.overrides(method):
            continue
        results: list[tuple[Tensor, ...]] = []
        begin_batch(trainer.gan, trick, trainer.gan.D)
        for _ in range(2):
            trainer.gan.begin_step(1)
            before = random_states(trainer.gan)
            result = getattr(trick, method)(value, trainer.gan)
            results.append(result if isinstance(result, tuple) else (result,))
            if random_states(trainer.gan) != before:
                raise ValueError(uses_global_state(method))
        if not all(map(torch.equal, *results)):
            wrong = f"{method} gives other results if it is called again in the same step"
            raise ValueError(f"{wrong}: {USE_GAN_DRAW}, {CHANGE_STATE}")


def check_gradients_to_g(trainer: Trainer, trick: Trick) -> None:
    """D's logits for fakes have gradients for all of G's weights that the fakes depend on."""
    gan = trainer.gan
    begin_batch(gan, trick, gan.G)
    fakes = gan.generate(gan.latents(trainer.run.batch_size))
    trained = [p for p in gan.G.net.parameters() if p.requires_grad]
    # A network that grows does not use all of its weights yet.
    direct = torch.autograd.grad(fakes.sum(), trained, retain_graph=True, allow_unused=True)
    used = [p for p, gradient in zip(trained, direct, strict=True) if gradient is not None]
    torch.autograd.backward(gan.judge(fakes).sum())
    if not all(p.grad is not None and p.grad.any() for p in used):
        raise ValueError("stops gradients from D's logits to weights of G: do not detach images")


def check_activity_and_state(trick: Trick) -> Activity:
    """`activity` returns what it may, and a checkpoint can save `state_dict`; returns activity."""
    activity: object = trick.activity()
    text = returns.require_activity(activity)
    state = trick.state_dict()
    returns.require_state(state)
    try:
        with tempfile.TemporaryDirectory() as folder:
            checkpoint.save(Path(folder), checkpoint.Checkpoint(0, {}, state), keep=1)
    except RunFailed as error:
        raise ValueError(f"state_dict cannot be saved: {error.__cause__}") from error
    return text


CHECKS: tuple[Callable[[Trainer, Trick], None], ...] = (
    check_images,
    check_d_input_gradient,
    check_targets,
    check_logits,
    check_penalty,
    check_draws,
    check_gradients_to_g,
)
