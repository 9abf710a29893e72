"""While a run trains, a part that fails is named, whoever calls it, and guards end with the run."""

import pytest

from gankit.core.errors import RunFailed
from gankit.core.parts.registry import load_registry
from gankit.training.guard import guard_parts
from gankit.training.settings.compose import compose
from gankit.training.train import train

FORGETS = """
class Forgets(Trick):
    def after_update(self, gan, player):
        pass

    def state_dict(self):
        return {"count": 1}

    def load_state_dict(self, state):
        raise SystemExit(state["total"])

@hookimpl
def register_tricks(register):
    register(TrickSpec(name="forgets", summary="s", source="s", build=Forgets))
"""
TIRED = """
class Tired(Trick):
    def after_update(self, gan, player):
        if gan.step == 5:
            raise RuntimeError("tired")

class Watcher:
    outcomes = []

    @hookimpl
    def register_tricks(self, register):
        register(TrickSpec(name="tired", summary="s", source="s", build=Tired))

    @hookimpl
    def run_finished(self, outcome):
        self.outcomes.append(outcome)
"""


def test_a_state_that_cannot_be_restored_names_the_trick(gankit_run, gankit_cli, plugin_file, here):
    path = plugin_file(FORGETS)
    assert gankit_run("--trick", "forgets", "--out", "a", before=("-p", path)).code == 0
    code, _, err = gankit_cli("-p", path, "run", "--resume", "a", "--steps", 8)
    assert code != 0
    for fact in ("trick 'forgets' of plugin 'mine'", "load_state_dict", "KeyError", "mine.py"):
        assert fact in err


def test_a_program_that_trains_gets_the_error_and_observers_the_outcome(tiny, here):
    names = {}
    exec(f"from gankit import Trick, TrickSpec, hookimpl\n{TIRED}", names)
    registry = load_registry()
    assert not registry.load("watcher", lambda: names["Watcher"]).error
    run = compose(registry, **tiny(tricks=["tired"], length="9 steps", save_every=4, out="a"))
    with pytest.raises(RunFailed, match=r"trick 'tired' of plugin 'watcher'.*after_update.*step 6"):
        train(run, registry)
    (outcome,) = names["Watcher"].outcomes
    assert (outcome["state"], outcome["step"]) == ("failed", 5)
    assert "'tired'" in outcome["message"]
    assert (here / "a" / "checkpoints" / "step-000004").is_dir()


def test_the_part_that_fails_is_named_and_not_the_one_that_calls_it(trainer_of, registry):
    trainer = trainer_of("r1")
    trainer.gan.D.net.register_forward_pre_hook(lambda net, images: [].pop())
    real = trainer.batches[0]
    cause = pytest.raises(RunFailed, match=r"discriminator 'dcgan'.*IndexError")
    with cause, guard_parts(trainer, registry):
        trainer.tricks[0].penalty(trainer.gan, trainer.gan.D, real, real)


def test_nothing_is_guarded_any_more_when_the_run_is_over(trainer_of, registry):
    trainer = trainer_of("ema", "noisy-d")
    owners = [trainer, trainer.gan, trainer.loss, *trainer.tricks]
    before = [set(vars(owner)) for owner in owners]
    d_inputs = trainer.gan.d_inputs
    with guard_parts(trainer, registry):
        assert trainer.gan.d_inputs != d_inputs
        trainer.step(0)
    assert [set(vars(owner)) for owner in owners] == before
    assert trainer.gan.d_inputs == d_inputs
