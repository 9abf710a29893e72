"""Ctrl-C, or a notebook's stop button, while `gankit.train` runs in a program: nothing is lost."""

import signal
import threading

import pytest
from gankit_tricks.ema import EMA

import gankit
from gankit import RunStopped, compose, hookimpl, prepare, train
from gankit.core.parts.registry import load_registry
from gankit.training.checkpoints import checkpoint

pytestmark = pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="signals come there"
)


@pytest.fixture(autouse=True)
def python_handler():
    """Python's own handler of interrupts, and back to the one before."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def run_of(tiny, here):
    def build(name, **settings):
        settings = {
            "length": "9 steps",
            "log_every": 2,
            "save_every": 4,
            "draw_every": 3,
        } | settings
        run = compose(**tiny(tricks=["ema", "replay", "noisy-d"], **settings), out=name)
        prepare(run)
        return run

    return build


class Interrupter:
    """Presses the stop button at one event of the run."""

    def __init__(self, event, step, times=1):
        self.at = (event, step)
        self.times = times

    def happened(self, event, step):
        if (event, step) == self.at:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)

    @hookimpl
    def step_done(self, step):
        self.happened("step", step)

    @hookimpl
    def samples_drawn(self, step):
        self.happened("drawing", step)

    @hookimpl
    def checkpoint_saved(self, step):
        self.happened("saving", step)


def interrupted_at(*at):
    registry = load_registry()
    assert not registry.load("interrupter", lambda: Interrupter(*at)).error
    return registry


def newest(folder):
    path, saved, _ = checkpoint.load_newest(folder / "checkpoints")
    return path.name, (path / "manifest.json").read_text(), saved.step


@pytest.mark.parametrize(
    ("event", "step", "stopped"), [("step", 2, 2), ("drawing", 3, 3), ("saving", 4, 5)]
)
def test_the_step_is_finished_and_saved_and_the_resume_is_exact(run_of, event, step, stopped):
    whole = train(run_of("whole"))
    with pytest.raises(RunStopped) as error:
        train(run_of("parts"), interrupted_at(event, step))
    parts = whole.parent / "parts"
    assert newest(parts)[2] == stopped
    assert error.value.exit_code == 130
    assert (error.value.folder, error.value.step) == (parts, stopped)
    message = str(error.value)
    assert f"step {stopped} of 9" in message
    advice = message[message.index("gankit.train(") :]
    assert eval(advice, {"gankit": gankit}) == parts  # what the message says to type
    assert newest(parts) == newest(whole)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_inside_a_step(run_of, registry, monkeypatch):
    after_update = EMA.after_update

    def interrupted(self, gan, player):
        after_update(self, gan, player)
        if gan.step == 5:
            monkeypatch.setattr(EMA, "after_update", after_update)
            signal.raise_signal(signal.SIGINT)

    whole = train(run_of("whole"))
    monkeypatch.setattr(EMA, "after_update", interrupted)
    with pytest.raises(RunStopped, match=r"\b6 of 9\b"):
        train(run_of("parts"), registry)
    parts = train(gankit.load_run("parts"), registry, resume=True)
    assert newest(parts) == newest(whole)


def test_before_the_first_step_it_ends_at_once(tiny, here):
    def press(done, total):
        signal.raise_signal(signal.SIGINT)

    run = compose(**tiny(dataset="petals:count=65,seed=2", out="run"))
    with pytest.raises(KeyboardInterrupt):
        train(run, progress=press)
    assert not (here / "run").exists()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_interrupt_ends_at_once(run_of, here):
    with pytest.raises(KeyboardInterrupt):
        train(run_of("run"), interrupted_at("step", 6, 2))
    assert newest(here / "run")[2] == 4
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_at_the_last_step_is_not_lost(run_of, here):
    """A loop over several runs must end, too."""
    with pytest.raises(KeyboardInterrupt):
        train(run_of("run"), interrupted_at("saving", 9))
    assert newest(here / "run")[2] == 9
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_programs_own_handler_stays(run_of, here):
    calls = []
    signal.signal(signal.SIGINT, lambda number, frame: calls.append(number))
    train(run_of("run"), interrupted_at("step", 4))
    assert calls == [signal.SIGINT]
    assert newest(here / "run")[2] == 9


def test_another_thread_trains_without_signals(run_of, here):
    failed = []

    def work():
        try:
            train(run_of("run"))
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert failed == []
    assert newest(here / "run")[2] == 9


def test_a_notebook_shows_one_line(run_of):
    """IPython prints what `_render_traceback_` returns in place of a traceback."""
    with pytest.raises(RunStopped) as stopped:
        train(run_of("run"), interrupted_at("step", 4))
    (line,) = stopped.value._render_traceback_()
    assert str(stopped.value) in line
    with pytest.raises(KeyboardInterrupt) as interrupted:
        train(gankit.load_run("run"), interrupted_at("step", 6, 2), resume=True)
    (line,) = interrupted.value._render_traceback_()
    assert "\n" not in line
