"""ADA: what it does to pictures, against numpy, and how it finds out how often."""

import itertools
import math

import numpy as np
import pytest
import torch
from gankit_tricks.ada import ADA
from gankit_tricks.ada_changes import CHANGES, _hue, _resample
from gankit_tricks.blur import Blur
from torch import nn

from gankit import GankitError, compose
from gankit.core.device import Machine
from gankit.core.gan import Gan, Player
from gankit.core.reported import text_of
from gankit.core.step import judge


@pytest.fixture
def gan():
    """A Gan by hand; D answers with a picture's first number."""
    return a_gan()


def a_gan():
    d_net = nn.Sequential(nn.Flatten(), nn.Linear(12, 1, bias=False), nn.Flatten(0))
    with torch.no_grad():
        d_net[1].weight.zero_()[0, 0] = 1
    machine = Machine(torch.device("cpu"), "32")
    gan = Gan(Player("G", nn.Linear(4, 4)), Player("D", d_net), 4, 0, 10, machine)
    gan.begin_step(0)
    return gan


def draw(seed=0):
    return torch.Generator().manual_seed(seed)


def pictures(*shape, seed=5):
    return torch.rand(shape, generator=draw(seed)) * 2 - 1


def logits(values):
    """Pictures for which D answers these values."""
    return torch.tensor(values)[:, None, None, None].expand(-1, 3, 2, 2).clone()


# ---------------------------------------------------------------- what may happen to a picture


P1 = torch.ones(())


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", CHANGES)
def test_at_p_0_every_picture_is_left_exactly_alone(name, channels):
    images = pictures(8, channels, 16, 16)
    assert torch.equal(CHANGES[name](images, torch.zeros(()), draw()), images)


def test_at_p_0_nothing_is_computed(gan):
    trick, images = started(ADA(), gan), pictures(8, 3, 16, 16)
    assert trick.d_input(images, gan) is images
    trick.p = trick.p + 0.5
    assert not torch.equal(trick.d_input(images, gan), images)


@pytest.mark.parametrize("name", CHANGES)
def test_p_is_the_share_of_pictures_that_are_changed(name):
    images = pictures(4000, 3, 8, 8)
    result = CHANGES[name](images, torch.tensor(0.3), draw())
    share = (result != images).flatten(1).any(dim=1).float().mean().item()
    expected = {
        "flip": 0.3 / 2,
        "rotate": 0.3 * 3 / 4,
        "translate": 0.3 * (1 - (1 / 2) ** 2),  # 8 px: half of the moves round to none
        "scale": 0.3,
        "color": 1 - (1 - 0.3) ** 4 * (1 - 0.3 / 2),
    }
    assert share == pytest.approx(expected[name], abs=0.02)


def test_flips_and_turns_are_those_of_numpy():
    images = pictures(4000, 1, 4, 4)
    flipped = CHANGES["flip"](images, P1, draw())
    mirrored = (flipped == images.flip(3)).flatten(1).all(dim=1)
    assert torch.equal(flipped[~mirrored], images[~mirrored])
    assert mirrored.float().mean().item() == pytest.approx(0.5, abs=0.03)
    turned, counts = CHANGES["rotate"](images, P1, draw()).numpy(), np.zeros(4)
    for before, after in zip(images.numpy(), turned, strict=True):
        fits = [np.array_equal(after, np.rot90(before, k, axes=(1, 2))) for k in range(4)]
        assert sum(fits) == 1
        counts += fits
    assert counts / 4000 == pytest.approx([1 / 4] * 4, abs=0.03)


def test_translations_mirror_what_enters():
    images = pictures(300, 1, 16, 24)
    moved, seen = CHANGES["translate"](images, P1, draw()).numpy(), set()
    for before, after in zip(images[:, 0].numpy(), moved[:, 0], strict=True):
        wide = np.pad(before, 4, mode="reflect")
        fits = [
            (dy, dx)
            for dy, dx in itertools.product(range(-4, 5), repeat=2)
            if np.array_equal(after, wide[4 - dy : 20 - dy, 4 - dx : 28 - dx])
        ]
        assert len(fits) == 1
        seen |= set(fits)
    assert {dy for dy, _ in seen} == set(range(-2, 3))  # an eighth of 16
    assert {dx for _, dx in seen} == set(range(-3, 4))  # an eighth of 24


def test_enlarging_is_linear_interpolation_around_the_middle():
    image = pictures(1, 1, 8, 8)
    for factor in (0.5, 0.9, 1.7):
        result = _resample(image, torch.full((1, 1, 1, 1), factor), 0.0, 0.0)[0, 0].numpy()
        wide = np.pad(image[0, 0].double().numpy(), 7, mode="reflect")
        source = (np.arange(8) - 3.5) / factor + 3.5 + 7
        rows = np.stack([np.interp(source, np.arange(22), column) for column in wide.T], axis=1)
        expected = np.stack([np.interp(source, np.arange(22), row) for row in rows])
        assert np.allclose(result, expected, atol=1e-5)


def test_enlarging_has_the_published_spread():
    ramp = torch.linspace(-1, 1, 16).expand(4000, 1, 16, 16)
    result = CHANGES["scale"](ramp, P1, draw())
    slope = (result[:, 0, 8, 8] - result[:, 0, 8, 7]) / (2 / 15)
    factors = -slope.log2()
    assert factors.mean().item() == pytest.approx(0, abs=0.01)
    assert factors.std().item() == pytest.approx(0.2, rel=0.05)


def test_hue_turns_around_grey():
    images, one = pictures(2, 3, 4, 4), torch.eye(3)
    grey = torch.full((3, 3), 1 / 3)

    def turned(by):
        return torch.einsum("ij,njhw->nihw", _hue(torch.tensor(by), one, grey), images)

    red, green, blue = images.unbind(dim=1)
    third = torch.stack([blue, red, green], dim=1)  # 120 degrees: R to G to B
    assert torch.allclose(turned(2 / 3), third, atol=1e-6)
    half = 2 * images.mean(dim=1, keepdim=True) - images
    assert torch.allclose(turned(1.0), half, atol=1e-6)


def test_colours_have_the_published_spreads():
    """Two pixels, one grey: what happened to a picture can be read off them."""
    images = torch.tensor([[0.5, 0.2], [0.5, -0.1], [0.5, -0.1]])[None, :, None].expand(
        8000, -1, -1, -1
    )
    result = CHANGES["color"](images, P1, draw())[:, :, 0]
    grey, tinted = result[..., 0], result[..., 1]
    assert torch.allclose(grey.std(dim=1), torch.zeros(8000), atol=1e-5)  # grey stays grey
    # grey: +-(0.5 + b) c, tinted pixel's mean 0: +-b c; so their difference is +-0.5 c
    c = (grey.mean(dim=1) - tinted.mean(dim=1)) / 0.5
    assert (c < 0).float().mean().item() == pytest.approx(0.5, abs=0.02)  # luma flip
    assert c.abs().log2().std().item() == pytest.approx(0.5, rel=0.05)  # contrast
    brightness = tinted.mean(dim=1) / c
    assert brightness.std().item() == pytest.approx(0.2, rel=0.05)
    tint = tinted - tinted.mean(dim=1, keepdim=True)
    length = tint.norm(dim=1) / c.abs() / np.hypot(0.2, np.hypot(0.1, 0.1))
    assert length.log2().std().item() == pytest.approx(1, rel=0.05)  # saturation
    plane = torch.tensor([[2.0, 0.0], [-1.0, 3**0.5], [-1.0, -(3**0.5)]])  # all that is not grey
    along, across = (tint @ plane).unbind(dim=1)
    angle = torch.atan2(across, along) / math.pi  # of the hue, in half turns
    assert np.histogram(angle, 4, (-1, 1))[0] / 8000 == pytest.approx([1 / 4] * 4, abs=0.02)


@pytest.mark.parametrize("name", CHANGES)
def test_changes_can_be_differentiated_twice(name):
    images = pictures(2, 3, 3, 3).double().requires_grad_()

    def change(x):
        return CHANGES[name](x, P1.double(), draw(3))

    assert torch.autograd.gradcheck(change, images)
    assert torch.autograd.gradgradcheck(lambda x: change(x) ** 2, images)


@pytest.mark.parametrize("size", [16, 64, 256])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_and_number_of_channels_will_do(gan, channels, size):
    images = pictures(2, channels, size, size).contiguous(memory_format=torch.channels_last)
    images.requires_grad_()
    ada = ADA()
    ada.p = P1
    for trick in (ada, Blur()):
        result = trick.d_input(images, gan)
        assert result.shape == images.shape
        (gradient,) = torch.autograd.grad(result.square().sum(), images)
        assert gradient.isfinite().all()
        assert gradient.abs().sum() > 0


# ---------------------------------------------------------------- ada's controller


def controlled(gan, trick, reals, fakes=(3.0,) * 8):
    """One step: D judges the reals, then fakes, which must not count."""
    judge(gan, gan.D, [trick], logits(reals), is_real=True)
    judge(gan, gan.D, [trick], logits(fakes), is_real=False)
    judge(gan, gan.G, [trick], logits(fakes), is_real=True)  # as a loss that pairs does
    trick.after_update(gan, gan.D)
    trick.after_update(gan, gan.G)
    gan.begin_step(gan.step + 1)
    return trick.p.item()


def started(trick, gan):
    trick.start(gan)
    return trick


def test_p_rises_every_fourth_step_while_d_is_too_sure(gan):
    trick = started(ADA(kimg=0.5), gan)
    sure = [1.0] * 7 + [-1.0]  # r_t = 6 / 8
    ps = [controlled(gan, trick, sure) for _ in range(9)]
    step = 4 * 8 / 500  # 500 pictures from 0 to 1
    assert ps == pytest.approx([0] * 3 + [step] * 4 + [2 * step] * 2)
    assert text_of(trick.activity()) == "p 0.128, r_t 0.75"
    assert trick.activity() is None


def test_p_falls_where_d_is_unsure_and_stays_on_target(gan):
    trick = started(ADA(target=0.5, every=1, kimg=0.1), gan)
    trick.p = torch.tensor(0.5)
    assert controlled(gan, trick, [2.0, 2.0, 2.0, -1.0]) == 0.5  # r_t = 2 / 4
    assert controlled(gan, trick, [2.0, 2.0, -1.0, -1.0]) == pytest.approx(0.5 - 4 / 100)
    assert controlled(gan, trick, [2.0, 2.0, 2.0, 2.0]) == pytest.approx(0.5)


def test_p_stays_between_0_and_1(gan):
    trick = started(ADA(every=1, kimg=0.01), gan)
    assert controlled(gan, trick, [-1.0] * 8) == 0
    assert [controlled(gan, trick, [1.0] * 8) for _ in range(3)] == pytest.approx([0.8, 1, 1])
    assert controlled(gan, trick, [-1.0] * 8) == pytest.approx(0.2)


def test_p_stays_where_it_is_if_d_judged_nothing(gan):
    trick = started(ADA(every=1), gan)
    trick.after_update(gan, gan.G)
    assert trick.p == 0
    assert trick.activity() is None


def test_r_t_is_the_mean_of_all_batches_since_p_last_moved(gan):
    trick = started(ADA(every=2, kimg=0.1), gan)
    controlled(gan, trick, [1.0] * 4)
    other, its_gan = ADA(every=2, kimg=0.1), a_gan()
    started(other, its_gan).load_state_dict(trick.state_dict())
    for one, its in ((trick, gan), (other, its_gan)):
        its.begin_step(1)
        assert controlled(its, one, [1.0, 1.0, 1.0, -1.0]) == pytest.approx(8 / 100)
        assert text_of(one.activity()) == "p 0.080, r_t 0.75"


def test_ada_hears_the_reals_of_a_real_step(trainer_of):
    trainer = trainer_of("ada:policy=flip,every=1,target=0.0", "r1", d_steps=2)
    reals = [trainer.batches[index] for index in range(4)]
    signs = []

    def spy(net, inputs, answers):
        if any(torch.equal(inputs[0], real) for real in reals) and not inputs[0].requires_grad:
            signs.append(answers.detach().sign())

    trainer.gan.D.net.register_forward_hook(spy)
    trainer.step(0)
    assert len(signs) == 2
    assert trainer.tricks[0].r_t.item() == pytest.approx(torch.cat(signs).mean().item())


def test_listening_costs_no_forward_pass_and_leaves_batch_norm_alone(trainer_of):
    calls, states = [], []
    for tricks in (("ada",), ()):
        trainer = trainer_of(*tricks)
        trainer.gan.D.net.register_forward_hook(lambda *_: calls.append(1))
        for step in range(3):  # p moves after the fourth
            trainer.step(step)
        states.append({**trainer.gan.D.net.state_dict(), "calls": torch.tensor(len(calls))})
        calls.clear()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[1])


def test_ada_and_diffaugment_are_not_for_one_run(registry, tiny):
    with pytest.raises(GankitError, match="'ada' .*'diffaugment'"):
        compose(registry, **tiny(tricks=("diffaugment", "ada")))
