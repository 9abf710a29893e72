"""A part whose methods or constructor gankit cannot call: the message says what gankit calls."""

import pytest
import torch
from torch import nn

from gankit import GankitError, Loss, Metric, Trick, compose, testing, train
from gankit.runs.log import read_log
from gankit.testing import BrokenContract


class Right(Loss):
    def d_loss(self, real, fake, targets):
        return (1 - real).relu().mean() + (1 + fake).relu().mean()

    def g_loss(self, fake, real):
        return -fake.mean()


class NoReal(Right):
    def g_loss(self, fake):
        return -fake.mean()


class NeedsPairs(Right):
    def g_loss(self, fake, real):
        return (real - fake).mean()


class NoMean(Right):
    def d_loss(self, real, fake, targets):
        return fake - real


class Fails(Right):
    def d_loss(self, real, fake, targets):
        return real.maen()


class NoGan(Trick):
    def d_input(self, images):
        return images


class OneMore(Trick):
    def penalty(self, gan, player, real, fake, weight):
        return None


class NeedsSigma(Trick):
    def __init__(self, sigma):
        self.sigma = sigma


class TwoOfThree(Metric):
    def score(self, state, generated):
        return 0.0


class NoTraining(Metric):
    reads_training = True

    def compare(self, generated, reference):
        return generated, reference

    def score(self, state, generated, reference):
        return 0.0


class G(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(100, 3 * 16 * 16)

    def forward(self, z):
        return self.layer(z).tanh().unflatten(1, (3, 16, 16))


class D(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3 * 16 * 16, 1)

    def forward(self, images):
        return self.layer(images.flatten(1)).flatten()


class NeedsNz(G):
    def __init__(self, nz):
        super().__init__()


class Deep(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.ConvTranspose2d(100, 3, 16)

    def forward(self, z):
        return self.layer(z).tanh()


class WithLabels(G):
    def forward(self, z, labels):
        return super().forward(z)


class DWithLabels(D):
    def forward(self, images, labels):
        return super().forward(images)


PLACE = "test_contract.py, line "
BROKEN = {
    "g_loss without real": ({"loss": NoReal()}, ["g_loss(self, fake, real)", "g_loss(self, fake)"]),
    "g_loss with real but not pairs": ({"loss": NeedsPairs}, ["g_loss", "pairs = True"]),
    "d_loss of each picture": ({"loss": NoMean()}, ["d_loss", "(3,)", ".mean()"]),
    "d_loss that fails": ({"loss": Fails()}, ["AttributeError", PLACE, "'mean'"]),
    "d_input without gan": ({"tricks": [NoGan()]}, ["d_input(self, images, gan)"]),
    "one argument too many": (
        {"tricks": [OneMore]},
        ["penalty(self, gan, player, real, fake)", "weight"],
    ),
    "a trick that needs a value": ({"tricks": [NeedsSigma]}, ["'sigma'", "needs-sigma:sigma="]),
    "score of two": ({"metrics": [TwoOfThree()]}, ["score(self, state, generated, reference)"]),
    "compare without training": (
        {"metrics": [NoTraining]},
        ["compare(self, generated, reference, training)"],
    ),
    "a network that needs a value": (
        {"generator": NeedsNz},
        ["'nz'", "image_size", "channels", "latent_dim"],
    ),
    "G for z of four dimensions": (
        {"generator": Deep()},
        [PLACE, "z of shape (4, 100)", "(N, latent_dim)"],
    ),
    "G with labels": ({"generator": WithLabels}, ["'labels'", "forward(z)"]),
    "D with labels": ({"discriminator": DWithLabels}, ["'labels'", "forward(images)", "(4, 3, 16"]),
    "a pair in the wrong order": ({"model": (D(), G())}, ["swapped", "model=(G, D)"]),
    "classes in the wrong order": ({"generator": D, "discriminator": G}, ["model=(G, D)"]),
    "what is not a network": ({"generator": lambda: 5}, ["int", "torch.nn.Module"]),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_part_that_cannot_be_called_is_refused_before_the_folder_is_made(how, tiny, here):
    settings, facts = BROKEN[how]
    with pytest.raises(GankitError) as error:
        train(compose(**tiny(**settings)))
    assert error.value.exit_code == 2
    message = str(error.value)
    assert "\n" not in message
    assert "from Python" in message
    for fact in facts:
        assert fact in message
    for own_file in ("specs.py", "networks.py", "assemble.py"):
        assert own_file not in message
    assert not (here / "runs").exists()


# On the command line, a part is a class in a plugin, and a model has both networks.
ONLY_IN_PYTHON = (
    "a pair in the wrong order",
    "classes in the wrong order",
    "what is not a network",
)


@pytest.mark.parametrize("how", sorted(BROKEN.keys() - set(ONLY_IN_PYTHON)))
def test_the_command_line_says_the_same(how, gankit_run, plugin_file):
    settings, facts = BROKEN[how]
    ((setting, value),) = settings.items()
    kind = setting.removesuffix("s") if isinstance(value, list) else setting
    part = value[0] if isinstance(value, list) else value
    build = part.__name__ if isinstance(part, type) else type(part).__name__
    plural = "losses" if kind == "loss" else f"{kind}s"
    source = f"""
    import sys
    sys.path.append({str(__file__).rpartition("/")[0]!r})
    import test_contract

    @hookimpl
    def register_{plural}(register):
        spec = {kind.capitalize()}Spec
        register(spec(name="mine", summary="s", source="s", build=test_contract.{build}))
    """
    code, _, err = gankit_run(f"--{kind}", "mine", before=("-p", plugin_file(source)))
    assert code == 2
    assert err.count("\n") == 1
    assert f"{kind} 'mine'" in err
    for fact in facts:
        assert fact.replace("needs-sigma", "mine") in err


@pytest.mark.parametrize(
    ("kind", "part", "fact"),
    [
        ("loss", NoReal(), "g_loss(self, fake, real)"),
        ("loss", NeedsPairs(), "pairs = True"),
        ("trick", NoGan(), "d_input(self, images, gan)"),
        ("metric", TwoOfThree(), "score(self, state, generated, reference)"),
        ("generator", NeedsNz, "'nz'"),
    ],
)
def test_the_kit_says_the_same(kind, part, fact):
    with pytest.raises(BrokenContract) as error:
        testing.check(kind, part)
    assert fact in str(error.value)


def test_a_part_may_take_more_with_defaults_or_stars(tiny, here):
    class Free(Right):
        def g_loss(self, *logits, **options):
            return -logits[0].mean()

        def d_loss(self, r, f, t, scale=1.0):
            return super().d_loss(r, f, t)

    class Plain(Trick):
        @torch.no_grad()
        def after_update(self, *anything):
            pass

    assert train(compose(**tiny(loss=Free(), tricks=[Plain]))).exists()


def test_trying_a_loss_changes_neither_your_object_nor_the_run(tiny, here):
    class Counts(Right):
        calls = 0

        def g_loss(self, fake, real):
            self.calls += 1
            return -fake.mean() + 100 * self.calls

    loss = Counts()
    folders = [train(compose(**tiny(loss=given, log_every=1))) for given in (loss, Counts)]
    assert loss.calls == 0
    for folder in folders:
        g_losses = read_log(folder)["g_loss"]
        assert [round(value / 100) for value in g_losses] == [1, 2, 3, 4]


def test_a_misspelt_method_of_a_loss_is_an_error():
    with pytest.raises(TypeError, match=r"Mine\.scores.*gankit\.Loss.*'score'"):
        type("Mine", (Right,), {"scores": lambda self, logits: logits})


@pytest.mark.parametrize("base", [Loss, Metric, Trick])
def test_a_method_of_another_base_class_may_be_overridden(base):
    class Other:
        def report(self):
            return 1

    assert type("Mine", (base, Other), {"report": lambda self: 2})().report() == 2


def test_a_trick_for_targets_and_a_loss_without_them_have_two_cures(tiny, here):
    with pytest.raises(GankitError) as error:
        train(compose(**tiny(loss=Right, tricks=["smooth-labels"])))
    for fact in ("'right'", "'smooth-labels'", "with tricks", "reads_targets = True"):
        assert fact in str(error.value)
    with pytest.raises(GankitError) as error:
        train(compose(**tiny(loss="hinge", tricks=["smooth-labels"])))
    assert "reads_targets" not in str(error.value)  # you cannot change gankit's own
