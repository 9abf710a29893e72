"""The conformance kit: everything bundled passes it, and each contract it knows can fail."""

import itertools
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
from gankit.core.registry import load_registry
from gankit.testing import BrokenContract, bench

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
NEVER_OFF = {"ema", "spectral-norm"}  # the one leaves training alone, the other is all or nothing
ELSEWHERE = {"folder", "shards"}  # data sets that read what a person has
ABOUT = {"name": "mine", "summary": "s", "source": "s"}


def narrow(kind, name):
    """The part, as narrow as it can be made."""
    kinds = ("generator", "discriminator") if kind == "model" else (kind,)
    spec, options = REGISTRY.find(kind, name), {}
    for of in kinds:
        part = spec if of == kind else REGISTRY.find(of, getattr(spec, of).partition(":")[0])
        options |= part.options()
    widths = [f"{option}=2" for option in options if option in ("base_channels", "width")]
    return ":".join([name, *widths[:1]])


# ---------------------------------------------------------------- all that is bundled passes


def test_every_trick_is_switched_off_below_or_cannot_be():
    assert set(TRICKS) == set(OFF) | NEVER_OFF


@pytest.mark.parametrize("name", TRICKS)
def test_bundled_tricks(name):
    testing.check_trick(name, off=OFF.get(name, ""), beside=())


@pytest.mark.parametrize("pair", list(itertools.combinations(TRICKS, 2)), ids="+".join)
def test_bundled_tricks_in_pairs(pair):
    excluded = [o for o, t in (pair, pair[::-1]) if o in TRICKS[t].builder().excludes]
    try:
        testing.check_together(*pair)
    except BrokenContract as error:
        assert excluded, error  # noqa: PT017
        assert "exclude each other" in str(error)  # noqa: PT017
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


def test_penalties_where_the_slope_is_known():
    """D is linear, so its gradient is the same at every picture."""

    def squared(slope, real, fake):
        return slope.square().sum()

    testing.check_penalty("r1:gamma=4", lambda *known: 2 * squared(*known))
    testing.check_penalty("r1:gamma=4,every=3", lambda *known: 6 * squared(*known))
    testing.check_penalty("r2:gamma=4", lambda *known: 2 * squared(*known))
    for name, weight in (("wgan-gp", 10), ("dragan", 10)):
        testing.check_penalty(name, lambda *known, w=weight: w * (squared(*known).sqrt() - 1) ** 2)
    with pytest.raises(BrokenContract, match=r"trick 'r1' of plugin 'tricks': its penalty is .*wh"):
        testing.check_penalty("r1:gamma=4", lambda *known: squared(*known))
    with pytest.raises(BrokenContract, match="its penalty is None, where"):
        testing.check_penalty("r1", squared, player="G")


# ---------------------------------------------------------------- tricks that break a contract


def acting(**methods):
    """A trick that says it acted, with these methods."""
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


SHARED = "draws from a random state that all share: take random numbers from gan.draw('some purp"
BROKEN_TRICKS = {
    "no trick": (object, "its builder makes a object; wanted is a gankit.Trick"),
    "nothing to do": (acting(), "acts nowhere: it overrides none of wrap, start, fakes"),
    "silent": (
        type("Mine", (Trick,), {"fakes": lambda self, images, gan: images}),
        "never says what it did: give it a method activity()",
    ),
    "never acting": (
        acting(fakes=lambda self, images, gan: images, activity=lambda self: None),
        "never acted in 4 steps, or its activity() does not say so",
    ),
    "a wrong shape": (
        acting(d_input=lambda self, images, gan: images[:, :, :8]),
        "d_input returns shape (8, 3, 8, 16); wanted is (8, 3, 16, 16), as given",
    ),
    "a wrong number": (
        acting(fakes=lambda self, images, gan: images[1:]),
        "fakes returns shape (7, 3, 16, 16); wanted is (8, 3, 16, 16), as given",
    ),
    "detached": (
        acting(d_input=lambda self, images, gan: images.detach() * 0.9),
        "d_input stops gradients, so G could not learn: leave out detach, round",
    ),
    "rounded": (
        acting(d_input=lambda self, images, gan: (images * 127.5).round() / 127.5),
        "d_input stops gradients",
    ),
    "in place": (
        acting(fakes=lambda self, images, gan: images.clamp_(-0.001, 0.001)),
        "fakes changes its images in place: return new ones",
    ),
    "torch's random state": (
        acting(d_input=lambda self, images, gan: images + torch.randn_like(images)),
        f"d_input {SHARED}",
    ),
    "numpy's random state": (
        acting(targets=lambda self, t, gan: Targets(t.real * float(np.random.rand()), t.fake)),
        f"targets {SHARED}",
    ),
    "a generator of its own": (OwnGenerator, "d_input draws otherwise when asked again in one st"),
    "the clock": (acting(wrap=seeds_from_the_clock), "a run with it cannot be repeated (D main.0"),
    "state left behind": (acting(fakes=counted), "a resumed run ends otherwise (D main.0.weight d"),
    "ruined weights": (acting(after_update=ruins_g), "leaves weights of G that are not finite at"),
    "a ruined loss": (acting(after_update=ruins_d), "makes g_loss nan at step 1 (grey, precisi"),
    "an infinite slope": (acting(d_input=steep), "d_input has gradients that are not finite"),
    "a blind G": (acting(wrap=blinds), "lets no gradient from D's answer through to G"),
    "a refusal": (
        acting(wrap=lambda self, gan: gan.none if gan is None else bad("D has no batch norm")),
        "D has no batch norm",
    ),
}


def bad(why):
    raise ValueError(why)


def broken(check, spec, **how):
    """The one line that a check of this part ends with."""
    with pytest.raises(BrokenContract) as error:
        check(spec, **how)
    line = str(error.value)
    assert "\n" not in line
    head = f"{spec.kind} 'mine' of plugin '"
    assert line.startswith(head), line
    return line.removeprefix(head).partition("': ")[2]


@pytest.mark.parametrize("how", BROKEN_TRICKS)
def test_a_broken_trick(how):
    build, message = BROKEN_TRICKS[how]
    spec = TrickSpec(**ABOUT, build=build)
    assert broken(testing.check_trick, spec, beside=()).startswith(message)


def test_a_trick_that_cannot_be_switched_off():
    message = broken(testing.check_trick, TrickSpec(**ABOUT, build=NeverOff), off="p=0", beside=())
    assert message == "changes D main.0.weight with p=0, which should switch it off"
    spec = TrickSpec(**ABOUT, build=TalksWhenOff)
    message = broken(testing.check_trick, spec, off="p=0", beside=())
    assert message == "says 'halved' with p=0, where it should say None"


def test_a_trick_that_goes_with_one_and_not_with_another():
    class Lonely(Trick):
        def start(self, gan):
            if gan.sampler is not gan.G.net:
                raise ValueError("somebody replaced the sampler")
            gan.sampler = gan.D.net if gan.sampler is None else gan.sampler

        def fakes(self, images, gan):
            return images * 0.9

        def activity(self):
            return "acted"

    spec = TrickSpec(**ABOUT, build=Lonely)
    testing.check_trick(spec, beside=["smooth-labels"])
    assert broken(testing.check_trick, spec, beside=["ema"]) == "somebody replaced the sampler"


def test_a_trick_that_is_silenced_by_another():
    with pytest.raises(BrokenContract, match="ema with r1:gamma=0: r1 did not act"):
        testing.check_together("ema", "r1:gamma=0")


def test_the_first_of_several_tricks_may_be_a_spec():
    class Darker(Trick):
        def fakes(self, images, gan):
            return images * 0.9

        def activity(self):
            return "darker"

    testing.check_together(TrickSpec(**ABOUT, build=Darker), "ema")
    with pytest.raises(BrokenContract, match="mine with ttur:factor=1: ttur did not act"):
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
    with pytest.raises(BrokenContract, match="there is no setting 'los'. Did you mean 'loss'"):
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


BROKEN_NETWORKS = {
    "of one size": (ForOneSize, "only 48 px suit; name sizes that suit: sizes=(48, 96)"),
    "with an idle weight": (IdleWeight, "has a weight idle without gradient: forward does not us"),
    "of one seed": (OneSeed, "has the same first weights under every seed: leave manual_seed away"),
    "of no seed": (NoSeed, "has other first weights under the same seed: draw them from torch's"),
    "with a hidden state": (NoBuffer, "keeps something out of its state_dict: make it a buffer"),
    "in place": (InPlace, "changes what it is given in place: leave the input as it is"),
    "that cannot be copied": (NoCopy, "when trying that ema can copy it: TypeError: one of me is"),
    "whose copy is another": (OtherCopy, "draws otherwise once it is copied with copy.deepcopy"),
    "that looks at its neighbours": (Company, "in eval mode draws a picture otherwise in other"),
    "without a slope": (FlatD, "has no gradient at its images, so G could learn nothing from it"),
    "of probabilities": (Sure, "gives probabilities: leave the sigmoid away, for the loss has one"),
    "of one derivative": (OnlyOnce, "has no finite second derivative, which penalties such as r1"),
}


@pytest.mark.parametrize("how", BROKEN_NETWORKS)
def test_a_broken_network(how):
    build, message = BROKEN_NETWORKS[how]
    if issubclass(build, D):
        answer = broken(testing.check_discriminator, DiscriminatorSpec(**ABOUT, build=build))
    else:
        answer = broken(testing.check_generator, GeneratorSpec(**ABOUT, build=build))
    assert answer.startswith(message)


def test_a_generator_that_leaves_its_bounds_as_it_learns():
    spec = GeneratorSpec(**ABOUT, build=Growing)
    message = broken(testing.check_generator, spec, sizes=(16,), lr_g=0.1, lr_d=0.1)
    assert message == "draws outside [-1, 1] once it is trained: end it in a tanh"


def test_whole_networks_pass():
    testing.check_generator(GeneratorSpec(**ABOUT, build=G))
    testing.check_generator(GeneratorSpec(**ABOUT, build=ForOneSize), sizes=(48,))
    testing.check_discriminator(DiscriminatorSpec(**ABOUT, build=D))


# ---------------------------------------------------------------- losses that break a contract


def loss(**attributes):
    return type("Mine", (Hinge,), attributes)


BROKEN_LOSSES = {
    "no loss": (object, "its builder makes a object; wanted is a gankit.Loss"),
    "an odd flag": (loss(pairs="yes"), "says pairs = 'yes'; wanted is True or False"),
    "a sum of none": (loss(g_loss=lambda self, fake, real: -fake), "g_loss gives (3,); wanted is"),
    "detached": (
        loss(g_loss=lambda self, fake, real: -fake.detach().mean()),
        "g_loss has no gradient: something in it is detached",
    ),
    "an score turned round": (
        loss(score=lambda self, logits: -logits),
        "score must give a number for each logit, larger for a larger one",
    ),
    "a sign": (
        loss(g_loss=lambda self, fake, real: fake.mean()),
        "g_loss does not pull D's answers to fakes up: is a sign turned round?",
    ),
    "D's sign": (
        loss(d_loss=lambda self, real, fake, targets: real.mean() + fake.mean()),
        "d_loss does not pull D's answers to real pictures up",
    ),
    "D's other sign": (
        loss(d_loss=lambda self, real, fake, targets: -real.mean() - fake.mean()),
        "d_loss does not pull D's answers to fakes down",
    ),
    "targets it says it reads": (
        loss(reads_targets=True),
        "d_loss does not depend on its targets: set reads_targets = False",
    ),
    "targets it reads in secret": (
        loss(d_loss=lambda self, real, fake, t: (fake - real * t.real).mean()),
        "d_loss depends on its targets: set reads_targets = True",
    ),
    "pairs it does not look at": (loss(pairs=True), "g_loss does not look at the reals: set pair"),
    "reals it looks at in secret": (
        loss(g_loss=lambda self, fake, real: (real - fake).mean()),
        "when trying that both losses are one number with a gradient: TypeError",
    ),
    "a logarithm": (
        loss(d_loss=lambda self, real, fake, t: -(real.sigmoid().log() - fake.exp()).sum()),
        "is not finite for logits of -100",
    ),
    "reals weighed against fakes in secret": (
        loss(d_loss=lambda self, real, fake, targets: softplus(fake - real).mean()),
        "d_loss weighs reals against fakes: set separable = False",
    ),
    "reals it does not look at": (
        loss(d_loss=lambda self, real, fake, targets: fake.mean()),
        "d_loss does not look at the reals",
    ),
}


@pytest.mark.parametrize("how", BROKEN_LOSSES)
def test_a_broken_loss(how):
    build, message = BROKEN_LOSSES[how]
    answer = broken(testing.check_loss, LossSpec(**ABOUT, build=build))
    assert answer.startswith(message)


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


def but_the_last(self, index):
    return Pictures.__getitem__(self, index) if index < 8 else bad("no such file")


def any_picture(self, index):
    return np.random.RandomState().randint(0, 256, (8, 8, 3), dtype=np.uint8)


BROKEN_DATASETS = {
    "no sequence": (lambda image_size: iter("abc"), "is no sequence: give it __len__ and __geti"),
    "nothing in it": (lambda image_size: [], "has no pictures"),
    "a last one that is not there": (
        pictures(__getitem__=but_the_last),
        "cannot give picture 8 of 9: ValueError: no such file",
    ),
    "floats": (
        pictures(__getitem__=lambda self, i: np.zeros((8, 8, 3))),
        "gives for picture 0 a array (8, 8, 3) of float64; wanted is a PIL image or a uint8 array",
    ),
    "channels first": (
        pictures(__getitem__=lambda self, i: np.zeros((3, 8, 8), np.uint8)),
        "gives for picture 0 a array (3, 8, 8) of uint8; wanted is",
    ),
    "no picture": (pictures(__getitem__=lambda self, i: "a.png"), "gives for picture 0 a str; wan"),
    "another each time": (
        pictures(__getitem__=any_picture),
        "gives another picture 0 when asked again: draw from the index",
    ),
    "another number each time": (
        pictures(__len__=lambda self: np.random.RandomState().randint(10**6, 10**9)),
        "has ",
    ),
    "another in a batch": (
        pictures(batch=lambda self, indices: [self[0] for _ in indices]),
        "gives another picture 1 in batch() than alone",
    ),
    "a fingerprint of its place": (
        pictures(fingerprint=property(lambda self: str(id(self)))),
        "has fingerprints [",
    ),
}


@pytest.mark.parametrize("how", BROKEN_DATASETS)
def test_a_broken_data_set(how):
    build, message = BROKEN_DATASETS[how]
    answer = broken(testing.check_dataset, DatasetSpec(**ABOUT, build=build))
    assert answer.startswith(message)


def test_a_whole_data_set_passes():
    testing.check_dataset(DatasetSpec(**ABOUT, build=Pictures))


# ---------------------------------------------------------------- how it is called


class Foreign:
    @hookimpl
    def register_tricks(self, register):
        register(TrickSpec(**ABOUT, build=NeverOff))


def test_a_plugin_that_is_not_installed_is_given():
    testing.check_trick("mine:p=0.3", plugin=Foreign, beside=())
    with pytest.raises(BrokenContract, match="there is no trick 'mine'. One from a file needs"):
        testing.check_trick("mine")
    with pytest.raises(BrokenContract, match="trick 'mine' has no option 'q'. There is: p"):
        testing.check_trick("mine:q=1", plugin=Foreign)


def test_a_plugin_that_is_installed_may_be_given_too(installed):
    source = """
        class T(Trick):
            pass

        @hookimpl
        def register_tricks(register):
            register(TrickSpec(name="twice", summary="s", source="s", build=T))
    """
    installed("given_twice", source)
    import given_twice_module

    bench._installed.cache_clear()
    with pytest.raises(BrokenContract, match="trick 'twice' of plugin 'given_twice': acts nowhere"):
        testing.check_trick("twice", plugin=given_twice_module)
    bench._installed.cache_clear()


def test_a_plugin_that_takes_a_taken_name_is_not_mistaken_for_the_other():
    class Usurper:
        @hookimpl
        def register_tricks(self, register):
            register(TrickSpec(name="r1", summary="s", source="s", build=NeverOff))

    with pytest.raises(BrokenContract, match="plugin 'Usurper' cannot be loaded: .*'r1' is alrea"):
        testing.check_trick("r1", plugin=Usurper)


# ---------------------------------------------------------------- metrics that break a contract


def measuring(**methods):
    """A metric of brightness, with these methods in the place of its own."""
    own = {
        "features": lambda self, pictures: pictures.mean(axis=(1, 2, 3)),
        "score": lambda self, state, x, y: abs(float(state[0][x].mean() - state[1][y].mean())),
    }
    return type("Mine", (gankit.Metric,), {**own, **methods})


def in_place(self, generated, reference):
    generated += 1
    return generated, reference


def darkens(self, pictures):
    pictures //= 2
    return pictures.mean(axis=(1, 2, 3))


BROKEN_METRICS = {
    "no metric": (object, "its builder makes a object; wanted is a gankit.Metric"),
    "no direction": (measuring(better="up"), "says better = 'up'; wanted is 'lower' or 'higher'"),
    "turned round": (measuring(better="higher"), "scores one striped picture"),
    "no bounds": (measuring(bounds=(1, 0)), "says bounds = (1, 0); wanted is the lowest and"),
    "no draws": (measuring(draws=1), "wants fewer than 20 draws or no pictures"),
    "beyond its bounds": (measuring(bounds=(0, 0.01)), "score gives "),
    "one row": (
        measuring(features=lambda self, pictures: pictures.mean()),
        "features gives an array (); wanted is one row for each of 48 pictures",
    ),
    "no numbers": (
        measuring(features=lambda self, pictures: np.full(len(pictures), np.nan)),
        "features gives NaN or infinity",
    ),
    "other rows": (
        measuring(features=lambda self, pictures: np.random.rand(len(pictures))),
        "features gives other rows when asked again: seed what is drawn",
    ),
    "another number": (
        measuring(score=lambda self, *given: float(np.random.rand())),
        "score gives another number when asked again: seed what is drawn",
    ),
    "an array": (measuring(score=lambda self, state, x, y: state[0][x]), "score gives array("),
    "features in place": (measuring(compare=in_place), "changes pictures or features in place"),
    "pictures in place": (measuring(features=darkens), "features gives other rows when asked aga"),
    "the order of rows": (
        measuring(score=lambda self, state, x, y: float(state[0][x[0]])),
        "gives ",
    ),
}


@pytest.mark.parametrize("how", BROKEN_METRICS)
def test_a_broken_metric(how):
    build, message = BROKEN_METRICS[how]
    assert broken(testing.check_metric, MetricSpec(**ABOUT, build=build)).startswith(message)


def test_a_metric_that_keeps_its_contract():
    testing.check_metric(MetricSpec(**ABOUT, build=measuring()))


def test_any_kind_by_name():
    testing.check("loss", "hinge")
    testing.check("dataset", "petals:count=20")


def test_it_can_be_imported_in_both_ways():
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
