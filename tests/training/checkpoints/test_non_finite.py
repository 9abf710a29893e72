"""Numbers that are not finite are noticed before they are saved, and their owner is named."""

import math

import pytest
import torch
from torch import nn

from gankit import DiscriminatorSpec, GankitError, Trick, TrickSpec, compose, hookimpl, train
from gankit.core.errors import RunFailed
from gankit.core.parts.registry import load_registry
from gankit.runs.sampler import load
from gankit.training.checkpoints import checkpoint
from gankit.training.explain_losses import explain_losses
from gankit.training.run_folder.run_file import load_run

BAD_STEP = 5  # counted from 0; reported as 6


class Poison(Trick):
    """Calls `act(gan)` after G's update of one step; its state holds `extra`."""

    def __init__(self, act, extra):
        self.act = act
        self.extra = extra

    def after_update(self, gan, player):
        if player is gan.G and gan.step == BAD_STEP:
            self.act(gan, self)

    def activity(self):
        return "acted"

    def state_dict(self):
        return dict(self.extra)


def registry_with(trick):
    class Mine:
        @hookimpl
        def register_tricks(self, register):
            register(TrickSpec(name="mine", summary="s", source="s", build=lambda: trick))

    registry = load_registry()
    assert not registry.load("mine", Mine).error
    return registry


@pytest.fixture
def run_with(tiny, tmp_path):
    """Train a run of 12 steps, saved every 2, with this trick and the trick ema."""

    def run(trick, **settings):
        registry = registry_with(trick)
        settings = {"length": "12 steps", "save_every": 2, "log_every": 4, "keep": 9, **settings}
        tricks = settings.pop("tricks", ("ema", "lecam", "mine"))
        return train(
            compose(registry, **tiny(tricks=tricks, **settings), out=str(tmp_path / "run")),
            registry,
        )

    return run


def buffer_of(net, name="running_var"):
    return next(value for key, value in net.named_buffers() if key.endswith(name))


def moments(player, name):
    return [state[name] for state in player.adam.state.values()]


def fill(tensor, value):
    with torch.no_grad():
        tensor[(-1,) * tensor.ndim] = value  # a view of any memory layout


PLACES = {
    # what becomes not finite -> who and which tensor the message names
    "G's statistics": (lambda gan, trick: buffer_of(gan.G.net), ("running_var of G",)),
    "D's statistics": (
        lambda gan, trick: buffer_of(gan.D.net, "running_mean"),
        ("running_mean of D",),
    ),
    "average": (lambda gan, trick: buffer_of(gan.sampler), ("running_var", "average of G")),
    "weight of the average": (
        lambda gan, trick: next(gan.sampler.parameters()),
        ("weight", "average of G"),
    ),
    "weight of G": (lambda gan, trick: next(gan.G.net.parameters()), ("weight of G",)),
    "weight of D": (lambda gan, trick: next(gan.D.net.parameters()), ("weight of D",)),
    "moment of G": (
        lambda gan, trick: moments(gan.G, "exp_avg_sq")[1],
        ("exp_avg_sq", "G's optimizer", "main"),
    ),
    "moment of D": (lambda gan, trick: moments(gan.D, "exp_avg")[0], ("exp_avg", "D's optimizer")),
    "trick": (lambda gan, trick: trick.extra["a"][1], ("trick mine", "a/1")),
}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", PLACES)
def test_no_bad_checkpoint_is_ever_saved(run_with, tmp_path, place, value):
    find, facts = PLACES[place]
    trick = Poison(lambda gan, trick: fill(find(gan, trick), value), {"a": [1, torch.ones(2, 2)]})
    with pytest.raises(RunFailed) as failed:
        run_with(trick)
    assert failed.value.exit_code == 1
    assert (failed.value.folder, failed.value.step) == (tmp_path / "run", 6)
    kind = "nan" if math.isnan(value) else "infinite"
    for fact in (*facts, kind, "step 6", "step-000004"):
        assert fact in str(failed.value)
    assert "\n" not in str(failed.value)
    kept = [path.name for path in checkpoint.list_checkpoints(tmp_path / "run" / "checkpoints")]
    assert kept == ["step-000004", "step-000002"]
    assert load(tmp_path / "run", registry=registry_with(trick)).step == 4


def spoil_gradient(name, value):
    """A trick that makes one gradient of a player infinite at one step."""

    class Spoil(Poison):
        def before_update(self, gan, player):
            if player.name == name and gan.step == BAD_STEP:
                gradients = [p.grad for p in player.net.parameters() if p.grad is not None]
                fill(gradients[0], value)

    return Spoil(lambda gan, trick: None, {})


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("log_every", [1, 3, 12])
@pytest.mark.parametrize("player", ["G", "D"])
def test_the_player_whose_gradient_was_infinite_is_named(run_with, player, log_every, value):
    trick = spoil_gradient(player, value)
    with pytest.raises(RunFailed) as failed:
        run_with(trick, log_every=log_every, save_every=4, tricks=("mine",))
    message = str(failed.value)
    assert message.startswith(f"{player}'s ")
    assert "step 6" in message
    assert f" of {player} is nan" in message
    assert f" of {'D' if player == 'G' else 'G'} is" not in message
    assert "step-000004" in message


def test_a_bad_gradient_at_a_step_that_is_saved_names_the_player_too(run_with):
    with pytest.raises(RunFailed, match=r" of G is nan after step 6.*step-000004"):
        run_with(spoil_gradient("G", math.inf), tricks=("mine",))


def scores(step, **changes):
    return step, {"d_loss": 1.0, "d_real": 0.5, "d_fake": 0.5, "g_loss": 1.0, **changes}


@pytest.fixture
def gan(trainer_of):
    return trainer_of().gan


@pytest.mark.parametrize(
    ("changes", "next_changes", "player"),
    [
        ({"d_loss": math.nan}, {}, ""),
        ({"d_loss": math.inf, "d_fake": math.nan}, {}, "G"),
        ({"penalty": math.nan, "d_fake": math.nan}, {}, "G"),
        ({"d_loss": math.nan, "d_fake": math.nan, "d_real": math.nan}, {}, "D"),
        ({"penalty": math.inf}, {}, ""),
        ({"g_loss": math.nan}, {"d_fake": math.nan, "d_loss": math.nan}, ""),
        ({"g_loss": math.nan}, {"d_real": math.nan, "d_loss": math.nan}, "D"),
    ],
)
def test_the_scores_of_two_steps_tell_who_failed(gan, changes, next_changes, player):
    steps = [scores(3), scores(4, **changes), scores(5, **next_changes)]
    message = explain_losses(steps, gan)
    first = next(name for name in ("d_loss", "penalty", "g_loss") if name in changes)
    assert f"{first} became {changes[first]} at step 4" in message
    assert message.startswith(f"{player}'s " if player else first)
    assert explain_losses([scores(3), scores(4)], gan) == ""


class Masked(nn.Module):
    """A discriminator with a mask that is infinite on purpose, as attention has."""

    def __init__(self, image_size, channels):
        super().__init__()
        self.last = nn.Linear(channels * image_size**2, 1)
        self.register_buffer("mask", torch.full((3, 3), -math.inf).triu(1))

    def forward(self, images):
        return self.last(images.flatten(1)).squeeze(1) + self.mask.softmax(1)[0, 0]


def test_a_buffer_may_be_infinite_from_the_start(tiny, tmp_path):
    class Mine:
        @hookimpl
        def register_discriminators(self, register):
            register(DiscriminatorSpec(name="masked", summary="s", source="s", build=Masked))

    registry = load_registry()
    assert not registry.load("mine", Mine).error
    run = compose(registry, **tiny(discriminator="masked", out=str(tmp_path / "run")))
    folder = train(run, registry)
    saved = checkpoint.load_newest(folder / "checkpoints")[1]
    assert saved.model["D"]["mask"].isinf().any()
    train(load_run(folder, length="6 steps"), registry, resume=True)
    assert checkpoint.load_newest(folder / "checkpoints")[1].step == 6


@pytest.mark.parametrize(
    ("best", "is_accepted"), [(math.inf, True), (-math.inf, True), (math.nan, False)]
)
def test_a_plain_number_in_a_tricks_state_may_be_infinite_but_not_nan(run_with, best, is_accepted):
    trick = Poison(lambda gan, trick: None, {"best": best, "empty": torch.ones(0), "whole": 3})
    if is_accepted:
        folder = run_with(trick)
        state = checkpoint.load_newest(folder / "checkpoints")[1].state["tricks"]["mine"]
        assert state["best"] == best
        return
    with pytest.raises(GankitError, match="best of the trick mine is nan"):
        run_with(trick)


def test_in_float16_an_infinite_gradient_is_skipped_and_no_failure(run_with):
    class Overflow(Poison):
        def start(self, gan):
            weight = next(gan.G.net.parameters())
            weight.register_hook(lambda g: g * (math.inf if gan.step == BAD_STEP else 1.0))

    folder = run_with(
        Overflow(lambda gan, trick: None, {}), precision="16", tricks=("mine",), log_every=1
    )
    saved = checkpoint.load_newest(folder / "checkpoints")[1]
    assert saved.step == 12
    assert saved.state["scalers"]["G"]["scale"] < saved.state["scalers"]["D"]["scale"]


@pytest.mark.parametrize("player", ["G", "D"])
def test_the_player_is_named_also_if_d_takes_several_steps(run_with, player):
    trick = spoil_gradient(player, math.inf)
    with pytest.raises(RunFailed) as failed:
        run_with(trick, d_steps=2, log_every=12, save_every=4, tricks=("mine",))
    assert str(failed.value).startswith(f"{player}'s ")
    assert "after its update at step 6" in str(failed.value)


def test_the_scores_of_the_first_of_several_updates_tell_who_failed(gan):
    bad = {"d_loss": math.nan, "d_real": math.nan, "d_fake": math.nan}
    cases = {
        "G's pictures were not finite after its update at step 3": {"first_d_fake": math.nan},
        "D's answers were not finite after its update at step 3": {"first_d_real": math.nan},
        "D's answers were not finite after its update at step 4": {},
    }
    for start, first in cases.items():
        steps = [scores(3), scores(4, **bad, **{"first_d_real": 0.5, "first_d_fake": 0.5, **first})]
        assert explain_losses(steps, gan).startswith(start)


def test_tensors_of_eight_bits_are_looked_at(run_with):
    tensor = torch.ones(3).to(torch.float8_e4m3fn)
    run_with(Poison(lambda gan, trick: None, {"a": tensor}))


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float16, torch.complex64])
def test_a_nan_is_found_in_every_kind_of_tensor(run_with, dtype):
    def act(gan, trick):
        trick.extra["a"] = torch.full((3,), math.nan).to(dtype)

    with pytest.raises(RunFailed, match="a of the trick mine is nan after step 6"):
        run_with(Poison(act, {"a": torch.ones(3).to(dtype)}))


def test_two_numbers_with_one_path_are_both_looked_at(run_with):
    def act(gan, trick):
        trick.extra["a/b"] = torch.tensor(math.nan)

    with pytest.raises(RunFailed, match="a/b of the trick mine is nan after step 6"):
        run_with(Poison(act, {"a/b": torch.tensor(1.0), "a": {"b": 1.0}}))
