"""Tricks on what D is shown and asked, and on what G learns from: each against its formula."""

import itertools
import json
import math
import signal

import numpy as np
import pytest
import torch
from gankit_tricks.blur import Blur
from gankit_tricks.diffaugment import DiffAugment
from gankit_tricks.feature_matching import FeatureMatching
from gankit_tricks.historical_averaging import HistoricalAveraging
from gankit_tricks.lecam import LeCam
from gankit_tricks.noisy_labels import NoisyLabels
from gankit_tricks.replay import Replay
from gankit_tricks.smooth_labels import SmoothLabels
from gankit_tricks.top_k import TopK
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from gankit import Targets, compose, train
from gankit.cli.run.from_options import resumed
from gankit.core.device import Machine
from gankit.core.errors import RunStopped
from gankit.core.gan import Gan, Player
from gankit.core.reported import text_of
from gankit.core.step import judge
from gankit.training.checkpoints import checkpoint
from gankit.training.trial.trick_hooks import compute_penalty

AT_WORK = (  # every trick of this file, with options that make it act within a few steps
    "smooth-labels:fake=0.1,until=0.8",
    "noisy-labels",
    "blur:sigma=2.0,until=0.7",
    "ada:target=-1.0,kimg=0.1,every=3",
    "replay:size=10",
    "feature-matching:weight=0.1",
    "historical-averaging",
    "lecam:after=2",
    "top-k",
)


class FirstNumber(nn.Module):
    """A D whose answer is a picture's first number, times a weight of 1."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, images):
        return self.weight * images[:, 0, 0, 0]


@pytest.fixture
def gan():
    """A Gan by hand, at step 0 of 10, with a D that is easily calculated."""
    return a_gan(FirstNumber())


def a_gan(d_net):
    machine = Machine(torch.device("cpu"), "32")
    gan = Gan(Player("G", nn.Linear(4, 4)), Player("D", d_net), 4, 0, 10, machine)
    gan.begin_step(0)
    return gan


def draw(seed=0):
    return torch.Generator().manual_seed(seed)


def pictures(*shape, seed=5):
    return torch.rand(shape, generator=draw(seed)) * 2 - 1


def logits(values):
    """Pictures for which FirstNumber answers these values."""
    return torch.tensor(values)[:, None, None, None].expand(-1, 3, 2, 2).clone()


def started(trick, gan):
    trick.start(gan)
    return trick


# ---------------------------------------------------------------- targets


def plain(count=4):
    return Targets(torch.ones(count), torch.zeros(count))


def test_smoothing_that_never_anneals_is_what_it_was(gan):
    mixed = Targets(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]))
    for step in (0, 9):
        gan.begin_step(step)
        real, fake = SmoothLabels(real=0.85, fake=0.15).targets(mixed, gan)
        assert torch.equal(real, 0.15 + mixed.real * (0.85 - 0.15))
        assert torch.equal(fake, 0.15 + mixed.fake * (0.85 - 0.15))


def test_smoothing_anneals_to_hard_targets(gan):
    trick = SmoothLabels(real=0.9, fake=0.2, until=0.5)
    expected = {0: (0.9, 0.2), 1: (0.92, 0.16), 4: (0.98, 0.04), 5: (1, 0), 9: (1, 0)}
    for step, (real, fake) in expected.items():
        gan.begin_step(step)
        got = trick.targets(plain(), gan)
        assert got.real.tolist() == pytest.approx([real] * 4)
        assert got.fake.tolist() == pytest.approx([fake] * 4)
        assert text_of(trick.activity()) == (
            f"targets {real:g} real, {fake:g} fake" if step < 5 else None
        )
    assert torch.equal(got.real, plain().real)
    assert trick.activity() is None


def test_label_noise_is_that_of_the_example_turned_round(gan):
    trick = NoisyLabels()
    real, fake = trick.targets(plain(20_000), gan)
    for noise in (1 - real, 0 - fake):  # the example: label + 0.05 U(0, 1), where real is 0
        assert noise.min() >= 0
        assert noise.max() <= 0.05
        assert noise.mean().item() == pytest.approx(0.025, abs=0.0005)
        assert noise.std().item() == pytest.approx(0.05 / math.sqrt(12), rel=0.02)
    assert not torch.allclose(1 - real, -fake, atol=1e-3)  # a draw of its own for each
    assert text_of(trick.activity()) == "subtracted up to 0.05 from all targets"
    assert trick.activity() is None


def test_label_noise_can_be_on_one_side(gan):
    real, fake = NoisyLabels(0.2, which="real").targets(plain(), gan)
    assert torch.equal(fake, plain().fake)
    assert (real < 1).all()
    real, fake = NoisyLabels(0.2, which="fake").targets(plain(), gan)
    assert torch.equal(real, plain().real)
    assert (fake < 0).all()


# ---------------------------------------------------------------- blur


def blurred(image, sigma):
    """Each pixel: a mean of all pixels (H, W), weighted by a Gaussian of the distance."""
    height, width = image.shape
    y, x = np.mgrid[:height, :width]
    result = np.zeros_like(image)
    for row, column in itertools.product(range(height), range(width)):
        weights = np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * sigma**2))
        result[row, column] = (weights * image).sum() / weights.sum()
    return result


@pytest.mark.parametrize("sigma", [0.5, 2.0, 10.0])
def test_blur_is_a_gaussian(gan, sigma):
    images = pictures(2, 3, 16, 12)
    result = Blur(sigma).d_input(images, gan).numpy()
    for picture, channel in itertools.product(range(2), range(3)):
        expected = blurred(images[picture, channel].double().numpy(), sigma)
        assert np.allclose(result[picture, channel], expected, atol=1e-5)


def test_blur_keeps_grey_grey_up_to_the_border_and_fades(gan):
    trick, grey = Blur(sigma=4.0, until=0.5), torch.full((1, 1, 16, 16), 0.3)
    assert torch.allclose(trick.d_input(grey, gan), grey)
    assert text_of(trick.activity()) == "sigma 4.00 px"
    gan.step = 4
    images = pictures(1, 1, 16, 16)
    now = trick.d_input(images, gan)
    assert np.allclose(now[0, 0].numpy(), blurred(images[0, 0].double().numpy(), 0.8), atol=1e-5)
    assert text_of(trick.activity()) == "sigma 0.80 px"
    gan.step = 5
    assert trick.d_input(images, gan) is images
    assert trick.activity() is None


# ---------------------------------------------------------------- diffaugment


def test_cutout_spares_no_border(gan):
    cut = DiffAugment("cutout").d_input(torch.ones(4000, 1, 16, 16), gan)[:, 0] == 0
    rows, columns = cut.any(dim=2).float().mean(dim=0), cut.any(dim=1).float().mean(dim=0)
    for gone in (rows, columns):  # 17 centres; 5 of them reach the outermost pixels
        assert gone[[0, -1]].tolist() == pytest.approx([5 / 17] * 2, abs=0.03)
        assert gone[8].item() == pytest.approx(8 / 17, abs=0.03)


# ---------------------------------------------------------------- replay


def fakes_of(step, count=8):
    """Pictures that all hold the number of their step; in the buffer, it is to be found again."""
    return torch.full((count, 3, 4, 4), step / 127.5 - 1)


def steps_in(images):
    return ((images + 1) * 127.5).round().int()[:, 0, 0, 0].tolist()


def test_half_of_the_fakes_are_old_ones(gan):
    trick, ages = Replay(size=20), []
    for step in range(40):
        gan.begin_step(step)
        given = fakes_of(step)
        shown = trick.fakes(given, gan)
        assert torch.equal(given, fakes_of(step))
        if step == 0:
            assert torch.equal(shown, given)  # there is nothing old yet
            assert trick.activity() is None
        else:
            old, new = steps_in(shown[:4]), shown[4:]
            assert torch.equal(new, given[4:])
            assert max(old) < step
            ages += [step - number for number in old]
            assert "50 %" in text_of(trick.activity())
        assert len(trick.old) == min(4 * (step + 1), 20)
    # once it is full, a fifth is replaced in each step: the age is 1, 2, ... with p = 1/5
    assert np.mean(ages[40:]) == pytest.approx(5, abs=1)
    assert max(ages) > 10


def test_the_buffer_holds_what_was_shown_to_8_bits(gan):
    trick, images = Replay(size=4), pictures(8, 3, 4, 4)
    trick.fakes(images, gan)
    gan.begin_step(1)
    old = trick.fakes(torch.zeros(8, 3, 4, 4), gan)[:4]
    assert trick.old.dtype == torch.uint8
    assert sorted(old.mean(dim=(1, 2, 3)).tolist()) == pytest.approx(
        sorted(images[:4].mean(dim=(1, 2, 3)).tolist()), abs=1 / 127.5
    )
    difference = (old[:, None] - images[:4]).abs().amax(dim=(2, 3, 4)).amin(dim=1)
    assert difference.max() <= 0.5 / 127.5 + 1e-6


def test_a_buffer_smaller_than_half_a_batch_and_other_shares(gan):
    small = Replay(size=3)
    for step in range(4):
        gan.begin_step(step)
        shown = steps_in(small.fakes(fakes_of(step), gan))
        assert shown.count(step) == (8 if step == 0 else 5)
        assert len(small.old) == 3
    assert "28 %" in text_of(small.activity())  # 9 of 32
    every = Replay(share=1.0)
    every.fakes(fakes_of(0), gan)
    gan.begin_step(1)
    assert steps_in(every.fakes(fakes_of(1), gan)) == [0] * 8


def test_a_buffer_goes_on_where_it_was(gan):
    trick, other = Replay(size=10), Replay(size=10)
    gan.sampler = nn.Sequential(nn.Linear(4, 48), nn.Unflatten(1, (3, 4, 4)))
    for step in range(6):
        gan.begin_step(step)
        trick.fakes(fakes_of(step), gan)
    other.start(gan)
    other.load_state_dict(trick.state_dict())
    shown = []
    for each in (trick, other):
        gan.begin_step(6)
        shown.append(each.fakes(fakes_of(6), gan))
    assert torch.equal(*shown)
    assert torch.equal(trick.old, other.old)


# ---------------------------------------------------------------- feature matching


def two_layers(seed=1):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 5, bias=False), nn.Linear(5, 1), nn.Flatten(0))


@pytest.mark.parametrize("normalised", [False, True])
def test_features_are_what_the_last_layer_is_given(normalised):
    net = two_layers()
    if normalised:
        spectral_norm(net[2])  # moves the weight elsewhere
    gan = a_gan(net)
    trick = started(FeatureMatching(weight=0.5), gan)
    real, fake = pictures(6, 3, 2, 2), pictures(4, 3, 2, 2, seed=6).requires_grad_()
    W = net[1].weight.detach()
    apart = W @ (fake.detach().flatten(1).mean(dim=0) - real.flatten(1).mean(dim=0))
    penalty = compute_penalty(trick, gan, gan.G, real, fake)
    assert penalty.item() == pytest.approx(0.5 * apart.square().sum().item(), rel=1e-5)
    (gradient,) = torch.autograd.grad(penalty, fake)
    expected = 0.5 * 2 * (W.T @ apart) / 4  # of each of the four fakes
    assert torch.allclose(gradient.flatten(1), expected.expand(4, -1), atol=1e-6)
    assert text_of(trick.activity()) == f"squared distance {apart.square().sum().item():.3g}"
    assert trick.activity() is None
    assert trick.penalty(gan, gan.D, real, fake) is None
    assert trick.fake_mean is None  # nothing keeps a graph alive


def test_feature_matching_costs_one_pass_of_d(trainer_of):
    passes = []
    for tricks in ((), ("feature-matching",)):
        trainer = trainer_of(*tricks)
        trainer.gan.D.net.register_forward_hook(lambda *_: passes.append(1))
        trainer.step(0)
        passes.append(0)
    assert passes == [1, 1, 1, 0, 1, 1, 1, 1, 0]


def test_the_last_layer_is_the_last_to_be_called():
    class Backwards(nn.Module):
        def __init__(self):
            super().__init__()
            self.last, self.first = nn.Linear(5, 1), nn.Linear(12, 5)

        def forward(self, x):
            return self.last(self.first(x.flatten(1)).relu()).flatten()

    gan = a_gan(Backwards())
    trick, real, fake = (
        started(FeatureMatching(), gan),
        pictures(6, 3, 2, 2),
        pictures(6, 3, 2, 2) / 2,
    )
    mean = [gan.D.net.first(x.flatten(1)).relu().mean(dim=0) for x in (real, fake)]
    expected = (mean[0] - mean[1]).square().sum()
    penalty = compute_penalty(trick, gan, gan.G, real, fake)
    assert penalty.item() == pytest.approx(expected.item(), rel=1e-5)


# ---------------------------------------------------------------- historical averaging


def test_historical_averaging_is_the_distance_from_the_mean_so_far(gan):
    trick = started(HistoricalAveraging(weight=0.3), gan)
    thetas = {"G": [[p.detach().clone() for p in gan.G.net.parameters()]], "D": []}
    assert trick.penalty(gan, gan.G, None, None).item() == 0
    for step in range(5):
        with torch.no_grad():
            for parameter in gan.G.net.parameters():
                parameter.add_(torch.randn(parameter.shape, generator=draw(step)))
        trick.after_update(gan, gan.G)
        thetas["G"].append([p.detach().clone() for p in gan.G.net.parameters()])
    means = [torch.stack(past).mean(dim=0) for past in zip(*thetas["G"], strict=True)]
    apart = [now - mean for now, mean in zip(thetas["G"][-1], means, strict=True)]
    distance = sum(one.square().sum() for one in apart)
    penalty = trick.penalty(gan, gan.G, None, None)
    assert penalty.item() == pytest.approx(0.3 * distance.item(), rel=1e-5)
    for gradient, one in zip(
        torch.autograd.grad(penalty, list(gan.G.net.parameters())), apart, strict=True
    ):
        assert torch.allclose(gradient, 0.3 * 2 * one, atol=1e-6)
    assert trick.penalty(gan, gan.D, None, None).item() == 0  # D never moved
    assert (
        text_of(trick.activity())
        == f"G is {distance.item() ** 0.5:.3g} from its mean, D is 0 from its mean"
    )
    assert trick.activity() is None
    other = started(HistoricalAveraging(weight=0.3), gan)
    assert other.penalty(gan, gan.G, None, None).item() == 0
    other.load_state_dict(trick.state_dict())
    for each in (trick, other):
        each.after_update(gan, gan.G)
    assert torch.equal(*(each.penalty(gan, gan.G, None, None) for each in (trick, other)))


# ---------------------------------------------------------------- lecam


def test_lecam_holds_each_side_near_the_other_sides_average(gan):
    trick = LeCam(weight=0.3, decay=0.9)
    rounds = [([2.0, 1.0], [-1.0, -2.0]), ([0.5, 3.0], [-0.5, 1.0]), ([1.0, 1.5], [0.0, -4.0])]
    a_real = a_fake = None
    for real, fake in rounds:
        a_real = np.mean(real) if a_real is None else 0.9 * a_real + 0.1 * np.mean(real)
        a_fake = np.mean(fake) if a_fake is None else 0.9 * a_fake + 0.1 * np.mean(fake)
        expected = np.mean((np.array(real) - a_fake) ** 2)
        expected += np.mean((np.array(fake) - a_real) ** 2)
        penalty = trick.penalty(gan, gan.D, logits(real), logits(fake))
        assert penalty.item() == pytest.approx(0.3 * expected, rel=1e-5)
        trick.after_update(gan, gan.D)
    (gradient,) = torch.autograd.grad(penalty, gan.D.net.weight)  # the averages are constants
    slope = np.mean(2 * (np.array(real) - a_fake) * real)
    slope += np.mean(2 * (np.array(fake) - a_real) * fake)
    assert gradient.item() == pytest.approx(0.3 * slope, rel=1e-5)
    assert text_of(trick.activity()) == f"D's averages: real {a_real:.2f}, fake {a_fake:.2f}"
    assert trick.activity() is None
    assert trick.penalty(gan, gan.G, logits(real), logits(fake)) is None
    other = LeCam(weight=0.3, decay=0.9)
    other.load_state_dict(trick.state_dict())
    both = [each.penalty(gan, gan.D, logits([1.0]), logits([2.0])) for each in (trick, other)]
    assert torch.equal(*both)


def test_lecams_averages_move_once_for_all_micro_batches(gan):
    whole, parts = LeCam(decay=0.5), LeCam(decay=0.5)
    for real, fake in (([1.0, 3.0], [0.0, -1.0]), ([2.0, 5.0], [-3.0, 1.0])):
        whole.penalty(gan, gan.D, logits(real), logits(fake))
        for one_real, one_fake in zip(real, fake, strict=True):
            parts.penalty(gan, gan.D, logits([one_real]), logits([one_fake]))
        for trick in (whole, parts):
            trick.after_update(gan, gan.D)
            trick.after_update(gan, gan.G)
    assert parts.averages.tolist() == pytest.approx(whole.averages.tolist())
    assert whole.averages.tolist() == [2.75, -0.75]


def test_lecam_may_wait_while_it_averages(gan):
    trick = LeCam(decay=0.5, after=2)
    for step in range(3):
        gan.begin_step(step)
        penalty = trick.penalty(gan, gan.D, logits([float(step)]), logits([0.0]))
        assert (penalty is None) == (step < 2)
        trick.after_update(gan, gan.D)
    assert trick.averages[0].item() == pytest.approx(0.25 * 0 + 0.25 * 1 + 0.5 * 2)


# ---------------------------------------------------------------- top-k


@pytest.mark.parametrize(("step", "k"), [(0, 8), (5, 5), (10, 4)])  # 8 * 0.5^(step / 10)
def test_gradients_pass_for_the_k_best_fakes_only(gan, step, k):
    trick = started(TopK(), gan)
    gan.begin_step(step)
    values = [0.3, -2.0, 1.5, 0.1, 4.0, -0.7, 2.2, -3.0]
    images = logits(values).requires_grad_()
    with gan.D.frozen():
        answers = judge(gan, gan.G, [trick], images, is_real=False)
        (gradient,) = torch.autograd.grad(answers.mean(), images)
    assert answers.tolist() == pytest.approx(values)  # the log shows what D answers
    best = sorted(values, reverse=True)[:k]
    expected = [1 / k if value in best else 0 for value in values]  # N / k of 1 / N
    assert gradient[:, 0, 0, 0].tolist() == pytest.approx(expected)


def test_k_falls_to_its_floor_and_is_told(gan):
    trick = started(TopK(floor=0.25, until=0.5), gan)
    told = []
    for step in range(10):
        gan.begin_step(step)
        images = logits([float(i) for i in range(16)]).requires_grad_()
        judge(gan, gan.G, [trick], images, is_real=False)
        told.append(text_of(trick.activity()))
    ks = [int(16 * 0.25 ** min(1, step / 5)) for step in range(1, 10)]
    assert told == [None, *(f"G learnt from {k} of 16 fakes" for k in ks)]
    assert ks[-1] == ks[4] == 4


def test_top_k_lets_ds_own_step_alone(gan):
    trick = started(TopK(floor=0.25, until=0.1), gan)
    gan.begin_step(5)
    images = logits([1.0, 2.0, 3.0, 4.0])
    for is_real in (True, False):
        answers = judge(gan, gan.D, [trick], images, is_real=is_real)
        (gradient,) = torch.autograd.grad(answers.sum(), gan.D.net.weight)
        assert gradient.item() == 1 + 2 + 3 + 4
    judge(gan, gan.G, [trick], images, is_real=True)  # the reals of a loss that pairs
    assert trick.activity() is None


@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_gs_gradient_is_that_of_the_k_best_alone(trainer_of, precision):
    trainer = trainer_of("top-k:floor=0.5,until=0.1", precision=precision)
    gan = trainer.gan
    gan.begin_step(3)
    fakes = gan.generate(gan.latents(8))
    with gan.D.frozen():
        answers = judge(gan, gan.G, trainer.tricks, fakes, is_real=False)
        weights = list(gan.G.net.parameters())
        got = torch.autograd.grad(trainer.loss.g_loss(answers, None), weights, retain_graph=True)
        best = gan.judge(fakes)[answers.argsort(descending=True)[:4]]
        expected = torch.autograd.grad(trainer.loss.g_loss(best, None), weights)
    tolerance = 1e-6 if precision == "32" else 0.02
    for one, other in zip(got, expected, strict=True):
        assert (one - other).norm() <= tolerance + tolerance * other.norm()


# ---------------------------------------------------------------- all of them


@pytest.mark.parametrize(
    "how", [{}, {"precision": "bf16", "d_steps": 2, "channels": 1}], ids=["32", "bf16, grey"]
)
def test_resuming_with_all_of_them_is_exact(registry, tiny, tmp_path, how):
    def run(name):
        asked = {"length": "10 steps", "save_every": 5, "log_every": 1, **how}
        asked = tiny(tricks=(*AT_WORK, "r1:every=2"), **asked)
        return compose(registry, **asked, out=str(tmp_path / name))

    def end(folder):
        last = checkpoint.list_checkpoints(folder / "checkpoints")[0]
        return last.name, json.loads((last / "manifest.json").read_text())["sha256"]

    whole, stops = train(run("whole"), registry), iter([0, 0, 0, 0])
    with pytest.raises(RunStopped):
        train(run("parts"), registry, stop=lambda: next(stops, signal.SIGINT))
    train(resumed(tmp_path / "parts"), registry, resume=True)
    assert end(tmp_path / "parts") == end(whole)
    log = (whole / "log.csv").read_text()
    for words in ("targets 0.9", "sigma", "p 0.", "old ones", "squared distance", "D's averages"):
        assert words in log


def test_no_step_waits_for_the_device(trainer_of, monkeypatch):
    trainer = trainer_of(*AT_WORK)
    trainer.step(0)

    def waits(tensor, *_):
        raise AssertionError("a tensor was read in a step")

    for name in ("item", "tolist", "__bool__", "__float__", "__int__"):
        monkeypatch.setattr(torch.Tensor, name, waits)
    for step in range(1, 4):
        trainer.step(step)
    monkeypatch.undo()
    assert all(trick.activity() for trick in trainer.tricks)
