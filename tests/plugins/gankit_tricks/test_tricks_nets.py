"""Tricks that change D, its gradient or the updates, each against a computation of its own."""

import itertools
import json
import re
import signal

import numpy as np
import pytest
import torch
from gankit_tricks.dragan import DRAGAN
from gankit_tricks.ema import EMA
from gankit_tricks.freeze_d import FreezeD
from gankit_tricks.gradient_clipping import GradientClipping
from gankit_tricks.layers import LAYERS, last_layer
from gankit_tricks.minibatch_discrimination import Closeness, MinibatchDiscrimination
from gankit_tricks.minibatch_stddev import MinibatchStddev, Stddev, group_stddev
from gankit_tricks.r1 import R1
from gankit_tricks.r2 import R2
from gankit_tricks.spectral_norm import SpectralNorm
from gankit_tricks.ttur import TTUR
from gankit_tricks.wgan_gp import WGANGP
from torch import nn

from gankit import GankitError, compose, train
from gankit.cli.run.from_options import resumed
from gankit.core.device import Machine
from gankit.core.errors import RunStopped
from gankit.core.gan import Gan, Player
from gankit.core.process_group import ProcessGroup
from gankit.core.reported import text_of
from gankit.core.step import train_step
from gankit.training.checkpoints import checkpoint

DISCRIMINATION = "minibatch-discrimination:kernels=6,dims=2"
ON_D = ("freeze-d", DISCRIMINATION, "minibatch-stddev", "spectral-norm")


def a_gan(d_net, precision="32"):
    """A Gan around any D, for tricks that are asked by hand."""
    machine = Machine(torch.device("cpu"), precision)
    gan = Gan(Player("G", nn.Linear(4, 4)), Player("D", d_net), 4, 0, 10, machine)
    gan.begin_step(0)
    return gan


def linear_d(slope, numbers=12):
    """D(x) = w x with |w| = slope."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(numbers, 1, bias=False), nn.Flatten(0))
    weight = torch.randn(1, numbers, generator=torch.Generator().manual_seed(3))
    net[1].weight.data = slope * weight / weight.norm()
    return net


class Bowl(nn.Module):
    """D(x) = a |x|^2 / 2, whose gradient is a x."""

    def __init__(self, a=1.0):
        super().__init__()
        self.a = nn.Parameter(torch.tensor(a))

    def forward(self, x):
        return self.a * x.square().sum(dim=(1, 2, 3)) / 2


def some(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# ---------------------------------------------------------------- penalties


@pytest.mark.parametrize(("trick", "at"), [(R1, 0), (R2, 1)])
def test_r1_looks_at_reals_and_r2_at_fakes(trick, at):
    images, gan = (some(5, 3, 2, 2), some(5, 3, 2, 2, seed=1)), a_gan(Bowl(a=2.0))
    penalty = trick(gamma=3.0).penalty(gan, gan.D, *images)
    squares = (images[at].numpy() ** 2).sum(axis=(1, 2, 3)).mean()
    assert penalty.item() == pytest.approx(3.0 / 2 * 2.0**2 * squares, rel=1e-5)
    (slope,) = torch.autograd.grad(penalty, gan.D.net.a)
    assert slope.item() == pytest.approx(3.0 * 2.0 * squares, rel=1e-5)  # d/da of 3/2 a^2 squares
    assert trick().penalty(gan, gan.G, *images) is None


def test_r2_comes_lazily_like_r1():
    gan, trick, images = a_gan(Bowl()), R2(gamma=1.0, every=2), some(5, 3, 2, 2)
    now = trick.penalty(gan, gan.D, None, images)
    assert now.item() == pytest.approx(2 * R2(gamma=1.0).penalty(gan, gan.D, None, images).item())
    gan.begin_step(1)
    assert trick.penalty(gan, gan.D, None, images) is None


@pytest.mark.parametrize("slope", [0.25, 1.0, 3.0])
@pytest.mark.parametrize(
    ("trick", "weight", "k"), [(WGANGP(), 10, 1), (DRAGAN(), 10, 1), (DRAGAN(7.0, k=2.0), 7, 2)]
)
def test_gradients_too_flat_and_too_steep_both_cost(trick, weight, k, slope):
    gan = a_gan(linear_d(slope))
    penalty = trick.penalty(gan, gan.D, some(4, 3, 2, 2), some(4, 3, 2, 2, seed=1))
    assert penalty.item() == pytest.approx(weight * (slope - k) ** 2, abs=1e-5)
    assert f"{slope:.3g}" in text_of(trick.activity())
    assert trick.activity() is None
    assert trick.penalty(gan, gan.G, some(4, 3, 2, 2), some(4, 3, 2, 2)) is None


def test_wgan_gp_looks_anywhere_between_a_real_and_its_fake():
    real, fake = torch.zeros(2000, 3, 2, 2), torch.full((2000, 3, 2, 2), 12**-0.5)  # |fake| = 1
    gan = a_gan(Bowl())  # the slope is |x|: the share of the fake, if one share serves a picture
    penalty = WGANGP(weight=1.0).penalty(gan, gan.D, real, fake)
    assert penalty.item() == pytest.approx(1 / 3, rel=0.05)  # E (u - 1)^2, u ~ U(0, 1)
    points = WGANGP()._penalised_images(gan, real, fake)
    assert points.std(dim=(1, 2, 3)).max() < 1e-6
    assert (
        torch.equal(points[0], WGANGP()._penalised_images(gan, real, fake)[0]) is False
    )  # drawn anew


def test_dragan_looks_around_reals_as_the_papers_code_does():
    real, gan = 3 * some(500, 3, 8, 8) + 1, a_gan(Bowl())
    away = (DRAGAN()._penalised_images(gan, real, None) - real) / (0.5 * real.numpy().std())
    assert away.min() >= -1e-5
    assert away.max() <= 1 + 1e-5
    assert away.mean().item() == pytest.approx(1 / 4, rel=0.1)  # share ~ U(0, 1) times u ~ U(0, 1)
    reach = away.amax(dim=(1, 2, 3))  # about the share: one for each picture
    assert reach.min() < 0.05
    assert reach.max() > 0.95
    assert reach.mean().item() == pytest.approx(1 / 2, rel=0.1)


@pytest.mark.parametrize("trick", [R2, WGANGP, DRAGAN])
def test_penalties_see_what_other_tricks_do_to_ds_input(trick):
    gan, images = a_gan(linear_d(0.5)), (some(4, 3, 2, 2), some(4, 3, 2, 2, seed=1))
    name, factor = ("squared_norm", 9) if trick is R2 else ("norm", 3)
    penalty = trick()
    penalty.penalty(gan, gan.D, *images)
    before = getattr(penalty, name).item()
    gan.d_inputs = [lambda images, gan: 3 * images]
    penalty.penalty(gan, gan.D, *images)
    assert getattr(penalty, name).item() == pytest.approx(before * factor, rel=1e-5)


@pytest.mark.parametrize("trick", [R1, R2, WGANGP, DRAGAN])
def test_a_d_without_slope_leaves_finite_gradients(trick):
    gan = a_gan(linear_d(0.0))
    penalty = trick().penalty(gan, gan.D, some(4, 3, 2, 2), some(4, 3, 2, 2, seed=1))
    (gradient,) = torch.autograd.grad(penalty, gan.D.net[1].weight)
    assert gradient.isfinite().all()


# ---------------------------------------------------------------- updates


def test_weight_clipping_clips_ds_weights_and_no_others(trainer_of):
    clipped, free = trainer_of("weight-clipping:limit=0.015"), trainer_of()
    clipped.step(0)
    free.step(0)
    pairs = list(zip(*(g.gan.D.net.parameters() for g in (clipped, free)), strict=True))
    assert all(torch.equal(a, b.clamp(-0.015, 0.015)) for a, b in pairs)  # norms' weights as well
    assert max(p.abs().max() for p in clipped.gan.G.net.parameters()) > 0.5
    there = sum(int((b.abs() >= 0.015).sum()) for _, b in pairs)
    share = 100 * there / sum(a.numel() for a, _ in pairs)
    assert text_of(clipped.tricks[0].activity()) == f"{share:.1f} % of D's weights are at +-0.015"
    assert clipped.tricks[0].activity() is None


def test_weight_clipping_leaves_frozen_weights_and_says_nothing_where_none_is_long(trainer_of):
    trainer = trainer_of("freeze-d:layers=1", "weight-clipping")
    first = trainer.gan.D.net.main[0].weight.clone()
    trainer.step(0)
    assert first.abs().max() > 0.01
    assert torch.equal(trainer.gan.D.net.main[0].weight, first)
    wide = trainer_of("weight-clipping:limit=50.0")
    wide.step(0)
    assert wide.tricks[0].activity() is None


def gradients(net, length, seed=0):
    """Gives every weight of net a gradient; all of them together are `length` long."""
    drawn = [some(*p.shape, seed=seed + i) for i, p in enumerate(net.parameters())]
    whole = torch.cat([g.flatten() for g in drawn]).norm()
    for p, g in zip(net.parameters(), drawn, strict=True):
        p.grad = g * length / whole
    return [p.grad.clone() for p in net.parameters()]


@pytest.mark.parametrize("length", [0.3, 0.5, 4.0])
def test_gradients_are_shortened_only_where_too_long(length):
    gan, trick = a_gan(nn.Sequential(nn.Linear(6, 5), nn.Linear(5, 1))), GradientClipping(norm=0.5)
    before = gradients(gan.D.net, length)
    trick.before_update(gan, gan.D)
    for was, weight in zip(before, gan.D.net.parameters(), strict=True):
        if length < 0.5:
            assert torch.equal(weight.grad, was)
        assert torch.allclose(weight.grad, was * min(1, 0.5 / length), rtol=1e-4)


def test_gradient_clipping_counts_and_names_the_longest():
    gan, trick = a_gan(nn.Linear(6, 1)), GradientClipping(norm=1.0)
    for length, player in ((3.0, gan.D), (0.5, gan.G), (7.0, gan.G), (2.0, gan.D)):
        gradients(player.net, length)
        trick.before_update(gan, player)
    assert text_of(trick.activity()) == "clipped 3 of 4 gradients, the longest 7"
    assert trick.activity() is None
    gradients(gan.D.net, 0.5)
    trick.before_update(gan, gan.D)
    assert trick.activity() is None


@pytest.mark.parametrize("whose", ["G", "D"])
def test_gradient_clipping_of_one_player(whose):
    gan, trick = a_gan(nn.Linear(6, 1)), GradientClipping(norm=1.0, player=whose)
    for player in (gan.G, gan.D):
        gradients(player.net, 5.0)
        trick.before_update(gan, player)
        length = torch.cat([p.grad.flatten() for p in player.net.parameters()]).norm()
        assert length.item() == pytest.approx(1.0 if player.name == whose else 5.0, rel=1e-4)


def test_ttur_multiplies_ds_learning_rate_only(trainer_of):
    trainer = trainer_of("ttur:factor=3.0", lr_g=1e-4, lr_d=2e-4)
    assert [group["lr"] for group in trainer.gan.G.adam.param_groups] == [1e-4]
    assert [group["lr"] for group in trainer.gan.D.adam.param_groups] == [pytest.approx(6e-4)]
    assert text_of(trainer.tricks[0].activity()) == "learning rates G 0.0001, D 0.0006"
    plain = trainer_of(lr_g=1e-4, lr_d=3 * 2e-4)
    for one in (trainer, plain):
        one.step(0)
    pairs = zip(trainer.gan.D.net.parameters(), plain.gan.D.net.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert TTUR(factor=1.0).activity() is None


def test_lr_decay_lets_both_rates_fall_in_a_straight_line(trainer_of):
    tricks = ("lr-decay:begin=0.25", "ttur:factor=2.0")
    for order in (tricks, tricks[::-1]):
        trainer = trainer_of(*order, lr_g=1e-4, lr_d=2e-4, length="8 steps")
        decay, rates = trainer.tricks[order.index(tricks[0])], []
        for step in range(8):
            trainer.step(step)
            rates.append([p.adam.param_groups[0]["lr"] for p in (trainer.gan.G, trainer.gan.D)])
        left = [1, 1, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6]  # step 2 of 8 is the last at full
        assert rates == [[pytest.approx(1e-4 * f), pytest.approx(4e-4 * f)] for f in left]
        assert text_of(decay.activity()) == "learning rates at 17%"


def test_lr_decay_goes_up_again_when_a_run_is_made_longer(trainer_of):
    short, longer = (trainer_of("lr-decay", length=f"{steps} steps") for steps in (4, 8))
    for step in range(4):
        short.step(step)
    for one, other in ((short.gan.G, longer.gan.G), (short.gan.D, longer.gan.D)):
        other.adam.load_state_dict(one.adam.state_dict())
        assert other.adam.param_groups[0]["lr"] < 2e-4
    longer.tricks[0].load_state_dict(short.tricks[0].state_dict())
    longer.step(4)
    assert longer.gan.D.adam.param_groups[0]["lr"] == 2e-4


@pytest.mark.parametrize(("batch", "d_steps"), [(32, 1), (8, 1), (8, 3)])
def test_the_half_life_of_ema_in_pictures_is_that_of_the_paper(batch, d_steps):
    gan, trick = a_gan(nn.Flatten(0)), EMA(kimg=10.0, ramp=0.05)
    trick.start(gan)
    shown = 0
    for gan.step in range(0, 40_000, 4_000):  # every so many steps, as if those between had been
        for _ in range(d_steps):
            trick.fakes(torch.empty(batch, 1, 1, 1), gan)
            trick.after_update(gan, gan.D)
        trick.after_update(gan, gan.G)
        shown = (gan.step + 1) * batch * d_steps
        wanted = 0.5 ** (batch * d_steps / min(10_000, 0.05 * shown))
        assert trick.current_decay == pytest.approx(wanted, rel=1e-12)
    assert EMA(decay=0.5 ** (32 / 10_000)).decay == pytest.approx(0.9978, abs=1e-4)


@pytest.mark.parametrize(
    ("trick", "number"),
    [("ema:kimg=0.01,ramp=0.0", "current_decay"), ("ada:kimg=0.1,target=-1.0", "p")],
)
def test_thousands_of_pictures_are_those_of_all_processes(trainer_of, monkeypatch, trick, number):
    def after_four_steps():
        trainer = trainer_of(trick)
        for step in range(4):
            trainer.step(step)
        assert (
            len(trainer.batches[0]) * trainer.gan.process_group.world_size == trainer.run.batch_size
        )
        return float(getattr(trainer.tricks[0], number))

    alone = after_four_steps()
    two = ProcessGroup(0, 2)
    monkeypatch.setattr("gankit.training.assemble.current_process_group", lambda: two)
    assert alone not in (0, 1)
    assert after_four_steps() == pytest.approx(alone)


def test_ema_takes_the_lesser_decay_and_ignores_decay_where_kimg_is_given(trainer_of):
    trainer = trainer_of("ema:decay=0.5,ramp=0.0,kimg=0.01", d_steps=2)  # 16 pictures a step
    before = trainer.gan.G.net.state_dict()["main.0.weight"].clone()
    trainer.step(0)
    now = trainer.gan.G.net.state_dict()["main.0.weight"]
    wanted = before + (1 - 0.5**1.6) * (now - before)
    assert torch.allclose(trainer.gan.sampler.state_dict()["main.0.weight"], wanted, atol=1e-7)
    assert text_of(trainer.tricks[0].activity()) == f"decay {0.5**1.6:.4f}"


# ---------------------------------------------------------------- D's layers


class Odd(nn.Module):
    """A D with every sort of layer that spectral-norm knows, but those of other dimensions."""

    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose2d(3, 5, 2)
        self.look_up = nn.Embedding(7, 15)
        self.end = nn.Linear(15, 1)

    def forward(self, x):
        x = self.up(x).mean(dim=3).flatten(1)
        return self.end(x + self.look_up(torch.arange(len(x)))).flatten()


def matrix(layer):
    """The weight before its division, as outputs x the rest."""
    weight = layer.parametrizations.weight.original.detach().numpy()
    if isinstance(layer, nn.ConvTranspose2d):
        weight = weight.swapaxes(0, 1)
    return weight.reshape(len(weight), -1)


@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_each_training_forward_makes_one_power_iteration(precision):
    gan = a_gan(Odd().eval(), precision)
    trick, images = SpectralNorm(), some(4, 3, 2, 2)
    trick.wrap(gan)
    assert trick.layers == [gan.D.net.up, gan.D.net.look_up, gan.D.net.end]
    kept = [layer.parametrizations.weight[0] for layer in trick.layers]
    for layer in trick.layers:
        layer.parametrizations.weight.original.data = some(*layer.weight.shape)  # far from u, v
    wanted = [one._v.numpy().copy() for one in kept]
    gan.judge(images)
    assert all(np.array_equal(one._v, v) for one, v in zip(kept, wanted, strict=True))  # eval: none
    gan.D.net.train()
    for _ in range(3):
        gan.judge(images)
        for i, layer in enumerate(trick.layers):
            u = matrix(layer) @ wanted[i]
            u /= np.linalg.norm(u)
            v = matrix(layer).T @ u
            wanted[i] = v / np.linalg.norm(v)
            assert kept[i]._u.numpy() == pytest.approx(u, abs=1e-4)
            assert kept[i]._v.numpy() == pytest.approx(wanted[i], abs=1e-4)
    for _ in range(60):
        gan.judge(images)
    largest = max(np.linalg.svd(matrix(layer))[1][0] for layer in trick.layers)
    assert re.findall(r"[\d.]+", text_of(trick.activity())) == ["3", f"{largest:.2f}"]


def test_both_gradients_of_a_d_judged_twice_are_those_of_w_over_sigma():
    """dL/dW where W stands in sigma too: (dL/dV - <dL/dV, V> u v') / sigma, V = W / sigma."""
    gan = a_gan(nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.Linear(4, 1), nn.Flatten(0)))
    trick = SpectralNorm()
    trick.wrap(gan)
    layer = gan.D.net[1].train(False)
    sigma, V = trick.layers[0].parametrizations.weight[0], layer.weight.detach()
    x, y = some(5, 3, 2, 2), some(5, 3, 2, 2, seed=1)
    (gan.judge(x).mean() - gan.judge(y).mean()).backward()
    end = gan.D.net[2].weight.detach()  # D(x) = end V x + constants
    dV = end.T @ (x.flatten(1).mean(0) - y.flatten(1).mean(0))[None]
    W = layer.parametrizations.weight.original
    length = sigma._u @ W.detach() @ sigma._v
    wanted = (dV - (dV * V).sum() * torch.outer(sigma._u, sigma._v)) / length
    assert torch.allclose(W.grad, wanted, atol=1e-5)


def stddev_by_hand(x, group):
    """Karras et al. 2018, section 3, one group after the other."""
    groups, values = np.array_split(x, max(1, len(x) // group)), []
    for g in groups:
        deviation = np.sqrt(((g - g.mean(axis=0)) ** 2).mean(axis=0) + 1e-8)
        values += [deviation.mean()] * len(g)
    return values


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 8, 10, 12])
@pytest.mark.parametrize("shape", [(5, 4, 4), (20,)], ids=["maps", "vectors"])
def test_the_stddev_channel_is_that_of_the_paper(shape, count):
    x = some(count, *shape) + 2
    out = Stddev(4)(x)
    assert out.shape == (count, shape[0] + 1, *shape[1:])
    assert torch.equal(out[:, :-1], x)
    wanted = np.array(stddev_by_hand(x.double().numpy(), 4)).reshape(-1, *[1] * (len(shape) - 1))
    assert np.allclose(out[:, -1].numpy(), np.broadcast_to(wanted, out[:, -1].shape), atol=1e-6)


@pytest.mark.parametrize(
    ("count", "group", "sizes"), [(8, 4, [4, 4]), (7, 4, [7]), (11, 4, [6, 5])]
)
def test_groups_are_of_at_least_the_size_asked_for(count, group, sizes):
    x = torch.arange(float(count))[:, None] ** 2
    values = group_stddev(x, group).unique_consecutive(return_counts=True)[1]
    assert sorted(values.tolist()) == sorted(sizes)


def test_stddev_is_float32_where_d_computes_in_bf16():
    x = (1000 + some(8, 6)).bfloat16()
    x[:, 0] += torch.arange(8) * 16  # large numbers that differ little
    with torch.autocast("cpu", dtype=torch.bfloat16):
        module = Stddev(4)
        out = module(x)
    assert out.dtype == torch.bfloat16
    assert module.spread.item() == pytest.approx(
        np.mean(stddev_by_hand(x.float().numpy(), 4)), 1e-4
    )


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("shape", [(6, 4, 4), (6,)], ids=["maps", "vectors"])
def test_closeness_is_that_of_the_paper(shape, count):
    module, x = Closeness(some(6, 3, 2, seed=1)), some(count, *shape)
    out = module(x).detach()
    assert torch.equal(out[:, :6], x)
    features = x.numpy().reshape(count, 6, -1).mean(axis=2)
    M = np.einsum("na,abc->nbc", features, module.T.detach().numpy())
    for i, b in itertools.product(range(count), range(3)):
        others = [np.exp(-np.abs(M[i, b] - M[j, b]).sum()) for j in range(count) if j != i]
        wanted = np.mean(others) if others else 0.0
        assert np.allclose(out[i, 6 + b].numpy(), wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("trick", "collapsed"),
    [(MinibatchStddev(), " 0.0001"), (MinibatchDiscrimination(kernels=8), " 1 ")],
)
def test_the_log_shows_a_collapsed_batch(trainer_of, trick, collapsed):
    gan = trainer_of().gan
    trick.wrap(gan)
    varied = some(8, 3, 16, 16).tanh()
    gan.judge(varied)
    assert collapsed not in text_of(trick.activity())
    gan.judge(varied[:1].expand(8, -1, -1, -1))
    assert collapsed in text_of(trick.activity())
    assert trick.activity() is None


@pytest.mark.parametrize(
    ("trick", "extra"), [(MinibatchStddev(), 1), (MinibatchDiscrimination(kernels=100), 100)]
)
def test_the_last_layer_keeps_its_weights_and_gets_new_ones_of_their_size(trainer_of, trick, extra):
    gan = trainer_of(model="dcgan64:base_channels=16").gan
    name, layer = last_layer(gan.D.net)
    old, images = layer.weight.detach().clone(), some(4, 3, 16, 16).tanh()
    before = gan.judge(images).detach()
    trick.wrap(gan)
    assert last_layer(gan.D.net) == (f"{name}.1", layer)
    assert layer.in_channels == layer.weight.shape[1] == old.shape[1] + extra
    assert torch.equal(layer.weight[:, :-extra], old)
    new = layer.weight[:, -extra:].detach()
    assert new.std().item() == pytest.approx(0.02, rel=0.1 if extra > 1 else 0.6)
    assert not torch.equal(gan.judge(images), before)
    new.zero_()
    assert torch.allclose(gan.judge(images), before, atol=1e-6)


def test_tricks_on_ds_end_suit_a_linear_end_and_refuse_what_they_do_not_know():
    images = some(6, 3, 2, 2)
    gan = a_gan(nn.Sequential(nn.Flatten(), nn.Linear(12, 1), nn.Flatten(0)))
    for trick in (MinibatchStddev(), MinibatchDiscrimination(kernels=5), SpectralNorm()):
        trick.wrap(gan)
    assert gan.judge(images).shape == (6,)
    assert last_layer(gan.D.net)[1].in_features == 12 + 1 + 5
    wide = a_gan(nn.Sequential(nn.Conv2d(3, 2, 2), nn.Flatten()))
    grouped = a_gan(nn.Sequential(nn.Conv2d(3, 2, 1), nn.Conv2d(2, 1, 1)))
    grouped.D.net[1].groups = 2
    normed = a_gan(nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 1, 2)))
    for gan in (wide, grouped, normed, a_gan(nn.Flatten())):
        for trick in (MinibatchStddev(), MinibatchDiscrimination()):
            with pytest.raises(ValueError, match="^D's last layer "):
                trick.wrap(gan)


def test_freezing_holds_the_first_layers_and_their_norms(trainer_of):
    trainer, gan = (trainer := trainer_of("freeze-d")), trainer.gan
    before = {name: p.detach().clone() for name, p in gan.D.net.named_parameters()}
    for step in range(2):
        trainer.step(step)
    moved = {n for n, p in gan.D.net.named_parameters() if not torch.equal(p, before[n])}
    assert moved == {"main.5.weight"}
    frozen = {n for n, p in gan.D.net.named_parameters() if not p.requires_grad}
    assert frozen == {"main.0.weight", "main.2.weight", "main.3.weight", "main.3.bias"}
    assert sum(len(group["params"]) for group in gan.D.adam.param_groups) == 1
    count = sum(before[name].numel() for name in frozen)
    assert text_of(trainer.tricks[0].activity()) == f"D's first 2 layers frozen, {count:,} weights"


def test_freezing_everything_is_refused(trainer_of):
    with pytest.raises(GankitError, match="layers must be less than 3"):
        trainer_of("freeze-d:layers=3")
    trick, net = FreezeD(layers=0), linear_d(1.0)
    trick.wrap(a_gan(net))
    assert net[1].weight.requires_grad
    assert trick.activity() is None


# ---------------------------------------------------------------- together


@pytest.mark.parametrize("order", list(itertools.permutations(ON_D)), ids="+".join)
def test_tricks_on_ds_layers_go_together_in_any_order(trainer_of, order):
    trainer = trainer_of(*order, channels=1 if order[0] == "freeze-d" else 3)
    net = trainer.gan.D.net
    layers = {name: layer for name, layer in net.named_modules() if isinstance(layer, LAYERS)}
    assert len(layers) == 3
    frozen = [n for n, p in net.named_parameters() if not p.requires_grad]
    frozen = [n.replace(".parametrizations", "").replace(".original", "") for n in frozen]
    assert frozen == ["main.0.weight", "main.2.weight", "main.3.weight", "main.3.bias"]
    for step in range(2):
        scalars = trainer.step(step)
    assert all(value.isfinite() for value in scalars.values())
    assert all(trick.activity() for trick in trainer.tricks)
    for layer in layers.values():
        largest = np.linalg.svd(matrix(layer) / sigma_of(layer))[1][0]
        assert largest == pytest.approx(1.0, abs=0.15)
    last = last_layer(net)[1]
    assert last.in_channels == last.weight.shape[1] == 8 + 1 + 6
    assert all(p.requires_grad for p in last.parameters())


def sigma_of(layer):
    kept = layer.parametrizations.weight[0]
    return kept._u.numpy() @ matrix(layer) @ kept._v.numpy()


def test_spectral_norm_may_stand_before_or_after_what_widens_the_last_layer(trainer_of):
    ways = [
        trainer_of("spectral-norm", "minibatch-stddev"),
        trainer_of("minibatch-stddev", "spectral-norm"),
    ]
    before, after = (dict(way.gan.D.net.named_parameters()) for way in ways)
    assert list(before) == list(after)
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize(
    ("tricks", "asked"),
    [
        (
            (*ON_D, "r2:every=2", "lr-decay", "ttur", "gradient-clipping", "ema:kimg=0.02"),
            {"precision": "bf16", "d_steps": 2},
        ),
        (
            (*ON_D[::-1], "dragan", "wgan-gp"),
            {"memory_format": "contiguous", "optimizer": "plain", "channels": 1},
        ),
    ],
    ids=["bf16", "plain"],
)
def test_resuming_equals_never_stopping(registry, tiny, tmp_path, tricks, asked):
    asked = tiny(tricks=tricks, length="6 steps", save_every=3, draw_every=3, **asked)
    whole = train(compose(registry, **asked, out=str(tmp_path / "whole")), registry)
    parts, stop = tmp_path / "parts", iter([0, signal.SIGINT])
    with pytest.raises(RunStopped):
        train(compose(registry, **asked, out=str(parts)), registry, stop=lambda: next(stop))
    train(resumed(parts), registry, resume=True)
    manifests = [
        checkpoint.list_checkpoints(f / "checkpoints")[0] / "manifest.json" for f in (whole, parts)
    ]
    hashes = [json.loads(path.read_text())["sha256"] for path in manifests]
    assert hashes[0] == hashes[1]


def test_what_excludes_what_is_refused_in_either_order(registry, tiny):
    for one, other in (("dragan", "r1"), ("wgan-gp", "weight-clipping")):
        for pair in ((one, other), (other, one)):
            with pytest.raises(GankitError, match="r1|weight-clipping"):
                compose(registry, **tiny(tricks=pair))
    for spec in registry.specs("trick"):
        for name in spec.builder().excludes:
            assert registry.find("trick", name)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "r2:gamma=-1.0",
            "r2:every=0",
            "wgan-gp:weight=-1.0",
            "dragan:weight=-1.0",
            "dragan:k=-1.0",
        ),
        *("weight-clipping:limit=-0.1", "gradient-clipping:norm=-1.0"),
        *("gradient-clipping:player=g", "ttur:factor=0.0", "ttur:factor=-2.0", "ema:kimg=-1.0"),
        *("lr-decay:begin=-0.1", "lr-decay:begin=1.1"),
        *("minibatch-stddev:group=0", "minibatch-discrimination:kernels=-1"),
        *("minibatch-discrimination:dims=0", "freeze-d:layers=-1"),
    ],
)
def test_options_that_make_no_sense_are_refused_in_one_line(registry, text):
    named = f"trick '{text.partition(':')[0]}' "
    with pytest.raises(GankitError, match=rf"^{named}[^\n]+$"):
        registry.make("trick", text)


def test_the_step_never_waits_for_the_device(trainer_of, monkeypatch):
    """No trick reads a number of the device but in `activity`."""
    trainers = [
        trainer_of(
            "r2", "weight-clipping", "gradient-clipping", "ttur", "ema:kimg=1.0", "freeze-d"
        ),
        trainer_of("wgan-gp", "dragan", *ON_D),
    ]

    def read(tensor, *args):
        raise AssertionError("a number was read in the step")

    for trainer in trainers:
        reals = [trainer.batches[0]]
        trainer.gan.begin_step(0)
        with monkeypatch.context() as patch:
            for name in ("item", "tolist", "__float__", "__int__", "__bool__"):
                patch.setattr(torch.Tensor, name, read)
            train_step(trainer.gan, trainer.loss, trainer.tricks, reals)
        assert all(trick.activity() for trick in trainer.tricks)
