"""The conformance kit: all bundled parts pass it, and each of its checks can fail."""

import itertools
import random
import tarfile

import numpy as np
import pytest
import torch
from gankit_losses.hinge import Hinge
from torch import nn
from torch.nn.functional import softplus

import gankit
from gankit import (
    DatasetSpec,
    DiscriminatorSpec,
    GankitError,
    GeneratorSpec,
    LossSpec,
    MetricSpec,
    Targets,
    Trick,
    TrickSpec,
    hookimpl,
    testing,
)
from gankit.core.parts.registry import load_registry
from gankit.testing import BrokenContract, harness

REGISTRY = load_registry()
TRICKS = {spec.name: spec for spec in REGISTRY.specs("trick")}
OFF = {  # each trick's options at strength zero, where it must change nothing
    "ada": "policy=+",
    "blur": "sigma=0",
    "diffaugment": "policy=+",
    "dragan": "weight=0",
    "dropout-d": "p=0",
    "feature-matching": "weight=0",
    "flip-labels": "p=0",
    "freeze-d": "layers=0",
    "gradient-clipping": "norm=0",
    "grow": "until=0",
    "historical-averaging": "weight=0",
    "lecam": "weight=0",
    "lr-decay": "begin=1.0",
    "minibatch-discrimination": "kernels=0",
    "minibatch-stddev": "group=1",
    "noisy-d": "sigma=0",
    "noisy-labels": "amount=0",
    "r1": "gamma=0",
    "r2": "gamma=0",
    "replay": "share=0",
    "smooth-labels": "real=1.0",
    "top-k": "floor=1.0",
    "ttur": "factor=1.0",
    "weight-clipping": "limit=0",
    "wgan-gp": "weight=0",
}
NEVER_OFF = {"ema", "spectral-norm"}  # ema does not change training; spectral-norm has no strength
GROWING = {"model": "grow64:base_channels=4"}  # for the trick grow; the pictures have 16 px
BESIDE_GROW = {"grow": "grow:start=8", "gradient-clipping": "gradient-clipping:norm=0.01"}
ABOUT = {"name": "mine", "summary": "s", "source": "s"}


def narrow(kind, name):
    """The part with the option for the least width, if it has one."""
    spec = REGISTRY.find(kind, name)
    specs = [spec]
    if kind == "model":
        networks = REGISTRY.networks(name)[1]
        specs = [REGISTRY.find(kind, network.name) for kind, network in networks.items()]
    options = {option: None for part in specs for option in part.options()}
    widths = [f"{option}=2" for option in options if option in ("base_channels", "width")]
    return ":".join([name, *widths[:1]])


# ---------------------------------------------------------------- bundled parts pass


def test_each_trick_is_in_one_of_the_lists():
    assert set(TRICKS) == set(OFF) | NEVER_OFF


@pytest.mark.parametrize("name", TRICKS)
def test_bundled_tricks(name):
    settings = GROWING if name == "grow" else {}
    text = BESIDE_GROW[name] if name == "grow" else name
    testing.check_trick(text, off=OFF.get(name, ""), beside=(), **settings)


@pytest.mark.parametrize("pair", list(itertools.combinations(TRICKS, 2)), ids="+".join)
def test_bundled_tricks_in_pairs(pair):
    excluded = any(a in TRICKS[b].builder().excludes for a, b in (pair, pair[::-1]))
    settings = GROWING if "grow" in pair else {}
    texts = [BESIDE_GROW.get(name, name) for name in pair] if "grow" in pair else pair
    try:
        testing.check_together(*texts, **settings)
    except BrokenContract as error:
        assert excluded, error  # noqa: PT017
        assert all(repr(name) in str(error) for name in pair)  # noqa: PT017
    else:
        assert not excluded


@pytest.mark.parametrize("name", [spec.name for spec in REGISTRY.specs("loss")])
def test_bundled_losses(name):
    testing.check_loss(name)


@pytest.mark.parametrize("name", [spec.name for spec in REGISTRY.specs("generator")])
def test_bundled_generators(name):
    testing.check_generator(narrow("generator", name))


@pytest.mark.parametrize("name", [spec.name for spec in REGISTRY.specs("discriminator")])
def test_bundled_discriminators(name):
    testing.check_discriminator(narrow("discriminator", name))


@pytest.mark.parametrize("name", [spec.name for spec in REGISTRY.specs("model")])
def test_bundled_models(name):
    testing.check_model(narrow("model", name))


@pytest.mark.parametrize("name", [spec.name for spec in REGISTRY.specs("dataset")])
def test_bundled_data_sets(name, pictures_folder):
    files = "data" in REGISTRY.find("dataset", name).parameters()
    if name == "shards":
        with tarfile.open(pictures_folder / "all.tar", "w") as tar:
            for path in sorted(pictures_folder.glob("*.[pj]*")):
                tar.add(path, path.name)
    if files:
        testing.check_dataset(name, data=pictures_folder)
    else:
        testing.check_dataset(f"{name}:count=50")


@pytest.mark.parametrize("name", [spec.name for spec in REGISTRY.specs("metric")])
def test_bundled_metrics(name):
    spec = REGISTRY.find("metric", name)
    testing.check_metric(f"{name}:features=pixels" if "features" in spec.options() else name)


def test_penalties_for_a_linear_d():
    """D is linear, so its gradient is the same at every picture."""

    def squared(slope, real, fake):
        return slope.square().sum()

    testing.check_penalty("r1:gamma=4", lambda *args: 2 * squared(*args))
    testing.check_penalty("r1:gamma=4,every=3", lambda *args: 6 * squared(*args))
    testing.check_penalty("r2:gamma=4", lambda *args: 2 * squared(*args))
    for name, weight in (("wgan-gp", 10), ("dragan", 10)):
        testing.check_penalty(name, lambda *args, w=weight: w * (squared(*args).sqrt() - 1) ** 2)
    with pytest.raises(BrokenContract, match=r"trick 'r1' .*\d; expected \d"):
        testing.check_penalty("r1:gamma=4", squared)
    with pytest.raises(BrokenContract, match="None; expected"):
        testing.check_penalty("r1", squared, player="G")


# ---------------------------------------------------------------- tricks that break a contract


def acting(**methods):
    """A trick with these methods and an activity."""
    return type("Mine", (Trick,), {"activity": lambda self: "acted", **methods})


def counted(self, images, gan):
    self.count = getattr(self, "count", 0) + 1
    return images * 0.9**self.count


class OwnGenerator(Trick):
    def __init__(self):
        self.draw = torch.Generator().manual_seed(0)

    def d_input(self, images, gan):
        return images + torch.randn(images.shape, generator=self.draw)

    def activity(self):
        return "noise"


class NeverOff(Trick):
    def __init__(self, p: float = 0.5):
        self.p = p

    def fakes(self, images, gan):
        return images * 0.5

    def activity(self):
        return "halved"


class TalksWhenOff(NeverOff):
    def fakes(self, images, gan):
        return images * (1 - self.p)


def seeds_from_the_clock(self, gan):
    gan.D.net.main[0].weight.data.mul_(float(np.random.RandomState().uniform(0.5, 1)))


def ruins_g(self, gan, player):
    if player is gan.G:
        next(player.net.parameters()).data.fill_(torch.inf)


def ruins_d(self, gan, player):
    if player is gan.D:
        next(player.net.parameters()).data.fill_(torch.nan)


def steep(self, images, gan):
    return images + (images - images.detach()).abs().sqrt()  # 0, with an infinite slope


def blinds(self, gan):
    gan.D.net.register_forward_pre_hook(lambda net, given: (given[0].detach(),))


class Turns(Trick):
    """Knows which images are real because D judges them first."""

    is_real = False

    def d_input(self, images, gan):
        self.is_real = not self.is_real
        return images * 0.5 if self.is_real else images

    def activity(self):
        return "darkened reals"


class TurnsFromTargets(Turns):
    """Starts anew in each micro-batch, so two calls in one step do not give it away."""

    def targets(self, targets, gan):
        self.is_real = True
        return targets

    def d_input(self, images, gan):
        result = images * 0.5 if self.is_real else images
        self.is_real = False
        return result


class KnowsItsFakes(Turns):
    """Compares images with the fakes that it saw."""

    last = None

    def fakes(self, images, gan):
        self.last = images.clone()
        return images

    def d_input(self, images, gan):
        if self.last is None or not torch.equal(images, self.last):
            return images
        return images * 0.5


class KnowsTheTensor(KnowsItsFakes):
    def fakes(self, images, gan):
        self.last = images
        return images

    def d_input(self, images, gan):
        return images * 0.5 if images is self.last else images


class ToldByLogits(Turns):
    """After the logits of reals, fakes come."""

    def d_input(self, images, gan):
        return images if self.is_real else images * 0.5

    def logits(self, logits, gan, player, is_real):
        self.is_real = is_real
        return logits


class CountsCalls(Trick):
    """Counts in `targets`, which is called for each micro-batch."""

    count = 0
    method = "targets"

    def targets(self, targets, gan):
        self.count += 1
        return Targets(targets.real * 0.9, targets.fake)

    def state_dict(self):
        return {"count": self.count, "pairs": [torch.tensor(2.0 * self.count)]}

    def load_state_dict(self, state):
        self.count = state["count"]

    def activity(self):
        return f"{self.count} calls"


class CountsBatches(CountsCalls):
    def begin_batch(self, gan, player):
        self.count += player is gan.D

    def targets(self, targets, gan):
        return Targets(targets.real * 0.9, targets.fake)


def steps_twice(self, gan, player):
    player.adam.step()


def own_optimizer(self, gan, player):
    torch.optim.SGD(player.net.parameters(), lr=0.1).step()


def penalty_of_noise(self, gan, player, real, fake):
    noisy = real + torch.randn_like(real)
    return gan.judge(noisy).square().mean() if player is gan.D else None


def penalty_in_place(self, gan, player, real, fake):
    return gan.judge(real.clamp_(-0.01, 0.01)).square().mean()


def logits_by_chance(self, logits, gan, player, is_real):
    return logits * (1 + 0.01 * random.random())


def targets_in_place(self, targets, gan):
    targets.real.mul_(0.9)
    return targets


def sets_targets(self, targets, gan):
    targets.real = targets.real * 0.9
    return targets


def slope_of_a_look(self, gan, player, real, fake):
    fake = fake.detach().requires_grad_()
    (slope,) = torch.autograd.grad(gan.look(fake).sum(), fake, create_graph=True)
    return slope.square().mean()


class KeepsLogits(Trick):
    """Uses logits of the step in a penalty; their graph is freed."""

    def logits(self, logits, gan, player, is_real):
        if is_real:
            self.kept = logits
        return logits

    def penalty(self, gan, player, real, fake):
        return self.kept.square().mean() if player is gan.D else None

    def activity(self):
        return "acted"


BROKEN_TRICKS = {  # a builder, and a fact that the message must contain
    "not a trick": (object, "gankit.Trick"),
    "nothing to do": (acting(), "wrap, start, begin_batch, reals, fakes"),
    "silent": (
        type("Mine", (Trick,), {"fakes": lambda self, images, gan: images}),
        "activity",
    ),
    "never acting": (
        acting(fakes=lambda self, images, gan: images, activity=lambda self: None),
        "None in all of 4 steps",
    ),
    "reals of a wrong shape": (
        acting(reals=lambda self, images, gan: images[:, :, :8]),
        "reals returns shape (8, 3, 8, 16)",
    ),
    "reals in place": (acting(reals=lambda self, images, gan: images.mul_(0.9)), "reals changes"),
    "reals by chance": (
        acting(reals=lambda self, images, gan: images + torch.randn_like(images)),
        "reals uses",
    ),
    "no effect": (
        acting(penalty=lambda self, gan, player, real, fake: None),
        "same weights as without it: see whether penalty",
    ),
    "a player's name": (
        acting(after_update=lambda self, gan, player: player == "D"),
        "player is gan.D",
    ),
    "past the other tricks": (
        acting(penalty=lambda self, gan, player, real, fake: gan.D.net(fake).mean()),
        "gan.judge(images)",
    ),
    "a look for a penalty": (
        acting(penalty=lambda self, gan, player, real, fake: gan.look(fake).mean()),
        "gan.judge",
    ),
    "the slope of a look": (acting(penalty=slope_of_a_look), "gan.judge"),
    "logits of the step": (KeepsLogits, "gan.judge"),
    "targets that are set": (acting(targets=sets_targets), "Targets(real, fake)"),
    "a wrong shape": (
        acting(d_input=lambda self, images, gan: images[:, :, :8]),
        "(8, 3, 8, 16)",
    ),
    "a wrong number": (
        acting(fakes=lambda self, images, gan: images[1:]),
        "(7, 3, 16, 16)",
    ),
    "detached": (
        acting(d_input=lambda self, images, gan: images.detach() * 0.9),
        "detach",
    ),
    "rounded": (
        acting(d_input=lambda self, images, gan: (images * 127.5).round() / 127.5),
        "round",
    ),
    "in place": (
        acting(fakes=lambda self, images, gan: images.clamp_(-0.001, 0.001)),
        "fakes changes",
    ),
    "torch's random state": (
        acting(d_input=lambda self, images, gan: images + torch.randn_like(images)),
        "d_input uses",
    ),
    "numpy's random state": (
        acting(targets=lambda self, t, gan: Targets(t.real * float(np.random.rand()), t.fake)),
        "targets uses",
    ),
    "Python's random state": (acting(logits=logits_by_chance), "logits uses"),
    "torch's random state in a penalty": (acting(penalty=penalty_of_noise), "penalty uses"),
    "reals and fakes by turns": (Turns, "called again in the same step"),
    "reals after targets": (TurnsFromTargets, "as reals and in another as fakes"),
    "the fakes by their values": (KnowsItsFakes, "as reals and in another as fakes"),
    "the fakes by identity": (KnowsTheTensor, "as reals and in another as fakes"),
    "fakes after logits of reals": (ToldByLogits, "as reals and in another as fakes"),
    "a second step": (acting(before_update=steps_twice), "before_update calls an optimiser"),
    "a step of its own": (acting(after_update=own_optimizer), "after_update calls an optimiser"),
    "targets in place": (acting(targets=targets_in_place), "targets changes"),
    "a penalty in place": (acting(penalty=penalty_in_place), "penalty changes"),
    "micro-batches counted as batches": (CountsCalls, "state_dict['count'] is 2"),
    "a generator of its own": (OwnGenerator, "gan.draw"),
    "the clock": (acting(wrap=seeds_from_the_clock), "repeated run"),
    "state left behind": (acting(fakes=counted), "resumed run"),
    "ruined weights": (acting(after_update=ruins_g), "weights of G"),
    "a ruined loss": (acting(after_update=ruins_d), "nan"),
    "an infinite slope": (acting(d_input=steep), "d_input has"),
    "a blind G": (acting(wrap=blinds), "weights of G"),
    "a refusal": (
        acting(wrap=lambda self, gan: gan.none if gan is None else bad("D has no batch norm")),
        "D has no batch norm",
    ),
}


def bad(why):
    raise ValueError(why)


def broken(check, spec, **options):
    """The message of the check of a broken part, after the names of the part and its plugin."""
    with pytest.raises(BrokenContract) as error:
        check(spec, **options)
    message = str(error.value)
    assert "\n" not in message
    head = f"{spec.kind} 'mine' "
    assert message.startswith(head), message
    return message.removeprefix(head).partition("': ")[2]


@pytest.mark.parametrize("how", BROKEN_TRICKS)
def test_a_broken_trick(how):
    build, fact = BROKEN_TRICKS[how]
    spec = TrickSpec(**ABOUT, build=build)
    assert fact in broken(testing.check_trick, spec, beside=())


def test_a_trick_that_counts_once_for_a_batch_passes():
    testing.check_trick(TrickSpec(**ABOUT, build=CountsBatches), beside=())


def test_layers_that_draw_random_numbers_are_not_the_tricks_fault():
    class Judges(Trick):
        def wrap(self, gan):
            drop = nn.Dropout(0.1)
            gan.D.net.register_forward_pre_hook(lambda net, given: (drop(given[0]),))

        def penalty(self, gan, player, real, fake):
            return 0.1 * gan.judge(real).square().mean() if player is gan.D else None

        def activity(self):
            return "judged"

    testing.check_trick(TrickSpec(**ABOUT, build=Judges), beside=())


def test_a_trick_that_cannot_be_switched_off():
    message = broken(testing.check_trick, TrickSpec(**ABOUT, build=NeverOff), off="p=0", beside=())
    assert "D main.0.weight with p=0" in message
    spec = TrickSpec(**ABOUT, build=TalksWhenOff)
    message = broken(testing.check_trick, spec, off="p=0", beside=())
    assert "'halved' with p=0" in message


def test_a_trick_that_works_with_one_trick_and_not_with_another():
    class NeedsSampler(Trick):
        def start(self, gan):
            if gan.sampler is not gan.G.net:
                raise ValueError("the sampler was replaced")
            gan.sampler = gan.D.net if gan.sampler is None else gan.sampler

        def fakes(self, images, gan):
            return images * 0.9

        def activity(self):
            return "acted"

    spec = TrickSpec(**ABOUT, build=NeedsSampler)
    testing.check_trick(spec, beside=["smooth-labels"])
    assert broken(testing.check_trick, spec, beside=["ema"]) == "the sampler was replaced"


def test_a_trick_that_does_not_act_with_another():
    with pytest.raises(BrokenContract, match="r1:gamma=0.*\\br1 "):
        testing.check_together("ema", "r1:gamma=0")


def test_the_first_of_several_tricks_may_be_a_spec():
    class Darker(Trick):
        def fakes(self, images, gan):
            return images * 0.9

        def activity(self):
            return "darker"

    testing.check_together(TrickSpec(**ABOUT, build=Darker), "ema")
    with pytest.raises(BrokenContract, match="ttur:factor=1.*\\bttur "):
        testing.check_together(TrickSpec(**ABOUT, build=Darker), "ttur:factor=1")


def test_a_trick_that_needs_another_loss_is_given_it():
    class ForHinge(Trick):
        def wrap(self, gan):
            self.gan = gan

        def fakes(self, images, gan):
            return images * 0.9

        def activity(self):
            return "acted"

    testing.check_trick(TrickSpec(**ABOUT, build=ForHinge), beside=(), loss="hinge", lr_g=1e-3)
    with pytest.raises(BrokenContract, match="'los'.*'loss'"):
        testing.check_trick("ema", beside=(), los="hinge")


# ---------------------------------------------------------------- networks that break a contract


class G(nn.Module):
    def __init__(self, image_size, channels, latent_dim):
        super().__init__()
        self.shape = (channels, image_size, image_size)
        self.main = nn.Linear(latent_dim, channels * image_size**2)

    def forward(self, z):
        return self.main(z).tanh().unflatten(1, self.shape)


class D(nn.Module):
    def __init__(self, image_size, channels):
        super().__init__()
        self.main = nn.Linear(channels * image_size**2, 4)
        self.last = nn.Linear(4, 1)

    def forward(self, images):
        return self.last(self.main(images.flatten(1)).relu()).flatten()


class ForOneSize(G):
    def __init__(self, image_size, channels, latent_dim):
        if image_size != 48:
            raise ValueError("only 48 px suit")
        super().__init__(image_size, channels, latent_dim)


class IdleWeight(G):
    def __init__(self, image_size, channels, latent_dim):
        super().__init__(image_size, channels, latent_dim)
        self.idle = nn.Parameter(torch.zeros(3))


class OneSeed(G):
    def __init__(self, image_size, channels, latent_dim):
        torch.manual_seed(7)
        super().__init__(image_size, channels, latent_dim)


class NoSeed(G):
    def __init__(self, image_size, channels, latent_dim):
        super().__init__(image_size, channels, latent_dim)
        self.main.weight.data.mul_(float(np.random.RandomState().uniform(0.5, 1)))


class NoBuffer(G):
    def __init__(self, image_size, channels, latent_dim):
        super().__init__(image_size, channels, latent_dim)
        self.scale = torch.rand(1)

    def forward(self, z):
        return super().forward(z) * self.scale


class InPlace(G):
    def forward(self, z):
        return super().forward(z.mul_(0.5))


class NoCopy(G):
    def __deepcopy__(self, memo):
        raise TypeError("one of me is enough")


class OtherCopy(G):
    def __deepcopy__(self, memo):
        return G(self.shape[1], self.shape[0], self.main.in_features)


class Growing(G):
    def __init__(self, image_size, channels, latent_dim):
        super().__init__(image_size, channels, latent_dim)
        self.contrast = nn.Parameter(torch.full((), 1e-6))

    def forward(self, z):
        return super().forward(10 * z) * (1 + self.contrast.abs())


class Company(G):
    def forward(self, z):
        return super().forward(z - z.mean(dim=0))


class SquareIfAsked(G):
    """It says that it can make oblong pictures."""

    def __init__(self, image_size: int | tuple[int, int], channels: int, latent_dim: int):
        super().__init__(image_size, channels, latent_dim)  # TypeError: tuple ** 2


class SquareBySaying(SquareIfAsked):
    def __init__(self, image_size: int | tuple[int, int], channels: int, latent_dim: int):
        if isinstance(image_size, tuple):
            raise ValueError("32 x 32 and no other")
        super().__init__(image_size, channels, latent_dim)


class NoReturn(G):
    def forward(self, z):
        super().forward(z)


class Pair(D):
    def forward(self, images):
        return super().forward(images), images


class FlatD(D):
    def forward(self, images):
        return super().forward(images) * 0 + self.last.bias


class Sure(D):
    """Normalised, then a soft sigmoid: loud pictures change little, large weights much."""

    def __init__(self, image_size, channels):
        super().__init__(image_size, channels)
        self.last.weight.data.mul_(0.1)

    def forward(self, images):
        hidden = self.main(images.flatten(1))
        return self.last(nn.functional.layer_norm(hidden, (4,))).flatten().sigmoid()


class Bounded(D):
    def forward(self, images):
        return super().forward(images).tanh()


class Once(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient):
        return gradient * 2


class OnlyOnce(D):
    def forward(self, images):
        return super().forward(Once.apply(images))


BROKEN_NETWORKS = {  # a builder, and a fact that the message must contain
    "of one size": (ForOneSize, "only 48 px suit"),
    "with an idle weight": (IdleWeight, "weight idle"),
    "of one seed": (OneSeed, "manual_seed"),
    "of no seed": (NoSeed, "same seed"),
    "with a hidden state": (NoBuffer, "buffer"),
    "in place": (InPlace, "in place"),
    "that cannot be copied": (NoCopy, "TypeError: one of me is enough"),
    "whose copy is another": (OtherCopy, "copy.deepcopy"),
    "that looks at its neighbours": (Company, "eval mode"),
    "of squares only": (SquareIfAsked, "image_size=(64, 96)"),
    "that returns nothing": (NoReturn, "returns None; expected a tensor: did you forget return"),
    "that returns two": (Pair, "returns a tuple; expected a single tensor"),
    "without a slope": (FlatD, "gradient for its images"),
    "of probabilities": (Sure, "sigmoid"),
    "that ends in a tanh": (Bounded, "tanh"),
    "of one derivative": (OnlyOnce, "second derivative"),
}


@pytest.mark.parametrize("how", BROKEN_NETWORKS)
def test_a_broken_network(how):
    build, fact = BROKEN_NETWORKS[how]
    if issubclass(build, D):
        message = broken(testing.check_discriminator, DiscriminatorSpec(**ABOUT, build=build))
    else:
        message = broken(testing.check_generator, GeneratorSpec(**ABOUT, build=build))
    assert fact in message


def test_a_generator_that_leaves_its_bounds_as_it_learns():
    spec = GeneratorSpec(**ABOUT, build=Growing)
    message = broken(testing.check_generator, spec, sizes=(16,), lr_g=0.1, lr_d=0.1)
    assert "[-1, 1] after training" in message


def test_correct_networks_pass():
    testing.check_generator(GeneratorSpec(**ABOUT, build=G))
    testing.check_generator(GeneratorSpec(**ABOUT, build=ForOneSize), sizes=(48,))
    testing.check_generator(GeneratorSpec(**ABOUT, build=SquareBySaying), sizes=(16,))
    testing.check_discriminator(DiscriminatorSpec(**ABOUT, build=D))


# ---------------------------------------------------------------- losses that break a contract


def loss(**attributes):
    return type("Mine", (Hinge,), attributes)


BROKEN_LOSSES = {
    "not a loss": (object, "gankit.Loss"),
    "an odd flag": (loss(pairs="yes"), "pairs is 'yes'"),
    "a vector": (loss(g_loss=lambda self, fake, real: -fake), "(3,)"),
    "detached": (
        loss(g_loss=lambda self, fake, real: -fake.detach().mean()),
        "g_loss has no gradient",
    ),
    "a score of the wrong order": (
        loss(score=lambda self, logits: -logits),
        "score",
    ),
    "a score that is a number": (
        loss(score=lambda self, logits: logits.mean().item()),
        "score returns a float; expected a tensor",
    ),
    "a sign": (
        loss(g_loss=lambda self, fake, real: fake.mean()),
        "g_loss",
    ),
    "D's sign": (
        loss(d_loss=lambda self, real, fake, targets: real.mean() + fake.mean()),
        "reals up",
    ),
    "D's other sign": (
        loss(d_loss=lambda self, real, fake, targets: -real.mean() - fake.mean()),
        "fakes down",
    ),
    "targets that it does not read": (
        loss(reads_targets=True),
        "reads_targets = False",
    ),
    "targets that it reads": (
        loss(d_loss=lambda self, real, fake, t: (fake - real * t.real).mean()),
        "reads_targets = True",
    ),
    "reals that it does not read": (loss(pairs=True), "pairs = False"),
    "reals that it reads": (
        loss(g_loss=lambda self, fake, real: (real - fake).mean()),
        "pairs = True",
    ),
    "a logarithm": (
        loss(d_loss=lambda self, real, fake, t: -(real.sigmoid().log() - fake.exp()).sum()),
        "logits of -100",
    ),
    "not separable": (
        loss(d_loss=lambda self, real, fake, targets: softplus(fake - real).mean()),
        "separable = False",
    ),
    "no reals in d_loss": (
        loss(d_loss=lambda self, real, fake, targets: fake.mean()),
        "d_loss",
    ),
}


@pytest.mark.parametrize("how", BROKEN_LOSSES)
def test_a_broken_loss(how):
    build, fact = BROKEN_LOSSES[how]
    assert fact in broken(testing.check_loss, LossSpec(**ABOUT, build=build))


# ---------------------------------------------------------------- data sets that break a contract


class Pictures:
    def __init__(self, image_size, channels):
        self.size = image_size

    def __len__(self):
        return 9

    def __getitem__(self, index):
        return np.full((self.size, self.size, 3), index % 256, np.uint8)


def pictures(**methods):
    return type("Mine", (Pictures,), methods)


def without_the_last(self, index):
    return Pictures.__getitem__(self, index) if index < 8 else bad("no such file")


def without_the_fifth(self, index):
    return Pictures.__getitem__(self, index) if index != 5 else bad("no such file")


def any_picture(self, index):
    return np.random.RandomState().randint(0, 256, (8, 8, 3), dtype=np.uint8)


BROKEN_DATASETS = {
    "not a sequence": (lambda image_size: iter("abc"), "__len__"),
    "empty": (lambda image_size: [], "no pictures"),
    "a missing last picture": (
        pictures(__getitem__=without_the_last),
        "picture 8 of 9",
    ),
    "a missing picture in the middle": (
        pictures(__getitem__=without_the_fifth),
        "picture 5 of 9",
    ),
    "a text as its classes": (pictures(classes="aaabbbccc"), "classes is 'aaabbbccc'"),
    "numbers as classes": (pictures(classes=[1] * 9), "expected a list of texts"),
    "too few classes": (pictures(classes=["a"] * 8), "8 names of classes for 9 pictures"),
    "a text as its notes": (pictures(notes="grey"), "notes is 'grey'"),
    "a place that is no region": (
        pictures(where=lambda self, i: (0, 0, 8)),
        "where(0) returns (0, 0, 8); expected",
    ),
    "floats": (
        pictures(__getitem__=lambda self, i: np.zeros((8, 8, 3))),
        "float64",
    ),
    "channels first": (
        pictures(__getitem__=lambda self, i: np.zeros((3, 8, 8), np.uint8)),
        "(3, 8, 8)",
    ),
    "a name": (pictures(__getitem__=lambda self, i: "a.png"), "str"),
    "other pictures each time": (
        pictures(__getitem__=any_picture),
        "picture 0",
    ),
    "another length each time": (
        pictures(__len__=lambda self: np.random.RandomState().randint(10**6, 10**9)),
        "built again",
    ),
    "another in a batch": (
        pictures(batch=lambda self, indices: [self[0] for _ in indices]),
        "batch()",
    ),
    "a fingerprint that changes": (
        pictures(fingerprint=property(lambda self: str(id(self)))),
        "fingerprint",
    ),
}


@pytest.mark.parametrize("how", BROKEN_DATASETS)
def test_a_broken_data_set(how):
    build, fact = BROKEN_DATASETS[how]
    assert fact in broken(testing.check_dataset, DatasetSpec(**ABOUT, build=build))


def test_a_correct_data_set_passes():
    testing.check_dataset(DatasetSpec(**ABOUT, build=Pictures))
    about = {"classes": ["a", "", "b"] * 3, "class_names": ("b", "a"), "notes": ["dark"]}
    places = {"where": lambda self, i: (0, np.int64(i), 8, i + 8)}
    testing.check_dataset(DatasetSpec(**ABOUT, build=pictures(**about, **places)))


# ---------------------------------------------------------------- how it is called


class Foreign:
    @hookimpl
    def register_tricks(self, register):
        register(TrickSpec(**ABOUT, build=NeverOff))


def test_a_plugin_that_is_not_installed_is_passed():
    testing.check_trick("mine:p=0.3", plugin=Foreign, beside=())
    with pytest.raises(BrokenContract, match="'mine'.*gankit -p FILE"):
        testing.check_trick("mine")
    with pytest.raises(BrokenContract, match="'mine'.*'q'.* p"):
        testing.check_trick("mine:q=1", plugin=Foreign)


def test_an_installed_plugin_may_be_passed_too(installed):
    source = """
        class T(Trick):
            pass

        @hookimpl
        def register_tricks(register):
            register(TrickSpec(name="twice", summary="s", source="s", build=T))
    """
    installed("given_twice", source)
    import given_twice_module

    harness._load_installed.cache_clear()
    with pytest.raises(BrokenContract, match="trick 'twice'.*'given_twice'"):
        testing.check_trick("twice", plugin=given_twice_module)
    harness._load_installed.cache_clear()


def test_a_plugin_that_registers_a_bundled_name_is_refused():
    class Usurper:
        @hookimpl
        def register_tricks(self, register):
            register(TrickSpec(name="r1", summary="s", source="s", build=NeverOff))

    with pytest.raises(BrokenContract, match="plugin 'Usurper'.*'r1'"):
        testing.check_trick("r1", plugin=Usurper)


# ---------------------------------------------------------------- metrics that break a contract


def measuring(**methods):
    """A metric of brightness, in which these methods are replaced."""
    attributes = {
        "features": lambda self, pictures: pictures.mean(axis=(1, 2, 3)),
        "score": lambda self, state, x, y: abs(float(state[0][x].mean() - state[1][y].mean())),
    }
    return type("Mine", (gankit.Metric,), {**attributes, **methods})


def in_place(self, generated, reference):
    generated += 1
    return generated, reference


def darkens(self, pictures):
    pictures //= 2
    return pictures.mean(axis=(1, 2, 3))


BROKEN_METRICS = {
    "not a metric": (object, "gankit.Metric"),
    "no direction": (measuring(better="up"), "better is 'up'"),
    "the wrong direction": (measuring(better="higher"), "'higher'"),
    "no bounds": (measuring(bounds=(1, 0)), "bounds is (1, 0)"),
    "no draws": (measuring(draws=1), "draws is 1"),
    "beyond its bounds": (measuring(bounds=(0, 0.01)), "(0, 0.01)"),
    "one row": (
        measuring(features=lambda self, pictures: pictures.mean()),
        "48 pictures",
    ),
    "no numbers": (
        measuring(features=lambda self, pictures: np.full(len(pictures), np.nan)),
        "features returns NaN",
    ),
    "other rows": (
        measuring(features=lambda self, pictures: np.random.rand(len(pictures))),
        "features",
    ),
    "another number": (
        measuring(score=lambda self, *given: float(np.random.rand())),
        "score",
    ),
    "an array": (
        measuring(score=lambda self, state, x, y: state[0][x]),
        "<ndarray of shape (48,)>",
    ),
    "nothing": (measuring(score=lambda self, state, x, y: None), "score returns None"),
    "row numbers for pictures": (
        measuring(score=lambda self, state, x, y: abs(float(x.mean()) - float(y.mean()))),
        "row numbers",
    ),
    "features in place": (measuring(compare=in_place), "in place"),
    "pictures in place": (measuring(features=darkens), "features"),
    "a signed difference": (
        measuring(score=lambda self, state, x, y: float(state[0][x].mean() - state[1][y].mean())),
        "abs(",
    ),
    "the other sign": (
        measuring(score=lambda self, state, x, y: float(state[1][y].mean() - state[0][x].mean())),
        "abs(",
    ),
    "all rows each time": (
        measuring(score=lambda self, state, x, y: abs(float(state[0].mean() - state[1].mean()))),
        "rows that it gets",
    ),
    "the order of rows": (
        measuring(score=lambda self, state, x, y: float(state[0][x[0]])),
        "order",
    ),
}


@pytest.mark.parametrize("how", BROKEN_METRICS)
def test_a_broken_metric(how):
    build, fact = BROKEN_METRICS[how]
    assert fact in broken(testing.check_metric, MetricSpec(**ABOUT, build=build))


def test_a_correct_metric_passes():
    testing.check_metric(MetricSpec(**ABOUT, build=measuring()))


def test_any_kind_by_name():
    testing.check("loss", "hinge")
    testing.check("dataset", "petals:count=20")


def test_both_ways_to_import_the_kit():
    import gankit.testing as kit

    assert kit is testing is gankit.testing
    assert issubclass(kit.BrokenContract, AssertionError)
    assert not issubclass(kit.BrokenContract, GankitError)


def test_a_check_leaves_the_random_state_and_the_folder_alone(here, capsys):
    before = torch.get_rng_state()
    testing.check_trick("noisy-d", beside=("ema",))
    assert torch.equal(before, torch.get_rng_state())
    assert list(here.iterdir()) == []
    assert capsys.readouterr().out == ""


# ---------------------------------------------------------------- objects, classes and files


class OneSize(nn.Module):
    """A G for pictures of 32 x 32 px in colour and z of 100 numbers."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(100, 3 * 32 * 32)

    def forward(self, z):
        return self.layer(z).tanh().unflatten(1, (3, 32, 32))


class Darker(Trick):
    def d_input(self, images, gan):
        return images * 0.5

    def activity(self):
        return "darker"


class Spread(gankit.Metric):
    def score(self, state, generated, reference):
        drawn, real = state
        return abs(float(drawn[generated].std(axis=0).mean() - real[reference].std(axis=0).mean()))


@pytest.mark.parametrize(
    ("kind", "part", "options"),
    [
        ("loss", Hinge(), {}),
        ("loss", Hinge, {}),
        ("loss", lambda: Hinge(), {}),
        ("metric", Spread(), {}),
        ("metric", Spread, {}),
        ("trick", Darker(), {"beside": ()}),
        ("generator", OneSize, {"sizes": [32]}),
        ("generator", OneSize(), {"sizes": [32]}),
        ("model", (OneSize(), "dcgan:base_channels=2"), {"image_size": 32}),
        ("dataset", np.zeros((9, 8, 8, 3), np.uint8), {}),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_the_kit_takes_what_compose_takes(kind, part, options):
    testing.check(kind, part, **options)


@pytest.mark.parametrize("kind", ["loss", "metric", "trick", "generator", "model", "recipe"])
def test_the_kit_refuses_what_is_not_a_part(kind):
    with pytest.raises(BrokenContract) as error:
        testing.check(kind, 5)
    assert f"{kind}s is 5" in str(error.value) or f"{kind} is 5" in str(error.value)
    assert "--" not in str(error.value)


def test_the_kit_loads_a_file(plugin_file):
    source = """
    from gankit_losses.hinge import Hinge

    @hookimpl
    def register_losses(register):
        register(LossSpec(name="in-a-file", summary="s", source="s", build=Hinge))
    """
    path = plugin_file(source)
    for plugin in (path, str(path)):
        testing.check_loss("in-a-file", plugin=plugin)
    with pytest.raises(BrokenContract, match="absent.py"):
        testing.check_loss("in-a-file", plugin="absent.py")


class FlatG(OneSize):
    """Takes the size, and ignores it."""

    def __init__(self, image_size, channels):
        super().__init__()


@pytest.mark.parametrize("part", [OneSize, OneSize(), FlatG], ids=["class", "object", "ignores"])
def test_the_kit_says_how_to_check_a_network_of_one_size(part):
    with pytest.raises(BrokenContract) as error:
        testing.check_generator(part)
    assert "sizes=[32]" in str(error.value)


def test_the_kit_does_not_measure_threads(monkeypatch):
    monkeypatch.setattr("gankit.training.assemble.choose_threads", lambda: 1 / 0)
    testing.check_trick("noisy-d", beside=())
