"""Checks of networks, models and recipes."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gankit.core.errors import GankitError
from gankit.core.parts.specs import ModelSpec, RecipeSpec
from gankit.core.run.image_size import ImageSize
from gankit.testing.class_labels import check_class_labels
from gankit.testing.growing import check_growth, used_when_small
from gankit.testing.harness import (
    HARNESS,
    SMALL,
    Harness,
    Setting,
    first_difference,
    open_harness,
)
from gankit.training.assemble import Trainer
from gankit.training.checks.networks import ENDS_IN_TANH, RETURNS_PROBABILITIES
from gankit.training.checks.returns import changes_input
from gankit.training.settings.compose import compose
from gankit.training.settings.given_parts import Copies
from gankit.training.trial.trial_step import require_finite
from gankit.training.weights.network_size import takes_rectangles

if TYPE_CHECKING:
    from gankit.training.settings.compose import Network


def check_generator(
    part: Network,
    *,
    plugin: object | None = None,
    sizes: Iterable[int] = (16, 32, 64),
    **run: Setting,
) -> None:
    """It returns images in [-1, 1], trains, and can be copied and saved.

    sizes: image sizes to try; those that it does not support are skipped.
    """
    with open_harness("generator", part, plugin, run) as harness:
        harness.check(check_sizes, sizes, {"discriminator": HARNESS})
        harness.check_all(
            check_training,
            check_initial_weights,
            check_state_dict,
            check_copy,
            check_eval_mode,
            check_class_labels,
        )
        harness.check(check_growth)


def check_discriminator(
    part: Network,
    *,
    plugin: object | None = None,
    sizes: Iterable[int] = (16, 32, 64),
    **run: Setting,
) -> None:
    """It returns logits, trains, can be saved, and has second derivatives.

    sizes: image sizes to try; those that it does not support are skipped.
    """
    with open_harness("discriminator", part, plugin, run) as harness:
        harness.check(check_sizes, sizes, {"generator": HARNESS})
        harness.check_all(
            check_training,
            check_initial_weights,
            check_state_dict,
            check_logits,
            check_second_derivative,
            check_class_labels,
            check_growth,
        )


def check_model(
    part: str | ModelSpec | tuple[Network, Network], *, plugin: object | None = None, **run: Setting
) -> None:
    """Its networks train together with its settings, in small batches."""
    with open_harness("model", part, plugin, run) as harness:
        harness.check(check_model_trains)


def check_recipe(part: RecipeSpec | str, *, plugin: object | None = None, **run: Setting) -> None:
    """Its parts exist, and it trains."""
    with open_harness("recipe", part, plugin, run) as harness:
        harness.check(check_recipe_trains)


def check_sizes(harness: Harness, sizes: Iterable[int], opponent: dict[str, str]) -> None:
    """its output has the right shape for all sizes that it supports"""
    sizes = tuple(sizes)
    supported: list[int] = []
    refusal: BaseException | str = "no size was given"
    for size in sizes:
        try:
            harness.make(image_size=size, channels=3, latent_dim=100)
        except GankitError as error:
            refusal = error.__cause__ or error  # the cause does not repeat the part's name
        else:
            supported.append(size)
    if not supported:
        tried = ", ".join(map(str, sizes))
        hint = "if it supports other sizes, pass them, as in sizes=(48, 96)"
        raise ValueError(f"{refusal} (tried with image_size {tried}; {hint})")
    if "image_size" not in harness.spec.parameters() and len(sizes) > 1:
        wrong = "has no parameter image_size, so it suits pictures of one size only"
        raise ValueError(f"{wrong}: pass that size, as in sizes=[32]")
    own_settings = {harness.kind: harness.text, **harness.settings, "image_size": supported[0]}
    harness.settings = {**opponent, **own_settings}
    latent_dim = {"latent_dim": 10} if "latent_dim" in harness.spec.parameters() else {}
    for size, channels in itertools.product(supported, _channels(harness)):
        _check_size(harness, len(sizes), image_size=size, channels=channels, **latent_dim)
    if takes_rectangles(harness.spec):
        _check_rectangles(harness, supported[-1], channels=_channels(harness)[0], **latent_dim)


def _check_rectangles(harness: Harness, side: int, **settings: int) -> None:
    """Try pictures that are wide, and high ones; a network may refuse them with a ValueError."""
    for size in (ImageSize(side * 3 // 2, side), ImageSize(side, side * 3 // 2)):
        pair = (size.height, size.width)
        try:
            harness.make(image_size=pair, **{"channels": 3, "latent_dim": 100, **settings})
        except GankitError as error:
            if isinstance(error.__cause__, ValueError | None):
                continue
            raise GankitError(f"{error} (tried with image_size={pair})") from error
        _check_size(harness, 1, image_size=size.setting, **settings)


def _check_size(harness: Harness, num_sizes: int, **settings: Any) -> None:
    """Build a trainer, which checks shapes; an error says with which size that was tried."""
    try:
        harness.trainer(**settings)
    except GankitError as error:
        size, channels = settings["image_size"], settings["channels"]
        tried = f"tried with image_size={size} and channels={channels}"
        if num_sizes > 1:
            tried += "; if it suits one size only, pass that size, as in sizes=[32]"
        raise GankitError(f"{error} ({tried})") from error


def _channels(harness: Harness) -> tuple[int, ...]:
    """The numbers of channels to try: both, unless the network does not take them."""
    own: int = harness.settings.get("channels", 3)
    return (3, 1) if "channels" in harness.spec.parameters() else (own,)


def check_training(harness: Harness) -> None:
    """it trains in colour and grey, in float32 and bf16"""
    precisions = [(channels, "32") for channels in _channels(harness)]
    for channels, precision in (*precisions, (precisions[0][0], "bf16")):
        trainer = harness.trainer(channels=channels, precision=precision)
        where = f"{'colour' if channels == 3 else 'grey'}, precision {precision}"
        for step in range(2):
            require_finite(trainer, trainer.step(step), f"at step {step + 1} ({where})")
        # Adam has a state for each weight that had a gradient.
        updated = {*trainer.gan.G.adam.state, *trainer.gan.D.adam.state}
        updated |= used_when_small(_net(harness, trainer), _inputs(harness, trainer))
        for name, weight in _net(harness, trainer).named_parameters():
            if weight.requires_grad and weight not in updated:
                raise ValueError(f"weight {name} gets no gradient: use it in forward or remove it")


def check_initial_weights(harness: Harness) -> None:
    """its initial weights depend on the seed only"""
    if isinstance(harness.spec.build, Copies):
        return  # the weights of an object are its own
    nets = [_net(harness, harness.trainer(seed=seed)) for seed in (0, 0, 1)]
    first, same_seed, other_seed = (net.state_dict() for net in nets)
    if first_difference(first, same_seed):
        advice = "draw them from torch's global generator"
        raise ValueError(f"initial weights differ for the same seed: {advice}")
    if not first_difference(first, other_seed):
        raise ValueError("initial weights are equal for different seeds: remove manual_seed")


def check_state_dict(harness: Harness) -> None:
    """its state_dict contains all of its state"""
    trainer = harness.trainer()
    for step in range(2):
        trainer.step(step)
    trained = _net(harness, trainer).eval()
    fresh = _net(harness, harness.trainer(seed=1)).eval()
    fresh.load_state_dict(trained.state_dict())
    inputs = _inputs(harness, trainer)
    with torch.no_grad():
        before = inputs.clone()
        result = trained(inputs)
        if not torch.equal(inputs, before):
            raise changes_input("forward")
        if not torch.equal(result, fresh(inputs)):
            raise ValueError("has state that is not in its state_dict: register it as a buffer")


def check_copy(harness: Harness) -> None:
    """copy.deepcopy copies it, as the trick ema needs"""
    trainer = harness.trainer()
    net = _net(harness, trainer).eval()
    z = _inputs(harness, trainer)
    with torch.no_grad():
        if not torch.equal(net(z), copy.deepcopy(net)(z)):
            raise ValueError("a copy by copy.deepcopy returns other images: copy all of its state")


def check_eval_mode(harness: Harness) -> None:
    """in eval mode an image depends on its own z only"""
    trainer = harness.trainer()
    for step in range(2):
        trainer.step(step)
    net = _net(harness, trainer).eval()
    z = _inputs(harness, trainer)
    with torch.no_grad():
        batch = net(z)
        singles = torch.cat([net(z[index : index + 1]) for index in range(len(z))])
    if not torch.allclose(batch, singles, atol=1e-4):
        advice = "do not use batch statistics"
        raise ValueError(f"in eval mode an image depends on the other z of its batch: {advice}")
    if not -1.001 <= batch.min() <= batch.max() <= 1.001:
        raise ValueError("returns pixels outside [-1, 1] after training: end it in a tanh")


def check_logits(harness: Harness) -> None:
    """it returns logits, not probabilities, also with large weights"""
    trainer = harness.trainer()
    net = copy.deepcopy(_net(harness, trainer)).eval()
    images = _inputs(harness, trainer)
    batches = []
    with torch.no_grad():
        for _ in range(4):
            batches += [net(scale * images) for scale in (1, -1, 100)]
            for weight in net.parameters():
                weight.mul_(8)
    logits = torch.cat(batches)
    logits = logits[logits.isfinite()]
    if logits.any() and logits.min() >= 0 and logits.max() <= 1:
        raise ValueError(RETURNS_PROBABILITIES)
    if 0.99 < logits.abs().max() < 1.001:
        raise ValueError(ENDS_IN_TANH)


def check_second_derivative(harness: Harness) -> None:
    """it has second derivatives, as penalties need"""
    trainer = harness.trainer()
    net = _net(harness, trainer)
    images = _inputs(harness, trainer).requires_grad_()
    (slope,) = torch.autograd.grad(net(images).sum(), images, create_graph=True)
    if not slope.any():
        raise ValueError("its logits have no gradient for its images, so G cannot learn")
    slopes = torch.autograd.grad(slope.square().sum(), list(net.parameters()), allow_unused=True)
    second_derivatives = [slope for slope in slopes if slope is not None]
    if not second_derivatives or not all(slope.isfinite().all() for slope in second_derivatives):
        raise ValueError("has no finite second derivative; penalties such as r1 need it")


def check_model_trains(harness: Harness) -> None:
    """its networks train together with its settings"""
    spec = harness.spec
    assert isinstance(spec, ModelSpec)
    tricks = spec.settings.get("tricks", ())
    own = {"image_size": spec.image_size, **harness.settings}
    trainer = harness.trainer(*tricks, model=harness.text, batch_size=4, **own)
    for step in range(2):
        require_finite(trainer, trainer.step(step), f"at step {step + 1}")


def check_recipe_trains(harness: Harness) -> None:
    """its parts exist, and it trains"""
    spec = harness.spec
    assert isinstance(spec, RecipeSpec)
    if "dataset" in spec.settings:
        harness.registry.check("dataset", spec.settings["dataset"])
    small = {**SMALL, "image_size": None, "batch_size": 4, **harness.settings}
    trainer = harness.assemble(compose(harness.registry, recipe=harness.name, **small))
    require_finite(trainer, trainer.step(0), "at the first step")


def _net(harness: Harness, trainer: Trainer) -> nn.Module:
    """The network under test."""
    return (trainer.gan.G if harness.kind == "generator" else trainer.gan.D).net


def _inputs(harness: Harness, trainer: Trainer) -> Tensor:
    """A batch for the network: z (8, latent_dim) or images (8, C, H, W)."""
    trainer.gan.begin_step(0)
    return trainer.gan.latents(8) if harness.kind == "generator" else trainer.batches[0].clone()
