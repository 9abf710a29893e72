"""The contracts of networks, of models, and of recipes."""

import copy
import itertools

import torch

from gankit.core.errors import GankitError
from gankit.testing.bench import BENCH, SMALL, difference, finite
from gankit.training.compose import compose


def check_generator(bench, sizes):
    bench.keep_to(fits, sizes, {"discriminator": BENCH})
    for contract in (trains, draws_its_weights, saves_itself, can_be_copied, draws_each_alone):
        bench.keep_to(contract)


def check_discriminator(bench, sizes):
    bench.keep_to(fits, sizes, {"generator": BENCH})
    for contract in (trains, draws_its_weights, saves_itself, gives_logits, has_a_slope):
        bench.keep_to(contract)


def check_model(bench):
    bench.keep_to(trains_as_it_is_set)


def check_recipe(bench):
    bench.keep_to(is_a_run)


def fits(bench, sizes, other):
    """it makes what it should at the sizes it takes"""
    taken = []
    for size in sizes:
        try:
            bench.make(image_size=size, channels=3, latent_dim=100)
        except GankitError as error:  # a size that does not suit, in words
            refused = error.__cause__ or error  # without the part's name, which is said anyway
            continue
        taken.append(size)
    if not taken:
        raise ValueError(f"{refused}; name sizes that suit: sizes=(48, 96)")
    bench.settings = {**other, bench.kind: bench.text, **bench.settings, "image_size": taken[0]}
    for size, channels in itertools.product(taken, (1, 3)):
        bench.game(image_size=size, channels=channels, latent_dim=10)  # gankit looks at shapes


def trains(bench):
    """it trains in colour and grey, in float32 and bf16"""
    for channels, precision in ((3, "32"), (1, "32"), (3, "bf16")):
        game = bench.game(channels=channels, precision=precision)
        where = f"{'colour' if channels == 3 else 'grey'}, precision {precision}"
        for step in range(2):
            finite(game, game.step(step), f"at step {step + 1} ({where})")
        learnt = {*game.gan.G.adam.state, *game.gan.D.adam.state}  # weights that had a gradient
        for name, weight in _net(bench, game).named_parameters():
            if weight.requires_grad and weight not in learnt:
                raise ValueError(f"has a weight {name} without gradient: forward does not use it")


def draws_its_weights(bench):
    """its first weights are a function of the seed"""
    nets = [_net(bench, bench.game(seed=seed)) for seed in (0, 0, 1)]
    first, again, other = (net.state_dict() for net in nets)
    if difference(first, again):
        raise ValueError("has other first weights under the same seed: draw them from torch's own")
    if not difference(first, other):
        raise ValueError("has the same first weights under every seed: leave manual_seed away")


def saves_itself(bench):
    """its state_dict is all there is to it"""
    game, other = bench.game(), bench.game(seed=1)
    for step in range(2):
        game.step(step)
    trained, fresh = _net(bench, game).eval(), _net(bench, other).eval()
    fresh.load_state_dict(trained.state_dict())
    given = _given(bench, game)
    with torch.no_grad():
        before = given.clone()
        result = trained(given)
        if not torch.equal(given, before):
            raise ValueError("changes what it is given in place: leave the input as it is")
        if not torch.equal(result, fresh(given)):
            raise ValueError("keeps something out of its state_dict: make it a buffer")


def can_be_copied(bench):
    """ema can copy it"""
    game = bench.game()
    net, z = _net(bench, game).eval(), _given(bench, game)
    with torch.no_grad():
        if not torch.equal(net(z), copy.deepcopy(net)(z)):
            raise ValueError("draws otherwise once it is copied with copy.deepcopy")


def draws_each_alone(bench):
    """in eval mode a picture depends on nothing but its z"""
    game = bench.game()
    for step in range(2):
        game.step(step)
    net, z = _net(bench, game).eval(), _given(bench, game)
    with torch.no_grad():
        together, alone = net(z), torch.cat([net(one) for one in z.split(1)])
    if not torch.allclose(together, alone, atol=1e-4):
        raise ValueError("in eval mode draws a picture otherwise in other company: batch norm?")
    if not -1.001 <= together.min() <= together.max() <= 1.001:
        raise ValueError("draws outside [-1, 1] once it is trained: end it in a tanh")


def gives_logits(bench):
    """it ends in no sigmoid, however sure it is"""
    game = bench.game()
    net, images = copy.deepcopy(_net(bench, game)).eval(), _given(bench, game)
    answers = []
    with torch.no_grad():
        for _ in range(4):
            answers += [net(scale * images) for scale in (1, -1, 100)]
            for weight in net.parameters():
                weight.mul_(8)
    answers = torch.cat(answers)
    answers = answers[answers.isfinite()]
    if answers.any() and answers.min() >= 0 and answers.max() <= 1:
        raise ValueError("gives probabilities: leave the sigmoid away, for the loss has one")


def has_a_slope(bench):
    """its gradient at a picture has a gradient, as penalties need"""
    game = bench.game()
    net, images = _net(bench, game), _given(bench, game).requires_grad_()
    (slope,) = torch.autograd.grad(net(images).sum(), images, create_graph=True)
    if not slope.any():
        raise ValueError("has no gradient at its images, so G could learn nothing from it")
    slopes = torch.autograd.grad(slope.square().sum(), list(net.parameters()), allow_unused=True)
    found = [s for s in slopes if s is not None]
    if not found or not all(s.isfinite().all() for s in found):
        raise ValueError("has no finite second derivative, which penalties such as r1 need")


def trains_as_it_is_set(bench):
    """its networks suit each other, and its settings are settings"""
    wanted = {"model": bench.text, "image_size": bench.spec.image_size, "batch_size": 4}
    game = bench.game(*bench.spec.settings.get("tricks", ()), **wanted)
    for step in range(2):
        finite(game, game.step(step), f"at step {step + 1}")


def is_a_run(bench):
    """it is a run that trains, and all that it names is there"""
    if "dataset" in bench.spec.settings:
        bench.registry.check("dataset", bench.spec.settings["dataset"])
    small = {**SMALL, "image_size": None, "batch_size": 4, **bench.settings}
    game = bench.assembled(compose(bench.registry, recipe=bench.name, **small))
    finite(game, game.step(0), "at the first step")


def _net(bench, game):
    return (game.gan.G if bench.kind == "generator" else game.gan.D).net


def _given(bench, game):
    game.gan.begin_step(0)
    return game.gan.latents(8) if bench.kind == "generator" else game.batches[0].clone()
