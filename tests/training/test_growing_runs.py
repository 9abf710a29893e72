"""Runs whose networks grow, and that go on with other settings or begin with another run."""

import pytest

import gankit
from gankit import GankitError, compose, read_log, train
from gankit.cli.run.from_options import new_run, resumed
from gankit.training.assemble import assemble, resolve_auto
from gankit.training.budget.plan_budget import measure_costs
from gankit.training.checkpoints import checkpoint
from gankit.training.weights.begin_weights import base_of, describe_begin

# Of 12 steps, 3 have 8 px, 2 have 16 px, of which the first fades in, and the others 32 px.
GROWING = {
    **{"model": "grow64:base_channels=4", "image_size": 32, "length": "12 steps"},
    **{"tricks": ("ema:decay=0.9", "grow:start=8"), "log_every": 1, "save_every": 1, "keep": 20},
    **{"report": False},
}
SIZES = [8, 8, 8, 16, 16, *[32] * 7]


@pytest.fixture(scope="module")
def grown(registry, tiny, tmp_path_factory):
    """The folder of a finished run that grew from 8 to 32 px, with all of its checkpoints."""
    out = str(tmp_path_factory.mktemp("grown") / "run")
    return train(compose(registry, **tiny(**GROWING), out=out), registry, quiet=True)


@pytest.fixture
def stopped(registry, tiny, tmp_path):
    """`stopped(5)`: the folder of such a run that was stopped after 5 steps."""

    def build(after):
        steps = iter(range(1, 13))
        run = compose(registry, **tiny(**GROWING), out=str(tmp_path / "run"))
        # Fill the cache now: preparing pictures in `train` would call `stop`, too.
        gankit.prepare(run, registry, lambda done, total: None)
        return train(run, registry, stop=lambda: next(steps) == after, quiet=True)

    return build


@pytest.fixture
def begun(registry, grown):
    """`begun(3)`: a trainer, before its first step, of a run that begins with step 3 of `grown`."""

    def build(step, **settings):
        settings = {"dataset": "petals:count=64", "batch_size": 8, **settings}
        run = compose(registry, device="cpu", precision="32", init=f"{grown}:{step}", **settings)
        prepared = gankit.prepare(run, registry, lambda done, total: None)
        base = base_of(run, resume=False)
        return assemble(resolve_auto(run, prepared), registry, prepared, base=base)

    return build


def halvings_of(trainer):
    gan = trainer.gan
    (halvings,) = {net.halvings for net in (gan.G.net, gan.D.net, gan.sampler)}
    return halvings


@pytest.mark.parametrize("after", [4, 5, 8])  # 4: while new layers fade in
def test_a_stage_goes_on_with_the_size_that_it_has(registry, stopped, after):
    folder = stopped(after)
    train(resumed(folder, lr_g=1e-5), registry, resume=True, quiet=True)
    assert read_log(folder)["grow.size"] == SIZES
    assert read_log(folder)["grow.fade"][3:7] == [0.5, 1, 0.166667, 1]
    for path in checkpoint.list_checkpoints(folder / "checkpoints"):
        size = SIZES[checkpoint.step_of(path) - 1]
        for net in checkpoint.load(path).model.values():
            assert 32 >> int(net["growth"]) == size


def test_a_stage_with_a_larger_first_size_grows_to_it(registry, stopped):
    folder = stopped(2)
    tricks = ("ema:decay=0.9", "grow:start=16")
    train(resumed(folder, tricks=tricks), registry, resume=True, quiet=True)
    assert read_log(folder)["grow.size"][:4] == [8, 8, 16, 16]


def test_a_stage_may_leave_the_trick_out_once_all_has_grown(registry, stopped):
    folder = stopped(8)
    train(resumed(folder, tricks=("ema:decay=0.9",)), registry, resume=True, quiet=True)
    assert len(read_log(folder)["g_loss"]) == 12


def test_a_stage_that_would_stay_small_is_refused(registry, stopped):
    folder = stopped(4)
    before = (folder / "run.json").read_bytes()
    with pytest.raises(GankitError, match=r"without trick 'grow'.* halved 1 time .*grow:until=0"):
        train(resumed(folder, tricks=("ema:decay=0.9",)), registry, resume=True, quiet=True)
    assert (folder / "run.json").read_bytes() == before
    at_once = ("ema:decay=0.9", "grow:until=0")
    train(resumed(folder, tricks=at_once), registry, resume=True, quiet=True)
    assert len(read_log(folder)["g_loss"]) == 12


def test_a_repetition_that_would_stay_small_is_refused_before_its_first_step(
    registry, stopped, tmp_path
):
    folder = stopped(6)  # all has grown, which takes 5 of 12 steps
    train(resumed(folder, tricks=("ema:decay=0.9",)), registry, resume=True, quiet=True)

    def repeat(**settings):
        return new_run(registry, folder / "run.json", {"out": str(tmp_path / "new"), **settings})

    message = "without trick 'grow', pictures are still halved 1 time at step 6 .*grow:until=0"
    with pytest.raises(GankitError, match=message):
        train(repeat(length="20 steps"), registry, quiet=True)
    assert not (tmp_path / "new").exists()
    train(repeat(), registry, quiet=True)
    assert read_log(tmp_path / "new")["grow.size"][:6] == SIZES[:6]


@pytest.mark.parametrize(("step", "halvings"), [(2, 2), (4, 1), (12, 0)])
def test_a_run_begins_with_the_size_of_its_base(begun, step, halvings):
    trainer = begun(step, length="12 steps")
    assert halvings_of(trainer) == halvings
    for number in range(4):
        trainer.step(number)
    assert halvings_of(trainer) == min(halvings, 1)
    assert trainer.begun_from["new"] == {"G": [], "D": []}


@pytest.mark.parametrize(("step", "num_phases"), [(2, 3), (12, 1)])
def test_a_budget_counts_no_small_steps_that_a_grown_base_does_not_take(
    registry, grown, step, num_phases
):
    settings = {"device": "cpu", "precision": "32", "dataset": "petals:count=64", "batch_size": 8}
    run = compose(registry, init=f"{grown}:{step}", length="12 steps", **settings)
    prepared = gankit.prepare(run, registry, lambda done, total: None)
    costs, _ = measure_costs(resolve_auto(run, prepared), registry, prepared, min_seconds=0.01)
    assert len(costs.begins) == num_phases


@pytest.mark.parametrize("tricks", ["ema", "+grow:until=0"])
def test_a_run_without_small_pictures_begins_at_full_size(begun, tricks):
    trainer = begun(3, tricks=tricks)
    assert halvings_of(trainer) == 0
    trainer.step(0)


@pytest.mark.parametrize("image_size", [16, 64])
@pytest.mark.parametrize("step", [2, 12])
def test_networks_for_another_size_begin_small(begun, image_size, step):
    trainer = begun(step, image_size=image_size)
    assert halvings_of(trainer) == {16: 1, 64: 3}[image_size]
    trainer.step(0)
    plain = begun(step, image_size=image_size, tricks="none")
    assert halvings_of(plain) == 0


def test_larger_networks_say_how_many_weights_they_take(begun):
    trainer = begun(12, image_size=64)
    record = trainer.begun_from
    assert record["new"]["D"] == [
        *("looks.0.0.weight", "downs.0.0.weight", "downs.0.1.weight", "downs.0.1.bias"),
        *("downs.0.1.running_mean", "downs.0.1.running_var", "last.weight"),
    ]
    assert "13 of 20 tensors of D are from base" in describe_begin(record, "base")
