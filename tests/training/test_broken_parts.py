"""A broken part is refused before the first step; the message names it and its plugin."""

import textwrap

import pytest

from gankit import GankitError, TrickSpec, compose, hookimpl
from gankit.core.parts.registry import describe_part, load_registry

NETWORK = """
    from torch import nn
    import torch

    class Net(nn.Module):
        def __init__(self, image_size, channels, latent_dim=100):
            super().__init__()
            self.shape = (channels, image_size, image_size)
            self.main = nn.Linear({inputs}, {outputs})

        def forward(self, inputs):
            outputs = self.main(inputs.flatten(1))
            {forward}

    @hookimpl
    def register_{kind}s(register):
        register({spec}(name="mine", summary="s", source="s", build=Net))
"""
G = {"kind": "generator", "spec": "GeneratorSpec"}
G |= {"inputs": "latent_dim", "outputs": "channels * image_size**2"}
D = {"kind": "discriminator", "spec": "DiscriminatorSpec"}
D |= {"inputs": "channels * image_size**2", "outputs": "1"}
NETWORKS = {  # the end of forward, and a fact that the message must contain
    "G of another size": (
        (G, "return nn.functional.avg_pool2d(outputs.tanh().unflatten(1, self.shape), 2)"),
        "(4, 3, 8, 8)",
    ),
    "G that is flat": ((G, "return outputs.tanh()"), "(4, 768)"),
    "G in double": (
        (G, "return outputs.tanh().unflatten(1, self.shape).double()"),
        "torch.float64",
    ),
    "G of NaN": (
        (G, "return (outputs / 0 - outputs / 0).unflatten(1, self.shape)"),
        "NaN",
    ),
    "G without bounds": ((G, "return outputs.unflatten(1, self.shape)"), "tanh"),
    "G ending in a sigmoid": (
        (G, "return outputs.sigmoid().unflatten(1, self.shape)"),
        "tanh",
    ),
    "G that returns a tuple": (
        (G, "return outputs.tanh().unflatten(1, self.shape), None"),
        "returns a tuple; expected a single tensor",
    ),
    "G that raises": ((G, "return self.main(outputs)"), "mat1 and mat2 shapes"),
    "D with a column": ((D, "return outputs"), "(4, 1)"),
    "D of one answer": ((D, "return outputs.mean()"), "()"),
    "D of NaN": ((D, "return outputs.flatten() * torch.nan"), "NaN"),
    "D ending in a sigmoid": (
        (D, "return outputs.flatten().sigmoid()"),
        "sigmoid",
    ),
    "D ending in a hard sigmoid": (
        (D, "return nn.functional.hardsigmoid(outputs.flatten())"),
        "sigmoid",
    ),
    "D for pictures of another size": (
        ({**D, "inputs": "12"}, "return outputs.flatten()"),
        "mat1 and mat2 shapes",
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
TRICKS = {  # a method, and a fact that the message must contain
    "d_input of another shape": (
        "def d_input(self, images, gan): return images.mean(1, keepdim=True)",
        "(8, 1, 16, 16)",
    ),
    "d_input of another type": (
        "def d_input(self, images, gan): return images.double()",
        "torch.float64",
    ),
    "d_input of NaN": (
        "def d_input(self, images, gan): return images.log()",
        "NaN",
    ),
    "d_input without return": (
        "def d_input(self, images, gan): images + 1",
        "NoneType",
    ),
    "d_input in place": (
        "def d_input(self, images, gan): return images.mul_(0.5)",
        "in place",
    ),
    "fakes of another number": (
        "def fakes(self, images, gan): return images[:3]",
        "(3, 3, 16, 16)",
    ),
    "targets in a column": (
        "def targets(self, targets, gan): return Targets(*(t[:, None] for t in targets))",
        "(8, 1)",
    ),
    "targets without fake": (
        "def targets(self, targets, gan): return targets.real",
        "Targets(real, fake)",
    ),
    "a penalty for each": (
        "def penalty(self, gan, player, real, fake): return gan.judge(real).square()",
        "(8,)",
    ),
    "a penalty without gradient": (
        "def penalty(self, gan, player, real, fake): return gan.judge(real).mean().detach()",
        "no gradient",
    ),
    "a penalty of NaN": (
        "def penalty(self, gan, player, real, fake): return gan.judge(real).mean() * float('nan')",
        "penalty for D is nan",
    ),
    "a penalty that calls backward": (
        "def penalty(self, gan, player, real, fake): gan.judge(real).mean().backward()",
        "backward",
    ),
    "d_input that is detached": (
        "def d_input(self, images, gan): return images.detach() * 0.9",
        "detach",
    ),
    "activity of a number": (
        "def activity(self): return 3",
        "activity returns 3",
    ),
    "a state that cannot be saved": (
        "def state_dict(self): return {'seen': [object()]}",
        "/seen/0",
    ),
    "a state that is a list": (
        "def state_dict(self): return [1]",
        "state_dict returns a list",
    ),
    "an update that raises": (
        "def after_update(self, gan, player): player.nett",
        "'nett'",
    ),
    "a method that raises": (
        "def d_input(self, images, gan): return images.no_such_thing()",
        "'no_such_thing'",
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
LOSSES = {  # d_loss and g_loss, and a fact that the message must contain
    "a d_loss for each": (("fake - real", "-fake.mean()"), "d_loss"),
    "a g_loss for each": (("(fake - real).mean()", "-fake"), "g_loss"),
    "not a tensor": (("0.5", "-fake.mean()"), "float"),
    "a detached loss": (("(fake - real).mean()", "-fake.detach().mean()"), "no gradient"),
    "NaN": (("(real - 9).log().mean()", "-fake.mean()"), "nan"),
}


@pytest.fixture
def refused(gankit_run, plugin_file, here):
    """`refused(source, "--loss", "mine")`: the error of one line; no file was written."""

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
    (about, forward), fact = NETWORKS[what]
    message = refused(NETWORK.format(**about, forward=forward), f"--{about['kind']}", "mine")
    assert message.startswith(describe_part(about["kind"], "mine", "mine"))
    assert fact in message


@pytest.mark.parametrize(
    "forward", ["outputs.flatten()", "outputs.flatten() * 0"], ids=["any", "zero"]
)
def test_a_d_of_logits_is_not_refused(forward, gankit_run, plugin_file):
    path = plugin_file(NETWORK.format(**D, forward=f"return {forward}"))
    assert gankit_run("--discriminator", "mine", before=("-p", path)).code == 0


def test_a_network_that_is_not_a_module(refused):
    source = """
        @hookimpl
        def register_generators(register):
            build = lambda image_size: lambda z: z
            register(GeneratorSpec(name="mine", summary="s", source="s", build=build))
    """
    message = refused(source, "--generator", "mine")
    assert message.startswith(describe_part("generator", "mine", "mine"))
    assert "a function" in message


@pytest.mark.parametrize("what", TRICKS)
def test_tricks(what, refused):
    method, fact = TRICKS[what]
    message = refused(TRICK.format(method=method), "--trick", "mine")
    assert message.startswith(describe_part("trick", "mine", "mine"))
    assert fact in message


@pytest.mark.parametrize("what", LOSSES)
def test_losses(what, refused):
    (d, g), fact = LOSSES[what]
    message = refused(LOSS.format(d=d, g=g), "--loss", "mine", "--trick", "none")
    assert message.startswith(describe_part("loss", "mine", "mine"))
    assert fact in message


def test_a_first_step_that_breaks_the_weights(refused):
    method = """
        def after_update(self, gan, player):
            next(player.net.parameters()).data.fill_(float("nan"))
    """
    method = textwrap.indent(textwrap.dedent(method), 8 * " ").strip()
    message = refused(TRICK.format(method=method), "--trick", "mine")
    assert message.startswith(describe_part("trick", "mine", "mine"))
    assert "at the first step" in message


def test_of_two_external_parts_only_the_one_that_raises_is_named(refused):
    source = TRICK.format(method="def before_update(self, gan, player): player.nett")
    source += LOSS.format(d="(fake - real).mean()", g="-fake.mean()").replace("Mine", "Other")
    message = refused(source, "--trick", "mine", "--loss", "mine")
    assert message.startswith(describe_part("trick", "mine", "mine"))
    assert "before_update" in message
    assert "'nett'" in message
    assert "loss" not in message


def test_a_data_set_that_is_not_a_sequence(refused):
    source = """
        @hookimpl
        def register_datasets(register):
            register(DatasetSpec(name="mine", summary="s", source="s", build=lambda: iter("ab")))
    """
    message = refused(source, "--dataset", "mine")
    assert message.startswith(describe_part("dataset", "mine", "mine"))
    assert "__len__ and __getitem__" in message


PICTURES = """
    import numpy as np

    class Mine:
        def __len__(self):
            return {length}

        def __getitem__(self, index):
            return {picture}

    @hookimpl
    def register_datasets(register):
        register(DatasetSpec(name="mine", summary="s", source="s", build=Mine))
"""
BROKEN_SETS = {  # a first picture, and a fact that the message must contain
    "floats": ("np.zeros((9, 9, 3))", "float64"),
    "channels first": ("np.zeros((3, 9, 9), np.uint8)", "(3, 9, 9)"),
    "names": ("'a.png'", "str"),
}


@pytest.mark.parametrize("what", BROKEN_SETS)
def test_data_sets(what, refused):
    picture, fact = BROKEN_SETS[what]
    message = refused(PICTURES.format(length=64, picture=picture), "--dataset", "mine")
    assert message.startswith(describe_part("dataset", "mine", "mine"))
    assert "picture 0" in message
    assert fact in message


def test_a_data_set_without_a_length(refused):
    message = refused(PICTURES.format(length="len(None)", picture="0"), "--dataset", "mine")
    assert message.startswith(describe_part("dataset", "mine", "mine"))
    assert "NoneType" in message


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_data_set_with_a_broken_first_picture_trains(channels, gankit_run, plugin_file):
    picture = f"np.full((9, 9, {channels}), 1 // index, np.uint8)"
    path = plugin_file(PICTURES.format(length=64, picture=picture))
    code, _, err = gankit_run("--dataset", "mine", before=("-p", path))
    assert code == 0
    assert "skipped 1 file" in err
    assert "picture 0 " in err


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
METRICS = {  # what features returns, and a fact that the message must contain
    "another number": (
        "pictures[1:, 0, 0]",
        "(47, 3)",
    ),
    "NaN": ("np.full((len(pictures), 2), np.nan)", "NaN"),
    "nothing": ("pictures.no_such_thing()", "'no_such_thing'"),
}


@pytest.mark.parametrize("what", METRICS)
def test_metrics(what, refused):
    rows, fact = METRICS[what]
    message = refused(METRIC.format(rows=rows), "--metric", "mine")
    assert message.startswith(describe_part("metric", "mine", "mine"))
    assert fact in message


def test_bundled_parts_need_no_trial_step(gankit_run, monkeypatch):
    """gankit's own tests check them."""
    from gankit.training.trial import trial_step

    monkeypatch.setattr(trial_step, "assemble", lambda *args: pytest.fail("a trial step"))
    assert gankit_run("--trick", "ema", "--loss", "hinge").code == 0


# ---------------------------------------------------------------- what is only warned of

REALS_ONLY = """
        is_real = False

        def targets(self, targets, gan):
            self.is_real = True
            return targets

        def d_input(self, images, gan):
            noise = torch.randn(images.shape, generator=gan.draw("noise")) * self.is_real
            self.is_real = False
            return images + noise
"""
WARNED = {  # methods of a trick, and a fact that the warning must contain
    "reals and fakes": (REALS_ONLY, "as reals and in another as fakes"),
    "an optimiser": (
        "def after_update(self, gan, player): player.adam.step()",
        "after_update calls an optimiser",
    ),
    "torch's random numbers": (
        "def d_input(self, images, gan): return images + torch.randn_like(images)",
        "d_input uses a global random state",
    ),
    "numpy's random numbers": (
        "def logits(self, logits, gan, player, is_real): "
        "return logits + __import__('numpy').random.rand()",
        "logits uses a global random state",
    ),
    "Python's random numbers": (
        "def fakes(self, images, gan): return images * __import__('random').random()",
        "fakes uses a global random state",
    ),
}


@pytest.fixture
def warning(gankit_run, plugin_file):
    """`warning(source, "--trick", "mine")`: the warning of one line about a part; the run trains.

    It names the file and the line of the part's class.
    """

    def run(source, *words):
        path = plugin_file(source, "my_part")
        code, _, err = gankit_run(*words, before=("-p", path))
        (line,) = [line for line in err.splitlines() if "'mine'" in line]
        assert code == 0
        first = next(
            n for n, text in enumerate(path.read_text().splitlines(), 1) if "class" in text
        )
        assert f"(my_part.py, line {first})" in line
        return line

    return run


@pytest.mark.parametrize("what", WARNED)
def test_a_trick_that_breaks_a_rule_is_named_in_a_warning(what, warning):
    methods, fact = WARNED[what]
    line = warning(TRICK.format(method=methods.strip()), "--trick", "mine")
    assert describe_part("trick", "mine", "my_part") in line
    assert fact in line


def test_a_d_that_ends_in_a_tanh_is_named_in_a_warning(warning):
    source = NETWORK.format(**D, forward="return outputs.flatten().tanh()")
    line = warning(source, "--discriminator", "mine", "--loss", "hinge")
    assert describe_part("discriminator", "mine", "my_part") in line
    assert "tanh" in line


def test_a_correct_trick_gets_no_warning(gankit_run, plugin_file):
    method = """
        def begin_batch(self, gan, player):
            self.strength = torch.rand(1, generator=gan.draw("strength"))

        def d_input(self, images, gan):
            return images * self.strength
    """
    path = plugin_file(TRICK.format(method=method.strip()))
    options = ("--trick", "mine", "--accumulate", 2, "--d-steps", 2)
    code, _, err = gankit_run(*options, before=("-p", path))
    assert (code, err) == (0, "")
    code, out, err = gankit_run(*options, "--preview", "seen.png", before=("-p", path))
    assert (code, err) == (0, "")
    assert "after mine" in out


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
    message = refused(EXCLUDING, *words)
    for fact in ("'one'", "'other'", "both move the same weights"):
        assert fact in message


def test_a_trick_without_the_excluded_one_is_allowed(gankit_run, plugin_file):
    path = plugin_file(EXCLUDING)
    assert gankit_run("--trick", "one", "--trick", "ema", before=("-p", path)).code == 0


def test_excludes_of_bundled_tricks_name_tricks(registry):
    for spec in registry.specs("trick"):
        for other, why in spec.builder().excludes.items():
            assert registry.find("trick", other)
            assert len(why) > 10
            with pytest.raises(GankitError, match=why[:10]):
                compose(registry, tricks=[spec.name, other])


# ---------------------------------------------------------------- recipes


@pytest.mark.parametrize(
    ("settings", "facts"),
    [
        ({"batchsize": 3}, ("recipe 'mine'", "'batchsize'", "'batch_size'")),
        ({"batch_size": "3"}, ("recipe 'mine'", "--batch-size", "'3'")),
        ({"dataset": "moon-rocks"}, ("dataset 'moon-rocks'",)),
        ({"dataset": "folder"}, ("'folder'", "--data PATH")),
        ({"model": "dcgan65"}, ("model 'dcgan65'", "'dcgan64'")),
        ({"tricks": ("emma",)}, ("trick 'emma'", "'ema'")),
    ],
)
def test_recipes_with_wrong_settings(settings, facts, gankit_cli, plugin_file, here):
    path = plugin_file(
        f"""
        @hookimpl
        def register_recipes(register):
            register(RecipeSpec(name="mine", summary="s", source="s", settings={settings!r}))
        """
    )
    code, out, err = gankit_cli("-p", path, "run", "--recipe", "mine")
    assert (code, out) == (2, "")
    for fact in facts:
        assert fact in err
    assert err.count("\n") == 1
    assert {p.name for p in here.iterdir()} - {"__pycache__"} == {"mine.py"}


# ---------------------------------------------------------------- parts that cannot be built

UNBUILT = {
    "a value beyond its limits": (
        "raise ValueError('p is 3')",
        "p is 3",
    ),
    "a mistake": ("{}['x']", "KeyError in mine.py, line 9: 'x'"),
    "an error without a message": ("assert p < 0", "AssertionError in mine.py, line 9"),
}


@pytest.mark.parametrize("what", UNBUILT)
def test_a_part_that_cannot_be_built_is_named_with_its_plugin(what, refused):
    statement, reason = UNBUILT[what]
    method = f"def __init__(self, p: float = 0.5): {statement}"
    message = refused(TRICK.format(method=method), "--trick", "mine:p=3")
    assert message == f"{describe_part('trick', 'mine', 'mine')}: {reason}"


@pytest.mark.parametrize("kind", ["loss", "generator", "trick"])
def test_a_builder_that_cannot_be_imported_is_named(kind, refused):
    spec = f"{kind.title()}Spec"
    plural = "losses" if kind == "loss" else f"{kind}s"
    source = f"""
        @hookimpl
        def register_{plural}(register):
            register({spec}(name="mine", summary="s", source="s", build="no_such_module:Mine"))
    """
    message = refused(source, f"--{kind}", "mine")
    assert message.startswith(describe_part(kind, "mine", "mine"))
    assert "'no_such_module'" in message


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
    message = refused(source, "--model", "mine")
    assert message.startswith(describe_part("generator", "mine", "mine"))
    assert "'no_such_module'" in message


@pytest.mark.parametrize("given", ["{'ema'}", "['ema']", "'ema'"])
def test_excludes_without_reasons_are_an_error_of_the_plugin(given, gankit_cli, plugin_file):
    path = plugin_file(TRICK.format(method=f"excludes = {given}"))
    code, out, err = gankit_cli("-p", path, "list")
    assert (code, out) == (2, "")
    assert "Mine.excludes" in err
    assert err.count("\n") == 1


def test_an_error_without_a_message_is_named_by_its_type():
    class Silent:
        @hookimpl
        def register_tricks(self, register):
            register(TrickSpec(name="silent", summary="s", source="s", build=dict))

    registry = load_registry()
    registry.load("quiet", Silent)
    with pytest.raises(GankitError) as error, registry.attribute_errors_to("trick", "silent:p=3"):
        raise MemoryError
    assert str(error.value).startswith(f"{describe_part('trick', 'silent', 'quiet')}: MemoryError")
