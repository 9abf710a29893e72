"""Observers of a run: objects that `train` is given, each step's record, warnings, a stop."""

import signal

import pytest
import torch

import gankit
from gankit import GankitError, compose, load_run, train
from gankit.core.parts.registry import import_file, load_registry
from gankit.runs.log import read_log
from gankit.training.checkpoints import checkpoint


@pytest.fixture
def run_of(tiny, here):
    """`run_of("name", steps, tricks=...)`: a tiny run in a folder of that name."""

    def build(name="run", steps=4, **settings):
        settings = {"tricks": ["ema"], "log_every": 2, "save_every": 100, **settings}
        return compose(**tiny(length=f"{steps} steps", **settings), out=str(here / name))

    return build


class Watch:
    """Keeps the record of each step."""

    def __init__(self):
        self.steps = []
        self.records = []

    def step_taken(self, gan, step, record):
        assert gan.step == step
        self.steps.append(step)
        self.records.append(record)


def watch(run, watch_updates=False, watch_every=1, **arguments):
    observer = Watch()
    observer.watch_updates = watch_updates
    observer.watch_every = watch_every
    train(run, observers=[observer], **arguments)
    return observer


def weights_of(folder):
    _, saved, _ = checkpoint.load_newest(folder / "checkpoints")
    return {f"{net}/{k}": v for net, tensors in saved.model.items() for k, v in tensors.items()}


# --- the record of a step


@pytest.mark.parametrize("settings", [{}, {"accumulate": 2, "d_steps": 2}])
def test_a_record_has_what_the_losses_and_the_optimisers_got(run_of, settings):
    tricks = ["smooth-labels", "r1:every=1", "gradient-clipping:norm=0.01"]
    observer = watch(run_of(tricks=tricks, steps=2, log_every=1, **settings))
    assert observer.steps == [1, 2]
    record = observer.records[-1]
    for logits in (record.real_logits, record.fake_logits, record.g_fake_logits):
        assert logits.shape == (8,)
        assert not logits.requires_grad
    assert record.targets.real.tolist() == pytest.approx([0.9] * 8)  # as the trick has set them
    assert record.targets.fake.tolist() == [0] * 8
    for player in (record.D, record.G):
        assert float(player.grad_norm) == pytest.approx(0.01, rel=0.01)  # clipped
        squares = sum(float(norm) ** 2 for norm in player.grad_norms.values())
        assert squares == pytest.approx(float(player.grad_norm) ** 2)
    log = read_log("run")
    assert [float(r.d_loss) for r in observer.records] == log["d_loss"]
    assert [float(r.g_loss) for r in observer.records] == log["g_loss"]
    assert [float(r.penalty) for r in observer.records] == log["penalty"]
    mean = float(record.real_logits.sigmoid().mean())
    assert mean == pytest.approx(log["d_real"][-1], rel=1e-4)
    assert record.seconds >= record.D.seconds + record.G.seconds > 0


def test_the_sizes_of_updates_are_those_of_the_weights(run_of, trainer_of):
    observer = watch(run_of(steps=1), watch_updates=True)
    record = observer.records[0]
    before = trainer_of("ema").gan
    after = weights_of(run_of().folder)
    for player in (before.G, before.D):
        of_player = getattr(record, player.name)
        assert set(of_player.update_norms) == {n for n, _ in player.net.named_parameters()}
        changes = []
        for name, weight in player.net.named_parameters():
            change = (after[f"{player.name}/{name}"] - weight.detach()).norm()
            changes.append(float(change))
            assert float(of_player.update_norms[name]) == pytest.approx(changes[-1], rel=1e-3)
            if weight.any():
                ratio = float(change / weight.detach().norm())
                assert float(of_player.update_ratios[name]) == pytest.approx(ratio, rel=1e-3)
        assert float(of_player.update_norm) == pytest.approx(torch.tensor(changes).norm().item())
        assert 0 < float(of_player.update_ratio) < 1


def test_weights_are_copied_only_for_an_observer_that_asks_for_it(run_of):
    record = watch(run_of(steps=1)).records[0]
    with pytest.raises(GankitError, match="watch_updates"):
        _ = record.D.update_norm


def test_only_each_nth_step_is_recorded_if_an_observer_says_so(run_of, monkeypatch):
    recorded = []
    step = gankit.training.assemble.Trainer.recorded_step

    def count(trainer, number, **options):
        recorded.append(number + 1)
        return step(trainer, number, **options)

    monkeypatch.setattr(gankit.training.assemble.Trainer, "recorded_step", count)
    assert watch(run_of(steps=7), watch_every=3).steps == [3, 6]
    assert recorded == [3, 6]


@pytest.mark.parametrize("every", [0, -1, 2.5, "10"])
def test_a_wrong_watch_every_is_refused_before_the_run_begins(run_of, every, here):
    with pytest.raises(GankitError, match=f"watch_every.*'Watch'.*{every!r}"):
        watch(run_of(), watch_every=every)
    assert not (here / "run").exists()


class BusyWatch(Watch):
    """Reads everything of each step, and looks at pictures."""

    watch_updates = True

    def run_started(self, gan):
        self.gan = gan

    def step_taken(self, gan, step, record, control):
        numbers = {"d": record.D.grad_norm, "g": record.G.update_ratio}
        control.report(numbers)
        gan.look(gan.sample(torch.ones(3, gan.latent_dim)))


def test_watching_changes_no_bit_of_weights_and_log(run_of):
    tricks = ["ema", "minibatch-stddev", "spectral-norm", "noisy-d", "ada"]
    plain = train(run_of("plain", tricks=tricks, accumulate=2))
    watched = train(run_of("watched", tricks=tricks, accumulate=2), observers=[BusyWatch()])
    torch.testing.assert_close(weights_of(plain), weights_of(watched), rtol=0, atol=0)
    logs = [read_log(folder) for folder in (plain, watched)]
    assert set(logs[1]) - set(logs[0]) == {"BusyWatch.d", "BusyWatch.g"}
    for name in set(logs[0]) - {"seconds"}:
        assert str(logs[0][name]) == str(logs[1][name]), name
    run_json = [(folder / "run.json").read_text() for folder in (plain, watched)]
    assert "Watch" not in run_json[1]


def test_a_plugin_watches_steps_too(run_of, plugin_file):
    registry = load_registry()
    source = """
    watch_every = 2
    steps = []

    @hookimpl
    def step_taken(step, record):
        steps.append((step, float(record.D.grad_norm)))
    """
    module = import_file(plugin_file(source))
    registry.load("mine", lambda: module)
    train(run_of(), registry)
    assert [step for step, _ in module.steps] == [2, 4]


# --- observers that are objects


def test_observers_take_the_arguments_that_they_name(run_of):
    class Everything:
        def __init__(self):
            self.events = []

        def run_started(self, run, gan, registry):
            self.events.append(("run_started", gan.step))

        def step_done(self, scalars, step):
            self.events.append(("step_done", step))

        def samples_drawn(self, images):
            self.events.append(("samples_drawn", len(images)))

        def checkpoint_saved(self, path):
            self.events.append(("checkpoint_saved", path.name))

        def run_finished(self, outcome):
            self.events.append(("run_finished", outcome["state"]))

    observer = Everything()
    train(run_of(), observers=[observer])
    assert dict(observer.events) == {
        "run_started": 0,
        "step_done": 4,
        "samples_drawn": 64,
        "checkpoint_saved": "step-000004",
        "run_finished": "finished",
    }


class Misspelt:
    def step_don(self):
        """Is never called."""


class WrongArgument:
    def step_done(self, stepp):
        """Cannot be called."""


class WithoutSelf:
    def step_taken(step, record):
        """Would get the observer as its step."""


class Nothing:
    """Has no methods."""


@pytest.mark.parametrize(
    ("observer", "words"),
    [
        (Misspelt(), ["Misspelt.step_don", "'step_done'"]),
        (WrongArgument(), ["WrongArgument.step_done", "'stepp'", "'step'"]),
        (WithoutSelf(), ["WithoutSelf.step_taken", "'step'", "def step_taken(self, step"]),
        (Nothing(), ["Nothing", "step_taken"]),
        (Watch, ["Watch()"]),
    ],
)
def test_an_object_that_cannot_observe_is_an_error(run_of, here, observer, words):
    with pytest.raises(GankitError) as error:
        train(run_of(), observers=[observer])
    for word in words:
        assert word in str(error.value)
    assert not (here / "run").exists()


def test_an_observer_that_raises_is_named_and_ignored(run_of, caplog):
    class Fragile(Watch):
        def step_taken(self, step, record):
            self.steps.append(step)
            raise ValueError("no luck")

    observer = Fragile()
    train(run_of(), observers=[observer])
    assert observer.steps == [1]
    line, reminder = caplog.messages
    assert "'Fragile'" in reminder
    for word in ("observer", "'Fragile'", "step_taken", "no luck"):
        assert word in line


def test_an_observer_that_raises_does_not_end_the_others_of_its_file(run_of, plugin_file, caplog):
    registry = load_registry()
    source = """
    seen = []

    class Fragile:
        @hookimpl
        def step_taken(self, step):
            seen.append(f"fragile {step}")
            raise ValueError("no luck")

        @hookimpl
        def run_finished(self):
            seen.append("fragile end")

    class Sturdy:
        @hookimpl
        def step_taken(self, step):
            seen.append(step)

    @hookimpl
    def run_finished(outcome):
        seen.append(outcome["state"])
    """
    module = import_file(plugin_file(source))
    registry.load("mine", lambda: module)
    train(run_of(), registry)
    assert sorted(map(str, module.seen)) == ["1", "2", "3", "4", "finished", "fragile 1"]
    (line,) = caplog.messages
    assert "plugin 'mine' failed in Fragile.step_taken, so this observer is ignored" in line


# --- warnings, reports, and a stop with a reason


class Early:
    """Ends the run at a step, in an event."""

    def __init__(self, event, at):
        self.at = at
        setattr(self, event, self.stop)

    def stop(self, step, control):
        if step == self.at:
            control.warn("that's\nenough")
            control.stop("it is good enough")

    def run_finished(self, outcome):
        self.outcome = outcome


@pytest.mark.parametrize("event", ["step_taken", "step_done", "samples_drawn"])
def test_an_observer_ends_the_run_with_a_reason(run_of, capsys, caplog, event):
    observer = Early(event, at=2)
    folder = train(run_of(steps=8, draw_every=2), observers=[observer])
    outcome = observer.outcome
    assert (outcome["state"], outcome["step"]) == ("stopped", 2)
    assert outcome["reason"] == "Early: it is good enough"
    assert "it is good enough" in capsys.readouterr().out
    assert caplog.messages == ["Early: that's enough"]
    assert [p.name for p in (folder / "checkpoints").glob("step-*")] == ["step-000002"]
    assert train(load_run(folder), resume=True) == folder
    assert read_log(folder)["step"][-1] == 8


def test_a_run_that_is_resumed_after_a_stop_is_the_same_run(run_of):
    whole = train(run_of("whole", steps=6))
    folder = train(run_of("halves", steps=6), observers=[Early("step_taken", at=3)])
    train(load_run(folder), resume=True)
    torch.testing.assert_close(weights_of(whole), weights_of(folder), rtol=0, atol=0)


def test_a_single_observer_needs_no_list(run_of):
    observer = Watch()
    train(run_of(), observers=observer)
    assert observer.steps == [1, 2, 3, 4]
    with pytest.raises(GankitError, match="Watch()"):
        train(run_of(), observers=Watch)


def test_a_stop_at_the_last_step_is_a_finished_run(run_of):
    observer = Early("step_taken", at=4)
    train(run_of(), observers=[observer])
    assert observer.outcome["state"] == "finished"
    assert observer.outcome["reason"] == ""


@pytest.mark.parametrize("answer", [True, torch.tensor(True), "yes"])
def test_stop_may_return_whether_the_run_should_end(run_of, answer):
    answers = iter([0, False, None] + [answer] * 9)
    observer = Early("step_done", at=0)
    folder = train(run_of(steps=8), stop=lambda: next(answers), observers=[observer])
    assert observer.outcome["state"] == "stopped"
    assert (folder / "checkpoints").exists()


def test_the_command_line_ends_with_0_after_a_stop_with_a_reason(gankit_run, plugin_file):
    source = """
    @hookimpl
    def step_done(step, control):
        if step >= 2:
            control.stop("D has won")
    """
    answer = gankit_run("--log-every", 1, "--steps", 9, before=("-p", plugin_file(source)))
    assert answer.code == 0
    assert "D has won" in answer.out
    assert "step 2 of 9" in answer.out
    assert "--resume" in answer.out


def test_two_observers_of_one_class_report_into_columns_of_their_own(run_of):
    class Counter:
        def step_taken(self, step, control):
            control.report({"steps": step, "half": torch.tensor(step / 2)})

    folder = train(run_of(), observers=[Counter(), Counter()])
    log = read_log(folder)
    assert log["Counter.steps"] == log["Counter-2.steps"] == [2.0, 4.0]
    assert log["Counter.half"] == [1.0, 2.0]


@pytest.mark.parametrize("numbers", [{"x": "much"}, {"a b": 1}, {"x": torch.ones(2)}, [1], {1: 2}])
def test_what_is_not_a_number_is_not_reported(run_of, caplog, numbers):
    class Bad:
        def step_done(self, control):
            control.report(numbers)

    folder = train(run_of(), observers=[Bad()])
    assert len(caplog.messages) == 2  # and a reminder at the end
    assert not [name for name in read_log(folder) if "Bad" in name]


def test_a_number_that_is_first_reported_late_gets_a_column(run_of):
    class Late:
        def step_done(self, step, control):
            if step > 4:
                control.report({"late": step})

    folder = train(run_of(steps=6), observers=[Late()])
    assert str(read_log(folder)["Late.late"]) == "[nan, nan, 6.0]"
    train(load_run(folder, length="8 steps"), resume=True)
    assert str(read_log(folder)["Late.late"]) == "[nan, nan, 6.0, nan]"


# --- progress


def test_progress_is_called_while_pictures_are_prepared_and_at_each_step(run_of):
    calls = []
    pairs = []
    train(run_of("a"), progress=lambda done, total, stage: calls.append((stage, done, total)))
    assert [c for c in calls if c[0] == "training"] == [("training", n, 4) for n in (1, 2, 3, 4)]
    train(run_of("b", data_seed=9), progress=lambda done, total: pairs.append((done, total)))
    assert pairs[-4:] == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_ended_runs_know_their_folder_and_step(run_of):
    with pytest.raises(gankit.RunStopped) as error:
        train(run_of(), stop=lambda: signal.SIGTERM)
    assert error.value.folder == run_of().folder
    assert error.value.step == 1
