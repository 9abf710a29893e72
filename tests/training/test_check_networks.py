"""A part that breaks its contract is refused before the first step: which, whose, what mends it."""

import textwrap

import pytest

from gankit import GankitError, TrickSpec, compose, hookimpl
from gankit.core.registry import load_registry

NETWORK = """
    from torch import nn
    import torch

    class Net(nn.Module):
        def __init__(self, image_size, channels, latent_dim=100):
            super().__init__()
            self.shape = (channels, image_size, image_size)
            self.main = nn.Linear({inputs}, {outputs})

        def forward(self, given):
            made = self.main(given.flatten(1))
            {forward}

    @hookimpl
    def register_{kind}s(register):
        register({spec}(name="mine", summary="s", source="s", build=Net))
"""
G = {"kind": "generator", "spec": "GeneratorSpec"}
G |= {"inputs": "latent_dim", "outputs": "channels * image_size**2"}
D = {"kind": "discriminator", "spec": "DiscriminatorSpec"}
D |= {"inputs": "channels * image_size**2", "outputs": "1"}
NETWORKS = {  # forward, given `made`: what is wrong with it
    "G of another size": (
        (G, "return nn.functional.avg_pool2d(made.tanh().unflatten(1, self.shape), 2)"),
        "gives (4, 3, 8, 8), torch.float32, finite; wanted is (4, 3, 16, 16)",
    ),
    "G that is flat": ((G, "return made.tanh()"), "gives (4, 768), torch.float32, finite; wanted"),
    "G in double": (
        (G, "return made.tanh().unflatten(1, self.shape).double()"),
        "gives (4, 3, 16, 16), torch.float64, finite; wanted is (4, 3, 16, 16), torch.float32",
    ),
    "G of NaN": (
        (G, "return (made / 0 - made / 0).unflatten(1, self.shape)"),
        "torch.float32, with NaN or infinity; wanted is (4, 3, 16, 16), torch.float32, finite",
    ),
    "G without bounds": ((G, "return made.unflatten(1, self.shape)"), "wanted is -1 to 1: end it"),
    "G ending in a sigmoid": (
        (G, "return made.sigmoid().unflatten(1, self.shape)"),
        "to 1; wanted is -1 to 1: end it in a tanh",
    ),
    "G that gives two things": (
        (G, "return made.tanh().unflatten(1, self.shape), None"),
        "'tuple' object has no attribute 'isfinite'",
    ),
    "G that cannot": ((G, "return self.main(made)"), "mat1 and mat2 shapes cannot be multiplied"),
    "D with a column": ((D, "return made"), "gives (4, 1), torch.float32, finite; wanted is (4,)"),
    "D of one answer": ((D, "return made.mean()"), "gives (), torch.float32, finite; wanted is (4"),
    "D of NaN": ((D, "return made.flatten() * torch.nan"), "with NaN or infinity; wanted is (4"),
    "D ending in a sigmoid": (
        (D, "return made.flatten().sigmoid()"),
        "gives probabilities: leave the sigmoid away, for the loss has one",
    ),
    "D ending in a hard sigmoid": (
        (D, "return nn.functional.hardsigmoid(made.flatten())"),
        "gives probabilities: leave the sigmoid away, for the loss has one",
    ),
    "D for pictures of another size": (
        ({**D, "inputs": "12"}, "return made.flatten()"),
        "mat1 and mat2 shapes cannot be multiplied",
    ),
}
TRICK = """
    import torch

    class Mine(Trick):
        def activity(self):
            return "acted"

        {method}

    @hookimpl
    def register_tricks(register):
        register(TrickSpec(name="mine", summary="s", source="s", build=Mine))
"""
TRICKS = {
    "d_input of another shape": (
        "def d_input(self, images, gan): return images.mean(1, keepdim=True)",
        "d_input returns shape (8, 1, 16, 16); wanted is (8, 3, 16, 16), as given",
    ),
    "d_input of another type": (
        "def d_input(self, images, gan): return images.double()",
        "d_input returns dtype torch.float64; wanted is torch.float32, as given",
    ),
    "d_input of NaN": (
        "def d_input(self, images, gan): return images.log()",
        "d_input returns NaN or infinity",
    ),
    "d_input of nothing": (
        "def d_input(self, images, gan): images + 1",
        "d_input returns a NoneType; wanted is a tensor",
    ),
    "d_input in place": (
        "def d_input(self, images, gan): return images.mul_(0.5)",
        "d_input changes its images in place: return new ones",
    ),
    "fakes of another number": (
        "def fakes(self, images, gan): return images[:3]",
        "fakes returns shape (3, 3, 16, 16); wanted is (8, 3, 16, 16), as given",
    ),
    "targets in a column": (
        "def targets(self, targets, gan): return Targets(*(t[:, None] for t in targets))",
        "targets (real) returns shape (8, 1); wanted is (8,), as given",
    ),
    "targets alone": (
        "def targets(self, targets, gan): return targets.real",
        "targets returns no Targets(real, fake)",
    ),
    "a penalty for each": (
        "def penalty(self, gan, player, real, fake): return gan.judge(real).square()",
        "penalty for D is a Tensor of shape (8,); wanted is one number",
    ),
    "a penalty without gradient": (
        "def penalty(self, gan, player, real, fake): return gan.judge(real).mean().detach()",
        "penalty for D has no gradient, so it changes nothing: is something detached?",
    ),
    "a penalty that is no number": (
        "def penalty(self, gan, player, real, fake): return gan.judge(real).mean() * float('nan')",
        "penalty for D is nan",
    ),
    "a penalty that goes ahead": (
        "def penalty(self, gan, player, real, fake): gan.judge(real).mean().backward()",
        "penalty calls backward: return the number, the step does the rest",
    ),
    "d_input that is detached": (
        "def d_input(self, images, gan): return images.detach() * 0.9",
        "d_input stops gradients, so G could not learn: leave out detach, round",
    ),
    "activity without words": (
        "def activity(self): return 3",
        "activity returns 3; wanted is a text, or None",
    ),
    "a state that no checkpoint holds": (
        "def state_dict(self): return {'seen': [object()]}",
        "state_dict: a checkpoint cannot be made of it; it cannot hold a object, as there is at "
        "/seen/0",
    ),
    "a state without names": (
        "def state_dict(self): return [1]",
        "state_dict returns a list; wanted is a dict",
    ),
    "an update that breaks down": (
        "def after_update(self, gan, player): player.nett",
        "'Player' object has no attribute 'nett'",
    ),
    "a method that breaks down": (
        "def d_input(self, images, gan): return images.no_such_thing()",
        "'Tensor' object has no attribute 'no_such_thing'",
    ),
    "a network that lacks something": (
        "def wrap(self, gan): raise ValueError('D has no batch norm to take away')",
        "D has no batch norm to take away",
    ),
    "a run that lacks something": (
        "def start(self, gan): raise GankitError('it needs a hold-out: --holdout 0.1')",
        "it needs a hold-out: --holdout 0.1",
    ),
}
LOSS = """
    import torch
    from gankit import Loss

    class Mine(Loss):
        def d_loss(self, real, fake, targets):
            return {d}

        def g_loss(self, fake, real):
            return {g}

    @hookimpl
    def register_losses(register):
        register(LossSpec(name="mine", summary="s", source="s", build=Mine))
"""
LOSSES = {
    "a d_loss for each": (("fake - real", "-fake.mean()"), "d_loss gives (3,); wanted is one numb"),
    "a g_loss for each": (("(fake - real).mean()", "-fake"), "g_loss gives (3,); wanted is one nu"),
    "no tensor": (("0.5", "-fake.mean()"), "d_loss gives float; wanted is one number"),
    "a detached loss": (("(fake - real).mean()", "-fake.detach().mean()"), "g_loss has no gradi"),
    "NaN": (("(real - 9).log().mean()", "-fake.mean()"), "d_loss is nan"),
}


@pytest.fixture
def refused(gankit_run, plugin_file, here):
    """`refused(source, "--loss", "mine")`: the one line that refuses it; nothing has begun."""

    def run(source, *words):
        path = plugin_file(source)
        before = {p: p.read_bytes() for p in here.rglob("*") if p.is_file() and p.suffix != ".pyc"}
        code, out, err = gankit_run(*words, before=("-p", path))
        assert (code, out, err.count("\n")) == (2, "", 1), err
        assert {p: p.read_bytes() for p in before} == before
        assert not (here / "runs").exists()
        return err.removeprefix("gankit: ").strip()

    return run


@pytest.mark.parametrize("what", NETWORKS)
def test_networks(what, refused):
    (about, forward), message = NETWORKS[what]
    answer = refused(NETWORK.format(**about, forward=forward), f"--{about['kind']}", "mine")
    assert answer.startswith(f"{about['kind']} 'mine' of plugin 'mine': ")
    assert message in answer


@pytest.mark.parametrize("forward", ["made.flatten()", "made.flatten() * 0"], ids=["any", "zero"])
def test_a_d_of_logits_is_not_refused(forward, gankit_run, plugin_file):
    path = plugin_file(NETWORK.format(**D, forward=f"return {forward}"))
    assert gankit_run("--discriminator", "mine", before=("-p", path)).code == 0


def test_a_network_that_is_no_module(refused):
    source = """
        @hookimpl
        def register_generators(register):
            build = lambda image_size: lambda z: z
            register(GeneratorSpec(name="mine", summary="s", source="s", build=build))
    """
    answer = refused(source, "--generator", "mine")
    assert answer == "generator 'mine' of plugin 'mine': 'function' object has no attribute 'eval'"


@pytest.mark.parametrize("what", TRICKS)
def test_tricks(what, refused):
    method, message = TRICKS[what]
    answer = refused(TRICK.format(method=method), "--trick", "mine")
    assert answer == f"trick 'mine' of plugin 'mine': {message}"


@pytest.mark.parametrize("what", LOSSES)
def test_losses(what, refused):
    (d, g), message = LOSSES[what]
    answer = refused(LOSS.format(d=d, g=g), "--loss", "mine", "--trick", "none")
    assert answer.startswith(f"loss 'mine' of plugin 'mine': {message}")


def test_a_first_step_that_breaks_the_weights(refused):
    method = """
        def after_update(self, gan, player):
            next(player.net.parameters()).data.fill_(float("nan"))
    """
    method = textwrap.indent(textwrap.dedent(method), 8 * " ").strip()
    answer = refused(TRICK.format(method=method), "--trick", "mine")
    assert answer.startswith("trick 'mine' of plugin 'mine': ")
    assert "nan at the first step" in answer or "not finite at the first step" in answer


def test_a_step_that_breaks_down_between_two_strangers(refused):
    source = TRICK.format(method="def before_update(self, gan, player): player.nett")
    source += LOSS.format(d="(fake - real).mean()", g="-fake.mean()").replace("Mine", "Other")
    answer = refused(source, "--trick", "mine", "--loss", "mine")
    told = "'Player' object has no attribute 'nett' (or is it loss 'mine'?)"
    assert answer == f"trick 'mine' of plugin 'mine': {told}"


def test_a_data_set_that_is_no_sequence(refused):
    source = """
        @hookimpl
        def register_datasets(register):
            register(DatasetSpec(name="mine", summary="s", source="s", build=lambda: iter("ab")))
    """
    answer = refused(source, "--dataset", "mine")
    what = "is no sequence of pictures: give it __len__ and __getitem__"
    assert answer == f"dataset 'mine' of plugin 'mine': {what}"


PICTURES = """
    import numpy as np

    class Mine:
        def __len__(self):
            return {many}

        def __getitem__(self, index):
            return {picture}

    @hookimpl
    def register_datasets(register):
        register(DatasetSpec(name="mine", summary="s", source="s", build=Mine))
"""
WANTED = "wanted is a PIL image or a uint8 array (H, W) or (H, W, 3)"
BROKEN_SETS = {
    "floats": ("np.zeros((9, 9, 3))", f"a array (9, 9, 3) of float64; {WANTED}"),
    "channels first": ("np.zeros((3, 9, 9), np.uint8)", f"a array (3, 9, 9) of uint8; {WANTED}"),
    "names": ("'a.png'", f"a str; {WANTED}"),
}


@pytest.mark.parametrize("what", BROKEN_SETS)
def test_data_sets(what, refused):
    picture, message = BROKEN_SETS[what]
    answer = refused(PICTURES.format(many=64, picture=picture), "--dataset", "mine")
    assert answer == f"dataset 'mine' of plugin 'mine': gives for picture 0 {message}"


def test_a_data_set_that_cannot_be_counted(refused):
    answer = refused(PICTURES.format(many="len(None)", picture="0"), "--dataset", "mine")
    assert answer.startswith("dataset 'mine' of plugin 'mine': object of type 'NoneType' has no")


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_data_set_with_a_broken_first_picture_trains(channels, gankit_run, plugin_file):
    picture = f"np.full((9, 9, {channels}), 1 // index, np.uint8)"
    path = plugin_file(PICTURES.format(many=64, picture=picture))
    code, _, err = gankit_run("--dataset", "mine", before=("-p", path))
    assert code == 0
    assert err.startswith("gankit: skipped 1 pictures")


METRIC = """
    import numpy as np
    from gankit import Metric

    class Mine(Metric):
        def features(self, pictures):
            return {rows}

        def score(self, state, generated, reference):
            return 0.0

    @hookimpl
    def register_metrics(register):
        register(MetricSpec(name="mine", summary="s", source="s", build=Mine))
"""
METRICS = {
    "another number": (
        "pictures[1:, 0, 0]",
        "features gives an array (31, 3); wanted is one row f",
    ),
    "NaN": ("np.full((len(pictures), 2), np.nan)", "features gives NaN or infinity"),
    "nothing": ("pictures.no_such_thing()", "'numpy.ndarray' object has no attribute 'no_such_thi"),
}


@pytest.mark.parametrize("what", METRICS)
def test_metrics(what, refused):
    rows, message = METRICS[what]
    answer = refused(METRIC.format(rows=rows), "--metric", "mine")
    assert answer.startswith(f"metric 'mine' of plugin 'mine': {message}")


def test_bundled_parts_are_not_rehearsed(gankit_run, monkeypatch):
    """They pass the conformance kit in gankit's own tests, so a run need not wait for it."""
    from gankit.testing import rehearsal

    monkeypatch.setattr(rehearsal, "assemble", lambda *args: pytest.fail("rehearsed"))
    assert gankit_run("--trick", "ema", "--loss", "hinge").code == 0


# ---------------------------------------------------------------- tricks that exclude each other

EXCLUDING = """
    class One(Trick):
        excludes = {"other": "both move the same weights"}

    @hookimpl
    def register_tricks(register):
        register(TrickSpec(name="one", summary="s", source="s", build=One))
        register(TrickSpec(name="other", summary="s", source="s", build=Trick))
"""


@pytest.mark.parametrize("order", [("one", "other"), ("other", "one")])
def test_tricks_that_exclude_each_other(order, refused):
    words = [word for name in order for word in ("--trick", name)]
    answer = refused(EXCLUDING, *words)
    assert answer == "tricks 'one' and 'other' exclude each other: both move the same weights"


def test_what_excludes_nothing_here_may_stay(gankit_run, plugin_file):
    path = plugin_file(EXCLUDING)
    assert gankit_run("--trick", "one", "--trick", "ema", before=("-p", path)).code == 0


def test_excludes_of_bundled_tricks_name_tricks(registry):
    for spec in registry.specs("trick"):
        for other, why in spec.builder().excludes.items():
            assert registry.find("trick", other)
            assert len(why) > 10
            with pytest.raises(GankitError, match=f"exclude each other: {why[:10]}"):
                compose(registry, tricks=[spec.name, other])


# ---------------------------------------------------------------- recipes


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batchsize": 3}, "recipe 'mine' of plugin 'mine': there is no setting 'batchsize'. Did"),
        ({"batch_size": "3"}, "recipe 'mine' of plugin 'mine': --batch-size is '3'; it should be"),
        ({"dataset": "moon-rocks"}, "there is no dataset 'moon-rocks'. There is: "),
        ({"dataset": "folder"}, "data set 'folder': it wants to know where your pictures are"),
        ({"model": "dcgan65"}, "there is no model 'dcgan65'. Did you mean 'dcgan64'"),
        ({"tricks": ("emma",)}, "there is no trick 'emma'. Did you mean 'ema'"),
    ],
)
def test_recipes_that_cannot_be(settings, message, gankit_cli, plugin_file, here):
    path = plugin_file(
        f"""
        @hookimpl
        def register_recipes(register):
            register(RecipeSpec(name="mine", summary="s", source="s", settings={settings!r}))
        """
    )
    code, out, err = gankit_cli("-p", path, "run", "--recipe", "mine")
    assert (code, out) == (2, "")
    assert err.startswith(f"gankit: {message}")
    assert err.count("\n") == 1
    assert {p.name for p in here.iterdir()} - {"__pycache__"} == {"mine.py"}


# ---------------------------------------------------------------- parts that cannot be built

UNBUILT = {
    "a value beyond its limits": (
        "raise ValueError('p lies between 0 and 1')",
        "trick 'mine' of plugin 'mine': p lies between 0 and 1",
    ),
    "a mistake": ("{}['x']", "trick 'mine' of plugin 'mine': 'x'"),
    "a mistake without words": ("assert p < 0", "trick 'mine' of plugin 'mine': AssertionError"),
}


@pytest.mark.parametrize("what", UNBUILT)
def test_a_part_that_cannot_be_built_is_named_with_its_plugin(what, refused):
    statement, message = UNBUILT[what]
    method = f"def __init__(self, p: float = 0.5): {statement}"
    assert refused(TRICK.format(method=method), "--trick", "mine:p=3") == message


@pytest.mark.parametrize("kind", ["loss", "generator", "trick"])
def test_a_builder_that_cannot_be_imported_is_named(kind, refused):
    spec, plural = f"{kind.title()}Spec", {"loss": "losses"}.get(kind, f"{kind}s")
    source = f"""
        @hookimpl
        def register_{plural}(register):
            register({spec}(name="mine", summary="s", source="s", build="no_such_module:Mine"))
    """
    answer = refused(source, f"--{kind}", "mine")
    assert answer == f"{kind} 'mine' of plugin 'mine': No module named 'no_such_module'"


def test_a_network_of_a_model_that_cannot_be_imported_is_named(refused):
    source = """
        @hookimpl
        def register_generators(register):
            register(GeneratorSpec(name="mine", summary="s", source="s", build="no_such_module:G"))

        @hookimpl
        def register_models(register):
            about = {"name": "mine", "summary": "s", "source": "s", "image_size": 16}
            register(ModelSpec(**about, generator="mine", discriminator="dcgan"))
    """
    answer = refused(source, "--model", "mine")
    assert answer == "generator 'mine' of plugin 'mine': No module named 'no_such_module'"


@pytest.mark.parametrize("given", ["{'ema'}", "['ema']", "'ema'"])
def test_excludes_without_reasons_are_an_error_of_the_plugin(given, gankit_cli, plugin_file):
    path = plugin_file(TRICK.format(method=f"excludes = {given}"))
    code, out, err = gankit_cli("-p", path, "list")
    assert (code, out) == (2, "")
    assert err.endswith("TypeError: Mine.excludes is no dict: write {'ema': 'why'}\n")
    assert err.count("\n") == 1


def test_an_error_that_says_nothing_is_named_by_its_type():
    class Silent:
        @hookimpl
        def register_tricks(self, register):
            register(TrickSpec(name="silent", summary="s", source="s", build=dict))

    registry = load_registry()
    registry.load("quiet", Silent)
    with pytest.raises(GankitError) as error, registry.attribute_errors_to("trick", "silent:p=3"):
        raise MemoryError
    assert str(error.value) == "trick 'silent' of plugin 'quiet': MemoryError"
