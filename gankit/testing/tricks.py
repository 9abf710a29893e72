"""The contract of a trick."""

import itertools
import tempfile
from pathlib import Path

import torch

from gankit.core.choice import Choice
from gankit.core.errors import GankitError, RunStopped
from gankit.core.settings import load_run
from gankit.core.trick import Trick
from gankit.testing import places
from gankit.testing.bench import LinearD, difference, finite, weights
from gankit.training import checkpoint
from gankit.training.loop import train

ACTS = (
    "wrap",
    "start",
    "fakes",
    "d_input",
    "targets",
    "logits",
    "penalty",
    "before_update",
    "after_update",
)
STEPS = 4  # of the bench's run
STATE = "let state_dict give, and load_state_dict take, all that it needs to go on"


def check(bench, off, beside):
    for contract in (has_something_to_do, keeps_to_its_places, trains, repeats_itself_and_resumes):
        bench.keep_to(contract)
    if off:
        bench.keep_to(changes_nothing, off)
    for other in _bundled(bench) if beside is None else beside:
        bench.keep_to(goes_with, other)


def has_something_to_do(bench):
    """it has something to do, and says what it did"""
    trick = bench.make()
    if not isinstance(trick, Trick):
        raise ValueError(f"its builder makes a {type(trick).__name__}; wanted is a gankit.Trick")
    if not trick.overrides(*ACTS):
        raise ValueError(f"acts nowhere: it overrides none of {', '.join(ACTS)}")
    if not trick.overrides("activity"):
        raise ValueError("never says what it did: give it a method activity()")


def trains(bench):
    """it trains in colour and grey, in float32 and bf16"""
    said = []
    for channels, precision, steps in ((1, "32", 2), (3, "bf16", 2), (3, "32", STEPS)):
        game = bench.game(bench.text, channels=channels, precision=precision)
        where = f"{'colour' if channels == 3 else 'grey'}, precision {precision}"
        for step in range(steps):
            scalars = game.step(step)
            said.append(places.says_and_saves(game.tricks[0]))
            finite(game, scalars, f"at step {step + 1} ({where})")
    if not any(said):
        raise ValueError(f"never acted in {STEPS} steps, or its activity() does not say so")
    bench.end = weights(game)


def keeps_to_its_places(bench):
    """each of its methods takes and gives what it should"""
    for channels in (3, 1):
        game = bench.game(bench.text, channels=channels)
        for place in places.PLACES:
            place(game, game.tricks[0])


def repeats_itself_and_resumes(bench):
    """a run can be repeated, and stopped and gone on with, bit for bit"""
    changed = difference(bench.end, _end_again(bench))
    if changed:
        raise ValueError(f"a run with it cannot be repeated ({changed} differs): {places.MEND}")
    changed = difference(bench.end, _end_of_parts(bench))
    if changed:
        raise ValueError(f"a resumed run ends otherwise ({changed} differs): {STATE}")


def _end_again(bench):
    """The weights after a whole run, which must not hear of any random state outside."""
    torch.manual_seed(12345)  # NumPy's and Python's own have moved on since the first run
    game = bench.game(bench.text)
    for step in range(STEPS):
        game.step(step)
    return weights(game)


def _end_of_parts(bench):
    """The weights after the same run, stopped in the middle and gone on with."""
    with tempfile.TemporaryDirectory() as folder:
        run = bench.run(bench.text, out=f"{folder}/run")
        asked = iter([0, 2])  # what `stop` says: go on after the first step, not after the second
        try:
            train(run, bench.registry, stop=lambda: next(asked))
        except RunStopped:
            train(load_run(Path(run.out)), bench.registry, resume=True)
        saved = checkpoint.newest(run.folder / "checkpoints")[1].model
    return {f"{name} {key}": value for name in saved for key, value in saved[name].items()}


def changes_nothing(bench, off):
    """its zero strength changes nothing"""
    text = str(Choice.parse(f"{bench.name}:{off}"))
    games = bench.game(text), bench.game()
    for step, game in itertools.product(range(2), games):
        game.step(step)
    changed = difference(*map(weights, games))
    if changed:
        raise ValueError(f"changes {changed} with {off}, which should switch it off")
    said = games[0].tricks[0].activity()
    if said:
        raise ValueError(f"says {said!r} with {off}, where it should say None")


def goes_with(bench, other):
    """it trains together with another trick"""
    for pair in ((bench.text, other), (other, bench.text)):
        try:
            trains_together(bench, *pair)
        except GankitError as error:
            if "exclude each other" not in str(error) and _stands_alone(bench, other):
                raise


def trains_together(bench, *tricks):
    """they train together"""
    game, many = bench.game(*tricks), " with ".join(tricks)
    for step in range(2):
        finite(game, game.step(step), f"at step {step + 1}, {many}")
    idle = [trick.name for trick in game.tricks if not trick.activity()]
    if idle:
        raise ValueError(f"{many}: {idle[0]} did not act")


def _bundled(bench):
    """The other tricks that come with gankit."""
    ours = [p for p in bench.registry.plugins if p.distribution and p.distribution.name == "gankit"]
    return [s.name for p in ours for s in p.specs if s.kind == "trick" and s.name != bench.name]


def _stands_alone(bench, other):
    """Whether the other trick can do without this one; else it is not this one's fault."""
    try:
        bench.game(other)
    except GankitError:
        return False
    return True


def check_penalty(bench, expected, name):
    bench.keep_to(is_the_known_penalty, expected, name)


def is_the_known_penalty(bench, expected, name):
    """its penalty is the one that is known by hand"""
    game = bench.game(bench.text, discriminator="gankit-testing")
    gan, real = game.gan, game.batches[0]
    assert isinstance(gan.D.net, LinearD)
    gan.begin_step(0)
    fake = gan.generate(gan.latents(len(real))).detach()
    player = {"G": gan.G, "D": gan.D}[name]
    value = places.penalty_of(game.tricks[0], gan, player, real, fake)
    wanted = float(expected(gan.D.net.slope.detach(), real, fake))
    given = None if value is None else value.item()
    if given is None or abs(given - wanted) > 1e-4 * max(1.0, abs(wanted)):
        raise ValueError(f"its penalty is {given}, where {wanted:.6g} is known by hand")
