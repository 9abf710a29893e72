"""The contracts of networks, of models, and of recipes."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from gankit.core.errors import GankitError
from gankit.core.specs import ModelSpec, RecipeSpec
from gankit.testing.bench import BENCH, SMALL, Bench, difference, finite
from gankit.training.assemble import Trainer
from gankit.training.compose import compose


def check_generator(bench: Bench, sizes: Iterable[int]) -> None:
    bench.keep_to(fits, sizes, {"discriminator": BENCH})
    for contract in (trains, draws_its_weights, saves_itself, can_be_copied, draws_each_alone):
        bench.keep_to(contract)


def check_discriminator(bench: Bench, sizes: Iterable[int]) -> None:
    bench.keep_to(fits, sizes, {"generator": BENCH})
    for contract in (trains, draws_its_weights, saves_itself, gives_logits, has_a_slope):
        bench.keep_to(contract)


def check_model(bench: Bench) -> None:
    bench.keep_to(trains_as_it_is_set)


def check_recipe(bench: Bench) -> None:
    bench.keep_to(is_a_run)


def fits(bench: Bench, sizes: Iterable[int], opponent: dict[str, str]) -> None:
    """it makes what it should at the sizes it takes"""
    suitable: list[int] = []
    refusal: BaseException | str = "no size was given"
    for size in sizes:
        try:
            bench.make(image_size=size, channels=3, latent_dim=100)
        except GankitError as error:  # a size that does not suit, in words
            refusal = error.__cause__ or error  # without the part's name, which is said anyway
        else:
            suitable.append(size)
    if not suitable:
        raise ValueError(f"{refusal}; name sizes that suit: sizes=(48, 96)")
    own_settings = {bench.kind: bench.text, **bench.settings, "image_size": suitable[0]}
    bench.settings = {**opponent, **own_settings}
    for size, channels in itertools.product(suitable, (1, 3)):
        bench.trainer(image_size=size, channels=channels, latent_dim=10)  # gankit looks at shapes


def trains(bench: Bench) -> None:
    """it trains in colour and grey, in float32 and bf16"""
    for channels, precision in ((3, "32"), (1, "32"), (3, "bf16")):
        trainer = bench.trainer(channels=channels, precision=precision)
        where = f"{'colour' if channels == 3 else 'grey'}, precision {precision}"
        for step in range(2):
            finite(trainer, trainer.step(step), f"at step {step + 1} ({where})")
        learnt = {
            *trainer.gan.G.adam.state,
            *trainer.gan.D.adam.state,
        }  # weights that had a gradient
        for name, weight in _net(bench, trainer).named_parameters():
            if weight.requires_grad and weight not in learnt:
                raise ValueError(f"has a weight {name} without gradient: forward does not use it")


def draws_its_weights(bench: Bench) -> None:
    """its first weights are a function of the seed"""
    nets = [_net(bench, bench.trainer(seed=seed)) for seed in (0, 0, 1)]
    first, same_seed, other_seed = (net.state_dict() for net in nets)
    if difference(first, same_seed):
        raise ValueError("has other first weights under the same seed: draw them from torch's own")
    if not difference(first, other_seed):
        raise ValueError("has the same first weights under every seed: leave manual_seed away")


def saves_itself(bench: Bench) -> None:
    """its state_dict is all there is to it"""
    trainer, other = bench.trainer(), bench.trainer(seed=1)
    for step in range(2):
        trainer.step(step)
    trained, fresh = _net(bench, trainer).eval(), _net(bench, other).eval()
    fresh.load_state_dict(trained.state_dict())
    inputs = _inputs(bench, trainer)
    with torch.no_grad():
        before = inputs.clone()
        result = trained(inputs)
        if not torch.equal(inputs, before):
            raise ValueError("changes what it is given in place: leave the input as it is")
        if not torch.equal(result, fresh(inputs)):
            raise ValueError("keeps something out of its state_dict: make it a buffer")


def can_be_copied(bench: Bench) -> None:
    """ema can copy it"""
    trainer = bench.trainer()
    net = _net(bench, trainer).eval()
    z = _inputs(bench, trainer)
    with torch.no_grad():
        if not torch.equal(net(z), copy.deepcopy(net)(z)):
            raise ValueError("draws otherwise once it is copied with copy.deepcopy")


def draws_each_alone(bench: Bench) -> None:
    """in eval mode a picture depends on nothing but its z"""
    trainer = bench.trainer()
    for step in range(2):
        trainer.step(step)
    net = _net(bench, trainer).eval()
    z = _inputs(bench, trainer)
    with torch.no_grad():
        together = net(z)
        singly = torch.cat([net(z[index : index + 1]) for index in range(len(z))])
    if not torch.allclose(together, singly, atol=1e-4):
        raise ValueError("in eval mode draws a picture otherwise in other company: batch norm?")
    if not -1.001 <= together.min() <= together.max() <= 1.001:
        raise ValueError("draws outside [-1, 1] once it is trained: end it in a tanh")


def gives_logits(bench: Bench) -> None:
    """it ends in no sigmoid, however sure it is"""
    trainer = bench.trainer()
    net = copy.deepcopy(_net(bench, trainer)).eval()
    images = _inputs(bench, trainer)
    batches = []
    with torch.no_grad():
        for _ in range(4):
            batches += [net(scale * images) for scale in (1, -1, 100)]
            for weight in net.parameters():
                weight.mul_(8)
    logits = torch.cat(batches)
    logits = logits[logits.isfinite()]
    if logits.any() and logits.min() >= 0 and logits.max() <= 1:
        raise ValueError("gives probabilities: leave the sigmoid away, for the loss has one")


def has_a_slope(bench: Bench) -> None:
    """its gradient at a picture has a gradient, as penalties need"""
    trainer = bench.trainer()
    net = _net(bench, trainer)
    images = _inputs(bench, trainer).requires_grad_()
    (slope,) = torch.autograd.grad(net(images).sum(), images, create_graph=True)
    if not slope.any():
        raise ValueError("has no gradient at its images, so G could learn nothing from it")
    slopes = torch.autograd.grad(slope.square().sum(), list(net.parameters()), allow_unused=True)
    second_derivatives = [slope for slope in slopes if slope is not None]
    if not second_derivatives or not all(slope.isfinite().all() for slope in second_derivatives):
        raise ValueError("has no finite second derivative, which penalties such as r1 need")


def trains_as_it_is_set(bench: Bench) -> None:
    """its networks suit each other, and its settings are settings"""
    spec = bench.spec
    assert isinstance(spec, ModelSpec)
    tricks = spec.settings.get("tricks", ())
    trainer = bench.trainer(*tricks, model=bench.text, image_size=spec.image_size, batch_size=4)
    for step in range(2):
        finite(trainer, trainer.step(step), f"at step {step + 1}")


def is_a_run(bench: Bench) -> None:
    """it is a run that trains, and all that it names is there"""
    spec = bench.spec
    assert isinstance(spec, RecipeSpec)
    if "dataset" in spec.settings:
        bench.registry.check("dataset", spec.settings["dataset"])
    small = {**SMALL, "image_size": None, "batch_size": 4, **bench.settings}
    trainer = bench.assembled(compose(bench.registry, recipe=bench.name, **small))
    finite(trainer, trainer.step(0), "at the first step")


def _net(bench: Bench, trainer: Trainer) -> nn.Module:
    """The network under test."""
    return (trainer.gan.G if bench.kind == "generator" else trainer.gan.D).net


def _inputs(bench: Bench, trainer: Trainer) -> Tensor:
    """Eight of what the network takes: z (8, latent_dim) or images (8, C, H, W)."""
    trainer.gan.begin_step(0)
    return trainer.gan.latents(8) if bench.kind == "generator" else trainer.batches[0].clone()
